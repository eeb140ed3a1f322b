"""Detections as vector files, the format told by the file's ending.

GeoPackage, GeoParquet and FlatGeobuf keep the scene's CRS; GeoJSON (RFC 7946) and CSV, which
cannot name one, are in WGS 84. FlatGeobuf orders its rows by place (its spatial index): sort by id.
"""

import io
import json
import warnings
from collections.abc import Callable
from pathlib import Path

import geopandas as gpd
import numpy as np
import pyogrio.errors
import shapely
from shapely.affinity import translate
from shapely.geometry import mapping
from shapely.geometry.polygon import orient

from shipdet.errors import OutputError
from shipdet.files import scratch_beside, whole_file
from shipdet.geometry import Array

LAYER = "ships"
"""Name of the layer in formats whose layers have names."""
_DECIMALS = 7
"""Of degrees, about 1 cm, as RFC 7946 advises."""
_SQLITE_SIDECARS = ("-wal", "-shm", "-journal")
_UNDEFINED_CARTESIAN = -1
"""GeoPackage's srs_id for plane coordinates that lie nowhere on Earth."""


def write_detections(detections: gpd.GeoDataFrame, path: Path) -> None:
    """Writes detections whole or not at all; an older file of that name stays until the new one is complete.

    Args:
        detections: as `shipdet.inference.georeference` makes them; crs None means pixel coordinates.
        path: ends in .gpkg, .geojson, .parquet, .fgb or .csv.

    Raises:
        OutputError: another ending, a folder that does not exist or cannot be written, or GeoJSON
            asked for of detections without a CRS.
    """
    write = _writer(path)
    if path.suffix.lower() == ".geojson":
        _refuse_pixel_geojson(detections, path)
    with whole_file(path) as temporary:
        try:
            write(detections, temporary)
        except (pyogrio.errors.DataSourceError, pyogrio.errors.DataLayerError) as error:
            raise OSError(f"GDAL: {' '.join(str(error).split())}") from error
    if path.suffix.lower() == ".gpkg":
        _drop_stale_sidecars(path)


def check_output(path: Path) -> None:
    """Raises what `write_detections` would raise for this path, before the long work starts.

    Raises:
        OutputError: an ending that is not a format's, a folder that does not exist or cannot be written.
    """
    _writer(path)
    with scratch_beside(path):
        pass


def _write_gpkg(detections: gpd.GeoDataFrame, path: Path) -> None:
    if detections.crs is None:
        _write_layer(detections, path, driver="GPKG", SRID=_UNDEFINED_CARTESIAN)
    else:
        _write_layer(detections, path, driver="GPKG")


def _write_fgb(detections: gpd.GeoDataFrame, path: Path) -> None:
    _write_layer(detections, path, driver="FlatGeobuf")


def _write_layer(detections: gpd.GeoDataFrame, path: Path, **creation: str | int) -> None:
    """By way of memory: on a full disk GDAL may lose its last bytes without a word, Python does not."""
    content = io.BytesIO()
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="'crs' was not provided")
        detections.to_file(content, engine="pyogrio", layer=LAYER, geometry_type="Polygon", **creation)
    path.write_bytes(content.getvalue())


def _write_parquet(detections: gpd.GeoDataFrame, path: Path) -> None:
    detections.to_parquet(path, index=False)


def _write_geojson(detections: gpd.GeoDataFrame, path: Path) -> None:
    """By hand: GDAL reads and writes this format its own way (names the CRS, guesses types), RFC 7946 is short."""
    lonlat = to_lonlat(detections)
    properties = json.loads(lonlat.drop(columns="geometry").to_json(orient="records", double_precision=15))
    features = [
        {"type": "Feature", "properties": row, "geometry": mapping(footprint)}
        for row, footprint in zip(properties, lonlat.geometry, strict=True)
    ]
    with path.open("w", encoding="utf-8") as file:
        json.dump({"type": "FeatureCollection", "name": LAYER, "features": features}, file, ensure_ascii=False)
        file.write("\n")


def _write_csv(detections: gpd.GeoDataFrame, path: Path) -> None:
    plain = detections if detections.crs is None else to_lonlat(detections)
    wkt = shapely.to_wkt(plain.geometry.to_numpy(), rounding_precision=_DECIMALS)
    plain.drop(columns="geometry").assign(geometry=wkt).to_csv(path, index=False)


_WRITERS: dict[str, Callable[[gpd.GeoDataFrame, Path], None]] = {
    ".gpkg": _write_gpkg,
    ".geojson": _write_geojson,
    ".parquet": _write_parquet,
    ".fgb": _write_fgb,
    ".csv": _write_csv,
}


def _writer(path: Path) -> Callable[[gpd.GeoDataFrame, Path], None]:
    try:
        return _WRITERS[path.suffix.lower()]
    except KeyError:
        raise OutputError(f"{path} should end in one of {' '.join(_WRITERS)}; its ending says the format") from None


def _refuse_pixel_geojson(detections: gpd.GeoDataFrame, path: Path) -> None:
    if detections.crs is None:
        raise OutputError(
            f"{path.name} would be GeoJSON, which is in longitude and latitude, but these detections are in pixels; "
            f"write {path.with_suffix('.gpkg').name} instead"
        )


def _drop_stale_sidecars(path: Path) -> None:
    """Removes what a GIS left beside the older file: SQLite would replay its journal into the new one."""
    for suffix in _SQLITE_SIDECARS:
        path.with_name(path.name + suffix).unlink(missing_ok=True)


def to_lonlat(detections: gpd.GeoDataFrame) -> gpd.GeoDataFrame:
    """Detections in WGS 84 as RFC 7946 wants them.

    Right-handed rings, 7 decimals, longitudes in [-180, 180]; a footprint across the 180th
    meridian becomes a MultiPolygon of its two sides.

    Args:
        detections: with a CRS.
    """
    footprints = shapely.transform(detections.geometry.to_crs(4326).to_numpy(), _rounded)
    split = [_split_at_antimeridian(footprint) for footprint in footprints]
    return detections.set_geometry(gpd.GeoSeries(split, index=detections.index, crs=4326))


def _split_at_antimeridian(footprint: shapely.Polygon) -> shapely.Polygon | shapely.MultiPolygon:
    """The parts of a small convex polygon in longitudes [-180, 180], whichever turn its vertices were given in."""
    whole = orient(shapely.transform(footprint, _without_jump))
    west, _, east, _ = whole.bounds
    first = int(np.floor((west + 180) / 360))
    if east <= 360 * first + 180:
        return shapely.transform(translate(whole, xoff=-360 * first), _rounded)
    parts = []
    for turn in (first, first + 1):
        part = shapely.intersection(whole, shapely.box(360 * turn - 180, -90, 360 * turn + 180, 90))
        parts.append(orient(translate(part, xoff=-360 * turn)))
    return shapely.transform(shapely.MultiPolygon(parts), _rounded)


def _rounded(lonlat: Array) -> Array:
    return np.round(lonlat, _DECIMALS)


def _without_jump(lonlat: Array) -> Array:
    """All vertices on the first one's side of the meridian."""
    lon = lonlat[:, 0]
    return np.stack([lon - 360 * np.round((lon - lon[0]) / 360), lonlat[:, 1]], axis=1)
