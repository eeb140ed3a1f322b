"""Which prediction found which labelled ship, in one picture.

A prediction finds a ship when both its ends lie near the labelled ends, in either order (`match`), or by
any other measure of pairs (`settle`). Ships that nobody can be blamed for are ignored, and so are the
predictions that lie on them.
"""

from typing import NamedTuple

import numpy as np
import shapely
from numpy.typing import NDArray
from scipy.spatial import cKDTree

from shipdet.errors import LabelsError
from shipdet.geometry import Hulls, hull_corners
from shipdet.labels.types import IGNORED_TYPES, Labels

Array = NDArray[np.float64]
Indices = NDArray[np.intp]
Mask = NDArray[np.bool_]

HIT = 1
FALSE_ALARM = 0
IGNORED = -1

BEAM_RATIO = 0.25
"""Beam over length supposed for a label whose beam nobody measured."""
ROUNDING = 1 + 1e-9
"""Slack for an end that lies exactly on the tolerance."""


class MatchRule(NamedTuple):
    """When a prediction counts as the labelled ship, and when as lying on an ignored one."""

    tolerance: float = 0.2
    """How far each end may lie from its labelled end, in lengths of the labelled ship"""
    min_length: float = 12.0
    """Labelled ships shorter than this, in pixels, are ignored"""
    max_overlap: float = 0.5
    """A prediction with a larger share of its own footprint on an ignored ship is ignored"""
    only_bow_known: bool = False
    """Labelled ships whose bow and stern may be swapped are ignored"""


DEFAULT_RULE = MatchRule()


class Matched(NamedTuple):
    """What became of N predictions and L labelled ships of one picture."""

    status: NDArray[np.int8]
    """(N,) HIT, FALSE_ALARM or IGNORED"""
    label: Indices
    """(N,) the labelled ship that was hit, -1 where none"""
    score: Array
    """(N,) of the predictions"""
    heading_error_deg: Array
    """(N,) in [0, 180], NaN where nothing was hit or the labelled bow is unknown"""
    length_error: Array
    """(N,) |predicted - labelled| / labelled, NaN where nothing was hit"""
    counted: Mask
    """(L,) labelled ships that are not ignored"""


class Pairs(NamedTuple):
    """P candidates: a prediction that may be a labelled ship."""

    prediction: Indices
    label: Indices
    distance: Array
    """(P,) how badly they fit; of equal scores the smaller goes first"""

    def where(self, keep: Mask) -> "Pairs":
        """Some of the pairs."""
        return Pairs(self.prediction[keep], self.label[keep], self.distance[keep])


def ignored(labels: Labels, min_length: float = DEFAULT_RULE.min_length) -> Mask:
    """Labelled ships (L,) that are neither hits nor misses: difficult, too short (pixels), or of IGNORED_TYPES."""
    odd = np.array([kind in IGNORED_TYPES for kind in labels.type], dtype=bool)
    return np.asarray(labels.difficult | (labels.length < min_length) | odd, dtype=bool)


def ignored_by(labels: Labels, rule: MatchRule) -> Mask:
    """Labelled ships (L,) that a rule ignores."""
    unsure = ~labels.bow_known if rule.only_bow_known else np.zeros(len(labels), dtype=bool)
    return ignored(labels, rule.min_length) | unsure


def footprints(labels: Labels) -> Array:
    """Outlines (L, 5, 2) of labelled ships, as `hull_corners`; an unmeasured beam is supposed."""
    beam = np.where(np.isnan(labels.beam), BEAM_RATIO * labels.length, labels.beam)
    return hull_corners(labels.bow, labels.stern, beam)


def match(hulls: Hulls, labels: Labels, rule: MatchRule = DEFAULT_RULE, ignore: Mask | None = None) -> Matched:
    """Match predictions with labelled ships, one to one, best score first.

    A prediction takes the nearest ship that is still free (among equal scores the nearest pair comes first,
    so the order of the predictions does not matter). One that gets none is dropped, not a false alarm, where
    it lies on an ignored ship or where labelling is not complete.

    Args:
        hulls: N predictions, in pixels of the picture.
        labels: L labelled ships of the same picture.
        rule: tolerances.
        ignore: (L,) ships to ignore; `ignored_by(labels, rule)` where not given.

    Raises:
        LabelsError: `ignore` has not one value a labelled ship.
    """
    ignore = ignored_by(labels, rule) if ignore is None else ignore
    return settle(hulls, labels, near_ends(hulls, labels, rule.tolerance), ignore, rule)


def settle(hulls: Hulls, labels: Labels, pairs: Pairs, ignore: Mask, rule: MatchRule = DEFAULT_RULE) -> Matched:
    """Match as `match`, given which predictions may be which labelled ships.

    Raises:
        LabelsError: `ignore` has not one value a labelled ship.
    """
    if ignore.shape != (len(labels),):
        raise LabelsError(f"expected one ignore value for each of {len(labels)} ships, got shape {ignore.shape}")
    label = _assign(hulls, pairs.where(~ignore[pairs.label]))
    excused = ~_labelled_completely(_middle(hulls), labels) | _lies_on(hulls, footprints(labels)[ignore], rule)
    excused |= labels.ignores(_middle(hulls))
    excused[pairs.prediction[ignore[pairs.label]]] = True
    status = np.where(label >= 0, HIT, np.where(excused, IGNORED, FALSE_ALARM)).astype(np.int8)
    heading_error_deg, length_error = _errors(hulls, labels, label)
    return Matched(status, label, hulls.score, heading_error_deg, length_error, ~ignore)


def _middle(ships: Hulls | Labels) -> Array:
    return (ships.bow + ships.stern) / 2


def _apart(a: Array, b: Array) -> Array:
    return np.asarray(np.hypot(a[:, 0] - b[:, 0], a[:, 1] - b[:, 1]))


def near_ends(hulls: Hulls, labels: Labels, tolerance: float) -> Pairs:
    """Pairs with both ends within `tolerance` lengths of the labelled ones; distance is summed over both ends.

    Where both ends are within reach, so are the middles.
    """
    if len(hulls) == 0 or len(labels) == 0:
        return Pairs(np.zeros(0, np.intp), np.zeros(0, np.intp), np.zeros(0))
    reach = tolerance * labels.length * ROUNDING
    near = cKDTree(_middle(hulls)).query_ball_point(_middle(labels), reach * ROUNDING)
    label = np.repeat(np.arange(len(labels)), [len(found) for found in near])
    prediction = np.concatenate([np.asarray(found, dtype=np.intp) for found in near])
    bow, stern = hulls.bow[prediction], hulls.stern[prediction]
    distance = np.full(len(label), np.inf)
    for one, other in ((labels.bow, labels.stern), (labels.stern, labels.bow)):
        to_one, to_other = _apart(bow, one[label]), _apart(stern, other[label])
        fits = np.maximum(to_one, to_other) <= reach[label]
        distance = np.where(fits, np.minimum(distance, to_one + to_other), distance)
    return Pairs(prediction, label, distance).where(np.isfinite(distance))


def _assign(hulls: Hulls, pairs: Pairs) -> Indices:
    """The labelled ship (N,) that each prediction gets, -1 for none: best score first, then nearest."""
    place = np.concatenate([hulls.bow, hulls.stern], axis=1)[pairs.prediction].T  # settles what is still equal
    order = np.lexsort((pairs.label, *place, pairs.distance, -hulls.score[pairs.prediction]))
    assigned = np.full(len(hulls), -1, dtype=np.intp)
    taken: set[int] = set()
    for prediction, label in zip(pairs.prediction[order].tolist(), pairs.label[order].tolist(), strict=True):
        if assigned[prediction] < 0 and label not in taken:
            assigned[prediction] = label
            taken.add(label)
    return assigned


def _lies_on(hulls: Hulls, corners: Array, rule: MatchRule) -> Mask:
    """Predictions (N,) with their middle, or much of their footprint, on one of the outlines (K, 5, 2)."""
    found = np.zeros(len(hulls), dtype=bool)
    if len(hulls) == 0 or len(corners) == 0:
        return found
    own = shapely.polygons(hull_corners(hulls.bow, hulls.stern, hulls.beam))
    other = shapely.polygons(corners)
    i, j = shapely.STRtree(other).query(own, predicate="intersects")
    share = shapely.area(shapely.intersection(own[i], other[j])) / np.maximum(shapely.area(own[i]), 1e-9)
    middle = _middle(hulls)[i]
    found[i[(share > rule.max_overlap) | shapely.intersects_xy(other[j], middle[:, 0], middle[:, 1])]] = True
    return found


def _labelled_completely(xy: Array, labels: Labels) -> Mask:
    """Places (N,) where a ship that has no label is known not to be there."""
    if not labels.complete or len(labels.regions) == 0:
        return np.full(len(xy), labels.complete)
    after = (xy[:, None] >= labels.regions[None, :, :2]).all(axis=2)
    before = (xy[:, None] <= labels.regions[None, :, 2:]).all(axis=2)
    return np.asarray(np.any(after & before, axis=1))


def _errors(hulls: Hulls, labels: Labels, label: Indices) -> tuple[Array, Array]:
    """Heading error in degrees (N,) and relative length error (N,), NaN where there is nothing to compare."""
    heading_error_deg, length_error = np.full(len(hulls), np.nan), np.full(len(hulls), np.nan)
    hit = np.flatnonzero(label >= 0)
    ship = label[hit]
    (ax, ay), (bx, by) = (hulls.bow - hulls.stern)[hit].T, (labels.bow - labels.stern)[ship].T
    turn = np.degrees(np.abs(np.arctan2(ax * by - ay * bx, ax * bx + ay * by)))
    heading_error_deg[hit] = np.where(labels.bow_known[ship], turn, np.nan)
    true = np.maximum(labels.length[ship], 1e-9)
    length_error[hit] = np.abs(hulls.length[hit] - true) / true
    return heading_error_deg, length_error
