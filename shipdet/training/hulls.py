"""Labelled hulls, each cut out as it will be shown to what looks at one ship by itself."""

from typing import NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray

from shipdet.raster.aligned import COLUMNS, ROWS, along_hull, window_along
from shipdet.raster.reader import FILL
from shipdet.training.augmentation import relit
from shipdet.training.pictures import Picture, decode

Array = NDArray[np.float64]
Pixels = NDArray[np.float32]

OFF = 0.03
"""Standard deviation of what an end is off, in lengths: found ends are no labels."""
SPREAD = 0.06
"""Likewise of the hull's size in its picture, as natural logarithm."""
COARSER, COARSER_SHARE = (0.2, 0.8), 0.3
"""Hulls shown as if seen with fewer pixels, and how many."""


class Hull(NamedTuple):
    """A labelled hull and the picture that it is in."""

    picture: Picture
    bow: Array
    stern: Array


def picture_of(hull: Hull, random: np.random.Generator) -> Pixels:
    """A hull (3, ROWS, COLUMNS), its bow up, as it may look another time."""
    length = float(np.hypot(*(hull.bow - hull.stern)))
    middle, half = (hull.bow + hull.stern) / 2, (hull.bow - hull.stern) / 2 * np.exp(random.normal(0, SPREAD))
    off = random.normal(0, OFF * length, (2, 2))
    bow, stern = middle + half + off[0], middle - half + off[1]
    window = window_along(bow, stern)
    seen = along_hull(_cut(hull.picture, window.x, window.y, (window.height, window.width)), window, bow, stern)
    pixels = np.ascontiguousarray(seen.transpose(1, 2, 0))
    if random.random() < 0.5:
        pixels = np.ascontiguousarray(pixels[:, ::-1])
    if random.random() < COARSER_SHARE:
        share = random.uniform(*COARSER)
        few = cv2.resize(pixels, None, fx=share, fy=share, interpolation=cv2.INTER_AREA)
        pixels = np.asarray(cv2.resize(few, (COLUMNS, ROWS), interpolation=cv2.INTER_LINEAR), np.float32)
    return np.ascontiguousarray(relit(pixels, random).transpose(2, 0, 1))


def _cut(picture: Picture, x: int, y: int, shape: tuple[int, int]) -> Pixels:
    """A window (3, H, W) of a picture, which may stick out of it."""
    height, width = picture.mask.shape
    cut = np.full((*shape, 3), FILL, np.float32)
    top, left, bottom, right = max(y, 0), max(x, 0), min(y + shape[0], height), min(x + shape[1], width)
    if top < bottom and left < right:
        cut[top - y : bottom - y, left - x : right - x] = decode(picture.pixels[top:bottom, left:right])
    return np.ascontiguousarray(cut.transpose(2, 0, 1))
