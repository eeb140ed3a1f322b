"""Open blocks covered by rectangles."""

import numpy as np
import pytest

from shipdet.inference.covering import BLOCK, are_open, block_shape, cover, open_cells
from shipdet.raster.tiling import Tile, Window

MARGIN = 352


def owners(tiles: tuple[Tile, ...], shape: tuple[int, int]) -> np.ndarray:
    """How many cores hold each block."""
    held = np.zeros(shape, int)
    for tile in tiles:
        x, y = tile.core.x // BLOCK, tile.core.y // BLOCK
        held[y : y - (-tile.core.height // BLOCK), x : x - (-tile.core.width // BLOCK)] += 1
    return held


def scattered(seed: int, share: float) -> np.ndarray:
    random = np.random.default_rng(seed)
    return random.random((37, 52)) < share


@pytest.mark.parametrize("share", [0.002, 0.05, 0.3, 0.9, 1.0])
@pytest.mark.parametrize("core", [128, 640, 1536])
def test_each_open_block_lies_in_one_core_and_none_is_larger_than_asked(share: float, core: int):
    opened = scattered(3, share)
    tiles = cover(opened, (52 * BLOCK - 17, 37 * BLOCK - 100), core, MARGIN)
    held = owners(tiles, opened.shape)
    assert held.max(initial=0) <= 1
    assert (held[opened] == 1).all()
    assert all(max(tile.core.width, tile.core.height) <= core for tile in tiles)


def test_cores_end_with_the_scene_and_windows_hold_their_margins():
    tiles = cover(np.ones((2, 3), bool), (3 * BLOCK - 60, 2 * BLOCK - 5), 1536, MARGIN)
    assert [tile.core for tile in tiles] == [Window(0, 0, 3 * BLOCK - 60, 2 * BLOCK - 5)]
    assert tiles[0].window == Window(-MARGIN, -MARGIN, 3 * BLOCK + 2 * MARGIN, 2 * BLOCK + 2 * MARGIN)


def test_where_nothing_is_open_there_is_nothing_to_do():
    assert cover(np.zeros((40, 40), bool), (40 * BLOCK, 40 * BLOCK), 1536, MARGIN) == ()


def test_near_blocks_share_their_margins_and_far_ones_do_not():
    opened = np.zeros((40, 40), bool)
    opened[3, 3] = opened[3, 5] = opened[30, 31] = True
    cores = [tile.core for tile in cover(opened, (40 * BLOCK, 40 * BLOCK), 1536, MARGIN)]
    assert cores == [Window(3 * BLOCK, 3 * BLOCK, 3 * BLOCK, BLOCK), Window(31 * BLOCK, 30 * BLOCK, BLOCK, BLOCK)]


def test_all_that_is_open_is_cut_as_coarsely_as_may_be():
    tiles = cover(np.ones((24, 24), bool), (24 * BLOCK, 24 * BLOCK), 1536, MARGIN)
    assert len(tiles) == 4


def test_the_same_blocks_give_the_same_tiles():
    assert cover(scattered(5, 0.1), (6656, 4736), 1536, MARGIN) == cover(scattered(5, 0.1), (6656, 4736), 1536, MARGIN)


def test_places_and_cells_are_as_open_as_their_blocks():
    opened = np.zeros(block_shape(300, 200), bool)
    assert opened.shape == (2, 3)
    opened[1, 2] = True
    assert are_open(opened, np.array([[299.0, 199.0], [255.9, 199.0], [256.0, 128.0]])).tolist() == [True, False, True]
    assert open_cells(opened, Window(128, 128, 172, 72), 8).tolist() == [[False] * 16 + [True] * 6] * 9
