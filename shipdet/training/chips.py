"""Training chips: random cuts of pictures, the same for the same seed and number."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.utils.data import Dataset

from shipdet.labels.types import IGNORED_TYPES, Labels
from shipdet.models.task_partition import normalise
from shipdet.raster.reader import FILL
from shipdet.training.augmentation import (
    INCOMPLETE,
    OUTSIDE,
    Augmented,
    augment,
    build_augmentation,
    cut_square,
    padded_size,
)
from shipdet.training.pictures import Picture, decode
from shipdet.training.targets import draw_targets

Array = NDArray[np.float64]

SMALLEST_TAUGHT = 10.0
"""Shorter ships, in chip pixels, teach nothing."""
VIEW_MARGIN = 24.0


class Source(NamedTuple):
    """Pictures of one kind."""

    pictures: Sequence[Picture]
    share: float
    """of the chips, relative to the other sources"""
    scale: tuple[float, float]
    """least and greatest chip pixels per picture pixel"""


class Chips(Dataset[tuple[Tensor, ...]]):
    """Chips `first` to `first + count` of an endless sequence; (pixels, *`TargetMaps`)."""

    def __init__(self, sources: Sequence[Source], size: int, seed: int, first: int, count: int) -> None:
        self.sources = sources
        self.size = size
        self.seed = seed
        self.first = first
        self.count = count
        self.augmentation = build_augmentation(size)

    def __len__(self) -> int:
        return self.count

    def __getitem__(self, index: int) -> tuple[Tensor, ...]:
        rng = np.random.default_rng([self.seed, self.first + index])
        shares = np.array([source.share for source in self.sources])
        source = self.sources[int(rng.choice(len(shares), p=shares / shares.sum()))]
        picture = source.pictures[int(rng.integers(len(source.pictures)))]
        scale = float(np.exp(rng.uniform(*np.log(source.scale))))
        points = np.concatenate([picture.labels.bow, picture.labels.stern])
        whole = Augmented(picture.pixels, picture.mask, points)
        square = cut_square(whole, _centre(picture, self.size / scale, rng), scale, padded_size(self.size))
        drawn = augment(self.augmentation, square, int(rng.integers(2**31)))
        labels = _labels_in(picture.labels, drawn.points, scale, self.size)
        targets = draw_targets(labels, drawn.mask != INCOMPLETE)
        return network_input(drawn), *(torch.from_numpy(np.ascontiguousarray(t)) for t in targets)


def network_input(drawn: Augmented) -> Tensor:
    """(3, H, W) as at inference: stretched, what has no pixels filled, normalised."""
    pixels = decode(drawn.pixels)
    pixels[drawn.mask == OUTSIDE] = FILL
    return normalise(torch.from_numpy(pixels).permute(2, 0, 1))


def _centre(picture: Picture, span: float, rng: np.random.Generator) -> Array:
    """Three times in four near a ship, else anywhere."""
    labels = picture.labels
    if len(labels) and rng.random() < 0.75:
        ship = rng.integers(len(labels))
        jitter = rng.uniform(-span / 3, span / 3, 2)
        return np.asarray((labels.bow[ship] + labels.stern[ship]) / 2 + jitter)
    height, width = picture.mask.shape
    return rng.uniform((0, 0), (width, height))


def _labels_in(labels: Labels, points: Array, scale: float, size: int) -> Labels:
    """The ships that a chip shows, at their new places."""
    bow, stern = np.split(points, 2)
    low, high = np.minimum(bow, stern), np.maximum(bow, stern)
    seen = np.flatnonzero(((high > -VIEW_MARGIN) & (low < size + VIEW_MARGIN)).all(axis=1))
    length = np.hypot(*(bow - stern).T)
    ignored = np.array([kind in IGNORED_TYPES for kind in labels.type], bool)
    difficult = labels.difficult | ignored | (length < SMALLEST_TAUGHT)
    return Labels(
        bow=bow[seen],
        stern=stern[seen],
        beam=labels.beam[seen] * scale,
        bow_known=labels.bow_known[seen],
        difficult=difficult[seen],
        type=tuple(labels.type[i] for i in seen),
        regions=np.zeros((0, 4)),
        complete=True,
    )
