import json
from pathlib import Path

import numpy as np
import pytest
import shapely
from PIL import Image

from shipdet.labels.folders import inshore
from shipdet.labels.types import Labels
from shipdet.raster.reader import FILL
from shipdet.raster.stretch import HIGHEST, LOWEST
from shipdet.training.augmentation import COMPLETE, INCOMPLETE
from shipdet.training.pictures import KNOWN_MARGIN, Picture, decode, encode, known_mask, load_pictures, render_harbours


def save(folder: Path, number: int, pixels: np.ndarray | None = None) -> None:
    if pixels is None:
        pixels = np.random.default_rng(number).integers(20, 200, (120, 160, 3), dtype=np.uint8)
    Image.fromarray(pixels).save(folder / f"{number}.jpg", quality=95)


def load(folder: Path) -> Picture:
    (picture,) = load_pictures(inshore(folder))
    return picture


def test_coded_values_come_back_within_half_a_step() -> None:
    values = np.linspace(LOWEST, HIGHEST, 999, dtype=np.float32)
    step = (HIGHEST - LOWEST) / 255
    assert np.abs(decode(encode(values)) - values).max() <= step / 2 + 1e-6
    assert encode(values).min() == 0
    assert encode(values).max() == 255


def test_a_complete_picture_is_known_everywhere(tmp_path: Path) -> None:
    save(tmp_path, 1)
    (tmp_path / "1.json").write_text("[]")
    picture = load(tmp_path)
    assert picture.name == "inshore 1"
    assert picture.pixels.shape == (120, 160, 3)
    assert (picture.mask == COMPLETE).all()


def test_a_complete_picture_with_regions_is_known_there(tmp_path: Path) -> None:
    save(tmp_path, 1)
    (tmp_path / "1.json").write_text(json.dumps([{"region": [-5, 10, 50, 40]}, {"region": [100, 0, 400, 20]}]))
    expected = np.full((120, 160), INCOMPLETE)
    expected[10:40, :50] = expected[:20, 100:] = COMPLETE
    np.testing.assert_array_equal(load(tmp_path).mask, expected)


def test_an_incomplete_picture_is_known_only_around_its_ships(tmp_path: Path) -> None:
    save(tmp_path, 1)
    (tmp_path / "1.txt").write_text("60 50 20 50 5")
    mask = load(tmp_path).mask
    assert (mask[50, 10:70] == COMPLETE).all()
    assert (mask[:, 90:] == INCOMPLETE).all()
    assert (mask[80:] == INCOMPLETE).all()
    reach = KNOWN_MARGIN + 0.15 * 40 / 2
    assert (mask[:, 40] == COMPLETE).sum() == pytest.approx(2 * reach, abs=1)


def test_an_incomplete_picture_without_a_ship_teaches_nothing(tmp_path: Path) -> None:
    save(tmp_path, 1)
    (tmp_path / "1.txt").write_text("")
    assert (load(tmp_path).mask == INCOMPLETE).all()


def test_pixels_are_stretched_over_the_whole_picture(tmp_path: Path) -> None:
    ramp = np.repeat(np.linspace(20, 120, 160)[None, :, None], 120, axis=0).repeat(3, axis=2)
    save(tmp_path, 1, ramp.astype(np.uint8))
    (tmp_path / "1.json").write_text("[]")
    stretched = decode(load(tmp_path).pixels)
    assert np.percentile(stretched, [1, 50, 99]) == pytest.approx([0, 0.5, 1], abs=0.03)


def test_black_borders_are_filled_and_do_not_stretch(tmp_path: Path) -> None:
    pixels = np.random.default_rng(0).integers(60, 120, (128, 160, 3), dtype=np.uint8)
    pixels[:, :64] = 0
    Image.fromarray(pixels).save(tmp_path / "1.jpg", quality=100, subsampling=0)
    (tmp_path / "1.json").write_text("[]")
    stretched = decode(load(tmp_path).pixels)
    assert stretched[:, :60] == pytest.approx(FILL, abs=0.01)
    assert np.median(stretched[:, 64:]) == pytest.approx(0.5, abs=0.1)


def test_grey_and_palette_pictures_become_rgb(tmp_path: Path) -> None:
    grey = np.random.default_rng(0).integers(20, 200, (40, 50), dtype=np.uint8)
    Image.fromarray(grey).save(tmp_path / "1.jpg")
    (tmp_path / "1.json").write_text("[]")
    assert load(tmp_path).pixels.shape == (40, 50, 3)


def test_drawn_harbours_are_known_everywhere_and_the_same_for_a_seed() -> None:
    first, second = render_harbours(2, 160, seed=3)
    again, _ = render_harbours(2, 160, seed=3)
    np.testing.assert_array_equal(first.pixels, again.pixels)
    np.testing.assert_array_equal(first.labels.bow, again.labels.bow)
    assert not np.array_equal(first.pixels, second.pixels)
    for picture in (first, second):
        assert picture.pixels.shape == (160, 160, 3)
        assert (picture.mask == COMPLETE).all()
        assert picture.labels.complete
        assert len(picture.labels.bow_known) == len(picture.labels.difficult) == len(picture.labels)


def test_the_hole_in_a_place_to_ignore_is_known() -> None:
    basin = shapely.difference(shapely.box(10, 10, 90, 70), shapely.box(30, 30, 60, 50))
    mask = known_mask(Labels.of_rows([], [], complete=True, ignore=[basin]), (80, 100))
    assert mask[40, 45] == mask[5, 5] == COMPLETE
    assert mask[20, 20] == mask[60, 80] == INCOMPLETE
    assert (mask == INCOMPLETE).sum() == pytest.approx(basin.area, rel=0.06)
