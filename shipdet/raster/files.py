"""Raster files: opened quietly under one GDAL configuration, with errors told in one line.

Remote ones patiently: what GDAL does not try again itself (a connection that breaks in the middle
of an answer) is tried again here. How often and how soon, GDAL's own options say for both:
GDAL_HTTP_MAX_RETRY and GDAL_HTTP_RETRY_DELAY (https://gdal.org/en/stable/user/virtual_file_systems.html).
"""

import logging
import multiprocessing
import os
import re
import time
import warnings
from collections.abc import Callable
from pathlib import Path, PurePosixPath
from typing import TypeVar

import rasterio
from rasterio.errors import NotGeoreferencedWarning, RasterioError
from rasterio.io import DatasetReader

from shipdet.errors import SceneError
from shipdet.redaction import redact_record, redacted, redacted_url

log = logging.getLogger(__name__)

T = TypeVar("T")

CACHE = {"GDAL_CACHEMAX": 64 * 2**20}
"""In bytes, which is rasterio's custom."""
LOCAL = {"GDAL_NUM_THREADS": "ALL_CPUS"}
CHILD: dict[str, str | int] = {"GDAL_NUM_THREADS": "1"}
"""In a child process, such as a data loader's worker: GDAL would wait for threads that did not survive the fork."""
REMOTE = {
    "GDAL_DISABLE_READDIR_ON_OPEN": "TRUE",
    "GDAL_HTTP_MAX_RETRY": "3",
    "GDAL_HTTP_RETRY_DELAY": "1",
    "GDAL_HTTP_CONNECTTIMEOUT": "20",
    "GDAL_HTTP_LOW_SPEED_TIME": "60",
    "GDAL_HTTP_LOW_SPEED_LIMIT": "1",
    "GDAL_HTTP_MERGE_CONSECUTIVE_RANGES": "YES",
    "CPL_VSIL_CURL_NON_CACHED": "/vsi",
}
"""A connection that stands still for a minute is broken. Nothing is cached beyond a file's closing: GDAL would
remember a failure for as long as the process lives, and trying again would be in vain."""
ONE_THREAD = {"GDAL_NUM_THREADS": "1", "VRT_NUM_THREADS": "1"}
"""With more, GDAL 3.10 gives zeros, not an error, for ranges that could not be fetched (OSGeo/gdal#11552)."""
LOGGERS = ("rasterio", "rasterio._base", "rasterio._env", "rasterio._err", "rasterio._io", "rasterio.env")
"""Where rasterio tells what GDAL says, which names URLs in full."""
ATTEMPTS_MOST = 10
PERMANENT = re.compile(r"HTTP response code: (?!408|429)4\d\d|No such file or directory")
"""What asking again does not change: the server's word, or a mosaic's missing part."""


def gdal_env(path: str) -> rasterio.Env:
    """The GDAL configuration of the calling thread while it opens or reads `path`.

    An environment variable of an option's name wins over it, but for threads on remote files, which would
    lose errors, and in child processes, which would hang. As GDAL may log from here on, its messages are
    freed of secrets.
    """
    for name in LOGGERS:
        logging.getLogger(name).addFilter(redact_record)
    options: dict[str, str | int] = CACHE | (REMOTE if may_be_remote(path) else LOCAL)
    options = {key: value for key, value in options.items() if key not in os.environ}
    child = multiprocessing.parent_process() is not None
    return rasterio.Env(**options | (CHILD if child else {}) | (ONE_THREAD if may_be_remote(path) else {}))


def is_remote(path: str) -> bool:
    """Whether GDAL, and not the file system, has to say if a path exists."""
    return "://" in path or path.startswith("/vsi")


def may_be_remote(path: str) -> bool:
    """Whether reading `path` may go over a network: a mosaic's parts may lie anywhere."""
    return is_remote(path) or path.lower().endswith(".vrt") or path.lstrip().startswith("<VRTDataset")


def shown(path: str) -> str:
    """A path for messages: a URL without user, password and query, which may hold a signature."""
    return redacted_url(path) if is_remote(path) else path


def stem(path: str) -> str:
    """The file's name without folder, ending and query."""
    return PurePosixPath(shown(path)).stem if is_remote(path) else Path(path).stem


def gdal_words(error: BaseException) -> str:
    """The first cause of a rasterio error, on one line, without a full stop and without secrets."""
    while error.__cause__ is not None:
        error = error.__cause__
    return redacted(" ".join(str(error).split()).rstrip("."))


def open_dataset(path: str, overview: int | None = None) -> DatasetReader:
    """Open a raster, or one of its overview levels (0 is the first below full resolution).

    Call it from the main thread: it silences a warning, which Python does for all threads at once.

    Raises:
        SceneError: there is no such file, or it is not a raster.
    """
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", NotGeoreferencedWarning)
            return patiently(path, lambda: reopen_dataset(path, overview))
    except RasterioError as error:
        raise SceneError(_why_not(path, error)) from error


def reopen_dataset(path: str, overview: int | None = None) -> DatasetReader:
    """As `open_dataset`, from any thread and for a file that could be opened before.

    Raises:
        RasterioError: it cannot now.
    """
    level = {} if overview is None else {"overview_level": overview}
    with gdal_env(path):
        return rasterio.open(path, sharing=False, **level)


def patiently(path: str, attempt: Callable[[], T]) -> T:
    """What `attempt` gives; for a remote file it is tried again after failures, with growing delays.

    Raises:
        RasterioError: it failed each time, or in a way that waiting does not cure.
    """
    delays = _delays() if may_be_remote(path) else []
    for delay in delays:
        try:
            return attempt()
        except RasterioError as error:
            why = gdal_words(error)
            if PERMANENT.search(why):
                raise
            log.info("%s: %s; trying again in %g s", shown(path), why, delay)
            time.sleep(delay)
    return attempt()


def _delays() -> list[float]:
    """Seconds before each further attempt."""
    told = {key: os.environ.get(key, REMOTE[key]) for key in ("GDAL_HTTP_MAX_RETRY", "GDAL_HTTP_RETRY_DELAY")}
    try:
        again, first = int(told["GDAL_HTTP_MAX_RETRY"]), float(told["GDAL_HTTP_RETRY_DELAY"])
    except ValueError:
        again, first = int(REMOTE["GDAL_HTTP_MAX_RETRY"]), float(REMOTE["GDAL_HTTP_RETRY_DELAY"])
    return [max(first, 0.0) * 2**n for n in range(min(max(again, 0), ATTEMPTS_MOST))]


def _why_not(path: str, error: RasterioError) -> str:
    if not is_remote(path):
        if Path(path).is_dir():
            return f"{path} is a folder; expected a raster file such as a GeoTIFF"
        if ":" not in path and not Path(path).exists():
            return f"{path}: no such file; check the path"
    return f"{shown(path)} cannot be opened; expected a GeoTIFF or another raster of GDAL ({gdal_words(error)})"
