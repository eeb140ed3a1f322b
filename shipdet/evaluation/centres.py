"""Which prediction found which labelled ship by the distance of their middles, for imagery too coarse to judge ends.

At 10 m a pixel an end is known to a pixel or so, and ships moored side by side share their ends' pixels.
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from shipdet.evaluation.matching import FALSE_ALARM, HIT, IGNORED, Matched
from shipdet.geometry import Hulls
from shipdet.labels.types import Labels

Array = NDArray[np.float64]
Indices = NDArray[np.intp]


class CentreRule(NamedTuple):
    """When a prediction counts as the labelled ship; all in metres on the ground."""

    least_reach_m: float = 50.0
    """Middles this near always match"""
    reach: float = 0.25
    """and middles nearer than this share of the labelled length"""
    min_length_m: float = 80.0
    """Shorter ships are ignored, labelled or predicted"""


DEFAULT_RULE = CentreRule()


def match_centres(hulls: Hulls, labels: Labels, gsd_m: float, rule: CentreRule = DEFAULT_RULE) -> Matched:
    """Match predictions with labelled ships one to one, best score first, each with the nearest that is still free.

    A prediction that gets no ship is a false alarm, unless it is shorter than the least length or has a labelled
    ship within reach that is ignored; then it is ignored too.

    Args:
        hulls: N predictions, in pixels of the scene.
        labels: L labelled ships of the same scene.
        gsd_m: ground metres per pixel.
        rule: tolerances.
    """
    length_m = labels.length * gsd_m
    counted = ~labels.difficult & (length_m >= rule.min_length_m)
    apart = _middle(hulls)[:, None] - _middle(labels)[None]
    distance_m = np.hypot(apart[..., 0], apart[..., 1]) * gsd_m
    within = distance_m <= np.maximum(rule.least_reach_m, rule.reach * length_m)
    label = _assign(hulls, np.where(within & counted, distance_m, np.inf))
    excused = (hulls.length * gsd_m < rule.min_length_m) | (within & ~counted).any(axis=1)
    status = np.where(label >= 0, HIT, np.where(excused, IGNORED, FALSE_ALARM)).astype(np.int8)
    error = np.full(len(hulls), np.nan)
    hit = label >= 0
    true = labels.length[label[hit]]
    error[hit] = np.abs(hulls.length[hit] - true) / np.maximum(true, 1e-9)
    return Matched(status, label, hulls.score, np.full(len(hulls), np.nan), error, counted)


def _middle(ships: Hulls | Labels) -> Array:
    return (ships.bow + ships.stern) / 2


def _assign(hulls: Hulls, distance: Array) -> Indices:
    """The labelled ship (N,) that each prediction gets, -1 for none; `distance` (N, L) is inf out of reach."""
    assigned = np.full(len(hulls), -1, dtype=np.intp)
    left = distance.copy()
    for prediction in np.lexsort((*np.concatenate([hulls.bow, hulls.stern], axis=1).T, -hulls.score)):
        if left.shape[1] and np.isfinite(nearest := left[prediction].min()):
            label = int(np.flatnonzero(left[prediction] == nearest)[0])
            assigned[prediction] = label
            left[:, label] = np.inf
    return assigned
