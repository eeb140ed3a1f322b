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
