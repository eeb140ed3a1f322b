"""Copy-paste of real hulls onto real water, with labels (after Ghiasi et al., CVPR 2021)."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from typing import NamedTuple

import cv2
import numpy as np
import shapely
from numpy.typing import NDArray

from shipdet.geometry import hull_corners, rectangle_corners
from shipdet.labels.types import IGNORED_TYPES, Labels
from shipdet.training.augmentation import COMPLETE
from shipdet.training.pictures import Picture
from shipdet.training.targets import BEAM_OF_LENGTH
from shipdet.training.water import CELL, Water, find_water

Array = NDArray[np.float64]

LEAST_LENGTH = 16.0
MARGIN = 6
"""Pixels around a hull that are cut with it."""
SOFT = 2.0
"""Pixels beyond a pasted footprint that may change: its soft edge."""
FINER = 4
"""Cover of a pixel is counted on a grid this many times as fine."""
ROOM = 5.0
"""Least water, in pixels, around a hull that is pasted by itself."""
RAFT_GAP = (1.0, 3.0)
"""Water, in pixels, between a hull and the one that it is pasted beside."""
MOST = 4
"""Hulls pasted at once."""
TRIES = 10
SCALE = (0.85, 1.15)
GREATEST_SHIFT = 40.0
"""Of 255: hulls from waters of a more different colour are left out, for matched they would look like none."""
LIKE_WATER = 30.0
"""Of 255: how far from the water's colour water beside a ship may be, for it may lie in shadow."""


class Donor(NamedTuple):
    """A hull cut from a picture."""

    pixels: NDArray[np.uint8]
    """(h, w, 3)"""
    bow: Array
    """(2,) in `pixels`"""
    stern: Array
    """(2,)"""
    beam: float
    type: str
    bow_known: bool
    water: NDArray[np.float32]
    """(3,) colour of the water it was cut from"""


class Pose(NamedTuple):
    """Where a hull goes."""

    bow: Array
    stern: Array
    beam: float


def donors_of(pictures: Sequence[Picture]) -> list[Donor]:
    """All hulls fit to be pasted: completely labelled, whole, not difficult, of known beam, on water that was found."""
    donors = []
    for picture in pictures:
        labels = picture.labels
        water = find_water(picture) if labels.complete and len(labels) else None
        if water is None:
            continue
        ignored = np.array([kind in IGNORED_TYPES for kind in labels.type], bool)
        fit = ~labels.difficult & ~ignored & (labels.beam > 0) & (labels.length >= LEAST_LENGTH)
        for k in np.flatnonzero(fit):
            donors += _cut(picture, int(k), water)
    return donors


def _cut(picture: Picture, k: int, water: Water) -> list[Donor]:
    """One donor, or none where the hull is not whole within what is known."""
    labels = picture.labels
    corners = rectangle_corners(labels.bow[k : k + 1], labels.stern[k : k + 1], labels.beam[k : k + 1])[0]
    low = np.floor(corners.min(axis=0)).astype(int) - MARGIN
    high = np.ceil(corners.max(axis=0)).astype(int) + MARGIN
    height, width = picture.mask.shape
    if (low < 0).any() or (high > (width, height)).any():
        return []
    there = np.s_[low[1] : high[1], low[0] : high[0]]
    if (picture.mask[there] != COMPLETE).any():
        return []
    pixels = picture.pixels[there].copy()
    return [Donor(pixels, labels.bow[k] - low, labels.stern[k] - low, float(labels.beam[k]), labels.type[k],
                  bool(labels.bow_known[k]), water.colour)]  # fmt: skip


def with_pasted(picture: Picture, donors: Sequence[Donor], rng: np.random.Generator) -> Picture:
    """A copy of a picture with up to `MOST` more ships: alone on open water, or beside a ship that is there.

    Nothing but the pasted footprints, `SOFT` pixels around included, changes. The picture is returned as it is where
    it shows no water for sure, or where nothing fits. The same generator state pastes the same.

    Args:
        picture: where to paste; hulls go only where its labels are complete.
        donors: as of `donors_of`; rare types are drawn more often than their share.
        rng: source of all randomness; it is advanced.
    """
    water = find_water(picture) if donors else None
    if water is None:
        return picture
    shares = _shares(donors)
    hulls = _hulls(picture.labels)
    pixels, placed = picture.pixels.copy(), list[tuple[Donor, Pose]]()
    for _ in range(int(rng.integers(1, MOST + 1))):
        donor = donors[int(rng.choice(len(donors), p=shares))]
        if np.abs(donor.water - water.colour).max() > GREATEST_SHIFT:
            continue
        pose = _beside(picture, donor, water, hulls, rng) if rng.random() < 0.5 else _alone(donor, water, hulls, rng)
        if pose is None:
            continue
        _paste(pixels, donor, pose, water.colour - donor.water)
        hulls.append(_outline(pose))
        placed.append((donor, pose))
    return picture._replace(pixels=pixels, labels=_extended(picture.labels, placed)) if placed else picture


def _shares(donors: Sequence[Donor]) -> Array:
    """Chances, by the inverse root of how many are of the same type."""
    count = Counter(donor.type for donor in donors)
    weight = np.array([count[donor.type] ** -0.5 for donor in donors])
    return np.asarray(weight / weight.sum())


def _hulls(labels: Labels) -> list[shapely.Polygon]:
    beam = np.where(np.isnan(labels.beam), BEAM_OF_LENGTH * labels.length, labels.beam)
    return list(shapely.polygons(rectangle_corners(labels.bow, labels.stern, beam)))


def _outline(pose: Pose) -> shapely.Polygon:
    hull: shapely.Polygon = shapely.polygons(
        rectangle_corners(pose.bow[None], pose.stern[None], np.array([pose.beam]))
    )[0]
    return hull


def _pose(middle: Array, heading: Array, donor: Donor, scale: float) -> Pose:
    half = heading * float(np.hypot(*(donor.bow - donor.stern))) * scale / 2
    return Pose(middle + half, middle - half, donor.beam * scale)


def _alone(donor: Donor, water: Water, hulls: list[shapely.Polygon], rng: np.random.Generator) -> Pose | None:
    """A place on open water, at any heading."""
    open_cells = np.argwhere(water.room > donor.beam / 2 + ROOM)
    for _ in range(TRIES if len(open_cells) else 0):
        middle = (open_cells[int(rng.integers(len(open_cells)))][::-1] + rng.uniform(0, 1, 2)) * CELL
        angle = rng.uniform(0, 2 * np.pi)
        pose = _pose(middle, np.array([np.cos(angle), np.sin(angle)]), donor, float(rng.uniform(*SCALE)))
        axis = np.linspace(pose.stern, pose.bow, max(5, int(2 * np.hypot(*(pose.bow - pose.stern)) / pose.beam)))
        cells = (axis // CELL).astype(int)
        if (cells < 0).any() or (cells >= np.array(water.room.shape)[::-1]).any():
            continue
        # The corners of a box stand farther from its axis than half its beam.
        if (water.room[cells[:, 1], cells[:, 0]] <= np.sqrt(0.5) * pose.beam + ROOM).any():
            continue
        if float(np.min(shapely.distance(hulls, _outline(pose)), initial=np.inf)) > ROOM:
            return pose
    return None


def _beside(
    picture: Picture, donor: Donor, water: Water, hulls: list[shapely.Polygon], rng: np.random.Generator
) -> Pose | None:
    """A place side by side with a labelled ship, in its direction, where there is water."""
    labels = picture.labels
    length = float(np.hypot(*(donor.bow - donor.stern)))
    like = (labels.length > 0.6 * length) & (labels.length < 2.5 * length) & (labels.beam > 0) & ~labels.difficult
    mates = np.flatnonzero(like)
    for _ in range(TRIES if len(mates) else 0):
        mate = int(mates[int(rng.integers(len(mates)))])
        scale = float(rng.uniform(*SCALE))
        heading = (labels.bow[mate] - labels.stern[mate]) / labels.length[mate]
        across = np.array([-heading[1], heading[0]]) * rng.choice([-1.0, 1.0])
        off = (labels.beam[mate] + donor.beam * scale) / 2 + rng.uniform(*RAFT_GAP)
        along = rng.uniform(-0.5, 0.5) * abs(labels.length[mate] - length * scale)
        middle = (labels.bow[mate] + labels.stern[mate]) / 2 + across * off + heading * along
        pose = _pose(middle, heading * rng.choice([-1.0, 1.0], p=[0.25, 0.75]), donor, scale)
        if float(np.min(shapely.distance(hulls, _outline(pose)))) >= RAFT_GAP[0] - 1e-6 and _afloat(
            picture, pose, water
        ):
            return pose
    return None


def _afloat(picture: Picture, pose: Pose, water: Water) -> bool:
    """Whether nearly all under a footprint looks like the picture's water, all of it is known, and water is near."""
    corners = rectangle_corners(pose.bow[None], pose.stern[None], np.array([pose.beam]))[0]
    low, high = np.floor(corners.min(axis=0)).astype(int) - 2, np.ceil(corners.max(axis=0)).astype(int) + 2
    height, width = picture.mask.shape
    if (low < 0).any() or (high > (width, height)).any():
        return False
    under = np.zeros((high[1] - low[1], high[0] - low[0]), np.uint8)
    cv2.fillConvexPoly(under, np.round((corners - low) * 16).astype(np.int32), 1, shift=4)
    there = np.s_[low[1] : high[1], low[0] : high[0]]
    chosen = under > 0
    near = np.abs(picture.pixels[there][chosen] - water.colour).max(axis=1) < LIKE_WATER
    if (picture.mask[there][chosen] != COMPLETE).any() or near.mean() < 0.93:
        return False
    cells = np.clip((corners // CELL).astype(int), 0, np.array(water.cells.shape)[::-1] - 1)
    low_cell, high_cell = cells.min(axis=0), cells.max(axis=0)
    return bool(water.cells[low_cell[1] : high_cell[1] + 1, low_cell[0] : high_cell[0] + 1].mean() > 0.15)


def _paste(pixels: NDArray[np.uint8], donor: Donor, pose: Pose, shift: NDArray[np.float32]) -> None:
    """Turn, scale and lay a hull into `pixels`, its water's colour shifted to that of the water there."""
    footprint = hull_corners(pose.bow[None], pose.stern[None], np.array([pose.beam]))[0]
    height, width = pixels.shape[:2]
    low = np.maximum(np.floor(footprint.min(axis=0)).astype(int) - 2, 0)
    high = np.minimum(np.ceil(footprint.max(axis=0)).astype(int) + 2, (width, height))
    size = (int(high[0] - low[0]), int(high[1] - low[1]))
    soft = _soft(footprint - low, size)
    from_, to = donor.bow - donor.stern, pose.bow - pose.stern
    # Multiplying by a complex number turns and scales: to = turn * from.
    turn = complex(*to) / complex(*from_)
    matrix = np.array([[turn.real, -turn.imag], [turn.imag, turn.real]])
    # OpenCV counts from the centre of the first pixel, we from its corner.
    offset = pose.stern - low - matrix @ donor.stern + matrix @ np.full(2, 0.5) - 0.5
    drawn = cv2.warpAffine(
        donor.pixels, np.column_stack([matrix, offset]), size, flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE
    )
    there = np.s_[low[1] : high[1], low[0] : high[0]]
    mixed = pixels[there] * (1 - soft) + np.clip(drawn + shift, 0, 255) * soft
    pixels[there] = np.where(soft > 0, np.round(mixed), pixels[there]).astype(np.uint8)


def _soft(footprint: Array, size: tuple[int, int]) -> NDArray[np.float32]:
    """How much of each pixel a footprint covers (H, W, 1), blurred a little; `size` is (width, height)."""
    fine = np.zeros((size[1] * FINER, size[0] * FINER), np.uint8)
    cv2.fillPoly(fine, [np.round((footprint * FINER - 0.5) * 16).astype(np.int32)], 255, shift=4)
    cover = cv2.resize(fine, size, interpolation=cv2.INTER_AREA)
    return np.asarray(cv2.GaussianBlur(cover, (3, 3), 0.5)[..., None] / np.float32(255), np.float32)


def _extended(labels: Labels, placed: Sequence[tuple[Donor, Pose]]) -> Labels:
    """Labels with the pasted ships after those that were there."""
    more = len(placed)
    return replace(
        labels,
        bow=np.concatenate([labels.bow, [pose.bow for _, pose in placed]]),
        stern=np.concatenate([labels.stern, [pose.stern for _, pose in placed]]),
        beam=np.concatenate([labels.beam, [pose.beam for _, pose in placed]]),
        bow_known=np.concatenate([labels.bow_known, [donor.bow_known for donor, _ in placed]]),
        difficult=np.concatenate([labels.difficult, np.zeros(more, bool)]),
        type=(*labels.type, *(donor.type for donor, _ in placed)),
    )
