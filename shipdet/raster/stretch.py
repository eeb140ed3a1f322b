"""One robust radiometric stretch for a whole scene, so that no tile's result depends on its neighbours."""

from dataclasses import dataclass
from math import ceil
from typing import Any

import numpy as np
from numpy.typing import NDArray

from shipdet.errors import SceneError
from shipdet.raster.raw import Raw, SceneFiles
from shipdet.raster.scene import Scene
from shipdet.raster.tiling import Window

PERCENTILES = (1.0, 99.0)
LOWEST, HIGHEST = -0.25, 1.5
"""What stretched values are clipped to."""
LEAST_WIDTH_8_BIT = 40.0
LEAST_WIDTH_SHARE = 0.15
"""Least width of a stretch, so that the noise of an empty sea is not blown up: in counts for 8 bits, else as a
share of the upper end."""
OVERVIEW_SIDE = 1024
"""Longer side, in pixels, of the decimated scene that the stretch is taken from."""


BLOCKS = 48
"""Blocks that the stretch of a scene without overviews is taken from, where it has more."""


@dataclass(frozen=True)
class Stretch:
    """Values that become 0 and 1, one of each per channel."""

    low: tuple[float, ...]
    high: tuple[float, ...]


def stretch_of(pixels: NDArray[Any], valid: NDArray[np.bool_]) -> Stretch:
    """The stretch of an image in memory, by the 1st and 99th percentile of its valid pixels.

    Args:
        pixels: (C, H, W) in the type of the file, for the least width depends on it.
        valid: (H, W), as of `valid_pixels`.

    Raises:
        SceneError: no pixel is valid.
    """
    if not valid.any():
        raise SceneError("the image has no valid pixel: all is nodata or zero")
    lows, highs = [], []
    for band in pixels:
        low, high = (float(value) for value in np.percentile(band[valid], PERCENTILES))
        least = LEAST_WIDTH_8_BIT if pixels.dtype == np.uint8 else max(LEAST_WIDTH_SHARE * abs(high), 1e-6)
        lows.append(low)
        highs.append(max(high, low + least))
    return Stretch(tuple(lows), tuple(highs))


def scene_stretch(scene: Scene) -> Stretch:
    """The stretch of a scene, from a sample of its pixels.

    Raises:
        SceneError: no pixel is valid.
        ReadError: the file is damaged.
    """
    raw = sample_pixels(scene)
    return stretch_of(raw.pixels[list(scene.channels)], raw.valid)


def sample_pixels(scene: Scene) -> Raw:
    """Pixels of all over a scene, always the same ones: a decimated read that uses its overviews.

    Of a large scene without overviews some blocks are read, for a decimated read would decode them all.

    Raises:
        SceneError: no pixel is valid.
        ReadError: the file is damaged.
    """
    with SceneFiles(scene) as files:
        raw = _some_blocks(scene, files) or files.read_decimated(OVERVIEW_SIDE)
    if not raw.valid.any():
        raise SceneError(f"{scene.name} has no valid pixel: all is nodata or zero; check its nodata value and mask")
    return raw


def _some_blocks(scene: Scene, files: SceneFiles) -> Raw | None:
    """`BLOCKS` blocks of a tiled scene side by side; None where a decimated read costs no more, or they hold nothing.

    They are drawn rather than spaced evenly, for what people build is spaced evenly too.
    """
    height, width = scene.block
    rows, columns = files.height // height, files.width // width
    if scene.overviews or width >= scene.grid.width or rows * columns <= BLOCKS:
        return None
    drawn = np.sort(np.random.default_rng(0).permutation(rows * columns)[:BLOCKS])
    windows = [Window(int(n) % columns * width, int(n) // columns * height, width, height) for n in drawn]
    every = ceil(np.sqrt(BLOCKS * height * width) / OVERVIEW_SIDE)
    raws = [files.read(window) for window in windows]
    pixels = np.concatenate([raw.pixels[:, ::every, ::every] for raw in raws], axis=2)
    valid = np.concatenate([raw.valid[::every, ::every] for raw in raws], axis=1)
    return Raw(pixels, valid) if valid.any() else None


def apply(stretch: Stretch, pixels: NDArray[Any], out: NDArray[np.float32] | None = None) -> NDArray[np.float32]:
    """Stretch an image (C, H, W) to float32 of about [0, 1], clipped to [-0.25, 1.5]; NaN stays NaN.

    Args:
        stretch: one pair of values per channel.
        pixels: (C, H, W), any real type.
        out: where to put the result.
    """
    out = np.empty(pixels.shape, np.float32) if out is None else out
    with np.errstate(over="ignore", invalid="ignore"):
        for band, low, high, target in zip(pixels, stretch.low, stretch.high, out, strict=True):
            np.subtract(band, np.float32(low), out=target, dtype=np.float32, casting="same_kind")
            np.multiply(target, np.float32(1 / (high - low)), out=target)
            np.clip(target, LOWEST, HIGHEST, out=target)
    return out
