"""Scenes for `scene_speed.py`: open water that is 99 % empty, and busy harbours; written block by block."""

from pathlib import Path
from typing import Any, Literal, NamedTuple

import numpy as np
import rasterio
from memory import BLOCK, FACTORS, SMALL_CACHE, read_pattern, write_scene
from numpy.typing import NDArray
from rasterio.enums import Resampling

Kind = Literal["open water", "busy harbour"]
SHIPS_SHARE = 0.01
"""Of open water, that is harbour: a square in its middle."""
SEA = (52.0, 74.0, 78.0)
"""Mean of red, green and blue."""
SEAS = 16
"""Different blocks of sea."""


class SpeedScene(NamedTuple):
    """One file."""

    kind: Kind
    size: int
    overviews: bool
    path: Path

    @property
    def megapixels(self) -> float:
        """1e6 pixels."""
        return self.size**2 / 1e6


def write_speed_scene(folder: Path, kind: Kind, size: int, overviews: bool) -> SpeedScene:
    """A square RGB scene of 1 m, tiled and deflated; one that is there already is taken as it is."""
    path = folder / f"{kind.replace(' ', '-')}-{size}{'-overviews' if overviews else ''}.tif"
    if not path.exists():
        unfinished = path.with_suffix(".part.tif")
        write_scene(unfinished, size)
        if kind == "open water":
            _flood(unfinished, size)
        if overviews:
            with rasterio.Env(**SMALL_CACHE), rasterio.open(unfinished, "r+") as file:
                file.build_overviews(FACTORS, Resampling.average)
        unfinished.rename(path)
    return SpeedScene(kind, size, overviews, path)


def _flood(path: Path, size: int) -> None:
    """The scene anew, with sea around a harbour in its middle."""
    with rasterio.open(path) as file:
        profile = file.profile
    path.unlink()
    seas, pattern = [_sea(number) for number in range(SEAS)], read_pattern()
    side = round(size * SHIPS_SHARE**0.5)
    first = (size - side) // 2
    with rasterio.Env(**SMALL_CACHE), rasterio.open(path, "w", **profile) as file:
        for number, (_, window) in enumerate(file.block_windows(1)):
            pixels = seas[number * 7 % SEAS][:, : window.height, : window.width].copy()
            _moor(pixels, (window.col_off, window.row_off), pattern, (first, side))
            file.write(pixels, window=window)


def _moor(pixels: NDArray[Any], corner: tuple[int, int], pattern: NDArray[Any], harbour: tuple[int, int]) -> None:
    """Paints what of the harbour falls into a block."""
    first, side = harbour
    x, y = (np.arange(n) + c - first for n, c in zip(pixels.shape[:0:-1], corner, strict=True))
    inside = np.ix_(np.arange(3), np.flatnonzero((y >= 0) & (y < side)), np.flatnonzero((x >= 0) & (x < side)))
    tall, wide = pattern.shape[1:]
    pixels[inside] = pattern[np.ix_(np.arange(3), y[inside[1].ravel()] % tall, x[inside[2].ravel()] % wide)]


def _sea(number: int) -> NDArray[np.uint8]:
    """A block of sea (3, 512, 512): swell and noise."""
    random = np.random.default_rng(number)
    y, x = np.mgrid[:BLOCK, :BLOCK]
    swell = sum(
        np.sin(2 * np.pi * (kx * x + ky * y) / BLOCK + phase)
        for kx, ky, phase in zip(
            random.integers(5, 40, 6), random.integers(-40, 40, 6), random.uniform(0, 6.3, 6), strict=True
        )
    )
    noise = random.normal(0, 2.5, (3, BLOCK, BLOCK))
    return np.asarray(np.clip(np.array(SEA)[:, None, None] + 1.5 * swell + noise, 1, 255), np.uint8)
