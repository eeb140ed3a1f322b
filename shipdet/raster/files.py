"""Raster files: opened quietly under one GDAL configuration, with errors told in one line."""

import multiprocessing
import os
import warnings
from pathlib import Path, PurePosixPath

import rasterio
from rasterio.errors import NotGeoreferencedWarning, RasterioError
from rasterio.io import DatasetReader

from shipdet.errors import SceneError

CACHE = {"GDAL_CACHEMAX": 64 * 2**20}
"""In bytes, which is rasterio's custom."""
LOCAL = {"GDAL_NUM_THREADS": "ALL_CPUS"}
CHILD: dict[str, str | int] = {"GDAL_NUM_THREADS": "1"}
"""In a child process, such as a data loader's worker: GDAL would wait for threads that did not survive the fork."""
REMOTE = {
    "GDAL_DISABLE_READDIR_ON_OPEN": "TRUE",
    "GDAL_HTTP_MAX_RETRY": "3",
    "GDAL_HTTP_RETRY_DELAY": "1",
    "GDAL_HTTP_MERGE_CONSECUTIVE_RANGES": "YES",
}
"""Without decoding threads: with them GDAL 3.10 gives zeros, not an error, for ranges that could not be fetched."""


def gdal_env(path: str) -> rasterio.Env:
    """The GDAL configuration of the calling thread while it opens or reads `path`.

    An environment variable of an option's name wins over it, but not over what a child process needs.
    """
    options: dict[str, str | int] = CACHE | (REMOTE if is_remote(path) else LOCAL)
    wanted = {key: value for key, value in options.items() if key not in os.environ}
    return rasterio.Env(**wanted if multiprocessing.parent_process() is None else wanted | CHILD)


def is_remote(path: str) -> bool:
    """Whether GDAL, and not the file system, has to say if a path exists."""
    return "://" in path or path.startswith("/vsi")


def shown(path: str) -> str:
    """A path for messages: a URL without its query, which may hold a signature."""
    return path.partition("?")[0] if is_remote(path) else path


def stem(path: str) -> str:
    """The file's name without folder, ending and query."""
    return PurePosixPath(shown(path)).stem if is_remote(path) else Path(path).stem


def gdal_words(error: BaseException) -> str:
    """The first cause of a rasterio error, on one line, without a full stop."""
    while error.__cause__ is not None:
        error = error.__cause__
    return " ".join(str(error).split()).rstrip(".")


def open_dataset(path: str, overview: int | None = None) -> DatasetReader:
    """Open a raster, or one of its overview levels (0 is the first below full resolution).

    Call it from the main thread: it silences a warning, which Python does for all threads at once.

    Raises:
        SceneError: there is no such file, or it is not a raster.
    """
    level = {} if overview is None else {"overview_level": overview}
    try:
        with gdal_env(path), warnings.catch_warnings():
            warnings.simplefilter("ignore", NotGeoreferencedWarning)
            return rasterio.open(path, sharing=False, **level)
    except RasterioError as error:
        raise SceneError(_why_not(path, error)) from error


def _why_not(path: str, error: RasterioError) -> str:
    if not is_remote(path):
        if Path(path).is_dir():
            return f"{path} is a folder; expected a raster file such as a GeoTIFF"
        if ":" not in path and not Path(path).exists():
            return f"{path}: no such file; check the path"
    return f"{shown(path)} cannot be opened; expected a GeoTIFF or another raster of GDAL ({gdal_words(error)})"
