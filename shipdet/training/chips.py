"""Training chips: random cuts of pictures, the same for the same seed and number."""

from collections import Counter
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
    padded_size,
)
from shipdet.training.pictures import Picture, decode
from shipdet.training.scenes import ScenePicture
from shipdet.training.targets import draw_targets

Array = NDArray[np.float64]
Shown = Picture | ScenePicture
"""What chips are cut from: a picture in memory, or a scene on disk."""

SMALLEST_TAUGHT = 10.0
"""Shorter ships, in chip pixels, teach nothing."""
VIEW_MARGIN = 24.0
NEAR_A_SHIP = 0.75
"""Share of the chips that are cut around a ship."""


class Source(NamedTuple):
    """Pictures of one kind."""

    pictures: Sequence[Shown]
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
        self.ships = _ships_to_show(sources)

    def __len__(self) -> int:
        return self.count

    def __getitem__(self, index: int) -> tuple[Tensor, ...]:
        rng = np.random.default_rng([self.seed, self.first + index])
        shares = np.array([source.share for source in self.sources])
        chosen = int(rng.choice(len(shares), p=shares / shares.sum()))
        source = self.sources[chosen]
        scale = float(np.exp(rng.uniform(*np.log(source.scale))))
        picture, centre = _look_at(source, self.ships[chosen], self.size / scale, rng)
        cut = picture.cut(centre, scale, padded_size(self.size))
        drawn = augment(self.augmentation, cut.square, int(rng.integers(2**31)))
        labels = _labels_in(cut.labels, drawn.points, scale, self.size)
        targets = draw_targets(labels, drawn.mask != INCOMPLETE)
        return network_input(drawn), *(torch.from_numpy(np.ascontiguousarray(t)) for t in targets)


def network_input(drawn: Augmented) -> Tensor:
    """(3, H, W) as at inference: stretched, what has no pixels filled, normalised."""
    pixels = decode(drawn.pixels)
    pixels[drawn.mask == OUTSIDE] = FILL
    return normalise(torch.from_numpy(pixels).permute(2, 0, 1))


class _Ships(NamedTuple):
    """The ships of one source; rare types are shown more often than they come, ships of a crowd less."""

    picture: NDArray[np.intp]
    ship: NDArray[np.intp]
    chance: Array


def _ships_to_show(sources: Sequence[Source]) -> list[_Ships]:
    types = Counter(kind for source in sources for picture in source.pictures for kind in picture.labels.type)
    return [_ships_of(source, types) for source in sources]


def _ships_of(source: Source, types: Counter[str]) -> _Ships:
    counts = [len(picture.labels) for picture in source.pictures]
    kinds = [kind for picture in source.pictures for kind in picture.labels.type]
    crowd = np.repeat(counts, counts)
    chance = np.array([types[kind] for kind in kinds], float) ** -0.5 * crowd**-0.5 if kinds else np.zeros(0)
    number = np.concatenate([np.arange(count) for count in counts]) if kinds else np.zeros(0, np.intp)
    return _Ships(np.repeat(np.arange(len(counts)), counts), number, chance / max(chance.sum(), 1e-9))


def _look_at(source: Source, ships: _Ships, span: float, rng: np.random.Generator) -> tuple[Shown, Array]:
    """A picture and a place in it: three times in four near a ship, else anywhere."""
    if len(ships.chance) and rng.random() < NEAR_A_SHIP:
        chosen = int(rng.choice(len(ships.chance), p=ships.chance))
        picture = source.pictures[int(ships.picture[chosen])]
        labels, ship = picture.labels, int(ships.ship[chosen])
        jitter = rng.uniform(-span / 3, span / 3, 2)
        return picture, np.asarray((labels.bow[ship] + labels.stern[ship]) / 2 + jitter)
    picture = source.pictures[int(rng.integers(len(source.pictures)))]
    return picture, picture.anywhere(rng)


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
