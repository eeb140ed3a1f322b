"""A scene parted into blocks, some of which are for validation only: the same ones whenever and wherever it is done."""

import hashlib
from dataclasses import replace
from typing import NamedTuple

import numpy as np
import shapely

from shipdet.labels.frame import Frame
from shipdet.labels.outline import ship_corners
from shipdet.labels.types import Array, Labels, Mask

BLOCK = 1024
"""Side of a block in pixels of the model; smaller in scenes that it would part into less than about eight a side."""
LEAST_BLOCK = 256


class Blocks(NamedTuple):
    """Rectangles (K, 4) as x0, y0, x1, y1 in scene pixels, which together cover the scene."""

    training: Array
    validation: Array


def part_scene(frame: Frame, scale: tuple[float, float], labels: Labels, share: float) -> Blocks:
    """Keeps `share` of the blocks with ships, and of those without, for validation: those whose names hash lowest.

    Args:
        frame: of the scene; its name goes into the hash.
        scale: pixels of the model per scene pixel, along x and y.
        labels: of the whole scene.
        share: from 0 to 1.
    """
    size = np.array([frame.grid.width, frame.grid.height])
    side = np.clip((size * scale).max() / 8, LEAST_BLOCK, BLOCK) / scale
    columns, rows = (np.linspace(0, n, max(1, round(n / step)) + 1).round() for n, step in zip(size, side, strict=True))
    cells = [(i, j) for j in range(len(rows) - 1) for i in range(len(columns) - 1)]
    blocks = np.array([(columns[i], rows[j], columns[i + 1], rows[j + 1]) for i, j in cells], dtype=np.float64)
    order = np.array([_hash(f"{frame.name} {i} {j}") for i, j in cells])
    middle = (labels.bow + labels.stern) / 2
    peopled = np.array([inside(block[None], middle).any() for block in blocks], dtype=bool)
    kept = np.zeros(len(blocks), dtype=bool)
    for group in (np.flatnonzero(peopled), np.flatnonzero(~peopled)):
        count = round(share * len(group))
        if 0 < share < 1 and len(group) > 1 and peopled[group[0]]:  # some ships for either side
            count = min(max(count, 1), len(group) - 1)
        kept[group[np.argsort(order[group])[:count]]] = True
    return Blocks(blocks[~kept], blocks[kept])


def _hash(name: str) -> int:
    return int.from_bytes(hashlib.sha256(name.encode()).digest()[:7], "big")


def inside(blocks: Array, xy: Array) -> Mask:
    """Which places (N, 2) lie in one of the blocks (K, 4)."""
    after = (xy[:, None] >= blocks[None, :, :2]).all(axis=2)
    before = (xy[:, None] < blocks[None, :, 2:]).all(axis=2)
    return np.asarray(np.any(after & before, axis=1))


def to_learn_from(labels: Labels, blocks: Blocks, frame: Frame) -> Labels:
    """Labels without the ships that lie in validation blocks; those that reach into one teach nothing."""
    held = shapely.union_all(shapely.box(*blocks.validation.T))
    hulls = shapely.polygons(ship_corners(labels, frame))
    reaching = np.asarray(shapely.intersects(hulls, held), dtype=bool)
    whole = np.asarray(shapely.covered_by(hulls, held), dtype=bool)
    return replace(labels, difficult=labels.difficult | reaching).select(~whole)


def to_judge_by(labels: Labels, blocks: Blocks) -> Labels:
    """Labels by which validation blocks are judged: all else is a place where labelling is not complete."""
    middle = (labels.bow + labels.stern) / 2
    difficult = labels.difficult | ~inside(blocks.validation, middle)
    regions = blocks.validation
    if len(labels.regions):
        low = np.maximum(regions[:, None, :2], labels.regions[None, :, :2]).reshape(-1, 2)
        high = np.minimum(regions[:, None, 2:], labels.regions[None, :, 2:]).reshape(-1, 2)
        regions = np.concatenate([low, high], axis=1)[(low < high).all(axis=1)]
    return replace(labels, difficult=difficult, regions=regions)
