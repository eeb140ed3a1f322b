"""YOLO text: `class x y w h`, or `class x1 y1 ... x4 y4` (OBB; or longer, an outline), in shares of the picture.

Upright boxes do not say where bow and stern are. Classes are numbers; their names stand in `classes.txt` or in the
`names` of `data.yaml`, in the folder of the labels or above it.
"""

from collections.abc import Collection
from pathlib import Path

import numpy as np
import shapely
import yaml

from shipdet.errors import LabelsError
from shipdet.files import whole_file
from shipdet.labels.frame import Frame
from shipdet.labels.gather import UPRIGHT, Gathered
from shipdet.labels.outline import area_of, ship_around, ship_corners
from shipdet.labels.text import finite_numbers, read_lines
from shipdet.labels.types import Array, Labels, Note, Reading, Ship, type_of
from shipdet.labels.write_notes import not_carried

FORM = "'class x y w h' or 'class x1 y1 x2 y2 x3 y3 x4 y4' in shares of the picture's size"
LEAST, GREATEST = -1.0, 2.0
"""Shares that a ship cut by the picture's edge may have; pixels lie beyond."""


def read_yolo(path: Path, frame: Frame, classes: Collection[str] | None = None) -> Reading:
    """Ships of one picture.

    Args:
        path: the text file.
        frame: of the picture, for its size.
        classes: names or numbers of classes to take, else all that may be ships.

    Raises:
        LabelsError: a line that is not of this form; the message names file and line.
    """
    names, size = class_names(path), np.array([frame.grid.width, frame.grid.height], dtype=np.float64)
    gathered = Gathered(classes)
    for number, line in read_lines(path):
        try:
            index, shares = _parse(line.split())
        except ValueError as error:
            raise LabelsError(f"{path}:{number}: expected {FORM}, got {line!r}") from error
        name = names[index] if index < len(names) else ""
        if not gathered.takes(name or str(index), str(index)):
            continue
        if len(shares) == 2:
            gathered.ignore(shapely.box(*(shares * size).ravel()), UPRIGHT)
        else:
            gathered.add(_ship(shares * size, type_of(name), frame))
    return gathered.reading()


def _parse(words: list[str]) -> tuple[int, Array]:
    """The class, and corners (K, 2) in shares of the picture: two of a box, or those of an outline."""
    index, values = int(words[0]), finite_numbers(words[1:])
    if index < 0 or not all(LEAST <= value <= GREATEST for value in values):
        raise ValueError("a class from 0 and shares")
    if len(values) in (4, 5):  # the fifth is how sure a detector was
        x, y, w, h = values[:4]
        return index, np.array([[x - w / 2, y - h / 2], [x + w / 2, y + h / 2]])
    if len(values) < 6 or len(values) % 2:
        raise ValueError("a box, or an outline of three corners at least")
    return index, np.array(values).reshape(-1, 2)


def _ship(corners: Array, kind: str, frame: Frame) -> Ship | None:
    found = ship_around(corners, frame)
    if found is None:
        return None
    drawn = area_of(shapely.Polygon(corners)) if len(corners) > 4 else None
    return Ship(found.bow, found.stern, found.beam, bow_known=False, type=kind, polygon=drawn)


def class_names(path: Path) -> list[str]:
    """Names of the classes that go with a label file, by number; empty where no file tells them.

    Raises:
        LabelsError: a file of names that is none.
    """
    for folder in list(path.resolve().parents)[:3]:
        plain, described = folder / "classes.txt", folder / "data.yaml"
        if plain.is_file() and plain != path:
            return [line for _, line in read_lines(plain)]
        if described.is_file():
            return _described_names(described)
    return []


def _described_names(path: Path) -> list[str]:
    try:
        names = yaml.safe_load(path.read_text(encoding="utf-8-sig"))["names"]
        return [str(names[number]) for number in range(len(names))]
    except (OSError, ValueError, TypeError, KeyError, yaml.YAMLError) as error:
        raise LabelsError(f"{path}: expected 'names', a list of classes or 0: name, got {error!r}") from error


def write_yolo_obb(labels: Labels, path: Path, frame: Frame) -> tuple[Note, ...]:
    """Writes ships as quadrilaterals, all of class 0, and says what the format could not carry."""
    corners = ship_corners(labels, frame) / (frame.grid.width, frame.grid.height)
    rows = [f"0 {' '.join(f'{value:.7g}' for value in quad.ravel())}\n" for quad in corners]
    with whole_file(path) as temporary:
        temporary.write_text("".join(rows), encoding="utf-8")
    return not_carried(labels, "bow", "beam", "type", "difficult", "polygon", "ignore", "regions")
