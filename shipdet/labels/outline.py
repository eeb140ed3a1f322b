"""Outlines become ships, and ships outlines: ends on the long axis of the rectangle of least area."""

from typing import NamedTuple

import numpy as np
import shapely

from shipdet.geometry import rectangle_corners
from shipdet.labels.frame import Frame, pixel_shape
from shipdet.labels.types import Array, Labels, Outline, Ship

SUPPOSED_BEAM = 0.2
"""Beam over length of a ship that has to be drawn although nobody measured its beam."""

LEAST = 1e-6
"""Pixels below which an outline has no length or no width."""


class Rectangle(NamedTuple):
    """A rectangle by the middles of its short sides."""

    first: Array
    """(2,) the end further up, or further left at the same height"""
    second: Array
    """(2,)"""
    width: float


def least_rectangle(points: Array) -> Rectangle:
    """The rectangle of least area around points (K, 2); one of its sides lies along their convex hull."""
    hull = shapely.get_coordinates(shapely.convex_hull(shapely.multipoints(points)))
    edges = np.diff(hull, axis=0)
    length = np.hypot(edges[:, 0], edges[:, 1])
    edges = edges[length > 0] / length[length > 0, None] if (length > 0).any() else np.array([[1.0, 0.0]])
    along, across = hull @ edges.T, hull @ np.stack([-edges[:, 1], edges[:, 0]])
    extent = np.stack([np.ptp(along, axis=0), np.ptp(across, axis=0)])
    best = int(np.argmin(extent.prod(axis=0)))
    axis, normal = edges[best], np.array([-edges[best, 1], edges[best, 0]])
    middle = axis * _middle(along[:, best]) + normal * _middle(across[:, best])
    size, side = extent[:, best]
    if side > size:
        axis, size, side = normal, side, size
    ends = (middle - axis * size / 2, middle + axis * size / 2)
    first, second = sorted(ends, key=lambda end: (end[1], end[0]))
    return Rectangle(first, second, float(side))


def _middle(values: Array) -> float:
    return float(values.min() + values.max()) / 2


def ship_around(points: Array, frame: Frame | None, grown: tuple[float, float] = (0.0, 0.0)) -> Ship | None:
    """A ship whose bow nobody told from its stern, from points (K, 2) of its outline; None where they have no area.

    The rectangle is taken on the ground, where a ship is as wide as it is, not on pixels that may not be square.

    Args:
        points: in pixels.
        frame: of the picture, where known.
        grown: mean pixels to lengthen and to widen the rectangle by.
    """
    shape = pixel_shape(frame, points.mean(axis=0, keepdims=True))
    first, second, width = least_rectangle(points * shape)
    length, (longer, wider) = float(np.hypot(*(first - second))), grown
    if length + longer < LEAST or width + wider < LEAST:
        return None
    along = (first - second) / length if length > 0 else np.array([0.0, -1.0])
    bow, stern = (first + along * longer / 2) / shape[0], (second - along * longer / 2) / shape[0]
    return Ship((float(bow[0]), float(bow[1])), (float(stern[0]), float(stern[1])), width + wider, bow_known=False)


def area_of(drawn: object) -> Outline | None:
    """What has an area in a drawn geometry, however crossed its rings are; None where nothing has."""
    whole = shapely.make_valid(drawn)
    parts = [part for part in shapely.get_parts(whole, return_index=False) if shapely.area(part) > 0]
    area = shapely.union_all(parts)
    return area if parts else None


def without_holes(area: Outline) -> list[shapely.Polygon]:
    """Polygons without holes that cover the same area: what has a hole is cut in two through it."""
    parts: list[shapely.Polygon] = []
    waiting = shapely.get_parts(area).tolist()
    while waiting:
        part = waiting.pop(0)
        if not part.interiors:
            parts.append(part)
            continue
        (x0, y0, x1, y1), (first, _, last, _) = part.bounds, part.interiors[0].bounds
        middle = (first + last) / 2
        halves = (shapely.box(x0, y0, middle, y1), shapely.box(middle, y0, x1, y1))
        pieces = [area_of(shapely.intersection(part, half)) for half in halves]
        waiting += [piece for half in pieces if half is not None for piece in shapely.get_parts(half)]
    return parts


def ship_corners(labels: Labels, frame: Frame | None) -> Array:
    """Corners (N, 4, 2) of the rectangles around ships, in pixels; an unmeasured beam is supposed."""
    beam = np.where(np.isnan(labels.beam), SUPPOSED_BEAM * labels.length, labels.beam)
    shape = pixel_shape(frame, (labels.bow + labels.stern) / 2)
    return np.asarray(rectangle_corners(labels.bow * shape, labels.stern * shape, beam) / shape[:, None])
