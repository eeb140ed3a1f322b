from pathlib import Path

import numpy as np
import pytest
from shapely.geometry import MultiPolygon, box

from shipdet.errors import OutputError
from shipdet.labels.bow_stern_json import read_bow_stern_json
from shipdet.labels.frame import Frame
from shipdet.labels.read import read_labels
from shipdet.labels.types import Labels
from shipdet.labels.write import ENDINGS, LabelFormat, format_of, write_labels


def test_the_ending_says_the_format_unless_one_is_asked_for():
    assert [format_of(Path(f"a{end}")) for end in (".gpkg", ".geojson", ".json", ".txt")] == [
        LabelFormat.gpkg, LabelFormat.geojson, LabelFormat.bow_stern, LabelFormat.dota,
    ]  # fmt: skip
    assert format_of(Path("a.json"), LabelFormat.coco) is LabelFormat.coco
    with pytest.raises(OutputError, match=r"a\.gpkg should end in \.json for the format coco"):
        format_of(Path("a.gpkg"), LabelFormat.coco)
    with pytest.raises(OutputError, match="its ending says the format"):
        format_of(Path("a.kml"))


@pytest.mark.parametrize("form", list(LabelFormat))
def test_each_format_reads_back(tmp_path: Path, utm: Frame, fleet: Labels, form: LabelFormat):
    path = tmp_path / f"a{ENDINGS[form]}"
    write_labels(fleet, path, form, utm)
    read, _ = read_labels(path, utm)
    middle = (fleet.bow + fleet.stern) / 2
    np.testing.assert_allclose((read.bow + read.stern) / 2, middle, atol=0.02)
    np.testing.assert_allclose(read.length, fleet.length, atol=0.02)
    np.testing.assert_allclose(read.beam, fleet.beam, atol=0.03)


@pytest.mark.parametrize("form", [LabelFormat.coco, LabelFormat.yolo_obb])
def test_formats_that_tell_the_pictures_size_need_the_picture(tmp_path: Path, fleet: Labels, form: LabelFormat):
    with pytest.raises(OutputError, match="name the picture with --scene"):
        write_labels(fleet, tmp_path / f"a{ENDINGS[form]}", form, None)
    assert list(tmp_path.iterdir()) == []


def test_bow_and_stern_json_carries_all_but_parts(tmp_path: Path, fleet: Labels):
    parts = MultiPolygon([box(220, 193, 250, 207), box(260, 193, 300, 207)])
    more = {
        "polygon": (box(60, 40, 120, 80), parts, None, None),
        "ignore": (box(1, 2, 3, 4),),
        "regions": np.array([[0.0, 0, 9, 9]]),
    }
    labels = Labels(**{**fleet.__dict__, **more, "beam": np.array([1, np.nan, 3, 4])})
    notes = write_labels(labels, tmp_path / "7.json", LabelFormat.bow_stern, None)
    assert [str(note) for note in notes] == ["not carried, an outline of several parts: 1"]
    read = read_bow_stern_json(tmp_path / "7.json")
    for name in ("bow", "stern", "beam", "bow_known", "difficult", "regions"):
        np.testing.assert_array_equal(getattr(read, name), getattr(labels, name))
    assert read.type == labels.type
    assert read.outline(0).equals(labels.outline(0))
    assert read.outline(1) is None
    assert read.ignore[0].equals(labels.ignore[0])


def test_incomplete_labels_are_written_as_complete_nowhere(tmp_path: Path, fleet: Labels):
    write_labels(Labels(**{**fleet.__dict__, "complete": False}), tmp_path / "7.json", LabelFormat.bow_stern, None)
    assert read_bow_stern_json(tmp_path / "7.json").regions.tolist() == [[0, 0, 0, 0]]


def test_what_would_become_water_is_told(tmp_path: Path, plain: Frame, fleet: Labels):
    labels = Labels(**{**fleet.__dict__, "ignore": (box(1, 2, 3, 4),), "complete": False})
    notes = [str(note) for note in write_labels(labels, tmp_path / "a.txt", LabelFormat.yolo_obb, plain)]
    assert "not carried, places to ignore: ships there would count as water: 1" in notes
    assert any("labelling is incomplete" in note for note in notes)
