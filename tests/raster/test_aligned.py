"""Pictures of single hulls, bow up."""

import numpy as np
import pytest

from shipdet.raster.aligned import COARSEST, COLUMNS, ROWS, SPAN, Array, Pixels, along_hull, window_along
from shipdet.raster.tiling import Window

WHOLE = Window(0, 0, 640, 640)
MIDDLE = np.array([320.0, 336.0])
PLAIN = ROWS / SPAN
"""Length of a hull that is shown pixel by pixel."""


@pytest.fixture(scope="module")
def pixels() -> Pixels:
    return np.random.default_rng(0).random((3, WHOLE.height, WHOLE.width), np.float32)


def ends(heading_deg: float, length: float) -> tuple[Array, Array]:
    ahead = np.array([np.sin(np.radians(heading_deg)), -np.cos(np.radians(heading_deg))]) * length / 2
    return MIDDLE + ahead, MIDDLE - ahead


def cut(pixels: Pixels, window: Window) -> Pixels:
    return np.ascontiguousarray(pixels[:, window.y : window.y + window.height, window.x : window.x + window.width])


def around(pixels: Pixels, height: int, width: int) -> Pixels:
    x, y = MIDDLE.astype(int)
    return pixels[:, y - height // 2 : y + height // 2, x - width // 2 : x + width // 2]


def test_a_hull_that_points_up_is_a_slice_of_the_picture(pixels: Pixels):
    seen = along_hull(pixels, WHOLE, *ends(0, PLAIN))
    np.testing.assert_allclose(seen, around(pixels, ROWS, COLUMNS), atol=1e-6)


@pytest.mark.parametrize(("heading_deg", "quarters"), [(90, 1), (180, 2), (270, 3)])
def test_others_are_turned_so_that_the_bow_is_up_and_starboard_right(pixels: Pixels, heading_deg: int, quarters: int):
    shape = (ROWS, COLUMNS) if quarters == 2 else (COLUMNS, ROWS)
    seen = along_hull(pixels, WHOLE, *ends(heading_deg, PLAIN))
    np.testing.assert_allclose(seen, np.rot90(around(pixels, *shape), quarters, (1, 2)), atol=1e-5)


def test_seen_from_its_other_end_a_hull_is_turned_round(pixels: Pixels):
    bow, stern = ends(37.0, 210.0)
    seen, turned = along_hull(pixels, WHOLE, bow, stern), along_hull(pixels, WHOLE, stern, bow)
    np.testing.assert_allclose(seen, turned[:, ::-1, ::-1], atol=1e-5)


def test_a_long_hull_is_averaged_before_it_is_sampled(pixels: Pixels):
    seen = along_hull(pixels, WHOLE, *ends(0, 4 * PLAIN))
    blocks = around(pixels, 4 * ROWS, 4 * COLUMNS).reshape(3, ROWS, 4, COLUMNS, 4).mean(axis=(2, 4))
    np.testing.assert_allclose(seen, blocks, atol=1e-5)


@pytest.mark.parametrize("length", [9.0, 60.0, 150.0, 260.0])
def test_the_window_holds_all_that_is_needed(pixels: Pixels, length: float):
    bow, stern = ends(123.0, length)
    window = window_along(bow, stern)
    assert window.x % COARSEST == window.y % COARSEST == window.width % COARSEST == window.height % COARSEST == 0
    expected = along_hull(pixels, WHOLE, bow, stern)
    np.testing.assert_allclose(along_hull(cut(pixels, window), window, bow, stern), expected, atol=1e-5)
