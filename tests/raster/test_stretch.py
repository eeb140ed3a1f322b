import numpy as np
import pytest

from shipdet.errors import SceneError
from shipdet.raster.scene import open_scene
from shipdet.raster.stretch import Stretch, apply, scene_stretch, stretch_of

ALL = np.ones((100, 100), bool)


def test_percentiles_become_zero_and_one():
    ramp = np.arange(10000, dtype=np.uint16).reshape(1, 100, 100)
    stretch = stretch_of(ramp, ALL)
    assert stretch.low == pytest.approx((100,), abs=1)
    assert stretch.high == pytest.approx((9899,), abs=1)
    assert apply(stretch, ramp).min() == pytest.approx(-0.0102, abs=1e-3)


def test_invalid_pixels_do_not_count():
    pixels = np.full((1, 100, 100), 50, np.uint8)
    pixels[:, :50] = 200
    valid = ALL.copy()
    valid[:50] = False
    assert stretch_of(pixels, valid) == Stretch((50.0,), (90.0,))


@pytest.mark.parametrize(
    ("value", "dtype", "width"),
    [(30, np.uint8, 40), (1000, np.uint16, 150), (-2.0, np.float32, 0.3), (0, np.int16, 1e-6)],
)
def test_a_flat_image_is_not_blown_up(value, dtype, width):
    stretch = stretch_of(np.full((1, 100, 100), value, dtype), ALL)
    assert stretch.high[0] - stretch.low[0] == pytest.approx(width, rel=1e-4)


def test_values_are_clipped_and_nan_stays():
    pixels = np.array([-1e6, 0, 5, 10, 1e6, np.nan])[None, None]
    found = apply(Stretch((0.0,), (10.0,)), pixels)
    assert found.dtype == np.float32
    assert np.array_equal(found[0, 0], np.float32([-0.25, 0, 0.5, 1, 1.5, np.nan]), equal_nan=True)


def test_nothing_valid_is_an_error(write_tif):
    with pytest.raises(SceneError, match="no valid pixel"):
        stretch_of(np.zeros((1, 100, 100)), ~ALL)
    with pytest.raises(SceneError, match=r"a\.tif has no valid pixel"):
        scene_stretch(open_scene(write_tif("a.tif", np.full((1, 50, 50), 7, np.uint8), nodata=7)))


def test_a_black_border_does_not_count(write_tif, rasters):
    pixels = rasters.smooth(120, 160)
    inner = pixels[:, 30:, 40:].copy()
    pixels[:, :30], pixels[:, :, :40] = 0, 0
    assert scene_stretch(open_scene(write_tif("a.tif", pixels))) == stretch_of(inner, np.ones((90, 120), bool))


def test_a_scene_larger_than_the_decimated_one_gives_nearly_the_same(write_tif, rasters):
    pixels = rasters.smooth(300, 2500)
    path = write_tif("a.tif", pixels, **rasters.tiled)
    exact = stretch_of(pixels, np.ones((300, 2500), bool))
    assert np.allclose(scene_stretch(open_scene(path)).low, exact.low, atol=2)
    rasters.add_overviews(path, [2, 4])
    assert np.allclose(scene_stretch(open_scene(path)).high, exact.high, atol=2)


def test_the_channels_of_a_scene_are_the_models(write_tif, rasters):
    scene = open_scene(write_tif("a.tif", rasters.smooth(40, 50)), bands=(3, 1, 3))
    stretch, straight = scene_stretch(scene), scene_stretch(open_scene(scene.sources[0].path))
    assert stretch.low == tuple(straight.low[i] for i in (2, 0, 2))
