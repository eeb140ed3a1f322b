"""Ports as Sentinel-2 saw them, with a mask for each ship: one folder a port, as in the data set sen2ships.

A folder holds `B02.tiff` to `B11.tiff` and `coco.json`, whose annotations are run lengths. Its list of images names
files that are not there, and the annotations refer to none of them: one folder is one image. Masks say where a ship
is, not which end is its bow.
"""

from pathlib import Path
from typing import Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray

from shipdet.errors import LabelsError
from shipdet.labels.coco import MASK_SHORTFALL
from shipdet.labels.coco_rows import Runs, load_coco
from shipdet.labels.rle import RunMask, read_runs
from shipdet.labels.types import Labels, Ship

Array = NDArray[np.float64]
Mask = NDArray[np.bool_]
Split = Literal["validation", "train"]

BANDS = ("B04", "B03", "B02", "B08")
"""Red, green, blue and near infrared, as files are called."""
VALIDATION = frozenset({"busan", "genoa"})
"""Ports that are never learned from."""


class LabelledPort(NamedTuple):
    """One port: the files of its bands, the masks of its ships, and the ships themselves."""

    name: str
    bands: tuple[Path, ...]
    """as `BANDS`"""
    masks: tuple["CutMask", ...]
    labels: Labels
    """in pixels of the bands; ends in no order"""


class CutMask(NamedTuple):
    """A ship's mask, cut out."""

    inside: Mask
    """(h, w)"""
    x: int
    """column of its first pixel"""
    y: int


def read_ports(folder: Path, split: Split) -> list[LabelledPort]:
    """The ports of one split, by name.

    Raises:
        LabelsError: no such ports, or a port whose masks cannot be read.
    """
    paths = sorted(path.parent for path in folder.glob("*/coco.json"))
    chosen = [path for path in paths if (path.name in VALIDATION) == (split == "validation")]
    if not chosen:
        raise LabelsError(f"no {split} ports in {folder}: expected folders with a coco.json, such as busan")
    return [_read_port(path) for path in chosen]


def _read_port(folder: Path) -> LabelledPort:
    path = folder / "coco.json"
    masks = []
    for number, row in enumerate(load_coco(path).annotations):
        if not isinstance(row.segmentation, Runs):
            raise LabelsError(f"{path}: annotations[{number}].segmentation: expected a mask as run lengths")
        height, width = row.segmentation.size
        try:
            runs = read_runs(row.segmentation.counts, height, width)
        except ValueError as error:
            raise LabelsError(f"{path}: annotations[{number}].segmentation: expected {error}") from error
        if len(runs.column):
            masks.append(_cut(runs))
    ships = [hull_of_mask(mask) for mask in masks]
    bands = tuple(folder / f"{band}.tiff" for band in BANDS)
    return LabelledPort(folder.name, bands, tuple(masks), Labels.of_rows(ships, [], complete=True))


def _cut(runs: RunMask) -> CutMask:
    column, top, bottom = (strips.astype(int) for strips in runs)
    x, y = int(column.min()), int(top.min())
    inside = np.zeros((int(bottom.max()) - y, int(column.max()) + 1 - x), bool)
    for across, first, after in zip((column - x).tolist(), (top - y).tolist(), (bottom - y).tolist(), strict=True):
        inside[first:after, across] = True
    return CutMask(inside, x, y)


def hull_of_mask(mask: CutMask) -> Ship:
    """The ship that a mask shows: ends in no order, beam from area over length.

    The axis is that of the pixels' second moments, which a staircase of pixels turns less than it turns the smallest
    rectangle. Along it lie the outermost pixels' centres, and half of `MASK_SHORTFALL` beyond each; the middle across
    it is that of all pixels.
    """
    rows, columns = np.nonzero(mask.inside)
    centres = np.stack([columns + mask.x, rows + mask.y], axis=1) + 0.5
    middle = centres.mean(axis=0)
    from_middle = centres - middle
    _, axes = np.linalg.eigh(from_middle.T @ from_middle)
    axis = axes[:, 1]
    along = from_middle @ axis
    low, high = along.min() - MASK_SHORTFALL[0] / 2, along.max() + MASK_SHORTFALL[0] / 2
    one, other = middle + axis * low, middle + axis * high
    return Ship(
        bow=(float(other[0]), float(other[1])),
        stern=(float(one[0]), float(one[1])),
        beam=float(len(centres) / (high - low)),
        bow_known=False,
    )
