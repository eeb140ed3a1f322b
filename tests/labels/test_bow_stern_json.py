import json
from pathlib import Path

import numpy as np
import pytest

from shipdet.errors import LabelsError
from shipdet.labels.bow_stern_json import read_bow_stern_json

SHIP = {"bow": [10, 20.5], "stern": [30, 40], "beam": 6, "type": "merchant"}


def write(path: Path, rows: object) -> Path:
    path.write_text(json.dumps(rows))
    return path


def test_ships_and_regions_are_told_apart(tmp_path: Path) -> None:
    rows = [SHIP, {"region": [0, 1, 2, 3]}, {**SHIP, "bow_known": False, "difficult": True}]
    labels = read_bow_stern_json(write(tmp_path / "7.json", rows))
    assert len(labels) == 2
    assert labels.bow.tolist() == [[10, 20.5]] * 2
    assert labels.stern.tolist() == [[30, 40]] * 2
    assert labels.beam.tolist() == [6, 6]
    assert labels.type == ("merchant", "merchant")
    assert labels.bow_known.tolist() == [True, False]
    assert labels.difficult.tolist() == [False, True]
    assert labels.regions.tolist() == [[0, 1, 2, 3]]


def test_such_labels_are_complete_even_without_a_ship(tmp_path: Path) -> None:
    labels = read_bow_stern_json(write(tmp_path / "7.json", []))
    assert labels.complete
    assert len(labels) == 0


@pytest.mark.parametrize("absent", [{}, {"beam": None, "type": None}])
def test_beam_and_type_may_be_unknown(tmp_path: Path, absent: dict[str, None]) -> None:
    labels = read_bow_stern_json(write(tmp_path / "7.json", [{"bow": [1, 2], "stern": [3, 4], **absent}]))
    assert np.isnan(labels.beam).tolist() == [True]
    assert labels.type == ("unknown",)
    assert labels.bow_known.tolist() == [True]


@pytest.mark.parametrize(
    ("row", "where"),
    [
        ({"bow": [1, 2]}, "entry 1, stern"),
        ({**SHIP, "bow": [1, 2, 3]}, "entry 1, bow"),
        ({**SHIP, "bow": [1, "east"]}, "entry 1, bow.1"),
        ({**SHIP, "beam": float("nan")}, "entry 1, beam"),
        ({**SHIP, "heading": 3}, "entry 1, heading"),
        ({"region": [0, 1, 2]}, "entry 1, region"),
        ("ship", "entry 1"),
    ],
)
def test_a_wrong_entry_is_named(tmp_path: Path, row: object, where: str) -> None:
    path = write(tmp_path / "7.json", [SHIP, row])
    with pytest.raises(LabelsError) as caught:
        read_bow_stern_json(path)
    assert str(caught.value).startswith(f"{path}: {where}")
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("text", ['{"bow": [1, 2]}', "[1, 2", "", "\x00\xff"])
def test_what_is_no_list_is_refused_with_the_files_name(tmp_path: Path, text: str) -> None:
    path = tmp_path / "7.json"
    path.write_text(text, encoding="latin-1")
    with pytest.raises(LabelsError, match=r"7\.json: expected a JSON list of ships, got "):
        read_bow_stern_json(path)


def test_a_file_that_is_not_there_is_refused(tmp_path: Path) -> None:
    with pytest.raises(LabelsError, match=r"8\.json"):
        read_bow_stern_json(tmp_path / "8.json")
