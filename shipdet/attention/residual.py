"""Residual attention (Wang et al., "Residual Attention Network for Image Classification", CVPR 2017, arXiv:1704.06904).

    H(x) = (1 + M(x)) * T(x)

A soft mask M re-weights the trunk T. The 1 keeps the trunk alive where the mask is near
zero, so that modules can be stacked without the signal fading, as it does with M * T.

A module is {p, t, r}: p residual units, then a trunk of t units beside the mask, then p
units more. The mask branch pools `depth` times, with r units at each size, and returns
the same way; units skip across at every size but the first, and the trunk is never added
to it. One trunk unit has three convolutions, so a module adds 3 (2 p + t) = 12 layers of
depth at p = 1, t = 2.

Pooling starts at the map's corner: tiles agree where they are cut at multiples of 2^depth.
"""

from collections.abc import Callable
from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor, nn

EPSILON = 1e-6


class Attended(NamedTuple):
    """Features re-weighted by a mask."""

    features: Tensor
    """(B, C, H, W)"""
    mask: Tensor
    """(B, C, H, W), in (0, 1) for mixed and spatial masks"""


class Layout(NamedTuple):
    """The paper's hyper-parameters of a module: numbers of residual units."""

    p: int = 1
    """before the fork, and again after it"""
    t: int = 2
    """in the trunk"""
    r: int = 1
    """in the mask branch at each size"""


PAPER = Layout()

Normalise = Callable[[Tensor], Tensor]
Combine = Callable[[Tensor, Tensor], Tensor]


def mixed_mask(logits: Tensor) -> Tensor:
    """f1: a sigmoid for each channel and position, without further constraint. The paper's best."""
    return torch.sigmoid(logits)


def channel_mask(logits: Tensor) -> Tensor:
    """f2: at each position, L2-normalised over channels; it says which channels matter, not where."""
    return F.normalize(logits, dim=1, eps=EPSILON)


def spatial_mask(logits: Tensor) -> Tensor:
    """f3: each channel normalised over its own map, then a sigmoid; it says where, whatever the channel.

    The mean is over all of the map, so a tile's mask depends on what else lies in it: not for the detector's trunk.
    """
    variance, mean = torch.var_mean(logits, dim=(2, 3), keepdim=True, correction=0)
    return torch.sigmoid((logits - mean) / (variance + EPSILON).sqrt())


def residual(trunk: Tensor, mask: Tensor) -> Tensor:
    """(1 + M) * T: attention residual learning."""
    return (1 + mask) * trunk


def naive(trunk: Tensor, mask: Tensor) -> Tensor:
    """M * T: what fades when stacked, for comparison."""
    return mask * trunk


class ResidualUnit(nn.Module):
    """Pre-activation bottleneck of constant width: 1x1, 3x3, 1x1."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        inner = max(channels // 4, 1)
        self.body = nn.Sequential(
            *_norm_relu_conv(channels, inner, 1),
            *_norm_relu_conv(inner, inner, 3),
            *_norm_relu_conv(inner, channels, 1),
        )

    def forward(self, x: Tensor) -> Tensor:
        """(B, C, H, W) to the same."""
        change: Tensor = self.body(x)
        return x + change


def units(channels: int, count: int) -> nn.Sequential:
    """`count` residual units in a row."""
    return nn.Sequential(*(ResidualUnit(channels) for _ in range(count)))


class Hourglass(nn.Module):
    """Pool, think, go deeper, come back: the bottom-up top-down path of a mask, for any depth and input size."""

    def __init__(self, channels: int, depth: int, r: int) -> None:
        super().__init__()
        self.pool = nn.MaxPool2d(3, 2, 1)
        self.down = units(channels, r)
        self.skip = ResidualUnit(channels) if depth > 1 else None
        self.inner = Hourglass(channels, depth - 1, r) if depth > 1 else None
        self.up = units(channels, r)

    def forward(self, x: Tensor) -> Tensor:
        """(B, C, H, W) to the same."""
        small = self.down(self.pool(x))
        if self.skip is not None and self.inner is not None:
            small = self.skip(small) + self.inner(small)
        return F.interpolate(self.up(small), size=x.shape[-2:], mode="bilinear")


class ResidualAttention(nn.Module):
    """One attention module of constant width.

    Args:
        channels: of input and output.
        depth: how many times the mask branch halves the map; at least 1.
        layout: numbers of residual units.
        normalise: logits to mask: `mixed_mask`, `channel_mask` or `spatial_mask`.
        combine: trunk and mask to features: `residual` or `naive`.
    """

    def __init__(
        self,
        channels: int,
        depth: int,
        layout: Layout = PAPER,
        normalise: Normalise = mixed_mask,
        combine: Combine = residual,
    ) -> None:
        super().__init__()
        if depth < 1:
            raise ValueError(f"expected a mask branch that pools at least once, got a depth of {depth}")
        self.before = units(channels, layout.p)
        self.trunk = units(channels, layout.t)
        self.mask = nn.Sequential(
            Hourglass(channels, depth, layout.r),
            *_norm_relu_conv(channels, channels, 1),
            *_norm_relu_conv(channels, channels, 1),
        )
        self.after = units(channels, layout.p)
        self.normalise = normalise
        self.combine = combine

    def forward(self, x: Tensor) -> Attended:
        """(B, C, H, W) of any size."""
        x = self.before(x)
        mask = self.normalise(self.mask(x))
        return Attended(self.after(self.combine(self.trunk(x), mask)), mask)


def _norm_relu_conv(channels_in: int, channels_out: int, size: int) -> tuple[nn.Module, nn.Module, nn.Module]:
    conv = nn.Conv2d(channels_in, channels_out, size, padding=size // 2, bias=False)
    return nn.BatchNorm2d(channels_in), nn.ReLU(), conv
