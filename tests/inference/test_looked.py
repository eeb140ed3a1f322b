"""What was seen of tiles comes together into maps of the scene."""

import numpy as np

from shipdet.inference.looked import Looked, TileMaps, cells_of
from shipdet.models.decode import no_tips
from shipdet.raster.sampling import Sampling
from shipdet.raster.tiling import Tile, Window

LEFT = Tile(Window(-64, -64, 256, 192), Window(0, 0, 64, 64))
RIGHT = Tile(Window(0, -64, 256, 192), Window(64, 0, 36, 64))


class Kept:
    """Remembers while the test runs."""

    def __init__(self) -> None:
        self._tiles: dict[Tile, Looked] = {}

    def recall(self, tile: Tile) -> Looked | None:
        return self._tiles.get(tile)

    def keep(self, tile: Tile, looked: Looked) -> None:
        self._tiles[tile] = looked

    def part(self, name: str) -> "Kept":
        raise AssertionError(name)


def looked(width: int, value: int) -> Looked:
    cells = np.full((8, width), value, np.uint8)
    return Looked(no_tips(), cells, cells + 1, np.full((1, 8, width), value + 0.5, np.float16))


def test_a_cores_cells_are_counted_from_the_corner_of_the_map():
    assert cells_of(RIGHT.core, 0, 0) == (slice(0, 8), slice(8, 13))
    assert cells_of(RIGHT.core, RIGHT.window.x, RIGHT.window.y) == (slice(8, 16), slice(8, 13))


def test_each_tile_lies_where_its_core_does_and_the_rest_is_empty():
    maps = TileMaps(Sampling(1.0, 1.0, 100, 64))
    maps.put(RIGHT, looked(5, 7))
    assert (maps.attention[:, 8:] == 7).all()
    assert (maps.ship[:, 8:] == 8).all()
    assert (maps.more[:, :, 8:] == 7.5).all()
    assert not maps.attention[:, :8].any()
    assert maps.more.shape == (1, 8, 13)


def test_what_an_earlier_run_saw_is_as_good_as_seen_now():
    sampling = Sampling(1.0, 1.0, 100, 64)
    memory, now, later = Kept(), TileMaps(sampling), TileMaps(sampling)
    for tile, seen in ((LEFT, looked(8, 3)), (RIGHT, looked(5, 7))):
        assert not later.recall(tile, None)
        assert not later.recall(tile, memory)
        now.put(tile, seen)
        memory.keep(tile, seen)
        assert later.recall(tile, memory)
    for name in ("attention", "ship", "more"):
        assert np.array_equal(getattr(now, name), getattr(later, name))
    assert len(later.parts) == len(now.parts) == 2
