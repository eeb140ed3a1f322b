"""The attention proposal network of RA-CNN (Fu, Zheng and Mei, CVPR 2017): where to look closer.

    [x, y, half] = g(features)        g: two fully connected layers
    L_rank = sum_s max(0, p_s - p_(s+1) + 0.05)

p_s is the softmax probability that scale s gives the true class. The loss asks the finer
scale to be surer than the coarser one, and only the box can make it so: boxes are learnt
from class labels alone. The box never leaves the picture and never grows to all of it:
a proposal that looks at everything has stopped proposing.
"""

from collections.abc import Sequence
from itertools import pairwise
from math import log

import torch
from torch import Tensor, nn

from shipdet.attention.zoom import Box, pixel_centres

MARGIN = 0.05
GRID = 7
"""Features are averaged to this many cells a side, so that pictures of any size can be asked."""
START = 0.5
"""Half side of a box to begin with."""


class AttentionProposal(nn.Module):
    """Features to a box.

    Args:
        channels: of the features.
        smallest: least half side, as a share of half the picture.
        largest: greatest, below 1.
        width: of the hidden layer.
    """

    def __init__(self, channels: int, smallest: float = 0.2, largest: float = 0.8, width: int = 256) -> None:
        super().__init__()
        if not 0 < smallest < START < largest < 1:
            raise ValueError(f"expected 0 < smallest < {START} < largest < 1, got {smallest} and {largest}")
        self.smallest, self.largest = smallest, largest
        self.hidden = nn.Sequential(
            nn.AdaptiveAvgPool2d(GRID), nn.Flatten(), nn.Linear(channels * GRID**2, width), nn.Tanh()
        )
        self.box = nn.Linear(width, 3)
        share = (START - smallest) / (largest - smallest)
        nn.init.normal_(self.box.weight, std=0.01)
        self.box.bias = nn.Parameter(torch.tensor([0.0, 0.0, log(share / (1 - share))]))

    def forward(self, features: Tensor) -> Box:
        """Box of (B, C, h, w), wholly inside the picture."""
        raw = self.box(self.hidden(features))
        half = self.smallest + (self.largest - self.smallest) * torch.sigmoid(raw[:, 2])
        return Box(torch.tanh(raw[:, :2]) * (1 - half)[:, None], half)


def strongest_response(features: Tensor) -> Box:
    """Where (B, C, h, w) respond most, over channels, with half the picture's side: what a proposal starts from."""
    response = features.detach().sum(dim=1)
    height, width = response.shape[-2:]
    cell = response.flatten(1).argmax(dim=1)
    x = pixel_centres(width, response)[cell % width]
    y = pixel_centres(height, response)[cell // width]
    half = torch.full_like(x, START)
    return Box(torch.stack([x, y], dim=1).clamp(START - 1, 1 - START), half)


def start_loss(proposed: Box, target: Box) -> Tensor:
    """Mean squared distance of boxes, for the time before the rank loss takes over."""
    return (proposed.centre - target.centre).square().mean() + (proposed.half - target.half).square().mean()


def rank_loss(probabilities: Sequence[Tensor], margin: float = MARGIN) -> Tensor:
    """Each scale is to be surer of the true class than the one before, by a margin.

    Args:
        probabilities: (B,) softmax probability of the true class at each scale, coarse to fine. The coarser one of
            a pair is a yardstick and gets no gradient: else a proposal could do well by making it worse.
        margin: the paper's 0.05.
    """
    pairs = pairwise(probabilities)
    return torch.stack([(coarse.detach() - fine + margin).clamp(min=0).mean() for coarse, fine in pairs]).sum()
