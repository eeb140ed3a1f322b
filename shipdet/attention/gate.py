"""The gate of task partitioning (Lin, Shi and Zou, IEEE GRSL 2017, doi 10.1109/LGRS.2017.2727515).

    open = dilate(attention >= threshold)
    y = open * x

Deep layers say where a shallow branch is listened to, in its loss and at inference. The
gate is hard and detached: through a soft one the network would shrink the gate to shrink
the loss. Early on the attention map is empty, so the truth, dilated too, opens it as well.
"""

from typing import NamedTuple

import torch.nn.functional as F
from torch import Tensor, nn


class Gated(NamedTuple):
    """What a gate lets through."""

    features: Tensor
    """(B, C, H, W), zero where the gate is shut; no gradient comes back from there"""
    gate: Tensor
    """(B, H, W) bool, at the features' resolution"""


def open_gate(attention: Tensor, threshold: float, truth: Tensor | None = None) -> Tensor:
    """Cells that the gate opens, bool (B, H, W).

    Args:
        attention: (B, H, W) probabilities.
        threshold: what opens a cell and its eight neighbours.
        truth: (B, H, W) bool, further cells to open, for the warm-up.
    """
    seen = attention.detach() >= threshold
    if truth is not None:
        seen = seen | truth
    return F.max_pool2d(seen.float().unsqueeze(1), 3, stride=1, padding=1).squeeze(1) > 0


class Gate(nn.Module):
    """Lets a branch's features, or its loss map, through where another branch's attention map is high.

    It has no parameters. A network that is trained behind a gate knows nothing of what lies outside: gate it at
    inference too, and report the gate's recall, which caps the network's.
    """

    def __init__(self, threshold: float) -> None:
        super().__init__()
        self.threshold = threshold

    def forward(self, features: Tensor, attention: Tensor, truth: Tensor | None = None) -> Gated:
        """Gate (B, C, H, W) features by (B, h, w) probabilities, where h and w are at most H and W.

        `truth`, (B, h, w) bool, opens further cells: give it while training warms up, and never at inference.
        """
        cells = open_gate(attention, self.threshold, truth)
        gate = F.interpolate(cells.float().unsqueeze(1), size=features.shape[-2:], mode="nearest") > 0
        return Gated(features.masked_fill(~gate, 0), gate.squeeze(1))
