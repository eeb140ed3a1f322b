"""Complete bow-and-stern labels: one JSON list a picture.

Each ship is `{"bow": [x, y], "stern": [x, y], "beam": b, "type": t, "bow_known": ?, "difficult": ?, "polygon": ?}`;
`{"region": [x0, y0, x1, y1]}` says where labelling is complete (everywhere, if there is none), and
`{"ignore": [[x, y], ...]}` where ships may lie whose ends nobody marked.
"""

import json
from pathlib import Path
from typing import Annotated, Any, Literal, Self

import numpy as np
import shapely
from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, ValidationError, model_validator

from shipdet.errors import LabelsError
from shipdet.files import whole_file
from shipdet.labels.outline import area_of, without_holes
from shipdet.labels.text import FARTHEST
from shipdet.labels.types import Labels, Note, Outline, Ship, type_of

Number = Annotated[float, Field(allow_inf_nan=False, ge=-FARTHEST, le=FARTHEST)]
Ring = Annotated[list[tuple[Number, Number]], Field(min_length=3)]


class _ShipRow(BaseModel):
    model_config = ConfigDict(extra="forbid")
    bow: tuple[Number, Number]
    stern: tuple[Number, Number]
    beam: Annotated[Number, Field(gt=0)] | None = None
    type: str | None = None
    bow_known: bool = True
    difficult: bool = False
    polygon: Ring | None = None

    @model_validator(mode="after")
    def _has_length(self) -> Self:
        if self.bow == self.stern:
            raise ValueError("expected a bow and a stern apart from each other, got one place for both")
        return self


class _RegionRow(BaseModel):
    model_config = ConfigDict(extra="forbid")
    region: tuple[Number, Number, Number, Number]


class _IgnoreRow(BaseModel):
    model_config = ConfigDict(extra="forbid")
    ignore: Ring


def _kind(row: object) -> Literal["ship", "region", "ignore"]:
    if not isinstance(row, dict):
        return "ship"
    return "region" if "region" in row else "ignore" if "ignore" in row else "ship"


_SHIP, _REGION, _IGNORE = TypeAdapter(_ShipRow), TypeAdapter(_RegionRow), TypeAdapter(_IgnoreRow)


def read_bow_stern_json(path: Path) -> Labels:
    """Labels of one picture.

    Raises:
        LabelsError: the file is not such a list; the message names the entry.
    """
    try:
        rows = json.loads(path.read_text(encoding="utf-8-sig"))
    except (OSError, ValueError, RecursionError) as error:
        raise LabelsError(f"{path}: expected a JSON list of ships, got {error}") from error
    if not isinstance(rows, list):
        raise LabelsError(f"{path}: expected a JSON list of ships, got {type(rows).__name__}")
    ships, regions, ignore = [], [], []
    for number, row in enumerate(rows):
        try:
            if _kind(row) == "region":
                regions.append(_REGION.validate_python(row).region)
            elif _kind(row) == "ignore":
                ignore += _areas(_IGNORE.validate_python(row).ignore)
            else:
                ships.append(_ship(_SHIP.validate_python(row)))
        except ValidationError as error:
            first = error.errors()[0]
            where = ", ".join((f"entry {number}", ".".join(str(part) for part in first["loc"]))).removesuffix(", ")
            raise LabelsError(f"{path}: {where}: {first['msg']}") from error
    return Labels.of_rows(ships, regions, complete=True, ignore=ignore)


def _ship(row: _ShipRow) -> Ship:
    beam = float("nan") if row.beam is None else row.beam
    outline = next(iter(_areas(row.polygon)), None) if row.polygon else None
    return Ship(row.bow, row.stern, beam, row.bow_known, row.difficult, type_of(row.type or ""), outline)


def _areas(ring: list[tuple[float, float]]) -> list[Outline]:
    """The area within a ring, as it was drawn unless the ring crosses itself; none where it has no area."""
    drawn = shapely.Polygon(ring)
    area = drawn if drawn.is_valid else area_of(drawn)
    return [] if area is None else [area]


def write_bow_stern_json(labels: Labels, path: Path) -> tuple[Note, ...]:
    """Writes one picture's labels, and says what the format could not carry.

    Incomplete labels are told as complete in a region without area: nowhere.
    """
    rows = [_row(labels, i) for i in range(len(labels))]
    rows += [{"region": region} for region in (labels.regions.tolist() if labels.complete else [[0, 0, 0, 0]])]
    areas = [part for area in labels.ignore for part in without_holes(area)]
    rows += [{"ignore": _ring(area)} for area in areas]
    with whole_file(path) as temporary:
        lines = ",\n".join(json.dumps(row, allow_nan=False) for row in rows)
        temporary.write_text(f"[\n{lines}\n]\n" if rows else "[]\n", encoding="utf-8")
    single = [outline for outline in labels.polygon if _is_single(outline)]
    several = sum(outline is not None for outline in labels.polygon) - len(single)
    holes = sum(len(shapely.get_geometry(outline, 0).interiors) for outline in single)
    notes = (
        Note("not carried, an outline of several parts", several),
        Note("not carried, a hole in an outline", holes),
    )
    return tuple(note for note in notes if note.times)


def _is_single(outline: Outline | None) -> bool:
    return outline is not None and shapely.get_num_geometries(outline) == 1


def _row(labels: Labels, i: int) -> dict[str, Any]:
    row: dict[str, Any] = {
        "bow": labels.bow[i].tolist(),
        "stern": labels.stern[i].tolist(),
        "beam": None if np.isnan(labels.beam[i]) else float(labels.beam[i]),
        "type": None if labels.type[i] == "unknown" else labels.type[i],
        "bow_known": bool(labels.bow_known[i]),
        "difficult": bool(labels.difficult[i]),
    }
    outline = labels.outline(i)
    if outline is not None and _is_single(outline):
        row["polygon"] = _ring(outline)
    return row


def _ring(area: Outline) -> list[list[float]]:
    ring: list[list[float]] = shapely.get_coordinates(shapely.get_geometry(area, 0).exterior)[:-1].tolist()
    return ring
