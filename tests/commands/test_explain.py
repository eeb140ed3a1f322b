"""`shipdet explain`, on the sample scene."""

from pathlib import Path

import numpy as np
import pytest
from matplotlib.image import imread
from PIL import Image

from shipdet.cli import main

SAMPLE = Path(__file__).resolve().parents[2] / "data_samples" / "harbour.tif"


def explain(*words: object) -> int:
    with pytest.raises(SystemExit) as done:
        main(["explain", *map(str, words)])
    return int(done.value.code or 0)


def test_one_ship_becomes_a_picture_and_a_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "ship.png"
    assert explain(SAMPLE, "--at", "3.528783,52.502646", "-o", path) == 0
    told = capsys.readouterr().out.splitlines()
    assert len(told) == 2
    assert "165°" in told[1]
    assert np.asarray(imread(path)).std() > 0.05
    assert [file.name for file in tmp_path.iterdir()] == ["ship.png"]


def test_a_picture_that_lies_nowhere_takes_pixels(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path, picture = tmp_path / "ship.png", tmp_path / "part.png"
    with Image.open(SAMPLE) as sample:
        sample.crop((1500, 420, 2000, 800)).save(picture)
    assert explain(picture, "--at", "20,28", "-o", path) == 2
    assert "--pixel-coordinates" in capsys.readouterr().err
    assert explain(picture, "--at", "200,280", "-o", path, "--pixel-coordinates", "--gsd", 1) == 0
    assert path.is_file()


@pytest.mark.parametrize(
    ("at", "complaint"),
    [
        ("3.5", "--at should be a longitude and a latitude"),
        ("3.5,52.5,1", "--at should be a longitude and a latitude"),
        ("here,there", "--at should be a longitude and a latitude"),
        ("nan,52.5", "--at should be a longitude and a latitude"),
        ("52.5,99", "--at should be a longitude from -180 to 180"),
        ("512,300", "take --pixel-coordinates"),
        ("-70.5,-33.1", "lies outside"),
    ],
)
def test_a_place_that_is_none_is_told_in_one_line(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], at: str, complaint: str
) -> None:
    assert explain(SAMPLE, "--at", at, "-o", tmp_path / "ship.png") == 2
    complaints = capsys.readouterr().err.splitlines()
    assert len(complaints) == 1
    assert complaint in complaints[0]
    assert not list(tmp_path.iterdir())


def test_another_ending_is_refused_before_the_scene_is_opened(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert explain("nowhere.tif", "--at", "1,2", "-o", tmp_path / "ship.jpg") == 2
    assert "should end in .png" in capsys.readouterr().err
