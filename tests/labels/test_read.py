import json
from collections.abc import Callable
from pathlib import Path

import geopandas as gpd
import pytest
from shapely.geometry import LineString

from shipdet.errors import LabelsError
from shipdet.labels.frame import Frame
from shipdet.labels.read import EMPTY, read_labels

Write = Callable[[str, str], Path]
SHIP = '{"bow": [10, 20], "stern": [60, 20], "beam": 8}'


@pytest.mark.parametrize(
    ("name", "text", "found"),
    [
        ("a.json", f"[{SHIP}]", (1, 0, 1)),
        ("a.json", '{"images": [], "annotations": [{"image_id": 1, "bbox": [1, 2, 30, 40]}]}', (0, 1, 0)),
        ("a.txt", "10 20 60 20 5 35 20 10 16 60 24", (1, 0, 1)),
        ("a.txt", "10 20 60 20 5", (1, 0, 1)),
        ("a.txt", "imagesource:GoogleEarth\ngsd:null\n10 20 60 20 60 30 10 30 ship 0", (1, 0, 0)),
        ("a.txt", "10 20 60 20 60 30 10 30 ship 0", (1, 0, 0)),
        ("a.txt", "0 0.1 0.1 0.4 0.1 0.4 0.2 0.1 0.2", (1, 0, 0)),
        ("a.txt", "0 0.5 0.5 0.1 0.2", (0, 1, 0)),
        ("a.xml", "<annotation><object><name>ship</name><bndbox><xmin>1</xmin><ymin>2</ymin><xmax>9</xmax>"
                  "<ymax>9</ymax></bndbox></object></annotation>", (0, 1, 0)),
    ],
)  # fmt: skip
def test_the_file_itself_says_what_it_is(write: Write, plain: Frame, name: str, text: str, found: tuple[int, int, int]):
    labels, _ = read_labels(write(name, text), plain)
    assert (len(labels), len(labels.ignore), labels.bow_known.sum()) == found


def test_geojson_is_known_by_its_content_too(tmp_path: Path, utm: Frame):
    line = LineString([(535_005, 5_816_990), (535_030, 5_816_990)])
    table = gpd.GeoDataFrame(geometry=[line], crs=32631).to_crs(4326)
    (tmp_path / "a.json").write_text(table.to_json())
    labels, _ = read_labels(tmp_path / "a.json", utm)
    assert labels.bow[0] == pytest.approx((10, 20), abs=1e-3)


@pytest.mark.parametrize(("name", "text"), [
    ("a.json", "3"), ("a.json", '{"a": 1}'), ("a.json", "{"), ("a.csv", "1,2"), ("a", ""), ("a.txt", "hello"),
    ("a.txt", "0 0.5 0.5 0.1"), ("a.txt", "1 2 3 4"),
])  # fmt: skip
def test_what_is_no_labels_is_refused_in_one_line_with_its_name(write: Write, plain: Frame, name: str, text: str):
    path = write(name, text)
    with pytest.raises(LabelsError) as caught:
        read_labels(path, plain)
    assert str(caught.value).startswith(str(path))
    assert "\n" not in str(caught.value)


def test_a_file_that_is_not_there_is_refused(tmp_path: Path):
    with pytest.raises(LabelsError, match=r"a\.json: no such file of labels"):
        read_labels(tmp_path / "a.json")


def test_shares_of_a_picture_need_the_picture(write: Write):
    with pytest.raises(LabelsError, match="name the picture with --scene"):
        read_labels(write("a.txt", "0 0.5 0.5 0.1 0.1"))


def test_an_empty_text_says_nothing_of_the_picture(write: Write, plain: Frame):
    labels, notes = read_labels(write("a.txt", "\n"), plain)
    assert not labels.complete
    assert [note.what for note in notes] == [EMPTY]


def test_ships_outside_go_and_those_cut_by_the_edge_are_difficult(write: Write, plain: Frame):
    rows = [
        {"bow": [10, 20], "stern": [60, 20]},
        {"bow": [500, 20], "stern": [460, 20]},
        {"bow": [380, 50], "stern": [440, 50]},
        {"bow": [350, 80], "stern": [401, 80]},
        {"ignore": [[500, 500], [510, 500], [510, 510]]},
    ]
    labels, notes = read_labels(write("a.json", json.dumps(rows)), plain)
    assert labels.bow[:, 0].tolist() == [10, 380, 350]
    assert labels.difficult.tolist() == [False, True, False]
    assert labels.ignore == ()
    assert [str(note) for note in notes] == [
        "dropped, outside harbour.png: 2",
        "cut by the picture's edge, taken as difficult: 1",
    ]


def test_classes_choose_among_bow_and_stern_labels_too(write: Write):
    text = f'[{SHIP}, {SHIP[:-1]}, "type": "tanker"}}]'
    labels, notes = read_labels(write("a.json", text), classes=["Tanker "])
    assert labels.type == ("tanker",)
    assert [note.times for note in notes] == [1]


def test_classes_are_told_as_labels_spell_them_or_as_types(write: Write):
    path = write("a.json", f'[{SHIP[:-1]}, "type": "Container-Ship"}}, {SHIP[:-1]}, "type": "plane"}}]')
    for spelled in ("Container-Ship", "container"):
        labels, notes = read_labels(path, classes=[spelled])
        assert labels.type == ("container",)
        assert [str(note) for note in notes] == ["dropped, plane is not among the classes taken: 1"]
    labels, notes = read_labels(path)
    assert labels.type == ("container",)
    assert [str(note) for note in notes] == ["dropped, plane is no ship: 1"]
