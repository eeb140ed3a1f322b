"""Where on Earth a file's pixels lie, how large they are there, and when they were taken."""

import logging
from datetime import datetime
from typing import Any

import numpy as np
from affine import Affine
from pyproj import CRS
from pyproj.exceptions import CRSError, ProjError
from rasterio.errors import RasterioError
from rasterio.io import DatasetReader
from rasterio.transform import from_gcps

from shipdet.geometry import Array, Grid

log = logging.getLogger(__name__)

TIME_TAGS = (
    "ACQUISITIONDATETIME",
    "ACQUISITION_DATETIME",
    "ACQUISITION_TIME",
    "ACQUIRED",
    "SENSING_TIME",
    "DATATAKE_1_DATATAKE_SENSING_START",
    "PRODUCT_START_TIME",
    "NITF_IDATIM",
    "DATETIME",
    "TIFFTAG_DATETIME",
)
"""Tags that may hold a time, the surest first: TIFFTAG_DATETIME is often when the file was written."""
TIME_FORMATS = ("%Y:%m:%d %H:%M:%S", "%Y%m%d%H%M%S", "%Y/%m/%d %H:%M:%S")


def grid_of(dataset: DatasetReader, name: str) -> tuple[Grid, bool]:
    """The grid of a file, and whether it was fitted to ground control points.

    The CRS is None, and the transform the identity, where the file does not lie on Earth; rational
    polynomials (RPCs) alone count as that.
    """
    crs, transform, fitted = dataset.crs, dataset.transform, False
    gcps, gcps_crs = dataset.gcps
    if transform == Affine.identity() and len(gcps) >= 3:
        crs, transform, fitted = gcps_crs, _fit(gcps, name), True
    usable = transform != Affine.identity() and not transform.is_degenerate
    if crs and not usable:
        log.warning("%s has a CRS but no place in it; taken as not georeferenced", name)
    if usable and not crs:
        log.warning("%s has a transform but no CRS; taken as not georeferenced", name)
    if dataset.rpcs is not None and not (crs and usable):
        log.warning("%s has only RPCs, which are not used; orthorectify it first with gdalwarp", name)
    placed = _known_crs(crs, name) if crs and usable else None
    grid = Grid(placed, transform if placed else Affine.identity(), dataset.width, dataset.height)
    return grid, fitted and placed is not None


def _fit(gcps: list[Any], name: str) -> Affine:
    try:
        transform: Affine = from_gcps(gcps)
        back = to_pixels(transform, np.array([(p.x, p.y) for p in gcps]))
    except (RasterioError, ValueError, ArithmeticError):
        return Affine.identity()
    misses = back - np.array([(p.col, p.row) for p in gcps])
    residual = float(np.sqrt((misses**2).sum(axis=1).mean()))
    if residual > 1:
        log.warning(
            "%s: its %d ground control points leave %.1f pixels (RMS) to an affine fit; warp it first with gdalwarp",
            name,
            len(gcps),
            residual,
        )
    return transform


def to_pixels(transform: Affine, xy: Array) -> Array:
    """Coordinates of the CRS (N, 2) to pixel coordinates (N, 2)."""
    return Grid(None, ~transform, 0, 0).to_crs(xy)


def _known_crs(crs: Any, name: str) -> CRS | None:
    try:
        known = CRS.from_wkt(crs.to_wkt())
    except (CRSError, RasterioError):
        known = None
    if known is None or not (known.is_projected or known.is_geographic):
        log.warning("%s has a CRS that is not tied to the Earth; taken as not georeferenced", name)
        return None
    return known


def ground_gsd(grid: Grid) -> tuple[float, float] | None:
    """Ground metres per pixel along columns and rows at the grid's centre; None where it has no place on Earth."""
    if grid.crs is None:
        return None
    try:
        gsd = grid.gsd_m(np.array([[grid.width / 2, grid.height / 2]]))[0]
    except ProjError:
        return None
    return (float(gsd[0]), float(gsd[1])) if np.isfinite(gsd).all() and gsd.min() > 0 else None


def acquisition_time(dataset: DatasetReader) -> str | None:
    """When the picture was taken by the file's tags (ISO 8601), or None."""
    tags = {key.upper(): value for space in (None, "IMAGERY") for key, value in dataset.tags(ns=space).items()}
    for tag in TIME_TAGS:
        found = _iso(tags[tag]) if tag in tags else None
        if found:
            return found
    return None


def _iso(text: str) -> str | None:
    text = text.strip().strip("\"'")
    for form in TIME_FORMATS:
        try:
            return datetime.strptime(text, form).isoformat()
        except ValueError:
            continue
    try:
        return datetime.fromisoformat(text).isoformat()
    except ValueError:
        return None
