from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from matplotlib.image import imread

from shipdet.errors import OutputError
from shipdet.export.picture import HEADER, Picture, check_picture, draw_scene
from shipdet.geometry import Hulls

SEA = np.array([0.1, 0.2, 0.3])


def sea(height: int, width: int) -> np.ndarray:
    return np.broadcast_to(SEA[:, None, None], (3, height, width)).copy()


def ship(bow: tuple[float, float], stern: tuple[float, float], beam: float, score: float) -> Hulls:
    return Hulls(np.array([bow]), np.array([stern]), np.array([beam]), np.array([score]), np.array([0.9]))


def read(path: Path) -> np.ndarray:
    return np.asarray(imread(path))[..., :3]


def differs(picture: np.ndarray) -> np.ndarray:
    """(H, W) where the scene below the header is not the sea."""
    scene = picture[HEADER:]
    return np.asarray(np.abs(scene - SEA).max(axis=2) > 0.01)


def test_without_ships_the_picture_is_the_array_pixel_by_pixel(tmp_path: Path) -> None:
    pixels = np.random.default_rng(1).uniform(size=(3, 211, 467))
    draw_scene(Picture(pixels, 1.0, "noise", None), Hulls.empty(), tmp_path / "a.png")
    drawn = read(tmp_path / "a.png")
    assert drawn.shape == (211 + HEADER, 467, 3)
    np.testing.assert_allclose(drawn[HEADER:], np.moveaxis(pixels, 0, 2), atol=1.01 / 255)
    assert [file.name for file in tmp_path.iterdir()] == ["a.png"]


def test_a_ship_is_outlined_where_it_lies_on_a_decimated_scene(tmp_path: Path) -> None:
    hulls = ship((1600, 400), (800, 400), 160, 0.9)
    draw_scene(Picture(sea(300, 500), 0.25, "one", None), hulls, tmp_path / "a.png")
    rows, columns = np.nonzero(differs(read(tmp_path / "a.png")))
    assert (columns.min(), columns.max()) == pytest.approx((200, 400), abs=4)
    assert (rows.min(), rows.max()) == pytest.approx((80, 120), abs=3)
    assert not differs(read(tmp_path / "a.png"))[90:110, 210:370].any()


def test_the_bow_has_a_dot_and_the_stern_has_none(tmp_path: Path) -> None:
    hulls = ship((350, 150), (150, 150), 60, 1.0)
    draw_scene(Picture(sea(300, 500), 1.0, "one", None), hulls, tmp_path / "a.png")
    scene = read(tmp_path / "a.png")[HEADER:]
    yellow = (scene[..., 0] > 0.8) & (scene[..., 1] > 0.8) & (scene[..., 2] < 0.4)
    assert yellow[149:151, 349:351].all()
    assert yellow[148:152, 346:354].sum() > 3 * yellow[148:152, 146:154].sum()


def test_ends_in_no_order_have_no_dot(tmp_path: Path) -> None:
    hulls = replace(ship((350, 150), (150, 150), 60, 1.0), bow_score=np.array([0.5]))
    draw_scene(Picture(sea(300, 500), 1.0, "one", None), hulls, tmp_path / "a.png")
    drawn = differs(read(tmp_path / "a.png"))
    assert drawn[140:160, 340:360].sum() == pytest.approx(drawn[140:160, 140:160].sum(), rel=0.1)


def test_colour_tells_the_score(tmp_path: Path) -> None:
    colours = []
    for score in (0.3, 0.6, 1.0):
        draw_scene(Picture(sea(100, 500), 1.0, "one", None), ship((250, 50), (150, 50), 30, score), tmp_path / "a.png")
        colours.append(read(tmp_path / "a.png")[HEADER + 50, 250])
    greens = [colour[1] for colour in colours]
    assert greens == sorted(greens)
    assert greens[2] - greens[0] > 0.4


def test_a_ship_too_small_to_see_is_ringed(tmp_path: Path) -> None:
    draw_scene(Picture(sea(200, 500), 0.1, "one", None), ship((1530, 1000), (1500, 1000), 5, 0.9), tmp_path / "a.png")
    rows, columns = np.nonzero(differs(read(tmp_path / "a.png")))
    assert np.ptp(columns) == pytest.approx(20, abs=3)
    assert np.ptp(rows) == pytest.approx(20, abs=3)


def test_the_scale_bar_is_as_long_as_it_says(tmp_path: Path) -> None:
    draw_scene(Picture(sea(300, 500), 0.5, "bar", 2.5), Hulls.empty(), tmp_path / "a.png")
    bright = read(tmp_path / "a.png")[HEADER:].min(axis=2) > 0.7
    longest_row = bright.sum(axis=1).max()
    assert longest_row == pytest.approx(500 / (2.5 / 0.5), abs=3)


@pytest.mark.parametrize("shape", [(1, 1), (40, 30), (30, 900)])
def test_tiny_and_narrow_scenes_are_drawn(shape: tuple[int, int], tmp_path: Path) -> None:
    title = "ein sehr langer Name $1 船 " * 10
    draw_scene(Picture(sea(*shape), 1.0, title, 10.0), ship((1, 1), (0, 0), 1, 0.5), tmp_path / "a.png")
    assert read(tmp_path / "a.png").shape[0] == shape[0] + HEADER


def test_pixels_without_data_are_dark_grey(tmp_path: Path) -> None:
    pixels = sea(100, 500)
    pixels[:, :, 250:] = np.nan
    draw_scene(Picture(pixels, 1.0, "half", None), Hulls.empty(), tmp_path / "a.png")
    assert read(tmp_path / "a.png")[HEADER + 50, 400] == pytest.approx(0.13, abs=0.01)


def test_places_that_cannot_be_written_are_refused(tmp_path: Path) -> None:
    for refuse in (check_picture, lambda path: draw_scene(Picture(sea(9, 9), 1, "", None), Hulls.empty(), path)):
        with pytest.raises(OutputError, match=r"should end in \.png"):
            refuse(tmp_path / "a.jpg")
        with pytest.raises(OutputError, match="does not exist; make it"):
            refuse(tmp_path / "missing" / "a.png")
    check_picture(tmp_path / "a.png")
    assert list(tmp_path.iterdir()) == []
