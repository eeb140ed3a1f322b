"""Attention blocks for the stages of the detector's trunk.

`residual` weighs what a stage says by a mask of residual attention (Wang et al., CVPR 2017):
(1 + M(T(x))) * T(x), where T is the stage, x what enters it and M one hourglass. That is not
the paper's module with the stage as its trunk branch, (1 + M(x)) * T(x), whose mask branch
runs beside the trunk on the same x: here the mask is made of the stage's own output, which it
then multiplies. It pools once, and not at the deepest stage, for tiles start at multiples of
32 pixels: so it sees the same however a scene is cut.

`se` (Hu et al., CVPR 2018), `eca` (Wang et al., CVPR 2020) and `cbam` (Woo et al., ECCV 2018)
are timm's. They weigh channels by their mean over the whole tile, so with them ships depend,
a little, on how a scene is cut.
"""

from typing import Literal

import torch
from torch import Tensor, nn

from shipdet.attention.residual import Layout, ResidualAttention

TrunkAttention = Literal["none", "residual", "se", "eca", "cbam"]

MASK_ONLY = Layout(p=0, t=0, r=1)
"""The mask alone: no units before, beside or after it, so that what enters feeds both the mask and the product."""
WIDER = {"none": 0, "residual": 224, "se": 0, "eca": 0, "cbam": 192}
"""Pixels by which blocks widen what a place is told by, in multiples of 32; but for means over a whole tile."""


class ResidualBlock(nn.Module):
    """(1 + M(y)) * y for what a stage says, y = T(x); with a mask of 0 it is not there."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.attention = ResidualAttention(channels, depth=1, layout=MASK_ONLY)

    def forward(self, x: Tensor) -> Tensor:
        """(B, C, H, W), a stage's output, to the same."""
        features: Tensor = self.attention(x).features
        return features


def trunk_blocks(kind: TrunkAttention, channels: tuple[int, ...]) -> nn.ModuleList:
    """A block for each stage, the shallowest first; without a weight where there is nothing to do.

    Random numbers are drawn aside: networks of one seed start alike but for their blocks.
    """
    with torch.random.fork_rng(devices=[]):
        if kind == "none":
            return nn.ModuleList(nn.Identity() for _ in channels)
        if kind == "residual":
            return nn.ModuleList([*(ResidualBlock(width) for width in channels[:-1]), nn.Identity()])
        from timm.layers.create_attn import create_attn  # noqa: PLC0415 - it brings torchvision, which is large

        return nn.ModuleList(create_attn(kind, width) for width in channels)  # type: ignore[no-untyped-call]
