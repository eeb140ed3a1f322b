from collections.abc import Callable
from pathlib import Path

import geopandas as gpd
import numpy as np
import pytest
import rasterio
from affine import Affine

from shipdet.cli import main
from shipdet.commands.labels import Form
from shipdet.labels.write import LabelFormat

Run = Callable[..., tuple[int, list[str], str]]


@pytest.fixture
def run(capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Run:
    """Runs `shipdet labels` in a folder with a scene and its labels in two formats."""
    monkeypatch.chdir(tmp_path)
    profile = {"driver": "GTiff", "count": 3, "height": 300, "width": 400, "dtype": "uint8", "crs": 32631}
    with rasterio.open("scene.tif", "w", transform=Affine(0.5, 0, 535_000, 0, -0.5, 5_817_000), **profile) as scene:
        scene.write(np.full((3, 300, 400), 80, np.uint8))
    quad = "100 92 160 92 160 108 100 108"
    Path("dota.txt").write_text(
        f"imagesource:GoogleEarth\n{quad} ship 0\n{quad} harbor 0\n500 500 560 500 560 516 500 516 ship 0\n"
    )
    Path("boxes.txt").write_text("0 0.5 0.5 0.1 0.1\n")

    def call(*arguments: str) -> tuple[int, list[str], str]:
        with pytest.raises(SystemExit) as stop:
            main(["labels", *arguments])
        out, err = capfd.readouterr()
        return int(stop.value.code or 0), out.splitlines(), err

    return call


def test_labels_of_a_scene_go_to_its_crs_and_what_was_dropped_is_told(run: Run):
    code, lines, err = run("dota.txt", "-o", "ships.gpkg", "--scene", "scene.tif")
    assert (code, err) == (0, "")
    assert lines == [
        "ships.gpkg: 1 ships, of 0 the bow is known; 0 places to ignore",
        "note: dropped, harbor is no ship: 1",
        "note: dropped, outside scene.tif: 1",
    ]
    ships = gpd.read_file("ships.gpkg")
    assert ships.crs.to_epsg() == 32631
    assert ships.beam_m[0] == pytest.approx(8, rel=2e-3)
    assert ships.geometry[0].coords[0] == pytest.approx((535_050, 5_816_950))
    assert ships.length_m[0] == pytest.approx(30, rel=2e-3)


def test_labels_of_a_plain_picture_stay_in_pixels_without_a_crs(run: Run):
    code, lines, _ = run("dota.txt", "-o", "ships.gpkg")
    assert code == 0
    assert lines[0] == "ships.gpkg: 2 ships, of 0 the bow is known; 0 places to ignore"
    ships = gpd.read_file("ships.gpkg")
    assert not (ships.crs and (ships.crs.is_projected or ships.crs.is_geographic))
    assert ships.geometry[0].coords[0] == (100, 100)


def test_upright_boxes_are_told_to_give_no_ends(run: Run):
    code, lines, _ = run("boxes.txt", "-o", "ships.gpkg", "--scene", "scene.tif")
    assert code == 0
    assert lines[0].endswith("0 ships, of 0 the bow is known; 1 places to ignore")
    assert lines[1] == "note: upright boxes, which give no ends, became places to ignore: 1"


def test_only_the_classes_named_are_taken(run: Run):
    _, lines, _ = run(
        "dota.txt", "-o", "x.json", "--classes", "harbor, ferry", "--format", "coco", "--scene", "scene.tif"
    )
    assert lines[0].startswith("x.json: 1 ships")


@pytest.mark.parametrize(("arguments", "complaint"), [
    (["no.json", "-o", "x.gpkg"], "no.json: no such file of labels"),
    (["dota.txt", "-o", "x.shp"], "x.shp should end in .gpkg, .geojson, .json or .txt"),
    (["dota.txt", "-o", "no/x.gpkg"], "the folder no for x.gpkg does not exist"),
    (["dota.txt", "-o", "x.geojson"], "these labels are in pixels"),
    (["boxes.txt", "-o", "x.gpkg"], "name the picture with --scene"),
    (["dota.txt", "-o", "x.gpkg", "--scene", "no.tif"], "no.tif: no such file"),
])  # fmt: skip
def test_mistakes_are_told_in_one_line_and_nothing_is_written(run: Run, arguments: list[str], complaint: str):
    code, lines, err = run(*arguments)
    assert code == 2
    assert lines == []
    assert complaint in err
    assert err.count("\n") == 1
    assert sorted(path.name for path in Path().iterdir()) == ["boxes.txt", "dota.txt", "scene.tif"]


def test_the_commands_formats_are_the_librarys():
    assert [form.value for form in Form] == [form.value for form in LabelFormat]
