"""Complete bow-and-stern labels: one JSON list a picture.

Each ship is `{"bow": [x, y], "stern": [x, y], "beam": b, "type": t, "bow_known": ?, "difficult": ?}`;
`{"region": [x0, y0, x1, y1]}` says where labelling is complete (everywhere, if there is none).
"""

import json
from pathlib import Path
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, ValidationError

from shipdet.errors import LabelsError
from shipdet.labels.types import Labels, Ship

Number = Annotated[float, Field(allow_inf_nan=False)]


class _ShipRow(BaseModel):
    model_config = ConfigDict(extra="forbid")
    bow: tuple[Number, Number]
    stern: tuple[Number, Number]
    beam: Number | None = None
    type: str | None = None
    bow_known: bool = True
    difficult: bool = False


class _RegionRow(BaseModel):
    model_config = ConfigDict(extra="forbid")
    region: tuple[Number, Number, Number, Number]


def _kind(row: object) -> Literal["ship", "region"]:
    return "region" if isinstance(row, dict) and "region" in row else "ship"


_SHIP, _REGION = TypeAdapter(_ShipRow), TypeAdapter(_RegionRow)


def read_bow_stern_json(path: Path) -> Labels:
    """Labels of one picture.

    Raises:
        LabelsError: the file is not such a list; the message names the entry.
    """
    try:
        rows = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise LabelsError(f"{path}: expected a JSON list of ships, got {error}") from error
    if not isinstance(rows, list):
        raise LabelsError(f"{path}: expected a JSON list of ships, got {type(rows).__name__}")
    ships, regions = [], []
    for number, row in enumerate(rows):
        try:
            if _kind(row) == "region":
                regions.append(_REGION.validate_python(row).region)
            else:
                ships.append(_ship(_SHIP.validate_python(row)))
        except ValidationError as error:
            first = error.errors()[0]
            where = ".".join(str(part) for part in first["loc"])
            raise LabelsError(f"{path}: entry {number}, {where}: {first['msg']}") from error
    return Labels.of_rows(ships, regions, complete=True)


def _ship(row: _ShipRow) -> Ship:
    beam = float("nan") if row.beam is None else row.beam
    return Ship(row.bow, row.stern, beam, row.bow_known, row.difficult, row.type or "unknown")
