from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from shipdet.errors import ConfigError
from shipdet.raster.sampling import Sampling
from shipdet.raster.scene import open_scene
from shipdet.raster.tiling import Tile, Window, core_size, make_tiles, near_scene

STRIDES = st.sampled_from([1, 4, 8, 32])


@settings(max_examples=60, deadline=None)
@given(
    width=st.integers(1, 400),
    height=st.integers(1, 400),
    stride=STRIDES,
    multiples=st.tuples(st.integers(1, 9), st.integers(0, 5), st.integers(0, 12), st.integers(-3, 12)),
)
def test_every_pixel_is_in_exactly_one_core_and_windows_hold_core_and_margin(width, height, stride, multiples):
    core, margin, ox, oy = (stride * n for n in multiples)
    count = np.zeros((height, width), int)
    for tile in make_tiles(width, height, core, margin, stride, (ox, oy)):
        w, c = tile.window, tile.core
        count[c.y : c.y + c.height, c.x : c.x + c.width] += 1
        assert c.area > 0
        assert max(c.width, c.height) <= core
        assert c.x % stride == c.y % stride == w.x % stride == w.y % stride == 0
        assert w.width % stride == w.height % stride == 0
        assert (c.x - w.x, c.y - w.y) == (margin, margin)
        assert margin <= w.x + w.width - (c.x + c.width) < margin + stride
        assert margin <= w.y + w.height - (c.y + c.height) < margin + stride
    assert (count == 1).all()


def test_tiles_come_row_by_row():
    corners = [(tile.core.x, tile.core.y) for tile in make_tiles(20, 20, 16, 8, 8)]
    assert corners == [(0, 0), (16, 0), (0, 16), (16, 16)]


def test_tiles_near_a_scene_see_a_border_around_it_and_no_more():
    corner, *_, last = (near_scene(tile, 100, 50, 16, 8) for tile in make_tiles(100, 50, 40, 32, 8))
    assert corner.window == Window(-16, -16, 88, 88)
    assert last.window == Window(48, 8, 72, 64)
    assert last.core == Window(80, 40, 20, 10)


def test_a_core_that_sticks_out_of_a_scene_is_seen_whole():
    tile = Tile(Window(-80, 24, 160, 112), Window(-48, 56, 96, 48))
    assert near_scene(tile, 64, 64, 16, 8).window == Window(-48, 24, 128, 80)


@pytest.mark.parametrize(
    ("core", "margin", "offset"), [(12, 8, (0, 0)), (16, 4, (0, 0)), (16, 8, (0, 4)), (0, 8, (0, 0))]
)
def test_sizes_off_the_stride_are_refused(core, margin, offset):
    with pytest.raises(ConfigError, match="multiples of the stride"):
        make_tiles(100, 100, core, margin, 8, offset)


def test_a_window_is_clipped_to_the_scene():
    assert Window(-8, 90, 24, 24).clipped(100, 100) == Window(0, 90, 16, 10)
    assert Window(200, 0, 8, 8).clipped(100, 100).area == 0


@pytest.mark.parametrize(
    ("block", "scale", "target", "expected"),
    [
        ((256, 256), 1.0, 1024, 1024),
        ((256, 256), 1.0, 1000, 768),
        ((256, 256), 1.0, 200, 192),
        ((1024, 1024), 1.0, 1536, 1024),
        ((2048, 2048), 1.0, 1536, 1536),
        ((256, 256), 1.0, 100, 96),
        ((240, 240), 1.0, 1000, 960),
        ((256, 256), 0.5, 1000, 992),
        ((8, 5000), 1.0, 1000, 992),
        ((4096, 4096), 1.0, 1000, 992),
        ((256, 256), 1.0, 1, 32),
    ],
)
def test_cores_follow_the_files_tiles_where_the_model_reads_them(write_tif, block, scale, target, expected):
    scene = replace(open_scene(write_tif("a.tif", np.ones((1, 9, 5000), np.uint8))), block=block)
    assert core_size(scene, Sampling(scale, scale, 5000, 9), target, 32) == expected
