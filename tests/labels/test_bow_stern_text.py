from pathlib import Path

import numpy as np
import pytest

from shipdet.errors import LabelsError
from shipdet.labels.bow_stern_text import TYPES, read_bow_stern_text
from shipdet.labels.types import IGNORED_TYPES


def test_a_line_is_bow_stern_class_and_more_that_is_not_needed(tmp_path: Path) -> None:
    path = tmp_path / "3.txt"
    path.write_text("10 20 30 40.5 5 20 30 10 20 30 40\n\n1 2 3 4 2\n")
    labels = read_bow_stern_text(path)
    assert labels.bow.tolist() == [[10, 20], [1, 2]]
    assert labels.stern.tolist() == [[30, 40.5], [3, 4]]
    assert labels.type == ("merchant", "warship")
    assert np.isnan(labels.beam).all()
    assert labels.bow_known.all()
    assert not labels.difficult.any()


def test_such_labels_are_incomplete_even_in_an_empty_file(tmp_path: Path) -> None:
    path = tmp_path / "3.txt"
    path.write_text("")
    labels = read_bow_stern_text(path)
    assert len(labels) == 0
    assert not labels.complete


def test_classes_6_8_and_9_are_no_ships_to_speak_of() -> None:
    assert {number for number, kind in TYPES.items() if kind in IGNORED_TYPES} == {6, 8, 9}


@pytest.mark.parametrize(
    "line",
    ["1 2 3 4", "1 2 3 four 5", "1 2 3 4 7", "bow", "1 2 3 4 inf", "1 nan 3 4 2", "1 2 inf 4 2", "1 2 1e300 4 2"],
)
def test_a_wrong_line_is_named(tmp_path: Path, line: str) -> None:
    path = tmp_path / "3.txt"
    path.write_text(f"1 2 3 4 2\n{line}\n")
    with pytest.raises(LabelsError) as caught:
        read_bow_stern_text(path)
    assert str(caught.value) == f"{path}:2: expected 'x1 y1 x2 y2 class', got {line!r}"


def test_a_ship_without_length_is_named(tmp_path: Path) -> None:
    path = tmp_path / "3.txt"
    path.write_text("1 2 3 4 2\n5 6 5 6 2\n")
    with pytest.raises(
        LabelsError, match=r"3\.txt:2: expected a bow and a stern apart from each other, got '5 6 5 6 2'"
    ):
        read_bow_stern_text(path)


def test_a_byte_order_mark_is_no_hindrance(tmp_path: Path) -> None:
    path = tmp_path / "3.txt"
    path.write_text("1 2 3 4 2\n", encoding="utf-8-sig")
    assert read_bow_stern_text(path).bow.tolist() == [[1, 2]]


def test_a_file_that_is_no_text_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "3.txt"
    path.write_bytes(b"\xff\xfe\x00")
    with pytest.raises(LabelsError, match=r"3\.txt: expected a text file of ships"):
        read_bow_stern_text(path)
