"""Chips: the pixels of a window on the model's grid, read ahead while the network works."""

from collections import deque
from collections.abc import Generator, Iterable
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass, replace
from itertools import islice
from queue import SimpleQueue
from types import TracebackType
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from shipdet.raster.levels import Level, open_level
from shipdet.raster.resample import Resampled, Span, axis_weights, resample, support
from shipdet.raster.sampling import Sampling
from shipdet.raster.scene import Scene
from shipdet.raster.stretch import Stretch, apply
from shipdet.raster.tiling import Tile, Window

FILL = 0.5
"""Stretched value of pixels that are not valid."""
BAND_SAMPLES = 2_000_000
"""Samples of a level resampled at once; bounds memory, does not change values."""


@dataclass(frozen=True)
class Chip:
    """A window of a scene on the model's grid."""

    pixels: NDArray[Any]
    """(C, H, W) stretched float32, `FILL` where not valid; or, where `stretch` is given, not stretched yet"""
    valid: NDArray[np.bool_]
    """(H, W)"""
    window: Window
    stretch: Stretch | None = None
    """still to be applied"""

    def stretched(self) -> Self:
        """The same with all pixels stretched."""
        if self.stretch is None:
            return self
        pixels = apply(self.stretch, self.pixels)
        if not self.valid.all():
            np.copyto(pixels, FILL, where=~self.valid)
        return replace(self, pixels=pixels, stretch=None)


class SceneReader:
    """A scene, open at the level that suits a sampling; for one thread at a time."""

    def __init__(self, scene: Scene, sampling: Sampling) -> None:
        self.scene = scene
        self.sampling = sampling
        self._level: Level = open_level(scene, sampling)

    def read(self, window: Window) -> tuple[NDArray[Any], NDArray[np.bool_]]:
        """Unstretched pixels (C, H, W) and valid (H, W) of a window, in model pixels, within the scene.

        Raises:
            ReadError: the file is damaged.
        """
        pixels, valid = self._level.read(window) if self._level.exact else self._resampled(window)
        channels = list(self.scene.channels)
        return (pixels if channels == list(range(len(pixels))) else pixels[channels]), valid

    def _resampled(self, window: Window) -> Resampled:
        level, columns = self._level, Span(window.x, window.x + window.width)
        source = _clip(support(columns, level.step_x), level.width)
        across = axis_weights(columns, level.step_x, source)
        bands = max(self.scene.channels) + 1
        rows = max(1, int(BAND_SAMPLES / (bands * (source.stop - source.start) * level.step_y)))
        end = window.y + window.height
        parts = [self._strip(Span(y, min(y + rows, end)), source, across) for y in range(window.y, end, rows)]
        if len(parts) == 1:
            return parts[0]
        return Resampled(np.concatenate([p.pixels for p in parts], axis=1), np.concatenate([p.valid for p in parts]))

    def _strip(self, rows: Span, columns: Span, across: Any) -> Resampled:
        level = self._level
        source = _clip(support(rows, level.step_y), level.height)
        width, height = columns.stop - columns.start, source.stop - source.start
        raw = level.read(Window(columns.start, source.start, width, height))
        return resample(raw.pixels, raw.valid, axis_weights(rows, level.step_y, source), across)

    def close(self) -> None:
        """Close the files."""
        self._level.files.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.close()


def _clip(span: Span, size: int) -> Span:
    return Span(max(span.start, 0), min(span.stop, size))


def read_chip(reader: SceneReader, stretch: Stretch, window: Window) -> Chip:
    """Read one window, to be stretched; outside the scene nothing is valid, and nothing is read.

    Args:
        reader: of the scene.
        stretch: of the scene.
        window: in model pixels; may stick out of the scene.

    Raises:
        ReadError: the file is damaged.
    """
    return _read_raw(reader, stretch, window).stretched()


def _read_raw(reader: SceneReader, stretch: Stretch, window: Window) -> Chip:
    """As `read_chip`, not stretched yet."""
    inner = window.clipped(reader.sampling.width, reader.sampling.height)
    if inner == window:
        return Chip(*reader.read(window), window, stretch)
    shape = (window.height, window.width)
    if not inner.area:
        nothing = np.zeros((len(reader.scene.channels), *shape), np.uint8)
        return Chip(nothing, np.zeros(shape, np.bool_), window, stretch)
    read, seen = reader.read(inner)
    pixels, valid = np.zeros((len(read), *shape), read.dtype), np.zeros(shape, np.bool_)
    y, x = inner.y - window.y, inner.x - window.x
    place = np.s_[y : y + inner.height, x : x + inner.width]
    pixels[:, *place], valid[place] = read, seen
    return Chip(pixels, valid, window, stretch)


def prefetch_chips(
    scene: Scene, sampling: Sampling, stretch: Stretch, tiles: Iterable[Tile], threads: int = 2, depth: int = 1
) -> Generator[tuple[Tile, Chip], None, None]:
    """Chips of tiles, in order, not stretched yet, read by threads while the caller works on earlier ones.

    At most `depth` chips wait besides the one that the caller has. Closing the generator, or an error, ends the
    threads and closes the files.

    Raises:
        ReadError: the file is damaged.
        SceneError: the file is gone.
    """
    with ExitStack() as stack:
        idle: SimpleQueue[SceneReader] = SimpleQueue()
        for _ in range(threads):
            idle.put(stack.enter_context(SceneReader(scene, sampling)))
        pool = ThreadPoolExecutor(threads, thread_name_prefix="shipdet-reader")
        stack.callback(pool.shutdown, wait=True, cancel_futures=True)
        ahead = iter(tiles)
        waiting: deque[tuple[Tile, Future[Chip]]] = deque()
        while True:
            for tile in islice(ahead, depth + 1 - len(waiting)):
                waiting.append((tile, pool.submit(_read_with, idle, stretch, tile.window)))
            if not waiting:
                return
            tile, future = waiting.popleft()
            yield tile, future.result()
            del future  # it holds a chip


def _read_with(idle: "SimpleQueue[SceneReader]", stretch: Stretch, window: Window) -> Chip:
    """Read with a reader that no other thread uses: as many readers as threads, so one is always idle."""
    reader = idle.get()
    try:
        return _read_raw(reader, stretch, window)
    finally:
        idle.put(reader)
