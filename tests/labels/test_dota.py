from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from shipdet.errors import LabelsError
from shipdet.labels.dota import read_dota, write_dota
from shipdet.labels.types import Labels

Write = Callable[[str, str], Path]
HEAD = "imagesource:GoogleEarth\ngsd:0.255589285596\n"


def test_a_line_is_a_quadrilateral_a_category_and_whether_it_is_difficult(write: Write):
    text = HEAD + "100 92 160 92 160 108 100 108 ship 0\n\n10 20 26 20 26 80 10 80 ship 1\n"
    labels, notes = read_dota(write("P1.txt", text))
    assert labels.bow.tolist() == [[100, 100], [18, 20]]
    assert labels.stern.tolist() == [[160, 100], [18, 80]]
    assert labels.beam.tolist() == [16, 16]
    assert labels.difficult.tolist() == [False, True]
    assert not labels.bow_known.any()
    assert labels.complete
    assert labels.type == ("unknown", "unknown")
    assert notes == ()


def test_what_dota_itself_calls_something_else_is_dropped_and_counted(write: Write):
    quad = "0 0 40 0 40 8 0 8"
    text = f"{quad} ship 0\n{quad} harbor 0\n{quad} harbor 1\n{quad} small-vehicle 0\n{quad} Tanker 0\n{quad}\n"
    labels, notes = read_dota(write("P1.txt", text))
    assert labels.type == ("unknown", "tanker", "unknown")
    assert [str(note) for note in notes] == ["dropped, harbor is no ship: 2", "dropped, small-vehicle is no ship: 1"]
    labels, notes = read_dota(write("P1.txt", text), classes={"tanker"})
    assert labels.type == ("tanker",)
    assert sum(note.times for note in notes) == 5


def test_an_outline_without_area_is_dropped_and_counted(write: Write):
    labels, notes = read_dota(write("P1.txt", "5 5 5 5 5 5 5 5 ship 0\n"))
    assert len(labels) == 0
    assert [str(note) for note in notes] == ["dropped, an outline without area: 1"]


@pytest.mark.parametrize("line", ["1 2 3 4 5 6 7 ship", "1 2 3 4 5 6 7 x ship 0", "1 2 3 4 5 6 7 nan ship 0",
                                  "1 2 3 4 5 6 7 8 ship maybe", "1 2 3 4 5 6 7 8 a large ship 0"])  # fmt: skip
def test_a_wrong_line_is_named(write: Write, line: str):
    path = write("P1.txt", HEAD + f"0 0 40 0 40 8 0 8 ship 0\n{line}\n")
    with pytest.raises(LabelsError) as caught:
        read_dota(path)
    assert str(caught.value).startswith(f"{path}:4: expected 'x1 y1 ")
    assert "\n" not in str(caught.value)


def test_what_is_written_reads_the_same_but_for_the_bow(tmp_path: Path, fleet: Labels):
    notes = write_dota(fleet, tmp_path / "P1.txt")
    assert [str(note) for note in notes] == ["not carried, which end is the bow: 3"]
    read, _ = read_dota(tmp_path / "P1.txt")
    np.testing.assert_allclose(np.sort(np.stack([read.bow, read.stern]), axis=0),
                               np.sort(np.stack([fleet.bow, fleet.stern]), axis=0), atol=0.02)  # fmt: skip
    np.testing.assert_allclose(read.beam, fleet.beam, atol=0.03)
    assert read.difficult.tolist() == fleet.difficult.tolist()
    assert read.type == fleet.type


def test_a_file_reads_as_the_data_set_spells_it(tmp_path: Path):
    """Two heading lines, decimals, Windows' line ends, and a crowd of other things around the ships."""
    path = tmp_path / "P0706.txt"
    rows = ["2244.0 1791.0 2254.0 1791.0 2254.0 1813.0 2244.0 1813.0 ship 0",
            "333.0 1391.0 373.0 1401.0 371.0 1409.0 331.0 1399.0 ship 1",
            "2279.0 1794.0 2288.0 1794.0 2288.0 1812.0 2279.0 1812.0 small-vehicle 0",
            "1021.0 310.0 1300.0 310.0 1300.0 334.0 1021.0 334.0 harbor 0"]  # fmt: skip
    path.write_bytes("\r\n".join(["imagesource:GoogleEarth", "gsd:0.1166", *rows, ""]).encode())
    labels, notes = read_dota(path)
    np.testing.assert_allclose(labels.length, [22, np.hypot(40, 10)], rtol=0.01)
    np.testing.assert_allclose(labels.beam, [10, np.hypot(2, 8)], rtol=0.01)
    assert labels.difficult.tolist() == [False, True]
    assert [str(note) for note in notes] == ["dropped, small-vehicle is no ship: 1", "dropped, harbor is no ship: 1"]
