"""Where pixels lie on Earth (`Grid`) and ships as pairs of points (`Hulls`).

Coordinates are (x, y) = (column, row) with the origin at the top-left corner of the
top-left pixel, so the centre of that pixel is (0.5, 0.5).
"""

from collections.abc import Sequence
from dataclasses import dataclass, field, fields
from functools import cached_property
from typing import NamedTuple, Self

import numpy as np
import shapely
from affine import Affine
from numpy.typing import NDArray
from pyproj import CRS, Geod, Transformer

Array = NDArray[np.float64]

WGS84 = CRS.from_epsg(4326)
BOW_LENGTH = 1.0
"""Length of a footprint's pointed bow, in half beams."""


@dataclass(frozen=True)
class Grid:
    """The pixel grid of a scene: its CRS, its affine transform, its size in pixels.

    `crs` is None for a picture that lies nowhere on Earth; the geographic methods
    then raise `ValueError`.
    """

    crs: CRS | None
    transform: Affine
    width: int
    height: int

    @cached_property
    def _to_wgs84(self) -> Transformer:
        if self.crs is None:
            raise ValueError("a grid without a CRS has no place on Earth")
        return Transformer.from_crs(self.crs, WGS84, always_xy=True)

    @cached_property
    def geod(self) -> Geod:
        """The ellipsoid that distances and headings are taken on (WGS 84)."""
        return Geod(ellps="WGS84")

    def to_crs(self, xy: Array) -> Array:
        """Pixel coordinates (N, 2) to coordinates of the CRS (N, 2)."""
        t = self.transform
        return np.stack([t.a * xy[:, 0] + t.b * xy[:, 1] + t.c, t.d * xy[:, 0] + t.e * xy[:, 1] + t.f], axis=1)

    def to_lonlat(self, xy: Array) -> Array:
        """Pixel coordinates (N, 2) to longitude and latitude in degrees (N, 2), longitude in [-180, 180]."""
        projected = self.to_crs(xy)
        lon, lat = self._to_wgs84.transform(projected[:, 0], projected[:, 1])
        return np.stack([(np.asarray(lon) + 180.0) % 360.0 - 180.0, np.asarray(lat)], axis=1)

    def to_pixels(self, lonlat: Array) -> Array:
        """Longitude and latitude in degrees (N, 2) to pixel coordinates (N, 2), huge where the CRS has no place.

        Of the turns around the Earth that a grid in degrees may be counted in, the one nearest to the grid's middle.
        """
        places = [self._one_turn(lonlat + np.array([turn, 0.0])) for turn in (0.0, 360.0, -360.0)]
        away = [np.hypot(*(xy - np.array([self.width, self.height]) / 2).T) for xy in places]
        return np.asarray(np.stack(places)[np.argmin(away, axis=0), np.arange(len(lonlat))])

    def _one_turn(self, lonlat: Array) -> Array:
        x, y = self._to_wgs84.transform(lonlat[:, 0], lonlat[:, 1], direction="INVERSE")
        placed = np.nan_to_num(np.stack([np.asarray(x), np.asarray(y)], axis=1), posinf=1e30, neginf=1e30)
        return Grid(None, ~self.transform, 0, 0).to_crs(placed)

    def gsd_m(self, xy: Array) -> Array:
        """Ground sample distance in metres along columns and along rows (N, 2), at pixel coordinates (N, 2).

        Measured on the ellipsoid over one pixel centred on the place, so that a 10 m pixel of
        EPSG:3857 at 60 N counts as the 5 m that it covers.
        """
        steps = []
        for half in (np.array([[0.5, 0.0]]), np.array([[0.0, 0.5]])):
            a, b = self.to_lonlat(xy - half), self.to_lonlat(xy + half)
            _, _, distance = self.geod.inv(a[:, 0], a[:, 1], b[:, 0], b[:, 1])
            steps.append(np.asarray(distance))
        return np.stack(steps, axis=1)


UNDECIDED = 0.5
"""`bow_score` of ships whose ends are in no order, for the network does not tell bows from sterns."""


@dataclass(frozen=True)
class Hulls:
    """Ships as endpoints, never as an angle, in scene pixels.

    `bow_score` is the probability that the bow is the bow and not the stern.
    """

    bow: Array
    """(N, 2)"""
    stern: Array
    """(N, 2)"""
    beam: Array
    """(N,)"""
    score: Array
    """(N,) in [0, 1]"""
    bow_score: Array
    """(N,) in [0, 1]"""
    types: Array = field(default_factory=lambda: np.zeros((0, 0)))
    """(N, K) probabilities of the types of ship; K is 0 where nothing is known of them, as by default"""

    def __post_init__(self) -> None:
        if not self.types.size:
            object.__setattr__(self, "types", np.zeros((len(self.score), self.types.shape[1])))

    def __len__(self) -> int:
        return len(self.score)

    def __getitem__(self, index: slice | NDArray[np.intp] | NDArray[np.bool_]) -> Self:
        return type(self)(*(getattr(self, f.name)[index] for f in fields(self)))

    @classmethod
    def join(cls, parts: Sequence[Self]) -> Self:
        """All hulls of several, which tell the same types."""
        return cls(*(np.concatenate([getattr(part, f.name) for part in parts]) for f in fields(cls)))

    @property
    def length(self) -> Array:
        """(N,) distance from stern to bow, in pixels."""
        return np.asarray(np.hypot(*(self.bow - self.stern).T))

    @property
    def ordered(self) -> NDArray[np.bool_]:
        """(N,) whether the bow is told from the stern."""
        return np.asarray(self.bow_score != UNDECIDED)

    @property
    def corners(self) -> Array:
        """Footprints (N, 5, 2), as `hull_corners`."""
        return hull_corners(self.bow, self.stern, self.beam, self.ordered)

    @classmethod
    def empty(cls) -> Self:
        """No ship."""
        points, values = np.zeros((0, 2)), np.zeros(0)
        return cls(points, points, values, values, values)


def hull_corners(bow: Array, stern: Array, beam: Array, ordered: NDArray[np.bool_] | None = None) -> Array:
    """Footprints (N, 5, 2), pointed at the bow: bow, and the four corners clockwise on screen from its right.

    The point is one half beam long, or a third of the ship where that is shorter. A ship that may lie either way
    ends square: its first corner is the middle of an end.

    Args:
        bow: (N, 2).
        stern: (N, 2).
        beam: (N,) full width in the same units.
        ordered: (N,) whether the bow is known from the stern; None: of all.
    """
    along = bow - stern
    length = np.maximum(np.hypot(along[:, 0], along[:, 1]), 1e-9)[:, None]
    along = along / length
    side = np.stack([-along[:, 1], along[:, 0]], axis=1) * (beam[:, None] / 2)
    point = np.minimum(BOW_LENGTH * beam[:, None] / 2, length / 3)
    shoulder = bow - along * (point if ordered is None else point * ordered[:, None])
    return np.stack([bow, shoulder + side, stern + side, stern - side, shoulder - side], axis=1)


def rectangle_corners(bow: Array, stern: Array, beam: Array) -> Array:
    """Oriented boxes (N, 4, 2) around hulls; arguments as `hull_corners`."""
    along = bow - stern
    along = along / np.maximum(np.hypot(along[:, 0], along[:, 1]), 1e-9)[:, None]
    side = np.stack([-along[:, 1], along[:, 0]], axis=1) * (beam[:, None] / 2)
    return np.stack([bow + side, stern + side, stern - side, bow - side], axis=1)


class Overlaps(NamedTuple):
    """Pairs (first < second) of polygons that overlap."""

    first: NDArray[np.intp]
    second: NDArray[np.intp]
    common: Array
    """(P,) area of the intersection"""
    union: Array
    """(P,)"""
    smaller: Array
    """(P,) area of the smaller polygon"""


def overlaps(corners: Array) -> Overlaps:
    """Which of N polygons (N, K, 2) overlap, with exact areas."""
    polygons = shapely.polygons(corners)
    i, j = shapely.STRtree(polygons).query(polygons, predicate="intersects")
    i, j = i[i < j], j[i < j]
    area = shapely.area(polygons)
    common = shapely.area(shapely.intersection(polygons[i], polygons[j]))
    return Overlaps(i, j, common, area[i] + area[j] - common, np.minimum(area[i], area[j]))
