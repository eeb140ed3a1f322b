"""One robust radiometric stretch for a whole scene, so that no tile's result depends on its neighbours."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from shipdet.errors import SceneError
from shipdet.raster.raw import SceneFiles
from shipdet.raster.scene import Scene

PERCENTILES = (1.0, 99.0)
LOWEST, HIGHEST = -0.25, 1.5
"""What stretched values are clipped to."""
LEAST_WIDTH_8_BIT = 40.0
LEAST_WIDTH_SHARE = 0.15
"""Least width of a stretch, so that the noise of an empty sea is not blown up: in counts for 8 bits, else as a
share of the upper end."""
OVERVIEW_SIDE = 1024
"""Longer side, in pixels, of the decimated scene that the stretch is taken from."""


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
    """The stretch of a scene, from a decimated read that uses its overviews.

    Raises:
        SceneError: no pixel is valid.
        ReadError: the file is damaged.
    """
    with SceneFiles(scene) as files:
        raw = files.read_decimated(OVERVIEW_SIDE)
    if not raw.valid.any():
        raise SceneError(f"{scene.name} has no valid pixel: all is nodata or zero; check its nodata value and mask")
    return stretch_of(raw.pixels[list(scene.channels)], raw.valid)


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
