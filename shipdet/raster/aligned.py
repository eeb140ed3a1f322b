"""Pixels along a ship: a small picture of one hull, turned so that its bow is up and scaled to its length."""

from math import floor, log2

import numpy as np
from numpy.typing import NDArray

from shipdet.raster.tiling import Window

Array = NDArray[np.float64]
Pixels = NDArray[np.float32]

ROWS, COLUMNS = 128, 40
"""Size of a hull's picture."""
SPAN = 1.3
"""Lengths of the hull that its rows cover, so that both ends have water around them."""
COARSEST = 16
"""Windows begin at multiples of this, and pixels are averaged over blocks of at most as many: so it does not matter
from which window a hull is cut."""


def window_along(bow: Array, stern: Array) -> Window:
    """What must be read of a picture for a hull's; it may stick out.

    Args:
        bow: (2,) in pixels.
        stern: (2,) likewise.
    """
    places, block = _places(bow, stern), _block(bow, stern)
    low = np.floor((places.min(axis=(0, 1)) - block) / COARSEST).astype(int) * COARSEST
    high = -np.floor(-(places.max(axis=(0, 1)) + block) / COARSEST).astype(int) * COARSEST
    (x, y), (width, height) = low.tolist(), (high - low).tolist()
    return Window(x, y, width, height)


def along_hull(pixels: Pixels, window: Window, bow: Array, stern: Array) -> Pixels:
    """The picture (C, ROWS, COLUMNS) of a hull, bow up; starboard is to the right.

    Args:
        pixels: (C, H, W) of the window, without NaN.
        window: as of `window_along`.
        bow: (2,) in pixels of the whole picture.
        stern: (2,) likewise.
    """
    block = _block(bow, stern)
    for _ in range(block.bit_length() - 1):
        pixels = _halved(pixels)
    return _bilinear(pixels, (_places(bow, stern) - (window.x, window.y)) / block - 0.5)


def _halved(bands: Pixels) -> Pixels:
    """Means (C, H/2, W/2) of squares of four."""
    pairs = bands[:, 0::2] + bands[:, 1::2]
    return np.asarray((pairs[..., 0::2] + pairs[..., 1::2]) / 4, np.float32)


def _bilinear(bands: Pixels, places: Array) -> Pixels:
    """Bands (C, h, w) at places (H, W, 2), counted from the first pixel's centre; beyond the edge as at it."""
    height, width = bands.shape[1:]
    x, y = places[..., 0].clip(0, width - 1), places[..., 1].clip(0, height - 1)
    left, top = np.minimum(x.astype(np.intp), width - 2), np.minimum(y.astype(np.intp), height - 2)
    right, down = (x - left).astype(np.float32), (y - top).astype(np.float32)
    flat, first = bands.reshape(len(bands), -1), top * width + left
    corners = (flat.take(first + step, axis=1, mode="clip") for step in (0, 1, width, width + 1))  # quicker than [:, n]
    upper_left, upper_right, lower_left, lower_right = corners
    upper = upper_left + (upper_right - upper_left) * right
    lower = lower_left + (lower_right - lower_left) * right
    return np.asarray(upper + (lower - upper) * down, np.float32)


def _places(bow: Array, stern: Array) -> Array:
    """Where each pixel (ROWS, COLUMNS, 2) of the hull's picture lies."""
    along = bow - stern
    ahead, right = along * (SPAN / ROWS), np.array([-along[1], along[0]]) * (SPAN / ROWS)
    rows, columns = ROWS / 2 - (np.arange(ROWS) + 0.5), np.arange(COLUMNS) + 0.5 - COLUMNS / 2
    return np.asarray((bow + stern) / 2 + rows[:, None, None] * ahead + columns[None, :, None] * right)


def _block(bow: Array, stern: Array) -> int:
    """Pixels averaged on a side before they are sampled: the greatest power of two within a pixel's step."""
    step = float(np.hypot(*(bow - stern))) * SPAN / ROWS
    return int(min(2 ** max(floor(log2(max(step, 1.0))), 0), COARSEST))
