"""Recurrent attention CNN (Fu, Zheng and Mei, "Look Closer to See Better", CVPR 2017).

    features_s = f_s(X_s)      p_s = softmax(W_s pool(features_s))      box_s = g_s(features_s)
    X_(s+1) = zoom(X, box_s within box_(s-1) within ...)

What tells two kinds of ship apart is small beside the ship. Each scale has a classifier of
its own and proposes where the next is to look, and further classifiers read the first few
scales together, the last one all of them.

A proposal reads the features as they are: what a finer scale gets wrong teaches it alone, and
never bends the coarser scale's features, which are there to classify.

Two things differ from the paper. Each scale is cut from the picture itself rather than from
the scale before, so that nothing is interpolated twice. And all scales are shown the same
number of pixels, the first the whole picture reduced to it, so that each costs the same.
"""

from collections.abc import Callable
from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from shipdet.attention.apn import AttentionProposal
from shipdet.attention.zoom import Box, within, zoom

SHARPEST = 100.0
"""k of the boxcar once annealed: the mask falls from 0.9 to 0.1 over a twentieth of half the picture."""


class Scales(NamedTuple):
    """What each scale saw and said, from the whole picture on."""

    logits: tuple[Tensor, ...]
    """S times (B, classes)"""
    fused: tuple[Tensor, ...]
    """S - 1 times (B, classes): of the first two scales, of the first three, ... of all together"""
    proposed: tuple[Box, ...]
    """S - 1 boxes, each in coordinates of the scale that proposed it"""
    boxes: tuple[Box, ...]
    """S - 1 boxes, in coordinates of the picture"""
    images: tuple[Tensor, ...]
    """S times (B, C, h, w): the picture reduced, and what was zoomed into"""
    features: tuple[Tensor, ...]
    """S times (B, D, h, w)"""


class RACNN(nn.Module):
    """Classifies pictures at several scales, the finer where the coarser says.

    Args:
        backbone: builds the feature extractor of one scale: (B, C, H, W) to (B, channels, h, w).
        channels: of its features.
        classes: how many.
        scales: at least 1.
        size: (height, width) of what each scale is shown; less than the picture's, if zooming is to show more.
    """

    def __init__(
        self, backbone: Callable[[], nn.Module], channels: int, classes: int, scales: int, size: tuple[int, int]
    ) -> None:
        super().__init__()
        self.size = size
        self.backbones = nn.ModuleList(backbone() for _ in range(scales))
        self.classifiers = nn.ModuleList(nn.Linear(channels, classes) for _ in range(scales))
        self.proposals = nn.ModuleList(AttentionProposal(channels) for _ in range(scales - 1))
        self.fuse = nn.ModuleList(nn.Linear(channels * count, classes) for count in range(2, scales + 1))

    def forward(self, image: Tensor, sharpness: float = SHARPEST) -> Scales:
        """Look at (B, C, H, W); `sharpness` is the boxcar's k."""
        images, features = [F.adaptive_avg_pool2d(image, self.size)], []
        proposed: list[Box] = []
        boxes: list[Box] = []
        for scale, backbone in enumerate(self.backbones):
            features.append(backbone(images[-1]))
            if scale < len(self.proposals):
                proposed.append(self.proposals[scale](features[-1].detach()))
                boxes.append(within(boxes[-1], proposed[-1]) if boxes else proposed[-1])
                images.append(zoom(image, boxes[-1], self.size, sharpness).image)
        pooled = [f.mean(dim=(2, 3)) for f in features]
        logits = tuple(classify(p) for classify, p in zip(self.classifiers, pooled, strict=True))
        return Scales(logits, self._fused(pooled), tuple(proposed), tuple(boxes), tuple(images), tuple(features))

    def _fused(self, pooled: list[Tensor]) -> tuple[Tensor, ...]:
        """As in the paper, on the scales' normalised descriptors as they are: fusing teaches the backbones nothing.

        Descriptors have a mean square of 1, not a length of 1, or their classifier would begin with tiny numbers.
        """
        even = [F.normalize(p.detach(), dim=1) * p.shape[1] ** 0.5 for p in pooled]
        return tuple(fuse(torch.cat(even[:count], dim=1)) for count, fuse in enumerate(self.fuse, start=2))
