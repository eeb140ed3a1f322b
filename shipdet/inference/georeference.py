"""Hulls in pixels become georeferenced detections: one row a ship, measured on the ellipsoid.

Length, heading, beam and the footprint's shape are taken on the ground (geodesics of
WGS 84, Karney 2013), never on the grid, so a 200 m ship that heads 45 degrees says so in
UTM, in degrees and in EPSG:3857 alike.
"""

from dataclasses import replace
from typing import NamedTuple

import geopandas as gpd
import numpy as np
import shapely
from numpy.typing import NDArray
from pyproj import CRS, Geod

from shipdet.errors import SceneError
from shipdet.geometry import Array, Grid, Hulls, hull_corners

_NEWTON_STEPS = 4
"""Each step shrinks the error by about (ship's length / Earth's radius): four reach the limit of doubles."""


class SceneTags(NamedTuple):
    """What every detection of one scene has in common."""

    scene_id: str
    acquired_at: str | None
    """ISO 8601, None where the scene does not say."""
    model: str
    types: tuple[str, ...] = ()
    """What the columns of `Hulls.types` stand for."""
    unordered_ends: bool = False
    """Whether bows and sterns are not told apart: ships then head from 0 to 180 degrees."""


class Column(NamedTuple):
    """One column of the detections."""

    name: str
    dtype: str
    unit: str
    meaning: str


COLUMNS = (
    Column("id", "int64", "", "1..N within the scene, best score first, then from the top of the scene down"),
    Column("score", "float64", "0..1", "confidence that this is a ship"),
    Column("bow_score", "float64", "0..1", "probability that the bow is the bow; 0.5 where ends are in no order"),
    Column("type", "string", "", "likeliest type of ship; missing where the model tells none"),
    Column("type_score", "float64", "0..1", "probability that the type is right; missing likewise"),
    Column(
        "heading_deg",
        "float64",
        "degree",
        "clockwise from true north, in [0, 360); in [0, 180) if bow_score is 0.5",
    ),
    Column("length_m", "float64", "metre", "geodesic distance from stern to bow"),
    Column("beam_m", "float64", "metre", "full width on the ground"),
    Column(
        "gsd_m", "float64", "metre", "ground pixel at the ship, by which its size goes; likely, where it was unknown"
    ),
    Column("lon", "float64", "degree", "WGS 84 longitude of the middle of the hull's axis, in [-180, 180]"),
    Column("lat", "float64", "degree", "WGS 84 latitude of the middle of the hull's axis"),
    Column("bow_lon", "float64", "degree", "WGS 84 longitude of the bow"),
    Column("bow_lat", "float64", "degree", "WGS 84 latitude of the bow"),
    Column("stern_lon", "float64", "degree", "WGS 84 longitude of the stern"),
    Column("stern_lat", "float64", "degree", "WGS 84 latitude of the stern"),
    Column("bow_col", "float64", "pixel", "bow along the scene's columns, 0 at the left edge of the first pixel"),
    Column("bow_row", "float64", "pixel", "bow along the scene's rows, 0 at the top edge of the first pixel"),
    Column("stern_col", "float64", "pixel", "stern along the scene's columns"),
    Column("stern_row", "float64", "pixel", "stern along the scene's rows"),
    Column("scene_id", "string", "", "which scene"),
    Column("acquired_at", "string", "ISO 8601", "when the scene was taken; missing where the file does not say"),
    Column("model", "string", "", "which model found the ship"),
    Column(
        "geometry",
        "geometry",
        "the scene's CRS",
        "footprint polygon: bow first, pointed if known, port side next",
    ),
)
"""The schema of detections: every format holds these columns, in this order."""


class _Measured(NamedTuple):
    """Ships (N) as they lie: angles in degrees, places as longitude and latitude."""

    heading_deg: Array
    length_m: Array
    beam_m: Array
    gsd_m: Array
    """(N,) mean of columns and rows, sqrt(x * y)"""
    centre: Array
    bow: Array
    stern: Array
    footprint: Array
    """(N, 5, 2) in the CRS of the frame to be made."""


def georeference(hulls: Hulls, grid: Grid, tags: SceneTags) -> gpd.GeoDataFrame:
    """Detections with the columns `COLUMNS`, in the scene's CRS.

    Where a scene crosses the 180th meridian, footprints keep the grid's own continuous
    coordinates (179.99 to 180.01); the longitude columns are wrapped.

    Args:
        hulls: ships in scene pixels. `beam` is in mean ground pixels: beam_m = beam *
            sqrt(gsd_x * gsd_y) at the ship, whatever its heading. On a grid whose pixels are
            not square on the ground, a width counted across the ship in pixels has no fixed
            length in metres, so whoever makes hulls there divides metres by that mean.
        grid: where the scene's pixels lie.
        tags: what goes into scene_id, acquired_at and model, and how to read the hulls.

    Raises:
        SceneError: the grid has no CRS, or a ship lies where its CRS has no longitude and latitude.
    """
    if grid.crs is None:
        raise SceneError(
            f"{tags.scene_id} has no CRS, so its ships have no place on Earth; assign one with "
            "`rio edit-info --crs`, or pass --pixel-coordinates"
        )
    with np.errstate(invalid="ignore"):
        ranked = hulls[_ranking(hulls)]
        ranked = _eastward(ranked, grid) if tags.unordered_ends else ranked
        measured = _measure_on_ground(ranked, grid)
    _require_places(measured, ranked, tags)
    return _frame(ranked, measured, tags, grid.crs)


def pixel_detections(hulls: Hulls, gsd_m: float, tags: SceneTags) -> gpd.GeoDataFrame:
    """Detections of a picture that lies nowhere on Earth: the same columns, crs None.

    The longitude and latitude columns are NaN; footprints are in pixels, rows growing
    downward; heading_deg is clockwise from up in the picture, which stands in for north.

    Args:
        hulls: ships in scene pixels, `beam` too.
        gsd_m: metres of one pixel, taken as square and the same everywhere.
        tags: what goes into scene_id, acquired_at and model, and how to read the hulls.
    """
    ranked = hulls[_ranking(hulls)]
    ranked = _rightward(ranked) if tags.unordered_ends else ranked
    along = ranked.bow - ranked.stern
    nowhere = np.full((len(ranked), 2), np.nan)
    measured = _Measured(
        heading_deg=_full_circle(np.degrees(np.arctan2(along[:, 0], -along[:, 1]))),
        length_m=ranked.length * gsd_m,
        beam_m=ranked.beam * gsd_m,
        gsd_m=np.full(len(ranked), gsd_m),
        centre=nowhere,
        bow=nowhere,
        stern=nowhere,
        # the other way round, so that port comes first on a picture whose rows grow downward
        footprint=ranked.corners[:, [0, 4, 3, 2, 1]],
    )
    return _frame(ranked, measured, tags, None)


def _ranking(hulls: Hulls) -> np.ndarray[tuple[int], np.dtype[np.intp]]:
    """Best score first; equal scores from the top down, then from the left, so that runs agree."""
    return np.lexsort((hulls.bow[:, 0], hulls.bow[:, 1], -hulls.score))


def _eastward(hulls: Hulls, grid: Grid) -> Hulls:
    """Ships whose ends are in no order, turned to head from 0 to 180 degrees on Earth."""
    bow, stern = grid.to_lonlat(hulls.bow), grid.to_lonlat(hulls.stern)
    azimuth, _, _ = grid.geod.inv(stern[:, 0], stern[:, 1], bow[:, 0], bow[:, 1])
    return _swapped(hulls, np.mod(np.asarray(azimuth), 360) >= 180)


def _rightward(hulls: Hulls) -> Hulls:
    """Ships whose ends are in no order, turned to head from 0 to 180 degrees in the picture."""
    along = hulls.bow - hulls.stern
    return _swapped(hulls, np.mod(np.degrees(np.arctan2(along[:, 0], -along[:, 1])), 360) >= 180)


def _swapped(hulls: Hulls, swap: NDArray[np.bool_]) -> Hulls:
    where = swap[:, None]
    return replace(hulls, bow=np.where(where, hulls.stern, hulls.bow), stern=np.where(where, hulls.bow, hulls.stern))


def _measure_on_ground(hulls: Hulls, grid: Grid) -> _Measured:
    middle = (hulls.bow + hulls.stern) / 2
    bow, stern = grid.to_lonlat(hulls.bow), grid.to_lonlat(hulls.stern)
    gsd_m = grid.gsd_m(middle)
    azimuth, _, length_m = (np.asarray(v) for v in grid.geod.inv(stern[:, 0], stern[:, 1], bow[:, 0], bow[:, 1]))
    mean_gsd_m = np.sqrt(gsd_m[:, 0] * gsd_m[:, 1])
    beam_m = hulls.beam * mean_gsd_m
    ahead = np.stack([np.zeros_like(length_m), length_m], axis=1)
    corners = hull_corners(ahead, np.zeros_like(ahead), beam_m, hulls.ordered)
    footprint = _footprint_lonlat(grid.geod, stern, azimuth, corners)
    pixels = _pixels_at(grid, footprint.reshape(-1, 2), np.repeat(middle, 5, axis=0))
    return _Measured(
        heading_deg=_full_circle(azimuth),
        length_m=length_m,
        beam_m=beam_m,
        gsd_m=mean_gsd_m,
        centre=_travel(grid.geod, stern, azimuth, length_m / 2),
        bow=bow,
        stern=stern,
        footprint=grid.to_crs(pixels).reshape(-1, 5, 2),
    )


def _require_places(measured: _Measured, hulls: Hulls, tags: SceneTags) -> None:
    lost = ~np.isfinite(np.hstack([measured.centre, measured.footprint.reshape(-1, 10)])).all(axis=1)
    if lost.any():
        x, y = (hulls.bow[lost][0] + hulls.stern[lost][0]) / 2
        raise SceneError(
            f"{tags.scene_id} has no longitude and latitude at column {x:.0f}, row {y:.0f}: its geotransform leaves "
            "the area of its CRS; correct them with `gdal_edit.py -a_srs -a_ullr`, or pass --pixel-coordinates"
        )


def _footprint_lonlat(geod: Geod, stern: Array, azimuth: Array, corners: Array) -> Array:
    """Longitude and latitude (N, 5, 2) of the corners of footprints, true to shape on the ground.

    A hull is laid out in metres, x to starboard and y ahead of the stern, and each of its `corners` (N, 5, 2) is
    reached from the stern by its own geodesic: within a ship's length the plane errs by micrometres.
    """
    bearing = azimuth[:, None] + np.degrees(np.arctan2(corners[..., 0], corners[..., 1]))
    start = np.repeat(stern, 5, axis=0)
    reach = np.hypot(corners[..., 0], corners[..., 1])
    return _travel(geod, start, bearing.ravel(), reach.ravel()).reshape(-1, 5, 2)


def _travel(geod: Geod, start: Array, azimuth: Array, distance_m: Array) -> Array:
    """Longitude and latitude (N, 2) at the end of geodesics."""
    lon, lat, _ = geod.fwd(start[:, 0], start[:, 1], azimuth, distance_m)
    return np.stack([np.asarray(lon), np.asarray(lat)], axis=1)


def _pixels_at(grid: Grid, lonlat: Array, near: Array) -> Array:
    """Pixel coordinates (N, 2) of places given as longitude and latitude, each close to its `near` (N, 2).

    Newton steps on the grid's own way to the ellipsoid. Transforming to the CRS would be shorter,
    but tears a footprint apart where the CRS wraps at the 180th meridian and the grid goes on.
    """
    half = np.array([[0.5, 0.0], [0.0, 0.5]])
    slopes = [_normals(grid.to_lonlat(near + h)) - _normals(grid.to_lonlat(near - h)) for h in half]
    inverse = np.linalg.pinv(np.nan_to_num(np.stack(slopes, axis=2)))  # NaN off the map: the target carries it on
    target, xy = _normals(lonlat), near
    for _ in range(_NEWTON_STEPS):
        xy = xy + np.einsum("nij,nj->ni", inverse, target - _normals(grid.to_lonlat(xy)))
    return xy


def _normals(lonlat: Array) -> Array:
    """Unit normals (N, 3) of the ellipsoid: they know neither the 180th meridian nor the poles."""
    lon, lat = np.radians(lonlat).T
    return np.stack([np.cos(lat) * np.cos(lon), np.cos(lat) * np.sin(lon), np.sin(lat)], axis=1)


def _full_circle(degrees: Array) -> Array:
    """Angles in [0, 360): the remainder of a tiny negative angle rounds to 360 itself."""
    wrapped = np.mod(degrees, 360.0)
    return np.where(wrapped >= 360.0, 0.0, wrapped)


def _types(hulls: Hulls, names: tuple[str, ...]) -> tuple[list[str | None], Array]:
    """The likeliest type of each of N ships, and its probability."""
    if not names:
        return [None] * len(hulls), np.full(len(hulls), np.nan)
    return [names[i] for i in hulls.types.argmax(axis=1)], hulls.types.max(axis=1)


def _frame(hulls: Hulls, measured: _Measured, tags: SceneTags, crs: CRS | None) -> gpd.GeoDataFrame:
    n = len(hulls)
    values = (
        np.arange(1, n + 1),
        hulls.score,
        hulls.bow_score,
        *_types(hulls, tags.types),
        measured.heading_deg,
        measured.length_m,
        measured.beam_m,
        measured.gsd_m,
        *measured.centre.T,
        *measured.bow.T,
        *measured.stern.T,
        *hulls.bow.T,
        *hulls.stern.T,
        [tags.scene_id] * n,
        [tags.acquired_at] * n,
        [tags.model] * n,
        gpd.GeoSeries(shapely.polygons(measured.footprint), crs=crs),
    )
    frame = gpd.GeoDataFrame({column.name: value for column, value in zip(COLUMNS, values, strict=True)}, crs=crs)
    return frame.astype({column.name: column.dtype for column in COLUMNS[:-1]})
