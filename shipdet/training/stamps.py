"""Copy-paste (Ghiasi et al., CVPR 2021): ships cut out by their masks and laid on other water.

Few ships are labelled, so each is seen in many places: alone, at a quay, and beside another ship.
"""

from collections.abc import Sequence
from typing import NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray

from shipdet.geometry import rectangle_corners
from shipdet.labels.sen2ships import CutMask, hull_of_mask
from shipdet.labels.types import Labels

Array = NDArray[np.float64]
Pixels = NDArray[np.float32]
Mask = NDArray[np.bool_]

RIM = 2
"""Pixels around a mask that a stamp keeps, for its soft edge."""
WATER_NIR = 0.12
"""Stretched near infrared below this is water."""
TRIES = 12
BESIDE = 0.4
"""Share of the stamps that are laid beside a ship, as in a raft."""
SPACING = (0.9, 1.6)
"""Between the axes of ships laid side by side, in mean beams."""
SHRINK_OR_GROW = (0.8, 1.25)


class Stamp(NamedTuple):
    """A ship cut out of a scene, in the scene's own pixels."""

    pixels: Pixels
    """(h, w, 4)"""
    alpha: Pixels
    """(h, w) 1 inside, soft at the edge"""
    ends: Array
    """(2, 2)"""
    beam: float
    scale: float
    """model pixels per pixel of the stamp"""


class _Laid(NamedTuple):
    """Where a stamp comes to lie in a chip."""

    matrix: Array
    """(2, 3) stamp to chip"""
    ends: Array
    beam: float


def cut_stamp(pixels: Pixels, mask: CutMask, scale: float) -> Stamp:
    """The ship under a mask of a scene (H, W, 4)."""
    height, width = mask.inside.shape
    x, y = max(mask.x - RIM, 0), max(mask.y - RIM, 0)
    patch = pixels[y : mask.y + height + RIM, x : mask.x + width + RIM]
    inside = np.zeros(patch.shape[:2], np.float32)
    inside[mask.y - y : mask.y - y + height, mask.x - x : mask.x - x + width] = mask.inside
    ship = hull_of_mask(mask)
    ends = np.array([ship.bow, ship.stern]) - (x, y)
    return Stamp(patch.copy(), np.asarray(cv2.GaussianBlur(inside, (3, 3), 0.6), np.float32), ends, ship.beam, scale)


def paste_stamps(
    rng: np.random.Generator, pixels: Pixels, labels: Labels, stamps: Sequence[Stamp], count: int
) -> tuple[Pixels, Labels]:
    """A chip (S, S, 4) with up to `count` more ships, laid on water and on no other ship; and all its ships."""
    water = pixels[:, :, 3] < WATER_NIR
    for bow, stern, beam in zip(labels.bow, labels.stern, labels.beam, strict=True):
        water &= ~_inside(bow, stern, 1.1 * beam, water.shape)
    for _ in range(count):
        stamp = stamps[int(rng.integers(len(stamps)))]
        laid = _find_place(rng, stamp, water, labels)
        if laid is None:
            continue
        pixels = _blend(rng, pixels, stamp, laid)
        water &= ~_inside(laid.ends[0], laid.ends[1], 1.1 * laid.beam, water.shape)
        labels = _with(labels, laid)
    return pixels, labels


def _find_place(rng: np.random.Generator, stamp: Stamp, water: Mask, labels: Labels) -> _Laid | None:
    """A place where the whole ship is on water, or None after some tries."""
    rows, columns = np.nonzero(water)
    if len(rows) < 200:
        return None
    for _ in range(TRIES):
        size = stamp.scale * float(np.exp(rng.uniform(*np.log(SHRINK_OR_GROW))))
        if len(labels) and rng.random() < BESIDE:
            middle, turn = _beside(rng, labels, stamp.beam * size)
        else:
            pick = int(rng.integers(len(rows)))
            middle, turn = np.array([columns[pick], rows[pick]]) + 0.5, rng.uniform(0, 2 * np.pi)
        laid = _lay(stamp, middle, turn, size)
        hull = _inside(laid.ends[0], laid.ends[1], laid.beam, water.shape)
        if hull.sum() >= 0.9 * laid.beam * np.hypot(*(laid.ends[0] - laid.ends[1])) and water[hull].mean() > 0.97:
            return laid
    return None


def _beside(rng: np.random.Generator, labels: Labels, beam: float) -> tuple[Array, float]:
    ship = int(rng.integers(len(labels)))
    axis = labels.bow[ship] - labels.stern[ship]
    along = axis / max(float(np.hypot(*axis)), 1e-9)
    away = float(rng.choice([-1, 1]) * rng.uniform(*SPACING) * (beam + labels.beam[ship]) / 2)
    middle = (labels.bow[ship] + labels.stern[ship]) / 2 + along * rng.normal(0, 6)
    turn = float(np.arctan2(axis[1], axis[0]) + rng.normal(0, 0.03) + rng.choice([0, np.pi]))
    return middle + away * np.array([-along[1], along[0]]), turn


def _lay(stamp: Stamp, middle: Array, turn: float, size: float) -> _Laid:
    """The stamp with its middle at a place and its first end towards `turn`, in radians from x to y."""
    axis = stamp.ends[0] - stamp.ends[1]
    by = turn - float(np.arctan2(axis[1], axis[0]))
    matrix = size * np.array([[np.cos(by), -np.sin(by)], [np.sin(by), np.cos(by)]])
    shift = middle - matrix @ stamp.ends.mean(axis=0)
    return _Laid(np.column_stack([matrix, shift]), stamp.ends @ matrix.T + shift, stamp.beam * size)


def _blend(rng: np.random.Generator, pixels: Pixels, stamp: Stamp, laid: _Laid) -> Pixels:
    matrix = laid.matrix.copy()
    matrix[:, 2] += matrix[:, :2] @ (0.5, 0.5) - 0.5  # OpenCV counts from the first pixel's centre
    side = pixels.shape[:2]
    alpha = cv2.warpAffine(stamp.alpha, matrix, side[::-1], flags=cv2.INTER_LINEAR)[:, :, None]
    ship = cv2.warpAffine(stamp.pixels, matrix, side[::-1], flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    gain = np.exp(rng.normal(0, 0.2) + rng.normal(0, 0.08, pixels.shape[2]))
    return np.asarray(pixels * (1 - alpha) + ship * gain.astype(np.float32) * alpha, np.float32)


def _inside(bow: Array, stern: Array, beam: float, shape: tuple[int, ...]) -> Mask:
    corners = rectangle_corners(bow[None], stern[None], np.array([beam]))[0]
    drawn = np.zeros(shape, np.uint8)
    cv2.fillConvexPoly(drawn, np.round(corners - 0.5).astype(np.int32), 1)
    return drawn > 0


def _with(labels: Labels, laid: _Laid) -> Labels:
    return Labels(
        bow=np.vstack([labels.bow, laid.ends[:1]]),
        stern=np.vstack([labels.stern, laid.ends[1:]]),
        beam=np.append(labels.beam, laid.beam),
        bow_known=np.append(labels.bow_known, False),
        difficult=np.append(labels.difficult, False),
        type=(*labels.type, "unknown"),
        regions=labels.regions,
        complete=labels.complete,
    )
