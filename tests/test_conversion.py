import json
from pathlib import Path

import numpy as np
import pytest
import rasterio
from affine import Affine
from PIL import Image

from shipdet.conversion import convert_labels, open_frame
from shipdet.errors import InputError, LabelsError, OutputError, SceneError
from shipdet.labels.read import read_labels
from shipdet.labels.write import LabelFormat


@pytest.fixture
def pictures(tmp_path: Path) -> Path:
    """Two pictures with DOTA labels, one of them with a harbour in it too."""
    folder, labels = tmp_path / "images", tmp_path / "labels"
    folder.mkdir()
    labels.mkdir()
    for name in ("P1", "P2"):
        Image.fromarray(np.zeros((60, 80, 3), np.uint8)).save(folder / f"{name}.png")
        (labels / f"{name}.txt").write_text("10 10 50 10 50 20 10 20 ship 0\n")
    with (labels / "P2.txt").open("a") as file:
        file.write("10 30 50 30 50 40 10 40 harbor 0\n10 30 50 30 50 40 10 40 ship 0\n")
    return tmp_path


def test_a_folder_is_converted_file_by_file_and_told_in_sum(pictures: Path):
    out = pictures / "out"
    out.mkdir()
    done = convert_labels(pictures / "labels", out, pictures / "images", LabelFormat.bow_stern)
    assert sorted(path.name for path in out.iterdir()) == ["P1.json", "P2.json"]
    assert (done.files, done.ships, done.bow_known, done.ignored) == (2, 3, 0, 0)
    assert [str(note) for note in done.notes] == ["dropped, harbor is no ship: 1"]
    assert len(read_labels(out / "P2.json").labels) == 2


def test_labels_without_a_picture_are_told(pictures: Path):
    (pictures / "images" / "P1.png").unlink()
    (pictures / "out").mkdir()
    with pytest.raises(LabelsError, match=r"P1\.txt: no picture of this name in .*images"):
        convert_labels(pictures / "labels", pictures / "out", pictures / "images")


def test_a_folder_needs_a_folder(pictures: Path):
    with pytest.raises(OutputError, match="should be a folder that exists"):
        convert_labels(pictures / "labels", pictures / "ships.gpkg")
    with pytest.raises(InputError, match="should be the folder of the pictures"):
        convert_labels(pictures / "labels", pictures, pictures / "images" / "P1.png")
    with pytest.raises(InputError, match="holds no files ending in"):
        convert_labels(pictures / "images", pictures)


def test_a_frame_is_the_rasters_size_and_place(tmp_path: Path):
    profile = {"driver": "GTiff", "count": 1, "height": 30, "width": 40, "dtype": "uint8"}
    with rasterio.open(tmp_path / "a.tif", "w", crs=32631, transform=Affine(2, 0, 5e5, 0, -2, 5e6), **profile):
        pass
    frame = open_frame(tmp_path / "a.tif")
    assert (frame.name, frame.grid.width, frame.grid.height) == ("a.tif", 40, 30)
    assert frame.grid.crs.to_epsg() == 32631
    with pytest.raises(SceneError, match="no such file"):
        open_frame(tmp_path / "b.tif")


SHIP = '{"bow": [10, 15], "stern": [50, 15], "beam": 8}'


def test_complete_labels_go_before_incomplete_ones_of_the_same_name(pictures: Path):
    (pictures / "out").mkdir()
    (pictures / "labels" / "P1.json").write_text(f"[{SHIP}]")
    for scene in (pictures / "images", None):
        done = convert_labels(pictures / "labels", pictures / "out", scene, LabelFormat.bow_stern)
        assert (done.files, done.bow_known) == (2, 1)
        assert str(done.notes[0]) == "left out, a .txt beside a .json of the same name: 1"
        assert read_labels(pictures / "out" / "P1.json").labels.beam.tolist() == [8]


def test_files_that_would_be_written_to_one_are_refused(pictures: Path):
    (pictures / "out").mkdir()
    (pictures / "labels" / "P1.xml").write_text("<annotation></annotation>")
    with pytest.raises(InputError, match=r"P1\.xml: P1\.txt is there too, and only one can be meant"):
        convert_labels(pictures / "labels", pictures / "out")
    (pictures / "labels" / "P1.xml").unlink()
    Image.fromarray(np.zeros((60, 80, 3), np.uint8)).save(pictures / "images" / "P1.jpg")
    with pytest.raises(InputError, match=r"P1\.png: P1\.jpg is there too"):
        convert_labels(pictures / "labels", pictures / "out", pictures / "images")
    assert not list((pictures / "out").iterdir())


def test_the_labels_themselves_are_not_written_over(pictures: Path):
    before = (pictures / "labels" / "P2.txt").read_text()
    with pytest.raises(OutputError, match=r"P1\.txt is one of the files of labels to read"):
        convert_labels(pictures / "labels", pictures / "labels", pictures / "images", LabelFormat.dota)
    assert (pictures / "labels" / "P2.txt").read_text() == before


def coco_file(path: Path, listed: dict[int, str], used: list[int]) -> Path:
    quad = [10, 10, 50, 12, 50, 20, 10, 18]
    rows = [{"image_id": number, "segmentation": [quad]} for number in used]
    images = [{"id": number, "file_name": name} for number, name in listed.items()]
    path.write_text(json.dumps({"images": images, "annotations": rows}))
    return path


def test_labels_of_one_picture_are_not_copied_into_all_of_a_folder(pictures: Path):
    (pictures / "out").mkdir()
    (pictures / "ship.json").write_text(f"[{SHIP}]")
    unlisted = coco_file(pictures / "coco.json", {1: "P1.png", 2: "P2.png"}, [99, 99])
    for source in (pictures / "labels" / "P1.txt", pictures / "ship.json", unlisted):
        with pytest.raises(LabelsError, match=r"labels of one picture, but .*images holds 2; name the one"):
            convert_labels(source, pictures / "out", pictures / "images")
    assert not list((pictures / "out").iterdir())


def test_one_file_that_names_its_pictures_is_parted(pictures: Path):
    (pictures / "out").mkdir()
    source = coco_file(pictures / "coco.json", {1: "P1.png", 2: "P2.png"}, [1, 2, 2])
    convert_labels(source, pictures / "out", pictures / "images", LabelFormat.bow_stern)
    assert [len(read_labels(pictures / "out" / f"P{n}.json").labels) for n in (1, 2)] == [1, 2]
