import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import rasterio
from pyproj import CRS
from shapely.geometry import Polygon

from shipdet.errors import LabelsError
from shipdet.geometry import Grid
from shipdet.labels.coco import read_coco
from shipdet.labels.coco_out import write_coco
from shipdet.labels.coco_rows import UNMATCHED
from shipdet.labels.frame import Frame
from shipdet.labels.types import Labels

HULL = [100, 100, 110, 92, 160, 92, 160, 108, 110, 108]
BOX = {"bbox": [10, 20, 50, 30]}
RUNS = {"size": [300, 400], "counts": [300 * 100 + 50, 60, 240, 60, 240, 60, 300 * 400 - 300 * 102 - 110]}


def coco(path: Path, *annotations: dict[str, Any], images: list[dict[str, Any]] | None = None) -> Path:
    listed = [{"id": 7, "file_name": "sub/harbour.png", "width": 400, "height": 300}] if images is None else images
    categories = [{"id": 1, "name": "vessel"}, {"id": 2, "name": "Tanker"}, {"id": 3, "name": "car"}]
    rows = [{"id": n, "image_id": 7, "category_id": 1, **row} for n, row in enumerate(annotations)]
    path.write_text(json.dumps({"images": listed, "categories": categories, "annotations": rows}))
    return path


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "coco.json"


def texts(notes: Any) -> list[str]:
    return [str(note) for note in notes]


def test_polygons_are_ships_with_ends_on_the_long_axis(path: Path, plain: Frame):
    labels, notes = read_coco(coco(path, {"segmentation": [HULL], "category_id": 2}), plain)
    np.testing.assert_allclose([labels.bow[0], labels.stern[0]], [(100, 100), (160, 100)])
    assert labels.beam == pytest.approx([16])
    assert labels.type == ("tanker",)
    assert labels.outline(0).area == pytest.approx(880)
    assert not labels.bow_known.any()
    assert notes == ()


def test_a_ship_in_several_parts_is_one_ship(path: Path, plain: Frame):
    parts = [[100, 92, 120, 92, 120, 108, 100, 108], [140, 92, 160, 92, 160, 108, 140, 108]]
    labels, _ = read_coco(coco(path, {"segmentation": parts}), plain)
    np.testing.assert_allclose([labels.bow[0], labels.stern[0]], [(100, 100), (160, 100)])
    assert labels.outline(0).geom_type == "MultiPolygon"


@pytest.mark.parametrize(
    "box", [BOX, {**BOX, "segmentation": []}, {"segmentation": [[10, 20, 60, 20, 60, 50, 10, 50]]}]
)
def test_upright_boxes_become_places_to_ignore_and_the_reader_says_so(path: Path, plain: Frame, box: dict[str, Any]):
    labels, notes = read_coco(coco(path, box, box), plain)
    assert len(labels) == 0
    assert [area.bounds for area in labels.ignore] == [(10, 20, 60, 50)] * 2
    assert texts(notes) == ["upright boxes, which give no ends, became places to ignore: 2"]


def test_an_upright_rectangle_among_turned_ones_is_a_ship(path: Path, plain: Frame):
    upright = {"segmentation": [[10, 20, 60, 20, 60, 30, 10, 30]]}
    labels, _ = read_coco(coco(path, upright, {"segmentation": [HULL]}, BOX), plain)
    assert len(labels) == 2
    assert len(labels.ignore) == 1


@pytest.mark.parametrize("counts", ["plain", "compressed"])
def test_masks_are_ships(path: Path, plain: Frame, counts: str):
    """The compressed runs are pycocotools' own for this mask: rows 50 to 109 of columns 100 to 102."""
    runs = RUNS if counts == "plain" else {**RUNS, "counts": COMPRESSED}
    labels, _ = read_coco(coco(path, {"segmentation": runs}), plain)
    np.testing.assert_allclose([labels.bow[0], labels.stern[0]], [(101.5, 50), (101.5, 110)], atol=0.2)
    assert labels.beam[0] == pytest.approx(3, abs=0.7)
    assert labels.outline(0).area == 180


COMPRESSED = "R[m0l1`7000jnf2"


def test_crowds_are_ignored_unless_the_tool_marks_every_mask_so(path: Path, plain: Frame):
    crowd = {"segmentation": RUNS, "iscrowd": 1}
    labels, notes = read_coco(coco(path, crowd, {"segmentation": [HULL]}), plain)
    assert (len(labels), len(labels.ignore)) == (1, 1)
    assert texts(notes) == ["crowds (iscrowd) became places to ignore: 1"]
    labels, notes = read_coco(coco(path, crowd, crowd), plain)
    assert (len(labels), len(labels.ignore)) == (2, 0)
    assert texts(notes) == ["masks marked iscrowd, as all in the file are, taken as one ship each: 2"]


def test_the_picture_is_found_by_its_name_whatever_its_folder_and_ending(path: Path, plain: Frame):
    images = [
        {"id": 1, "file_name": "other.jpg"},
        {"id": 7, "file_name": "d\\harbour.jpg"},
        {"id": 8, "file_name": "x"},
    ]
    coco(path, {"segmentation": [HULL]}, {"segmentation": [HULL], "image_id": 1}, images=images)
    assert len(read_coco(path, plain).labels) == 1
    other = Frame("x", plain.grid)
    assert len(read_coco(path, other).labels) == 0
    with pytest.raises(LabelsError, match=r"labels of 2 pictures \(other\.jpg, .*none is named y\.png"):
        read_coco(path, Frame("y.png", plain.grid))
    with pytest.raises(LabelsError, match="say which with --scene"):
        read_coco(path)


def test_image_ids_that_match_nothing_are_tolerated_where_all_agree(path: Path, plain: Frame):
    coco(path, {"segmentation": [HULL], "image_id": 99}, {"segmentation": [HULL], "image_id": 99})
    labels, notes = read_coco(path, plain)
    assert len(labels) == 2
    assert texts(notes) == [f"{UNMATCHED}: 2"]


OTHERS = [{"id": 7, "file_name": "other.png", "width": 400, "height": 300}]


@pytest.mark.parametrize("rows", [[], [{"segmentation": [HULL]}], [BOX], [{"segmentation": [HULL]}] * 2])
def test_labels_of_a_picture_listed_under_another_name_are_not_this_ones(path: Path, plain: Frame, rows: list[Any]):
    coco(path, *rows, images=OTHERS)
    with pytest.raises(LabelsError, match=r"these are labels of other\.png, and none is named harbour\.png"):
        read_coco(path, plain)
    assert len(read_coco(path, Frame("other.png", plain.grid)).labels) == len([row for row in rows if row != BOX])


def test_masks_as_large_as_the_picture_may_be_of_a_file_beside_it(path: Path, plain: Frame):
    labels, notes = read_coco(coco(path, {"segmentation": RUNS}, images=OTHERS), plain)
    assert len(labels) == 1
    assert texts(notes) == [f"{UNMATCHED}: 1"]


@pytest.mark.parametrize("number", [7, 99])
def test_the_size_is_checked_whatever_the_image_ids(path: Path, plain: Frame, number: int):
    images = [{"id": 7, "file_name": "harbour.png" if number == 99 else "", "width": 40, "height": 30}]
    coco(path, {"segmentation": [HULL], "image_id": number}, images=images)
    with pytest.raises(LabelsError, match=r"40 x 30 pixels, but harbour\.png has 400 x 300"):
        read_coco(path, plain)


def test_what_is_known_to_be_no_ship_is_dropped_and_counted(path: Path, plain: Frame):
    labels, notes = read_coco(coco(path, {"segmentation": [HULL]}, {"segmentation": [HULL], "category_id": 3}), plain)
    assert len(labels) == 1
    assert texts(notes) == ["dropped, car is no ship: 1"]


def test_holes_are_written_as_rings_that_leave_them_out(path: Path, plain: Frame, fleet: Labels):
    ring = [(100, 100), (110, 100), (110, 110), (100, 110)]
    basin = Polygon([(90, 90), (150, 90), (150, 120), (90, 120)], [ring])
    assert write_coco(replace(fleet, ignore=(basin,)), path, plain) == ()
    read, _ = read_coco(path, plain)
    assert [area.equals(basin) for area in read.ignore] == [True]


def test_only_the_classes_asked_for_are_taken(path: Path, plain: Frame):
    coco(path, {"segmentation": [HULL]}, {"segmentation": [HULL], "category_id": 3})
    labels, notes = read_coco(path, plain, {"vessel"})
    assert labels.type == ("unknown",)
    assert texts(notes) == ["dropped, car is not among the classes taken: 1"]


@pytest.mark.parametrize(("row", "where"), [
    ({"segmentation": [[1, 2, 3]]}, "annotations[1].segmentation: expected rings"),
    ({"segmentation": [[1, 2, 3, 4, 5, "x"]]}, "annotations[1].segmentation"),
    ({"segmentation": {"size": [300, 400], "counts": [5]}}, "annotations[1].segmentation: expected runs of 120000"),
    ({"segmentation": {"size": [300, 400], "counts": "Q"}}, "annotations[1].segmentation: expected compressed runs"),
    ({"segmentation": {"size": [30, 40], "counts": [1200]}}, "annotations[1].segmentation: expected a mask of harbour"),
    ({"bbox": [1, 2, 3]}, "annotations[1].bbox"),
    ({}, "annotations[1].segmentation: expected a polygon or a mask here, or a 'bbox'"),
    ({**BOX, "image_id": None}, "annotations[1].image_id"),
])  # fmt: skip
def test_a_wrong_annotation_is_named(path: Path, plain: Frame, row: dict[str, Any], where: str):
    coco(path, {"segmentation": [HULL]}, row)
    with pytest.raises(LabelsError) as caught:
        read_coco(path, plain)
    assert str(caught.value).startswith(f"{path}: {where}")
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("text", ["[]", '{"images": []}', '{"images": [], "annotations": {}}', "{", "[" * 100_000])
def test_what_is_no_coco_is_refused(path: Path, text: str):
    path.write_text(text)
    with pytest.raises(LabelsError, match=r"coco\.json: "):
        read_coco(path)


def test_a_picture_of_another_size_is_refused(path: Path, plain: Frame):
    coco(path, {"segmentation": [HULL]}, images=[{"id": 7, "file_name": "harbour.png", "width": 40, "height": 30}])
    with pytest.raises(LabelsError, match=r"are for 40 x 30 pixels, but harbour\.png has 400 x 300"):
        read_coco(path, plain)


def test_what_is_written_reads_the_same(path: Path, plain: Frame, fleet: Labels):
    drawn = Polygon([(60.5, 40.25), (70, 41), (124, 75), (118, 86), (64, 50)])
    whole = Labels(
        **{**fleet.__dict__, "polygon": (drawn, None, None, None), "ignore": (Polygon([(5, 5), (9, 5), (9, 9)]),)}
    )
    assert write_coco(whole, path, plain) == ()
    read, _ = read_coco(path, plain)
    np.testing.assert_array_equal(read.bow, fleet.bow)
    np.testing.assert_array_equal(read.stern, fleet.stern)
    np.testing.assert_allclose(read.beam[1:], fleet.beam[1:])
    for name in ("bow_known", "difficult"):
        np.testing.assert_array_equal(getattr(read, name), getattr(fleet, name))
    assert read.type == fleet.type
    assert read.outline(0).equals(drawn)
    assert [area.area for area in read.ignore] == [8]


def test_a_bow_and_a_stern_at_one_place_tell_no_ends(path: Path, plain: Frame, fleet: Labels):
    write_coco(fleet, path, plain)
    content = json.loads(path.read_text())
    for row in content["annotations"]:
        row["keypoints"] = row["keypoints"][:3] * 2
    path.write_text(json.dumps(content))
    labels, _ = read_coco(path, plain)
    np.testing.assert_allclose(labels.length, fleet.length)
    assert not labels.bow_known.any()


def test_the_real_ports_have_their_245_ships(shared_data: Path):
    ships, lengths_m = 0, []
    for port in sorted(path.parent for path in (shared_data / "sen2ships").glob("*/coco.json")):
        with rasterio.open(port / "B04.tiff") as scene:
            grid = Grid(CRS.from_epsg(3857), scene.transform, scene.width, scene.height)
        labels, notes = read_coco(port / "coco.json", Frame("B04.tiff", grid))
        assert any(note.what == UNMATCHED for note in notes)
        assert not labels.bow_known.any()
        assert all(outline is not None for outline in labels.polygon)
        ships += len(labels)
        lengths_m += (labels.length * np.sqrt(grid.gsd_m((labels.bow + labels.stern) / 2).prod(axis=1))).tolist()
    assert ships == 245
    assert 80 < np.median(lengths_m) < 200
    assert max(lengths_m) < 420
