"""Labels as GeoPackage or GeoJSON: each ship a line from bow to stern with its beam, as `vector` reads them.

In the CRS of the scene; in pixels, without a CRS, of a picture that lies nowhere on Earth. Outlines, places to ignore
and regions are features of other roles: layers of their own in a GeoPackage.
"""

import json
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import geopandas as gpd
import numpy as np
import shapely

from shipdet.errors import OutputError
from shipdet.files import whole_file
from shipdet.labels.frame import Frame, mean_gsd_m
from shipdet.labels.types import Labels, Note
from shipdet.labels.vector import heading_deg
from shipdet.labels.write_notes import not_carried

LAYERS = {"ship": "ships", "outline": "outlines", "ignore": "ignore", "region": "regions"}
"""Layer of each role."""
SQLITE_SIDECARS = ("-wal", "-shm", "-journal")
UNDEFINED_CARTESIAN = -1
"""GeoPackage's srs_id for plane coordinates that lie nowhere on Earth."""


def write_gpkg(labels: Labels, path: Path, frame: Frame | None) -> tuple[Note, ...]:
    """Writes one picture's labels, each role as a layer, and says what the format could not carry."""
    with whole_file(path) as temporary, warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="'crs' was not provided")
        for layer, table in _tables(labels, frame):
            srid = {} if table.crs is not None else {"SRID": UNDEFINED_CARTESIAN}
            table.to_file(temporary, layer=layer, driver="GPKG", engine="pyogrio", promote_to_multi=False, **srid)
    for suffix in SQLITE_SIDECARS:  # left by a GIS beside the older file: SQLite would replay them into the new one
        path.with_name(path.name + suffix).unlink(missing_ok=True)
    return not_carried(labels)


def write_geojson(labels: Labels, path: Path, frame: Frame | None) -> tuple[Note, ...]:
    """Writes one scene's labels in WGS 84 (RFC 7946), and says what the format could not carry.

    Raises:
        OutputError: the labels lie nowhere on Earth.
    """
    if frame is None or frame.grid.crs is None:
        raise OutputError(
            f"{path.name} would be GeoJSON, which is in longitude and latitude, but these labels are in pixels; pass "
            f"the georeferenced scene with --scene, or write {path.with_suffix('.gpkg').name} instead"
        )
    features = [
        feature
        for _, table in _tables(labels, frame)
        for feature in json.loads(table.to_crs(4326).to_json(drop_id=True))["features"]
    ]
    with whole_file(path) as temporary:
        content = {"type": "FeatureCollection", "name": LAYERS["ship"], "features": features}
        temporary.write_text(json.dumps(content) + "\n", encoding="utf-8")
    return not_carried(labels)


def _tables(labels: Labels, frame: Frame | None) -> Iterator[tuple[str, gpd.GeoDataFrame]]:
    """The ships, then what else there is, by layer."""
    lines = shapely.linestrings(np.stack([labels.bow, labels.stern], axis=1))
    every = {"ship": np.arange(1, len(labels) + 1), **_columns(labels, frame)}
    yield LAYERS["ship"], _table("ship", every, lines, frame)
    drawn = {i + 1: outline for i, outline in enumerate(labels.polygon) if outline is not None}
    regions = labels.regions if labels.complete else np.zeros((1, 4))
    for role, numbers, areas in (
        ("outline", list(drawn), list(drawn.values())),
        ("ignore", [0] * len(labels.ignore), list(labels.ignore)),
        ("region", [0] * len(regions), [shapely.box(*region) for region in regions]),
    ):
        if areas:
            yield LAYERS[role], _table(role, {"ship": numbers}, areas, frame)


def _table(role: str, columns: dict[str, Any], places: Any, frame: Frame | None) -> gpd.GeoDataFrame:
    """Rows of one role, in the CRS of the scene where it has one."""
    crs = None if frame is None else frame.grid.crs
    if frame is not None and crs is not None:
        places = shapely.transform(np.asarray(places, dtype=object), frame.grid.to_crs)
    return gpd.GeoDataFrame({"role": [role] * len(places), **columns}, geometry=list(places), crs=crs)


def _columns(labels: Labels, frame: Frame | None) -> dict[str, Any]:
    known = {"type": list(labels.type), "bow_known": labels.bow_known, "difficult": labels.difficult}
    heading = heading_deg(labels.bow, labels.stern, frame)
    if frame is None or frame.grid.crs is None:
        return {**known, "beam": labels.beam, "length": labels.length, "heading_deg": heading}
    gsd_m = mean_gsd_m(frame, (labels.bow + labels.stern) / 2)
    a, b = frame.grid.to_lonlat(labels.stern), frame.grid.to_lonlat(labels.bow)
    _, _, length_m = frame.grid.geod.inv(a[:, 0], a[:, 1], b[:, 0], b[:, 1])
    return {**known, "beam_m": labels.beam * gsd_m, "length_m": np.asarray(length_m), "heading_deg": heading}
