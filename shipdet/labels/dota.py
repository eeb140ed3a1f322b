"""DOTA text: `x1 y1 x2 y2 x3 y3 x4 y4 category difficult`, one oriented quadrilateral a line (Xia et al., CVPR 2018).

The first lines may be `imagesource:...` and `gsd:...`. Corners do not tell the bow from the stern.
"""

from collections.abc import Collection
from pathlib import Path

import numpy as np

from shipdet.errors import LabelsError
from shipdet.files import whole_file
from shipdet.labels.frame import Frame
from shipdet.labels.gather import Gathered
from shipdet.labels.outline import ship_around, ship_corners
from shipdet.labels.text import finite_numbers, read_lines
from shipdet.labels.types import Labels, Note, Reading, Ship, type_of
from shipdet.labels.write_notes import not_carried

FORM = "'x1 y1 x2 y2 x3 y3 x4 y4 category difficult'"


def read_dota(path: Path, frame: Frame | None = None, classes: Collection[str] | None = None) -> Reading:
    """Ships of one picture.

    Args:
        path: the text file.
        frame: of the picture, where known.
        classes: categories to take; by default all but what is known to be no ship.

    Raises:
        LabelsError: a line that is not of this form; the message names file and line.
    """
    gathered = Gathered(classes)
    for number, line in read_lines(path):
        if line.lower().startswith(("imagesource:", "gsd:")):
            continue
        try:
            ship, category = _ship(line.split(), frame)
        except ValueError as error:
            raise LabelsError(f"{path}:{number}: expected {FORM}, got {line!r}") from error
        if gathered.takes(category):
            gathered.add(ship)
    return gathered.reading()


def _ship(words: list[str], frame: Frame | None) -> tuple[Ship | None, str]:
    if not 8 <= len(words) <= 10:
        raise ValueError("too few or too many words")
    corners = np.array(finite_numbers(words[:8])).reshape(4, 2)
    category = words[8].lower() if len(words) > 8 else "ship"
    difficult = len(words) > 9 and int(words[9]) != 0
    found = ship_around(corners, frame)
    if found is None:
        return None, category
    return Ship(found.bow, found.stern, found.beam, False, difficult, type_of(category)), category


def write_dota(labels: Labels, path: Path, frame: Frame | None = None) -> tuple[Note, ...]:
    """Writes ships as quadrilaterals, and says what the format could not carry."""
    rows = [
        f"{' '.join(f'{value:.2f}' for value in corners.ravel())} {_category(kind)} {int(difficult)}\n"
        for corners, kind, difficult in zip(ship_corners(labels, frame), labels.type, labels.difficult, strict=True)
    ]
    with whole_file(path) as temporary:
        temporary.write_text("".join(rows), encoding="utf-8")
    return not_carried(labels, "bow", "beam", "polygon", "ignore", "regions")


def _category(kind: str) -> str:
    return "ship" if kind == "unknown" else "-".join(kind.split())
