"""What the network says of one tile, and who remembers it."""

from typing import NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray

from shipdet.inference.covering import are_open, open_cells
from shipdet.models.decode import Tips
from shipdet.models.task_partition import COARSE_STRIDE
from shipdet.raster.tiling import Tile


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
