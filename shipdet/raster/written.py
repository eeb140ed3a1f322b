"""A GeoTIFF written block by block, whole or not at all, with a mask of where it holds data."""

import warnings
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from errno import ENOSPC
from pathlib import Path
from typing import Any, NamedTuple
from zlib import crc32

import numpy as np
import rasterio
from numpy.typing import NDArray
from rasterio.errors import NotGeoreferencedWarning, RasterioError
from rasterio.io import DatasetWriter
from rasterio.windows import Window as RasterioWindow

from shipdet.errors import SceneError
from shipdet.files import whole_file
from shipdet.geometry import Grid
from shipdet.raster.files import gdal_env, open_dataset
from shipdet.raster.place import TIME_TAGS

TILE = 256
"""Side of the file's internal tiles."""


class Content(NamedTuple):
    """What a file is of."""

    grid: Grid
    dtype: str
    acquired_at: str | None
    """ISO 8601"""


class Block(NamedTuple):
    """A part of it."""

    x: int
    y: int
    pixels: NDArray[Any]
    """(3, H, W): red, green, blue"""
    valid: NDArray[np.bool_]
    """(H, W)"""

    @property
    def window(self) -> RasterioWindow:
        """Where it lies."""
        return RasterioWindow(self.x, self.y, self.pixels.shape[2], self.pixels.shape[1])

    @property
    def check(self) -> int:
        """Another number for almost any other content."""
        return crc32(np.packbits(self.valid).tobytes(), crc32(np.ascontiguousarray(self.pixels).tobytes()))


class _Kept(NamedTuple):
    """What is remembered of a block that was written."""

    x: int
    y: int
    window: RasterioWindow
    check: int


def write_blocks(path: Path, content: Content, blocks: Iterable[Block]) -> None:
    """Writes red, green and blue, tiled and compressed without loss; nothing is valid where there is no block.

    Args:
        path: of the file, in a folder that exists.
        content: what it is of; without a CRS it lies nowhere.
        blocks: each pixel in one at most; they begin at multiples of `TILE`, so that no tile is written twice.

    Raises:
        OutputError: it cannot be written there.
    """
    with whole_file(path) as temporary:
        with _created(temporary, content) as file:
            kept = [_write(file, block) for block in blocks]
        if not _is_whole(temporary, kept):
            raise OSError(ENOSPC, "it came out torn")


def _write(file: DatasetWriter, block: Block) -> _Kept:
    file.write(block.pixels, window=block.window)
    file.write_mask(block.valid, window=block.window)
    return _Kept(block.x, block.y, block.window, block.check)


def _is_whole(path: Path, kept: list[_Kept]) -> bool:
    """Reads all again: GDAL tells nobody of a disk that is full when it closes a file, and gaps read as no data."""
    try:
        with open_dataset(str(path)) as file, gdal_env(str(path)):
            again = (Block(x, y, file.read(window=w), file.read_masks(1, window=w) > 0) for x, y, w, _ in kept)
            return all(block.check == one.check for block, one in zip(again, kept, strict=True))
    except (SceneError, RasterioError):
        return False


@contextmanager
def _created(path: Path, content: Content) -> Iterator[DatasetWriter]:
    grid = content.grid
    profile = {
        "driver": "GTiff", "dtype": content.dtype, "count": 3, "width": grid.width, "height": grid.height,
        "tiled": True, "blockxsize": TILE, "blockysize": TILE, "photometric": "RGB", "bigtiff": "IF_SAFER",
        "compress": "deflate", "zlevel": 1, "predictor": 3 if np.dtype(content.dtype).kind == "f" else 2,
        "num_threads": 1,  # GDAL's own threads tell nobody what failed
    }  # fmt: skip
    if grid.crs is not None:
        profile |= {"crs": grid.crs.to_wkt(), "transform": grid.transform}
    with gdal_env(str(path)), rasterio.Env(GDAL_TIFF_INTERNAL_MASK=True):
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", NotGeoreferencedWarning)  # of what lies nowhere on Earth
            file = rasterio.open(path, "w", **profile)
        with file:
            if content.acquired_at is not None:
                file.update_tags(**{TIME_TAGS[0]: content.acquired_at})
            yield file
