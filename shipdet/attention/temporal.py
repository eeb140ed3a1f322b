"""Attention over the dates of one place: additive attention (Bahdanau et al., ICLR 2015) at each pixel.

    a_t(x) = softmax_t v . tanh(W k_t(x) + U q(x))        c(x) = sum_t a_t(x) k_t(x)

The date under question asks the other dates of the same place. What it finds again there
stands still (a platform, a jetty, a wreck); what it does not has come by ship. A plain mean
over the dates cannot leave out the clouded one, or the one with another ship at the berth.
"""

from typing import NamedTuple

from torch import Tensor, nn

from shipdet.attention.additive import AdditiveAttention


class Remembered(NamedTuple):
    """What the other dates say of each pixel."""

    features: Tensor
    """(B, C, H, W), 0 where no date is present"""
    weights: Tensor
    """(B, T, H, W) of each date at each pixel; their sum over dates is 1, or 0 where none is present"""


class DateAttention(nn.Module):
    """Looks at each pixel through the dates of its place, in no order.

    Args:
        channels: of the features of a date, the one under question included.
        width: of the scoring network.
    """

    def __init__(self, channels: int, width: int) -> None:
        super().__init__()
        self.attend = AdditiveAttention(channels, channels, width)

    def forward(self, now: Tensor, dates: Tensor, present: Tensor | None = None) -> Remembered:
        """Ask (B, T, C, H, W) other dates about (B, C, H, W), the date under question.

        `present` is bool: (B, T) for whole dates, or (B, T, H, W) where clouds hide a part.
        """
        batch, count, _, height, width = dates.shape
        if present is not None:
            whole = present if present.ndim == 4 else present[:, :, None, None]
            present = whole.expand(batch, count, height, width).permute(0, 2, 3, 1)
        context, weights = self.attend(dates.permute(0, 3, 4, 1, 2), now.permute(0, 2, 3, 1), present)
        return Remembered(context.permute(0, 3, 1, 2), weights.permute(0, 3, 1, 2))
