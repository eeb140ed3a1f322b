"""Vector files over a georeferenced scene: GeoPackage, GeoJSON, Shapefile, FlatGeobuf, GeoParquet, in any CRS.

A line runs from bow to stern, its beam stands in a column (`beam_m`, `width_m`; metres). A polygon is an outline: its
ends lie on the long axis of the rectangle of least area, and `heading_deg`, where there is such a column, tells which
is the bow. Read too: `type` (`class`, `ship_type`, `category`), `bow_known`, `difficult`, and `role`, which says what
is no ship: `ignore`, `region` (labelling is complete there), `outline` (of the ship with the same number in `ship`).
"""

import warnings
from collections.abc import Collection, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any, NamedTuple

import geopandas as gpd
import numpy as np
import pyogrio
import pyogrio.errors
import pyogrio.raw
import shapely
import shapely.errors
from pyproj import CRS, Transformer

from shipdet.errors import LabelsError
from shipdet.labels.frame import Frame, mean_gsd_m
from shipdet.labels.gather import Gathered
from shipdet.labels.outline import area_of, ship_around
from shipdet.labels.text import FARTHEST
from shipdet.labels.types import Array, Reading, Ship, type_of

ENDINGS = frozenset({".gpkg", ".geojson", ".shp", ".fgb", ".parquet"})
BEAM = ("beam_m", "width_m", "beam", "width")
TYPE = ("type", "class", "ship_type", "category")
TRUE = frozenset({"1", "1.0", "t", "true", "y", "yes"})
UNREADABLE = (
    pyogrio.errors.DataSourceError,
    pyogrio.errors.DataLayerError,
    shapely.errors.ShapelyError,
    OSError,
    ValueError,
)
CHOPPED = 1e-6
"""Pixels by which a region may differ from an upright rectangle."""


class _Feature(NamedTuple):
    """One row, its geometry in pixels."""

    where: str
    geometry: Any
    said: dict[str, Any]
    """columns by lower-case name; what is missing is left out"""


def read_vector(path: Path, frame: Frame | None = None, classes: Collection[str] | None = None) -> Reading:
    """Ships of one scene.

    Args:
        path: the file; all its layers are read.
        frame: of the scene; not needed only where the file is in pixels, without a CRS.
        classes: types to take, in lower case, else all that may be ships.

    Raises:
        LabelsError: it is no such file, or it and the scene do not both lie on Earth; the message names the feature.
    """
    gathered = Gathered(classes)
    outlines: dict[object, Any] = {}
    numbers: list[object] = []
    for feature in _features(path, frame):
        role = str(feature.said.get("role", "ship")).lower()
        if feature.geometry is None or feature.geometry.is_empty:
            gathered.drop("dropped, no geometry")
        elif not (np.abs(shapely.get_coordinates(feature.geometry)) <= FARTHEST).all():
            gathered.drop("dropped, a place that the scene's CRS does not have")
        elif role == "ignore":
            gathered.ignore(feature.geometry, "places to ignore")
        elif role == "region":
            _add_region(feature, gathered)
        elif role == "outline":
            outlines[feature.said.get("ship")] = area_of(feature.geometry)
        elif gathered.takes(_first(feature.said, TYPE) or "ship"):
            before = len(gathered.ships)
            _add_ship(feature, frame, gathered)
            numbers += [feature.said.get("ship")] * (len(gathered.ships) - before)
    for i, number in enumerate(numbers):
        if number in outlines:
            gathered.ships[i] = replace(gathered.ships[i], polygon=outlines[number])
    return gathered.reading()


def read_area(path: Path, frame: Frame) -> shapely.Geometry:
    """All polygons of a file as one area, in pixels of a scene, whatever their columns say.

    Raises:
        LabelsError: it is no such file, holds something else or nothing, lies partly where the scene's CRS does not, or
            wholly elsewhere than the scene.
    """
    found = [one for _, table in _layers(path) for one in _in_pixels(path, table, frame) if one is not None]
    kinds = {one.geom_type for one in found}
    if not found or kinds - {"Polygon", "MultiPolygon"}:
        raise LabelsError(f"{path}: expected polygons, got {', '.join(sorted(kinds)) or 'nothing'}")
    if not all(np.isfinite(shapely.get_coordinates(one)).all() for one in found):
        raise LabelsError(
            f"{path}: some of it lies where the CRS of {frame.name} has no place; expected longitude and latitude, or "
            "the CRS that the file names; cut it to the scene"
        )
    area = shapely.union_all([shapely.make_valid(one) for one in found])
    if not shapely.intersects(area, shapely.box(0, 0, frame.grid.width, frame.grid.height)):
        raise LabelsError(
            f"{path}: none of it lies in {frame.name}; expected longitude and latitude, or the CRS that the file names"
        )
    return area


def _features(path: Path, frame: Frame | None) -> Iterator[_Feature]:
    for name, table in _layers(path):
        places = _in_pixels(path, table, frame)
        columns = [column for column in table.columns if column != table.geometry.name]
        rows = table[columns].astype(object).where(table[columns].notna(), None).to_dict("records")
        for number, (geometry, row) in enumerate(zip(places, rows, strict=True), start=1):
            said = {str(key).lower(): value for key, value in row.items() if value is not None}
            yield _Feature(f"{path}: layer {name}, feature {number}", geometry, said)


def _layers(path: Path) -> Iterator[tuple[str, gpd.GeoDataFrame]]:
    try:
        if path.suffix.lower() == ".parquet":
            yield path.stem, gpd.read_parquet(path)
            return
        for name, kind in pyogrio.list_layers(path):
            if kind is not None:
                yield name, _layer(path, name)
    except UNREADABLE as error:
        said = " ".join(str(error).split())
        raise LabelsError(f"{path}: expected a vector file that GDAL reads, got {said}") from error


def _layer(path: Path, name: str) -> gpd.GeoDataFrame:
    with warnings.catch_warnings():  # GDAL's, of rings that do not close: what it cannot take is told below
        warnings.simplefilter("ignore", RuntimeWarning)
        try:
            return gpd.read_file(path, layer=name, engine="pyogrio")
        except shapely.errors.ShapelyError:
            _, _, geometries, _ = pyogrio.raw.read(path, layer=name, columns=[])
    for number, geometry in enumerate(geometries, start=1):
        try:
            shapely.from_wkb(geometry)
        except shapely.errors.ShapelyError as error:
            said = " ".join(str(error).split())
            raise LabelsError(f"{path}: layer {name}, feature {number}: expected a geometry, got {said}") from error
    raise LabelsError(f"{path}: layer {name}: expected geometries that can be read; repair the file with ogr2ogr")


def _in_pixels(path: Path, table: gpd.GeoDataFrame, frame: Frame | None) -> Any:
    """Geometries in pixels of the scene; not finite where the scene's CRS has no such place."""
    flat = shapely.force_2d(table.geometry.to_numpy())
    crs = table.crs if table.crs is not None and (table.crs.is_geographic or table.crs.is_projected) else None
    scene = None if frame is None else frame.grid.crs
    if crs is None and scene is None:
        return flat
    if crs is None:
        raise LabelsError(
            f"{path} has no CRS, but its scene has; assign the one that it is in: ogr2ogr -a_srs EPSG:CODE"
        )
    if frame is None or scene is None:
        name = "without the scene" if frame is None else f"for {frame.name}, which has no CRS"
        raise LabelsError(f"{path} lies on Earth and gives no pixels {name}; pass a georeferenced scene with --scene")
    move = Transformer.from_crs(CRS(crs), scene, always_xy=True)

    def to_pixels(xy: Array) -> Array:
        x, y = move.transform(xy[:, 0], xy[:, 1])
        with np.errstate(invalid="ignore"):
            return frame.to_pixels(np.stack([np.asarray(x), np.asarray(y)], axis=1))

    return shapely.transform(flat, to_pixels)


def _add_region(feature: _Feature, gathered: Gathered) -> None:
    """Regions are upright rectangles of pixels: what a turned one leaves of its own is ignored."""
    gathered.regions.append(feature.geometry.bounds)
    rest = shapely.difference(shapely.box(*feature.geometry.bounds), shapely.make_valid(feature.geometry))
    rest = shapely.buffer(rest, -CHOPPED, join_style="mitre")
    if not rest.is_empty:
        gathered.ignored.append(rest)


def _add_ship(feature: _Feature, frame: Frame | None, gathered: Gathered) -> None:
    parts = shapely.get_parts(feature.geometry)
    kinds = {part.geom_type for part in parts}
    if kinds == {"LineString"} and len(parts) == 1:
        points = shapely.get_coordinates(parts[0])
        if np.hypot(*(points[0] - points[-1])) < CHOPPED:
            gathered.drop("dropped, a line that ends where it begins")
            return
        beam = _beam(feature, points[[0, -1]], frame)
        gathered.add(_described(Ship(_place(points[0]), _place(points[-1]), beam), feature))
    elif kinds == {"Polygon"}:
        outline = area_of(feature.geometry)
        found = None if outline is None else ship_around(shapely.get_coordinates(feature.geometry), frame)
        gathered.add(
            None if found is None else _described(_turned(replace(found, polygon=outline), feature, frame), feature)
        )
    else:
        gathered.drop(f"dropped, a {feature.geometry.geom_type} is neither an outline nor a line from bow to stern")


def _place(xy: Array) -> tuple[float, float]:
    return float(xy[0]), float(xy[1])


def _described(ship: Ship, feature: _Feature) -> Ship:
    said = feature.said
    return replace(
        ship,
        type=type_of(_first(said, TYPE) or ""),
        bow_known=ship.bow_known and _truth(said.get("bow_known", True)),
        difficult=_truth(said.get("difficult", False)),
    )


def _first(said: dict[str, Any], names: tuple[str, ...]) -> str | None:
    return next((str(said[name]) for name in names if name in said), None)


def _truth(value: Any) -> bool:
    return value.strip().lower() in TRUE if isinstance(value, str) else bool(value)


def _number(feature: _Feature, name: str) -> float:
    """A column's number, NaN where it is missing."""
    try:
        return float(feature.said.get(name, np.nan))
    except (TypeError, ValueError) as error:
        raise LabelsError(f"{feature.where}: {name}: expected a number, got {feature.said[name]!r}") from error


def _beam(feature: _Feature, ends: Array, frame: Frame | None) -> float:
    """In mean ground pixels; metres in the file where there is an Earth, else pixels."""
    name = next((name for name in BEAM if name in feature.said), None)
    beam = np.nan if name is None else _number(feature, name)
    if not beam > 0:
        return float("nan")
    if frame is None or frame.grid.crs is None:
        return beam
    return beam / float(mean_gsd_m(frame, ends.mean(axis=0, keepdims=True))[0])


def _turned(ship: Ship, feature: _Feature, frame: Frame | None) -> Ship:
    """Bow and stern in the order that `heading_deg` tells, unless `bow_score` says that it is a guess."""
    heading, sure = _number(feature, "heading_deg"), _number(feature, "bow_score")
    if np.isnan(heading) or sure <= 0.5:
        return ship
    if abs((heading - heading_deg(np.array([ship.bow]), np.array([ship.stern]), frame)[0] + 180) % 360 - 180) > 90:
        ship = replace(ship, bow=ship.stern, stern=ship.bow)
    return replace(ship, bow_known=True)


def heading_deg(bow: Array, stern: Array, frame: Frame | None) -> Array:
    """From stern to bow (N,), clockwise from true north; from up in a picture that lies nowhere on Earth."""
    if frame is None or frame.grid.crs is None:
        x, y = (bow - stern).T
        return np.asarray(np.degrees(np.arctan2(x, -y)) % 360)
    a, b = frame.grid.to_lonlat(stern), frame.grid.to_lonlat(bow)
    azimuth, _, _ = frame.grid.geod.inv(a[:, 0], a[:, 1], b[:, 0], b[:, 1])
    return np.asarray(azimuth) % 360
