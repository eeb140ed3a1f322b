from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from shipdet.errors import LabelsError
from shipdet.labels.frame import Frame
from shipdet.labels.types import Labels
from shipdet.labels.yolo import read_yolo, write_yolo_obb

Write = Callable[[str, str], Path]


def shares(corners: np.ndarray) -> str:
    return " ".join(f"{value:.9f}" for value in (corners / (400, 300)).ravel())


def test_upright_boxes_become_places_to_ignore_and_the_reader_says_so(write: Write, plain: Frame):
    labels, notes = read_yolo(write("a.txt", "0 0.5 0.5 0.25 0.1\n3 0.1 0.1 0.1 0.1 0.87\n"), plain)
    assert len(labels) == 0
    assert [area.bounds for area in labels.ignore] == [
        pytest.approx((150, 135, 250, 165)),
        pytest.approx((20, 15, 60, 45)),
    ]
    assert [str(note) for note in notes] == ["upright boxes, which give no ends, became places to ignore: 2"]


def test_oriented_boxes_are_ships_of_known_axis_and_unknown_bow(write: Write, plain: Frame, turned_box):
    labels, notes = read_yolo(write("a.txt", f"0 {shares(turned_box(90))}\n1 {shares(turned_box(0))}\n"), plain)
    np.testing.assert_allclose(labels.bow, [(200, 120), (170, 150)], atol=1e-5)
    np.testing.assert_allclose(labels.stern, [(200, 180), (230, 150)], atol=1e-5)
    np.testing.assert_allclose(labels.beam, 16, atol=1e-5)
    assert not labels.bow_known.any()
    assert labels.polygon == ()
    assert notes == ()


def test_longer_outlines_are_kept_as_drawn(write: Write, plain: Frame):
    hull = np.array([(100, 100), (110, 92), (160, 92), (160, 108), (110, 108)])
    labels, _ = read_yolo(write("a.txt", f"0 {shares(hull)}\n"), plain)
    assert labels.outline(0).area == pytest.approx(880, rel=1e-5)
    np.testing.assert_allclose([labels.bow[0], labels.stern[0]], [(100, 100), (160, 100)], atol=1e-5)


@pytest.mark.parametrize(("name", "text"), [("classes.txt", "ship\ntanker\n"), ("data.yaml", "names: [ship, tanker]"),
                                            ("data.yaml", "names:\n  0: ship\n  1: Tanker\n")])  # fmt: skip
def test_names_of_classes_come_from_the_file_beside_or_above(
    write: Write, tmp_path: Path, plain: Frame, turned_box, name: str, text: str
):
    write(name, text)
    (tmp_path / "labels").mkdir()
    path = write("labels/a.txt", f"0 {shares(turned_box(9))}\n1 {shares(turned_box(0))}\n7 {shares(turned_box(0))}\n")
    assert read_yolo(path, plain).labels.type == ("unknown", "tanker", "unknown")
    for chosen in ({"tanker"}, {"1"}):
        labels, notes = read_yolo(path, plain, chosen)
        assert labels.type == ("tanker",)
        assert [note.times for note in notes] == [1, 1]


@pytest.mark.parametrize("line", ["0 0.5 0.5 0.1", "ship 0.5 0.5 0.1 0.1", "0 200 150 60 16", "0 0.5 0.5 0.1 inf",
                                  "-1 0.5 0.5 0.1 0.1", "0 0.1 0.1 0.2 0.2 0.3 0.3 0.4"])  # fmt: skip
def test_a_wrong_line_is_named(write: Write, plain: Frame, line: str):
    path = write("a.txt", f"0 0.5 0.5 0.1 0.1\n\n{line}\n")
    with pytest.raises(LabelsError) as caught:
        read_yolo(path, plain)
    assert str(caught.value).startswith(f"{path}:3: expected 'class x y w h' or ")


def test_a_file_of_names_that_is_none_is_refused(write: Write, plain: Frame):
    write("data.yaml", "nc: 3\n")
    with pytest.raises(LabelsError, match=r"data\.yaml: expected 'names'"):
        read_yolo(write("a.txt", ""), plain)


def test_what_is_written_reads_the_same_but_for_what_is_said_to_be_lost(tmp_path: Path, plain: Frame, fleet: Labels):
    notes = write_yolo_obb(fleet, tmp_path / "a.txt", plain)
    assert [str(note) for note in notes] == [
        "not carried, which end is the bow: 3",
        "not carried, the ship's type: 2",
        "not carried, that the ship is difficult: 1",
    ]
    read, _ = read_yolo(tmp_path / "a.txt", plain)
    np.testing.assert_allclose(np.sort(np.stack([read.bow, read.stern]), axis=0),
                               np.sort(np.stack([fleet.bow, fleet.stern]), axis=0), atol=1e-3)  # fmt: skip
    np.testing.assert_allclose(read.beam, fleet.beam, atol=1e-3)


def test_what_is_known_to_be_no_ship_is_dropped_and_counted(tmp_path: Path, write: Write, plain: Frame, turned_box):
    (tmp_path / "classes.txt").write_text("ship\nharbor\n")
    path = write("a.txt", f"0 {shares(turned_box(90))}\n1 {shares(turned_box(0))}\n1 0.5 0.5 0.25 0.1\n")
    labels, notes = read_yolo(path, plain)
    assert (len(labels), len(labels.ignore)) == (1, 0)
    assert [str(note) for note in notes] == ["dropped, harbor is no ship: 2"]


def test_names_of_classes_may_begin_with_a_byte_order_mark(tmp_path: Path, write: Write, plain: Frame, turned_box):
    (tmp_path / "data.yaml").write_text("names: [Tanker]\n", encoding="utf-8-sig")
    labels, _ = read_yolo(write("a.txt", f"0 {shares(turned_box(90))}\n"), plain)
    assert labels.type == ("tanker",)
