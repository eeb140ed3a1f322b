"""Attention to Scale (Chen, Yang, Wang, Xu and Yuille, CVPR 2016, arXiv:1511.03339).

    w_s = exp(h_s) / sum_t exp(h_t)        g = sum_s w_s * f_s

One shared network sees the image at S scales and gives score maps f_s. A small head on its
features says, at each place, how much each scale is worth there: h_s. Large things are seen
best where the image is small, small things where it is large. Equal weights are the average
of the scales, weights that are all at one are their maximum. The head alone leaves single
scales untaught, so each scale's own scores are supervised too: 1 + S losses.
"""

from collections.abc import Sequence
from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor, nn


class Fused(NamedTuple):
    """Scores of all scales as one, and how much each scale had to say."""

    scores: Tensor
    """(B, K, *place)"""
    weights: Tensor
    """(B, S, *place), the attention map; sums to 1 over the scales, shared by the K channels"""


class Supervised(NamedTuple):
    """The 1 + S losses, unweighted."""

    fused: Tensor
    """scalar"""
    scales: Tensor
    """(S,)"""


def fuse(scores: Tensor, logits: Tensor) -> Fused:
    """Weighted sum over scales.

    Args:
        scores: (B, S, K, *place), at any number of dimensions of place: (H, W) for maps, (N,) for points.
        logits: (B, S, *place), what each scale is worth.
    """
    weights = logits.softmax(dim=1)
    return Fused((weights.unsqueeze(2) * scores).sum(dim=1), weights)


def average(scores: Tensor) -> Tensor:
    """Every scale worth the same: (B, S, K, *place) to (B, K, *place)."""
    return scores.mean(dim=1)


def maximum(scores: Tensor) -> Tensor:
    """The scale with the most to say, in each channel by itself: (B, S, K, *place) to (B, K, *place)."""
    return scores.amax(dim=1)


def on_common_grid(maps: Sequence[Tensor], size: tuple[int, int]) -> Tensor:
    """Maps of S scales, each (B, C, h, w) of its own size, brought to one size: (B, S, C, *size)."""
    return torch.stack([F.interpolate(m, size=size, mode="bilinear", antialias=True) for m in maps], dim=1)


class ScaleAttention(nn.Module):
    """The head of the paper: a 3x3 convolution on the features of all scales, then a 1x1 one to a logit for each."""

    def __init__(self, channels: int, scales: int, hidden: int = 512) -> None:
        super().__init__()
        self.head = nn.Sequential(
            nn.Conv2d(channels * scales, hidden, 3, padding=1), nn.ReLU(), nn.Conv2d(hidden, scales, 1)
        )

    def forward(self, features: Tensor, scores: Tensor) -> Fused:
        """Fuses scores by what the features say.

        Args:
            features: (B, S, C, H, W) of the shared network, on a common grid.
            scores: (B, S, K, H, W) of the shared network, on the same grid.
        """
        return fuse(scores, self.head(features.flatten(1, 2)))


def supervised_losses(fused: Fused, scores: Tensor, target: Tensor, ignore: int = 255) -> Supervised:
    """Cross-entropy of the fused scores and of each scale's own.

    Args:
        fused: class logits (B, K, H, W) and their weights.
        scores: (B, S, K, H, W) class logits of each scale.
        target: (B, H, W) classes.
        ignore: the class of places that teach nothing; where all are so, losses are 0.
    """
    known = (target != ignore).sum().clamp(min=1)

    def loss(logits: Tensor) -> Tensor:
        return F.cross_entropy(logits, target, ignore_index=ignore, reduction="sum") / known

    return Supervised(loss(fused.scores), torch.stack([loss(one) for one in scores.unbind(dim=1)]))
