"""Where a labelled picture shows open water: large, smooth, dark, and touching ships."""

from typing import NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray

from shipdet.geometry import rectangle_corners
from shipdet.labels.types import Labels
from shipdet.training.augmentation import COMPLETE
from shipdet.training.pictures import Picture
from shipdet.training.targets import BEAM_OF_LENGTH

CELL = 4
"""Pixels a side of the cells that are water or not."""
SMOOTH = 7.0
"""Greatest spread of the grey values around a cell of water, of 255."""
LEAST_SHARE = 0.03
"""Of the picture: smaller patches may be roofs."""
ALONE_SHARE = 0.6
"""Of the picture: where no ship says what is water, only a patch as large is."""
LIKE = 26.0
"""Of 255: greatest difference in any colour from the water beside ships."""
LIKE_TINT = 8.0
"""The same with the difference in brightness taken out."""
LIKE_GRAIN = 1.6
"""Greatest grain, relative to that beside ships."""
BESIDE_SHIP = 3
"""Cells around a ship that are searched for the water it floats on."""


class Water(NamedTuple):
    """Open water of a picture, by cells of `CELL` pixels."""

    cells: NDArray[np.bool_]
    """(h, w)"""
    room: NDArray[np.float32]
    """(h, w) pixels to the nearest cell that is no open water, is not known to be without ships, or has a ship"""
    colour: NDArray[np.float32]
    """(3,) mean of the picture's pixels there"""


def find_water(picture: Picture) -> Water | None:
    """The water of a picture; None where nothing is water for sure.

    Args:
        picture: any; labels tell what its ships float on.
    """
    height, width = (side // CELL for side in picture.mask.shape)
    if height < 8 or width < 8:
        return None
    small = np.asarray(cv2.resize(picture.pixels, (width, height), interpolation=cv2.INTER_AREA), np.uint8)
    known = cv2.resize(picture.mask, (width, height), interpolation=cv2.INTER_NEAREST) == COMPLETE
    ships = _ship_cells(picture.labels, (height, width))
    water = _patches(_smooth(small), ships)
    if water is None:
        return None
    water = _like_beside(small, _grain(picture.pixels, (width, height)), water, ships)
    free = (water & known & (ships == 0)).astype(np.uint8)
    free[[0, -1]], free[:, [0, -1]] = 0, 0
    room = cv2.distanceTransform(free, cv2.DIST_L2, 3) * CELL
    return Water(water, np.asarray(room, np.float32), np.asarray(small[water].mean(axis=0), np.float32))


def _smooth(small: NDArray[np.uint8]) -> NDArray[np.bool_]:
    """Cells of low spread that are neither bright nor red, without bridges of few cells between them."""
    values = small.astype(np.float32)
    grey = values.mean(axis=2)
    mean = cv2.blur(grey, (5, 5))
    spread = np.sqrt(np.maximum(cv2.blur(grey * grey, (5, 5)) - mean * mean, 0))
    red = values[..., 0] - np.maximum(values[..., 1], values[..., 2])
    dark = mean < max(110.0, float(np.median(mean)))
    smooth = ((spread < SMOOTH) & (red < 12) & dark).astype(np.uint8)
    return np.asarray(cv2.morphologyEx(smooth, cv2.MORPH_OPEN, np.ones((3, 3), np.uint8)) > 0)


def _patches(smooth: NDArray[np.bool_], ships: NDArray[np.uint8]) -> NDArray[np.bool_] | None:
    """Large connected patches that border ships; without ships, one that fills the picture."""
    count, numbers, stats, _ = cv2.connectedComponentsWithStats(smooth.astype(np.uint8), connectivity=4)
    area = stats[:, cv2.CC_STAT_AREA]
    least = LEAST_SHARE if ships.any() else ALONE_SHARE
    chosen = area >= least * smooth.size
    if ships.any():
        reach = cv2.dilate(ships, np.ones((2 * BESIDE_SHIP + 1,) * 2, np.uint8)) > 0
        touching = np.bincount(numbers[reach], minlength=count)
        # A lawn or an apron may touch the ring of one ship; what ships float on makes up much of all rings.
        chosen &= touching >= 0.15 * max(int(touching[1:].sum()), 1)
    chosen[0] = False
    return np.asarray(chosen[numbers]) if chosen.any() else None


def _grain(pixels: NDArray[np.uint8], size: tuple[int, int]) -> NDArray[np.float32]:
    """Spread of a cell's own pixels, averaged over cells around it (h, w)."""
    green = pixels[..., 1].astype(np.float32)
    mean, square = (cv2.resize(values, size, interpolation=cv2.INTER_AREA) for values in (green, green * green))
    spread = np.sqrt(np.maximum(square - mean * mean, 0)).astype(np.float32)
    return np.asarray(cv2.blur(spread, (7, 7)), np.float32)


def _like_beside(
    small: NDArray[np.uint8], grain: NDArray[np.float32], water: NDArray[np.bool_], ships: NDArray[np.uint8]
) -> NDArray[np.bool_]:
    """The water of about the colour and grain that it has beside ships: woods begin at the shore and are dark, too."""
    reach = water & (cv2.dilate(ships, np.ones((2 * BESIDE_SHIP + 1,) * 2, np.uint8)) > 0)
    usual = np.median(small[reach if reach.any() else water], axis=0).astype(np.float32)
    # Beside ships the nearest cells hold edges: the smoother quarter is what water looks like.
    grain_usual = float(np.percentile(grain[reach if reach.any() else water], 25))
    apart = cv2.blur(small, (5, 5)) - usual
    tint = apart - apart.mean(axis=2, keepdims=True)
    like = (np.abs(apart).max(axis=2) < LIKE) & (np.abs(tint).max(axis=2) < LIKE_TINT)
    return np.asarray(water & like & (grain < LIKE_GRAIN * grain_usual + 1))


def _ship_cells(labels: Labels, shape: tuple[int, int]) -> NDArray[np.uint8]:
    """1 where any labelled ship lies, whatever its kind."""
    cells = np.zeros(shape, np.uint8)
    beam = np.where(np.isnan(labels.beam), BEAM_OF_LENGTH * labels.length, labels.beam)
    for box in rectangle_corners(labels.bow, labels.stern, beam):
        cv2.fillConvexPoly(cells, np.round(box / CELL * 16).astype(np.int32), 1, shift=4)
    return cells
