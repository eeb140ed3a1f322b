"""Bow-and-stern text labels: one line a ship, as in the data of Wu et al. (IEEE JSTARS 2018).

A line is `x1 y1 x2 y2 class` (bow, stern), what follows (centre, upright box) is not needed.
These files leave ships out, so what they do not mark is unknown.
"""

from pathlib import Path

from shipdet.errors import LabelsError
from shipdet.labels.text import finite_numbers
from shipdet.labels.types import Labels, Ship

TYPES = {
    0: "small",
    1: "carrier",
    2: "warship",
    3: "unknown",
    4: "littoral",
    5: "merchant",
    6: "pontoon",
    8: "wake boat",
    9: "odd",
}


def read_bow_stern_text(path: Path) -> Labels:
    """Labels of one picture.

    Raises:
        LabelsError: a line that is not of this form; the message names file and line.
    """
    try:
        lines = path.read_text(encoding="utf-8-sig").splitlines()
    except (OSError, ValueError) as error:
        raise LabelsError(f"{path}: expected a text file of ships, got {error}") from error
    ships = []
    for number, line in enumerate(lines, start=1):
        if not line.strip():
            continue
        try:
            x1, y1, x2, y2, kind = finite_numbers(line.split()[:5])
            ship = Ship((x1, y1), (x2, y2), type=TYPES[int(kind)])
        except (ValueError, KeyError) as error:
            raise LabelsError(f"{path}:{number}: expected 'x1 y1 x2 y2 class', got {line.strip()!r}") from error
        if ship.bow == ship.stern:
            raise LabelsError(
                f"{path}:{number}: expected a bow and a stern apart from each other, got {line.strip()!r}"
            )
        ships.append(ship)
    return Labels.of_rows(ships, [], complete=False)
