"""The open files of a scene: pixels as the files hold them, and where they are valid."""

from contextlib import ExitStack
from types import TracebackType
from typing import Any, NamedTuple, Self

import numpy as np
from numpy.typing import NDArray
from rasterio.errors import RasterioError
from rasterio.io import DatasetReader
from rasterio.windows import Window as RasterioWindow

from shipdet.errors import ReadError
from shipdet.raster.files import gdal_env, gdal_words, is_remote, open_dataset, patiently, reopen_dataset, shown
from shipdet.raster.scene import Scene, Source
from shipdet.raster.tiling import Window
from shipdet.raster.validity import valid_pixels


class Raw(NamedTuple):
    """Pixels (C, H, W) of the bands that are read, each once, and valid (H, W)."""

    pixels: NDArray[Any]
    valid: NDArray[np.bool_]


_Part = tuple[NDArray[Any], NDArray[np.bool_] | None]
"""One source's pixels, and where its own mask lets them count."""


class SceneFiles:
    """The files of a scene at one overview level (None: full resolution); for one thread at a time."""

    def __init__(self, scene: Scene, overview: int | None = None) -> None:
        self.scene = scene
        self._overview = overview
        self._datasets: list[DatasetReader] = []
        # Not as context managers: rasterio's enter a GDAL environment of the calling thread.
        with ExitStack() as undo:
            undo.callback(self.close)
            for source in scene.sources:
                self._datasets.append(open_dataset(source.path, overview))
            undo.pop_all()
        self.width: int = self._datasets[0].width
        self.height: int = self._datasets[0].height

    def read(self, window: Window) -> Raw:
        """Pixels of a window that lies within the level.

        Raises:
            ReadError: the file is damaged.
        """
        return self._read(window, (window.height, window.width))

    def read_decimated(self, longest: int) -> Raw:
        """The whole scene, its longer side not above `longest` pixels, by nearest neighbour.

        Raises:
            ReadError: the file is damaged.
        """
        factor = max(1.0, max(self.width, self.height) / longest)
        shape = (max(1, round(self.height / factor)), max(1, round(self.width / factor)))
        return self._read(Window(0, 0, self.width, self.height), shape)

    def _read(self, window: Window, shape: tuple[int, int]) -> Raw:
        parts, masks = [], []
        for number, source in enumerate(self.scene.sources):
            try:
                part, mask = self._read_patiently(number, window, shape)
            except RasterioError as error:
                raise ReadError(self._what_failed(source, window, error)) from error
            parts.append(part)
            masks.append(mask)
        pixels = parts[0] if len(parts) == 1 else np.concatenate(parts)
        nodata = [value for source in self.scene.sources for value in source.nodata]
        valid = valid_pixels(pixels, nodata)
        for mask in masks:
            if mask is not None:
                valid &= mask
        return Raw(pixels, valid)

    def _read_patiently(self, number: int, window: Window, shape: tuple[int, int]) -> _Part:
        """One source's pixels; what failed is tried again with the file opened anew, for GDAL keeps what it got."""
        source, tried = self.scene.sources[number], False

        def attempt() -> _Part:
            nonlocal tried
            if tried:
                self._datasets[number].close()
                self._datasets[number] = reopen_dataset(source.path, self._overview)
            tried = True
            with gdal_env(source.path):
                return _read_source(source, self._datasets[number], window, shape)

        return patiently(source.path, attempt)

    def _what_failed(self, source: Source, window: Window, error: RasterioError) -> str:
        column = window.x * self.scene.grid.width // self.width
        row = window.y * self.scene.grid.height // self.height
        why = "the connection failed or the file is damaged" if is_remote(source.path) else "it is truncated or damaged"
        return (
            f"could not read {shown(source.path)} at column {column}, row {row}: {why}; "
            f"get the file again ({gdal_words(error)})"
        )

    def close(self) -> None:
        """Close the files."""
        for dataset in self._datasets:
            dataset.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.close()


def _read_source(source: Source, dataset: DatasetReader, window: Window, shape: tuple[int, int]) -> _Part:
    where = RasterioWindow(window.x, window.y, window.width, window.height)
    pixels = dataset.read(list(source.indexes), window=where, out_shape=(len(source.indexes), *shape))
    if source.mask not in {"mask band", "alpha band"}:
        return pixels, None
    return pixels, dataset.read_masks(source.indexes[0], window=where, out_shape=shape) > 0
