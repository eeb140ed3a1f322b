"""Ports as Sentinel-2 saw them, with a mask for each ship: one folder a port, as in the data set sen2ships.

A folder holds `B02.tiff` to `B11.tiff` and `coco.json`, whose annotations are uncompressed run lengths (COCO:
counted down the columns, the first run is outside). Its list of images names files that are not there, and the
annotations refer to none of them: one folder is one image. Masks say where a ship is, not which end is its bow.
"""

import json
from pathlib import Path
from typing import Annotated, Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, Field, ValidationError

from shipdet.errors import LabelsError
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


class _RunLengths(BaseModel):
    size: tuple[int, int]
    counts: list[Annotated[int, Field(ge=0)]]


class _Annotation(BaseModel):
    id: int
    segmentation: _RunLengths


class _File(BaseModel):
    annotations: list[_Annotation]


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
    try:
        file = _File.model_validate(json.loads(path.read_text(encoding="utf-8")))
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(str(part) for part in first["loc"])
        raise LabelsError(f"{path}: {where}: {first['msg']}; expected uncompressed run lengths") from error
    except (OSError, ValueError) as error:
        raise LabelsError(f"{path}: expected COCO annotations, got {error}") from error
    masks = tuple(cut for a in file.annotations if (cut := _cut(_decode(a, path))) is not None)
    ships = [hull_of_mask(mask) for mask in masks]
    bands = tuple(folder / f"{band}.tiff" for band in BANDS)
    return LabelledPort(folder.name, bands, masks, Labels.of_rows(ships, [], complete=True))


def _decode(annotation: _Annotation, path: Path) -> Mask:
    height, width = annotation.segmentation.size
    counts = annotation.segmentation.counts
    if sum(counts) != height * width:
        raise LabelsError(
            f"{path}: annotation {annotation.id} has runs of {sum(counts)} pixels, expected {height} x {width}"
        )
    inside = np.arange(len(counts)) % 2 == 1
    return np.repeat(inside, counts).reshape(width, height).T


def _cut(mask: Mask) -> CutMask | None:
    rows, columns = np.flatnonzero(mask.any(axis=1)), np.flatnonzero(mask.any(axis=0))
    if not len(rows):
        return None
    y, x = int(rows[0]), int(columns[0])
    return CutMask(np.ascontiguousarray(mask[y : rows[-1] + 1, x : columns[-1] + 1]), x, y)


def hull_of_mask(mask: CutMask) -> Ship:
    """The ship that a mask shows: ends in no order, beam from area over length.

    The axis is that of the pixels' second moments. Its length is the reach of the pixels' squares along it: of
    pointed hulls drawn at any angle and place, 2 to 4 pixels wide and 8 to 30 long, a pixel inside when half of it
    is, that comes out 0.1 to 0.25 pixels short on average (spread 0.4); between the outermost pixels' centres 1.3
    would be missing. The middle across the axis is that of all pixels.
    """
    rows, columns = np.nonzero(mask.inside)
    centres = np.stack([columns + mask.x, rows + mask.y], axis=1) + 0.5
    middle = centres.mean(axis=0)
    from_middle = centres - middle
    _, axes = np.linalg.eigh(from_middle.T @ from_middle)
    axis = axes[:, 1]
    along = from_middle @ axis
    square = np.abs(axis).sum() / 2
    low, high = along.min() - square, along.max() + square
    one, other = middle + axis * low, middle + axis * high
    return Ship(
        bow=(float(other[0]), float(other[1])),
        stern=(float(one[0]), float(one[1])),
        beam=float(len(centres) / (high - low)),
        bow_known=False,
    )
