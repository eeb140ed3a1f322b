"""What was seen of tiles: of one, kept from run to run, and of all of a scene together."""

from typing import NamedTuple, Protocol, Self

import numpy as np
from numpy.typing import NDArray

from shipdet.inference.covering import are_open, open_cells
from shipdet.models.decode import Tips
from shipdet.models.task_partition import COARSE_STRIDE
from shipdet.raster.sampling import Sampling
from shipdet.raster.tiling import Tile, Window


class Looked(NamedTuple):
    """What the network says of one tile's core."""

    tips: Tips
    """in model pixels of the scene"""
    attention: NDArray[np.uint8]
    """of the core's coarse cells"""
    ship: NDArray[np.uint8]
    """likewise, probability of hull or end"""
    more: NDArray[np.float16]
    """(C, h, w) likewise, what else the eye asked for"""


class TileMemory(Protocol):
    """Keeps what was seen of tiles, so that a run that was stopped need not look at them again."""

    def recall(self, tile: Tile) -> Looked | None:
        """What was kept of a tile, or None."""

    def keep(self, tile: Tile, looked: Looked) -> None:
        """Keeps a tile for good; it is only recalled whole."""

    def part(self, name: str) -> Self:
        """A memory of its own, for one of several views of the scene."""


class TileMaps:
    """What has been seen of a scene so far.

    Attributes:
        attention, ship: (ceil(H/8), ceil(W/8)) of model pixels, as in `Looked`; 0 where nothing was seen.
        more: (C, ceil(H/8), ceil(W/8)) likewise; C is 0 until a tile has something more.
        parts: the tips of each tile.
    """

    def __init__(self, sampling: Sampling) -> None:
        shape = (-(-sampling.height // COARSE_STRIDE), -(-sampling.width // COARSE_STRIDE))
        self.attention, self.ship = np.zeros(shape, np.uint8), np.zeros(shape, np.uint8)
        self.more = np.zeros((0, *shape), np.float16)
        self.parts: list[Tips] = []

    def recall(self, tile: Tile, memory: TileMemory | None) -> bool:
        """Whether an earlier run saw the tile; then it is put where it belongs."""
        looked = None if memory is None else memory.recall(tile)
        if looked is None:
            return False
        self.put(tile, looked)
        return True

    def put(self, tile: Tile, looked: Looked) -> None:
        """Puts a tile where it belongs."""
        here = cells_of(tile.core, 0, 0)
        self.attention[here], self.ship[here] = looked.attention, looked.ship
        if len(self.more) < len(looked.more):
            self.more = np.zeros((len(looked.more), *self.ship.shape), np.float16)
        self.more[:, *here] = looked.more
        self.parts.append(looked.tips)


def cells_of(core: Window, x: int, y: int) -> tuple[slice, slice]:
    """The coarse cells of a core on a map whose corner lies at (x, y)."""
    top, left = (core.y - y) // COARSE_STRIDE, (core.x - x) // COARSE_STRIDE
    return (
        slice(top, top - (-core.height // COARSE_STRIDE)),
        slice(left, left - (-core.width // COARSE_STRIDE)),
    )


def only_open(looked: Looked, tile: Tile, opened: NDArray[np.bool_]) -> Looked:
    """What is said of open blocks alone, so that it does not matter which closed ones a tile reaches over.

    Args:
        looked: of a tile.
        tile: that one.
        opened: (rows, columns) blocks of the scene, as `covering.cover` takes them.
    """
    here = open_cells(opened, tile.core, COARSE_STRIDE)
    if here.all():
        return looked
    tips = looked.tips.where(are_open(opened, looked.tips.cell))
    return Looked(tips, looked.attention * here, looked.ship * here, looked.more * here)
