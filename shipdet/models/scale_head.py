"""What a place is worth at the scale that it is seen at: one logit per coarse cell, for attention to scale.

The paper's head (Chen et al., CVPR 2016; `attention.scale`) sees the features of all scales at
once, so it is made for as many scales as it was trained with. This one looks at one scale at a
time, with the same weights at each; the softmax over scales is still the paper's. So any set of
scales will do, and no scale's features need to be kept until the last one has been seen.
"""

from typing import Self

import torch
from torch import Tensor, nn

from shipdet.models.task_partition import BACKGROUND, Coarse

CLASSES = 3
SHARPNESS = 4.0
"""Logits between sure water and sure ship, for networks without a trained head."""


class ScaleHead(nn.Module):
    """Two 1x1 convolutions on what the deep branch says; it reaches no further than the deep branch does."""

    def __init__(self, context: int = 48, hidden: int = 32) -> None:
        super().__init__()
        self.hidden = hidden
        self.body = nn.Sequential(nn.Conv2d(CLASSES + context, hidden, 1), nn.ReLU(), nn.Conv2d(hidden, 1, 1))

    def forward(self, features: Tensor) -> Tensor:
        """(B, 3 + context, H/8, W/8) of `deep_features` to logits (B, H/8, W/8)."""
        logits: Tensor = self.body(features)
        return logits.squeeze(1)

    def damped(self, factor: float) -> Self:
        """This head, changed to say `factor` times what it said."""
        with torch.no_grad():
            for value in self.body[-1].parameters():
                value.mul_(factor)
        return self


def deep_features(coarse: Coarse) -> Tensor:
    """What the deep branch says, detached: (B, 3 + context, H/8, W/8) float32, log probabilities first."""
    return torch.cat([coarse.logits.detach().float().log_softmax(dim=1), coarse.context.detach().float()], dim=1)


def confidence_logits(coarse: Coarse) -> Tensor:
    """The deep branch's own confidence that there is ship as logits (B, H/8, W/8); needs no training."""
    return SHARPNESS * (1 - coarse.probability[:, BACKGROUND])
