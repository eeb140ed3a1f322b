"""What speaks for each joined hull, in the order of `models.hull_scorer.EVIDENCE`."""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from shipdet.geometry import Hulls
from shipdet.models.decode import Tips

Array = NDArray[np.float64]
Indices = NDArray[np.intp]

ALONG = 17
"""Places along a hull where the coarse map is asked."""
BESIDE, BEYOND = 8.0, 12.0
"""Pixels from a hull's side, and from its end, where the coarse map is asked too."""
TYPICAL_LENGTH = 60.0
LONE_WEAKER = 0.05
"""Score supposed for the missing end of a hull that stands on one, relative to that one's."""
LEAST = 1e-4
"""Probabilities are kept this far from 0 and 1 before their logit is taken."""


class CoarseMap(NamedTuple):
    """What the deep branch says of the scene: where there is ship, hull or end."""

    ship: NDArray[np.uint8]
    """(h, w) probability, 255 is 1"""
    stride: int
    """Pixels a cell"""

    def along(self, here: Array, there: Array, margin: float) -> Array:
        """Probability of ship (ALONG, N) along lines between points (N, 2), less a margin; NaN off the map."""
        share = np.linspace(margin, 1 - margin, ALONG)[:, None, None]
        x, y = np.floor((here + share * (there - here)) / self.stride).astype(np.intp).transpose(2, 0, 1)
        height, width = self.ship.shape
        inside = (x >= 0) & (x < width) & (y >= 0) & (y < height)
        seen = self.ship[np.clip(y, 0, height - 1), np.clip(x, 0, width - 1)] / 255.0
        return np.where(inside, seen, np.nan)

    def cover(self, here: Array, there: Array) -> Array:
        """Mean probability of ship (N,) along lines between points (N, 2), their ends left out; 0 off the map."""
        seen = self.along(here, there, 0.1)
        return np.asarray(np.nansum(seen, axis=0) / np.maximum(np.isfinite(seen).sum(axis=0), 1))


class Joined(NamedTuple):
    """Hulls, and the tips that made them."""

    hulls: Hulls
    tips: Tips
    first: Indices
    """(N,) of the tips"""
    second: Indices
    """(N,) likewise, or -1 for a hull that stands on one end"""


def evidence(joined: Joined, coarse: CoarseMap) -> Array:
    """What speaks for each of N hulls: (N, F)."""
    return np.stack([*_of_ends(joined), *_of_surroundings(joined.hulls, coarse), *_of_shape(joined.hulls)], axis=1)


def _of_ends(joined: Joined) -> list[Array]:
    hulls, tips = joined.hulls, joined.tips
    lone = joined.second < 0
    first, second = joined.first, np.where(lone, joined.first, joined.second)
    one, other = tips.score[first], np.where(lone, LONE_WEAKER * tips.score[first], tips.score[second])
    axis = tips.xy[second] - tips.xy[first]
    turns = [np.where(lone, 0.0, turn(tips.to_other_end[i], a)) for i, a in ((first, axis), (second, -axis))]
    stretches = [np.where(lone, 0.0, stretch(tips.to_other_end[i], axis)) for i in (first, second)]
    beams = np.abs(np.log(tips.half_beam[first] / tips.half_beam[second]))
    return [
        _logit(hulls.score),
        _logit(np.minimum(one, other)),
        _logit(np.maximum(one, other)),
        np.hypot(*turns),
        np.hypot(*stretches),
        (stretches[0] + stretches[1]) / 2,
        lone.astype(np.float64),
        beams,
    ]


def _of_surroundings(hulls: Hulls, coarse: CoarseMap) -> list[Array]:
    axis = (hulls.bow - hulls.stern) / np.maximum(hulls.length, 1e-9)[:, None]
    aside = np.stack([-axis[:, 1], axis[:, 0]], axis=1) * (hulls.beam / 2 + BESIDE)[:, None]
    inside = _known(coarse.along(hulls.bow, hulls.stern, 0.05))
    sides = [_known(coarse.along(hulls.bow + a, hulls.stern + a, 0.05)).mean(axis=0) for a in (aside, -aside)]
    tips = (hulls.bow + BEYOND * axis, hulls.stern - BEYOND * axis)
    beyond = [_known(coarse.along(tip, tip, 0.0)).mean(axis=0) for tip in tips]
    return [
        _logit(inside.mean(axis=0)),
        _logit(inside.min(axis=0)),
        np.minimum(*sides),
        np.maximum(*sides),
        (beyond[0] + beyond[1]) / 2,
    ]


def _of_shape(hulls: Hulls) -> list[Array]:
    length = np.log(np.maximum(hulls.length, 1e-9) / TYPICAL_LENGTH)
    aspect = np.log(np.maximum(hulls.beam, 1e-9) / np.maximum(hulls.length, 1e-9))
    return [length, length**2, aspect, aspect**2, _logit(hulls.bow_score)]


def turn(a: Array, b: Array) -> Array:
    """Angles between vectors (N, 2), in radians from 0 to pi."""
    cross, dot = a[:, 0] * b[:, 1] - a[:, 1] * b[:, 0], (a * b).sum(axis=1)
    return np.asarray(np.abs(np.arctan2(cross, dot)))


def stretch(vector: Array, axis: Array) -> Array:
    """Natural logarithm of how much longer vectors (N, 2) are than axes (N, 2)."""
    return np.asarray(np.log(np.maximum(np.hypot(*vector.T), 1e-9) / np.maximum(np.hypot(*axis.T), 1e-9)))


def _known(seen: Array) -> Array:
    """Off the map there may be ship or not."""
    return np.where(np.isnan(seen), 0.5, seen)


def _logit(probability: Array) -> Array:
    kept = np.clip(probability, LEAST, 1 - LEAST)
    return np.asarray(np.log(kept / (1 - kept)))
