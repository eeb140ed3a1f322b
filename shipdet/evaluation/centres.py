"""Which prediction found which labelled ship by the distance of their middles, for imagery too coarse to judge ends.

At 10 m a pixel an end is known to a pixel or so, and ships moored side by side share their ends' pixels.
"""

from typing import NamedTuple

import numpy as np

from shipdet.evaluation.matching import FALSE_ALARM, IGNORED, Array, Matched, Pairs, settle
from shipdet.geometry import Hulls
from shipdet.labels.types import Labels


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

    A prediction that gets no ship is a false alarm, unless it is shorter than the least length, or lies on or within
    reach of a labelled ship that is ignored; then it is ignored too.

    Args:
        hulls: N predictions, in pixels of the scene.
        labels: L labelled ships of the same scene.
        gsd_m: ground metres per pixel.
        rule: tolerances.
    """
    ignore = labels.difficult | (labels.length * gsd_m < rule.min_length_m)
    matched = settle(hulls, labels, _near_middles(hulls, labels, gsd_m, rule), ignore)
    short = (matched.status == FALSE_ALARM) & (hulls.length * gsd_m < rule.min_length_m)
    return matched._replace(status=np.where(short, IGNORED, matched.status).astype(np.int8))


def _near_middles(hulls: Hulls, labels: Labels, gsd_m: float, rule: CentreRule) -> Pairs:
    apart = _middle(hulls)[:, None] - _middle(labels)[None]
    distance_m = np.hypot(apart[..., 0], apart[..., 1]) * gsd_m
    prediction, label = np.nonzero(distance_m <= np.maximum(rule.least_reach_m, rule.reach * labels.length * gsd_m))
    return Pairs(prediction, label, distance_m[prediction, label])


def _middle(ships: Hulls | Labels) -> Array:
    return (ships.bow + ships.stern) / 2
