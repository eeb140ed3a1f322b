import json
from pathlib import Path

import numpy as np
import pytest
import shapely

from shipdet.errors import LabelsError
from shipdet.labels.bow_stern_json import read_bow_stern_json, write_bow_stern_json
from shipdet.labels.types import Labels, Ship

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
        ({**SHIP, "beam": 0}, "entry 1, beam"),
        ({**SHIP, "beam": -6}, "entry 1, beam"),
        ({**SHIP, "bow": [1e300, 0]}, "entry 1, bow.0"),
        ({**SHIP, "stern": [10.0, 20.5]}, "entry 1: Value error, expected a bow and a stern apart"),
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


def test_types_are_told_in_the_words_that_networks_learn(tmp_path: Path) -> None:
    rows = [{**SHIP, "type": kind} for kind in ("Container-Ship", "Tanker", "vessel", "wake boat", "pontoon")]
    labels = read_bow_stern_json(write(tmp_path / "7.json", rows))
    assert labels.type == ("container", "tanker", "unknown", "wake boat", "pontoon")


def test_a_byte_order_mark_is_no_hindrance(tmp_path: Path) -> None:
    path = tmp_path / "7.json"
    path.write_text(json.dumps([SHIP]), encoding="utf-8-sig")
    assert len(read_bow_stern_json(path)) == 1


def test_places_to_ignore_keep_their_holes_and_outlines_tell_what_they_lose(tmp_path: Path) -> None:
    basin = shapely.Polygon(shapely.box(0, 0, 90, 60).exterior, [box_ring(10, 10, 20, 30), box_ring(50, 5, 60, 50)])
    ship = Ship((10, 20), (30, 40), 6, polygon=shapely.Polygon(box_ring(9, 19, 31, 41), [box_ring(15, 25, 20, 30)]))
    notes = write_bow_stern_json(Labels.of_rows([ship], [], complete=True, ignore=[basin]), tmp_path / "7.json")
    assert [str(note) for note in notes] == ["not carried, a hole in an outline: 1"]
    read = read_bow_stern_json(tmp_path / "7.json")
    assert shapely.union_all(read.ignore).equals(basin)
    assert read.ignores(np.array([[15.0, 20], [55, 20], [40, 20]])).tolist() == [False, False, True]


def box_ring(x0: float, y0: float, x1: float, y1: float) -> list[tuple[float, float]]:
    return [(x0, y0), (x1, y0), (x1, y1), (x0, y1)]


def test_an_area_whose_ring_crosses_itself_is_what_it_encloses(tmp_path: Path) -> None:
    crossed = [[0, 0], [10, 10], [10, 0], [0, 10]]
    labels = read_bow_stern_json(
        write(tmp_path / "7.json", [{"ignore": crossed}, {"ignore": [[0, 0], [1, 1], [2, 2]]}])
    )
    assert [area.area for area in labels.ignore] == [50]


@pytest.mark.parametrize("text", ['{"bow": [1, 2]}', "[1, 2", "", "\x00\xff"])
def test_what_is_no_list_is_refused_with_the_files_name(tmp_path: Path, text: str) -> None:
    path = tmp_path / "7.json"
    path.write_text(text, encoding="latin-1")
    with pytest.raises(LabelsError, match=r"7\.json: expected a JSON list of ships, got "):
        read_bow_stern_json(path)


def test_a_file_that_is_not_there_is_refused(tmp_path: Path) -> None:
    with pytest.raises(LabelsError, match=r"8\.json"):
        read_bow_stern_json(tmp_path / "8.json")
