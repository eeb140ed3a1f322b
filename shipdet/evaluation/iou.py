"""Average precision by overlap: AP50, AP75 and AP50:95 with the exact rotated IoU.

A prediction and a labelled ship are compared as rectangles, bow to stern by full beam, both of them: not as
the pointed footprints that are drawn. Labels of oriented boxes have no point, so figures can be set beside
those of box detectors. A ship whose beam nobody measured is ignored. Thresholds as in COCO (Lin et al., ECCV
2014): 0.50 to 0.95 in steps of 0.05; the area under each curve is taken at all points, as AP is here.
"""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.spatial import cKDTree

from shipdet.evaluation.matching import DEFAULT_RULE, Mask, Matched, MatchRule, Pairs, settle
from shipdet.evaluation.metrics import average_precision, precision_recall_curve
from shipdet.geometry import Hulls, rectangle_corners
from shipdet.labels.types import Labels

Array = NDArray[np.float64]

THRESHOLDS = tuple(round(0.5 + 0.05 * step, 2) for step in range(10))
"""Of AP50:95."""
ROUNDING = 1e-9
"""IoU that touching rectangles may show."""
AT_ONCE = 4096
"""Pairs whose overlap is computed together; bounds memory."""


class OverlapScores(NamedTuple):
    """Average precision by rotated IoU; None where no ship has a labelled beam."""

    ships: int
    """Labelled ships that count here: those with a beam"""
    ap50: float | None
    ap75: float | None
    ap50_95: float | None


def intersection_areas(a: Array, b: Array) -> Array:
    """Areas (P,) common to convex polygons a (P, K, 2) and b (P, M, 2), pair by pair; either way round.

    Each edge of `b` keeps the half plane on its inner side. What lies outside is not cut off but pressed flat
    onto the edge, where it encloses nothing, so every polygon of the batch has the same number of corners.
    """
    if not len(a):
        return np.zeros(0)
    origin = a.mean(axis=1, keepdims=True)
    polygon, clip = a - origin, b - origin
    inward = np.where(_signed_areas(clip) >= 0, 1.0, -1.0)
    for number in range(clip.shape[1]):
        start, end = clip[:, number], clip[:, (number + 1) % clip.shape[1]]
        along = end - start
        normal = np.stack([-along[:, 1], along[:, 0]], axis=1) * inward[:, None]
        polygon = _pressed(polygon, start, normal / np.maximum(np.hypot(*normal.T), 1e-300)[:, None])
    return np.abs(_signed_areas(polygon))


def rectangle_iou(a: Array, b: Array) -> Array:
    """Intersection over union (P,) of rectangles (P, 4, 2), pair by pair; 0 where both are flat."""
    common = intersection_areas(a, b)
    union = np.abs(_signed_areas(a)) + np.abs(_signed_areas(b)) - common
    return np.where(union > 0, np.clip(common / np.where(union > 0, union, 1.0), 0.0, 1.0), 0.0)


def overlapping(hulls: Hulls, labels: Labels) -> Pairs:
    """Pairs of predictions and labelled ships with a beam whose rectangles overlap; distance is 1 - IoU."""
    known = np.flatnonzero(~np.isnan(labels.beam))
    ours = rectangle_corners(hulls.bow, hulls.stern, hulls.beam)
    theirs = rectangle_corners(labels.bow[known], labels.stern[known], labels.beam[known])
    i, j = _near(ours, theirs)
    parts = [rectangle_iou(ours[i[k : k + AT_ONCE]], theirs[j[k : k + AT_ONCE]]) for k in range(0, len(i), AT_ONCE)]
    iou = np.concatenate([np.zeros(0), *parts])
    return Pairs(i, known[j], 1 - iou).where(iou > ROUNDING)


def match_by_overlap(
    hulls: Hulls, labels: Labels, least: Sequence[float], ignore: Mask, rule: MatchRule = DEFAULT_RULE
) -> list[Matched]:
    """Match one picture at each of several least IoUs; otherwise as `matching.match`.

    Args:
        hulls: N predictions.
        labels: L labelled ships.
        least: IoUs from which a prediction may be a ship.
        ignore: (L,) ships to ignore; those without a beam are ignored besides.
        rule: when a prediction lies on an ignored ship.
    """
    pairs = overlapping(hulls, labels)
    without = ignore | np.isnan(labels.beam)
    return [settle(hulls, labels, pairs.where(1 - pairs.distance >= value), without, rule) for value in least]


def overlap_scores(matched: Sequence[Sequence[Matched]]) -> OverlapScores:
    """AP50, AP75 and AP50:95 over pictures, each as `match_by_overlap` at `THRESHOLDS`."""
    ships = sum(int(picture[0].counted.sum()) for picture in matched)
    if not ships:
        return OverlapScores(0, None, None, None)
    aps = [average_precision(precision_recall_curve(pictures)) for pictures in zip(*matched, strict=True)]
    return OverlapScores(ships, aps[0], aps[THRESHOLDS.index(0.75)], float(np.mean(aps)))


def _signed_areas(polygons: Array) -> Array:
    x, y = np.moveaxis(polygons - polygons[:, :1], 2, 0)  # near zero, where products of coordinates lose no digits
    return np.asarray(np.sum(x * np.roll(y, -1, axis=1) - np.roll(x, -1, axis=1) * y, axis=1) / 2)


def _pressed(polygon: Array, on: Array, normal: Array) -> Array:
    """Polygons (P, 2K, 2) of which what lay outside of a line (through `on`, unit `normal` inward) lies on it."""
    depth = np.einsum("pkc,pc->pk", polygon - on[:, None], normal)
    after, depth_after = np.roll(polygon, -1, axis=1), np.roll(depth, -1, axis=1)
    crosses = (depth < 0) != (depth_after < 0)
    part = np.where(crosses, depth / np.where(crosses, depth - depth_after, 1.0), 0.0)[..., None]
    corner = polygon - np.minimum(depth, 0.0)[..., None] * normal[:, None]
    crossing = np.where(crosses[..., None], polygon + part * (after - polygon), corner)
    return np.stack([corner, crossing], axis=2).reshape(len(polygon), -1, 2)


def _near(a: Array, b: Array) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """Index pairs of polygons whose circles around the middle meet."""
    if not len(a) or not len(b):
        return np.zeros(0, np.intp), np.zeros(0, np.intp)
    middle_a, middle_b = a.mean(axis=1), b.mean(axis=1)
    radius_a, radius_b = (np.hypot(*(p[:, 0] - m).T) for p, m in ((a, middle_a), (b, middle_b)))
    found = cKDTree(middle_a).query_ball_point(middle_b, radius_b + radius_a.max(), return_sorted=True)
    j = np.repeat(np.arange(len(b)), [len(f) for f in found])
    i = np.concatenate([np.asarray(f, dtype=np.intp) for f in found])
    meet = np.hypot(*(middle_a[i] - middle_b[j]).T) <= radius_a[i] + radius_b[j]
    return i[meet], j[meet]
