"""Residual channel attention for super-resolution (Zhang et al., "RCAN", ECCV 2018, arXiv:1807.02758).

    block:  x + s * f(x),  s = sigmoid(W_2 relu(W_1 mean(f(x))))
    group:  x + conv(block^b(x))        network:  bicubic(X) + tail(up(x + conv(group^g(x)))),  x = head(X)

Low frequencies run along the skips, so that the layers work on what is missing; channels are
weighed by how much they hold of it. Two things differ from the paper: the result is added
to the bicubic one, with a tail of zeros to begin with, so that an untrained network is no
worse than that; and the squeeze-and-excitation is timm's.

The mean is over all that the network is shown, so a tile's result depends, a little, on
what else lies in it: give whole chips, or tiles of one size with a margin.
"""

from math import log2
from typing import NamedTuple

import torch
import torch.nn.functional as F
from timm.layers.squeeze_excite import SEModule
from torch import Tensor, nn


class SuperResolved(NamedTuple):
    """A sharper picture, and how channels were weighed."""

    image: Tensor
    """(B, C, scale H, scale W)"""
    weights: Tensor
    """(B, blocks, width) in (0, 1), of each block's channels"""


class Weighed(NamedTuple):
    """Features, and the weights of their channels in each block so far."""

    features: Tensor
    """(B, C, H, W)"""
    weights: tuple[Tensor, ...]
    """(B, C) each"""


class ChannelWeights(nn.Module):
    """Weights of channels by their means: timm's squeeze-and-excitation, which does not tell what they were."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.excite = SEModule(channels, rd_channels=max(channels // 16, 4))

    def forward(self, x: Tensor) -> Tensor:
        """(B, C, 1, 1) of (B, C, H, W)."""
        e = self.excite
        weights: Tensor = e.gate(e.fc2(e.act(e.bn(e.fc1(x.mean(dim=(2, 3), keepdim=True))))))
        return weights


class EqualWeights(nn.Module):
    """No channel attention, for comparison."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.channels = channels

    def forward(self, x: Tensor) -> Tensor:
        """Ones (B, C, 1, 1)."""
        return x.new_ones(len(x), self.channels, 1, 1)


class Block(nn.Module):
    """Residual channel attention block."""

    def __init__(self, weigh: nn.Module, channels: int) -> None:
        super().__init__()
        self.body = nn.Sequential(_conv(channels, channels), nn.ReLU(), _conv(channels, channels))
        self.weigh = weigh

    def forward(self, x: Tensor) -> Weighed:
        """(B, C, H, W) to the same, and its weights."""
        change = self.body(x)
        weights = self.weigh(change)
        return Weighed(x + weights * change, (weights.flatten(1),))


class Group(nn.Module):
    """Blocks, a convolution, and a skip over all of them."""

    def __init__(self, blocks: list[Block], channels: int) -> None:
        super().__init__()
        self.blocks = nn.ModuleList(blocks)
        self.last = _conv(channels, channels)

    def forward(self, x: Tensor) -> Weighed:
        """(B, C, H, W) to the same, and the weights of all blocks."""
        inner, weights = x, []
        for block in self.blocks:
            inner, found = block(inner)
            weights += found
        return Weighed(x + self.last(inner), tuple(weights))


class Layout(NamedTuple):
    """Size of a network; the paper's has 10 groups of 20 blocks, 64 wide."""

    groups: int = 2
    blocks: int = 4
    width: int = 32


class RCAN(nn.Module):
    """Makes pictures larger and sharper.

    Args:
        scale: a power of 2.
        layout: its size.
        weigh: builds what weighs a block's channels: `ChannelWeights` or `EqualWeights`.
        channels: of the picture.
    """

    def __init__(
        self,
        scale: int,
        layout: Layout | None = None,
        weigh: type[ChannelWeights] | type[EqualWeights] = ChannelWeights,
        channels: int = 3,
    ) -> None:
        super().__init__()
        if scale < 2 or scale & (scale - 1):
            raise ValueError(f"expected a scale of 2, 4, 8 ..., got {scale}")
        groups, blocks, width = layout or Layout()
        self.scale = scale
        self.head = _conv(channels, width)
        self.groups = nn.ModuleList(
            Group([Block(weigh(width), width) for _ in range(blocks)], width) for _ in range(groups)
        )
        self.last = _conv(width, width)
        doubled = [layer for _ in range(int(log2(scale))) for layer in (_conv(width, 4 * width), nn.PixelShuffle(2))]
        self.tail = nn.Sequential(*doubled, _conv(width, channels))
        nn.init.zeros_(self.tail[-1].weight)  # type: ignore[arg-type]
        nn.init.zeros_(self.tail[-1].bias)  # type: ignore[arg-type]

    def forward(self, image: Tensor) -> SuperResolved:
        """(B, C, H, W) of any size."""
        first = self.head(image)
        inner, weights = first, []
        for group in self.groups:
            inner, found = group(inner)
            weights += found
        detail = self.tail(first + self.last(inner))
        return SuperResolved(enlarge(image, self.scale) + detail, torch.stack(weights, dim=1))


def enlarge(image: Tensor, scale: int) -> Tensor:
    """Bicubic enlargement of (B, C, H, W)."""
    return F.interpolate(image, scale_factor=float(scale), mode="bicubic", align_corners=False)


def _conv(channels_in: int, channels_out: int) -> nn.Conv2d:
    return nn.Conv2d(channels_in, channels_out, 3, padding=1)
