"""Where a scene is worth a closer look: the scout over a level four times coarser, strip by strip.

The level is an overview where the file has one; else blocks are averaged as they are decoded, each decoded once.
Of the scene only one strip's pixels and a probability for each cell are held.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from scipy.ndimage import maximum_filter
from torch import Tensor

from shipdet.inference.covering import BLOCK, block_shape
from shipdet.models.device import Device
from shipdet.models.scout import MIDDLE, SCOUT_BANDS, SCOUT_CELL, SCOUT_REACH, SCOUT_STRIDE, Scout, fused
from shipdet.raster.levels import open_level
from shipdet.raster.reader import Chip, prefetch_chips
from shipdet.raster.sampling import Sampling
from shipdet.raster.scene import Scene
from shipdet.raster.stretch import Stretch, scene_stretch
from shipdet.raster.tiling import Tile, Window

STRIP = 512
"""Rows of level pixels read together, as many as a usual block has, so that no block is decoded twice."""
PIECE = 2048
"""Likewise columns: four blocks."""
NEARBY = 1
"""Cells around an open one that are open too: an end may lie at a cell's edge."""
CELLS_A_BLOCK = BLOCK // (SCOUT_CELL * SCOUT_STRIDE)
BEYOND = 2
"""Cells of nothing around what it sees: so it was taught what the edge of a scene looks like."""
SNAP = 0.01
"""Part that an overview's factor may differ by from the scout's and still be read as it is."""


@dataclass(frozen=True)
class Ground:
    """What of a scene is looked at."""

    opened: NDArray[np.bool_]
    """(rows, columns) blocks of `covering.BLOCK` model pixels, from the scene's corner"""
    stretch: Stretch
    """of the scene"""

    @property
    def share(self) -> float:
        """Of the scene, that is open."""
        return float(self.opened.mean())


class Odds(NamedTuple):
    """What the scout says of a scene."""

    ship: NDArray[np.float32]
    """(rows, columns) probability of a ship in cells of 32 x 32 model pixels; 0 where there is no picture"""
    stretch: Stretch


def open_ground(scene: Scene, sampling: Sampling, scout: Scout, threshold: float, device: Device) -> Ground:
    """The part of a scene that is worth reading at full resolution; it depends on no tiling.

    Args:
        scene: any.
        sampling: of the model that looks closer.
        scout: which looks now.
        threshold: probability of a ship that opens a cell.
        device: where it computes.

    Raises:
        SceneError: the scene has no valid pixel.
        ReadError: the file is damaged.
    """
    odds = scout_scene(scene, sampling, scout, device)
    return Ground(around(odds.ship) >= threshold, odds.stretch)


def around(ship: NDArray[np.float32]) -> NDArray[np.float32]:
    """The greatest probability that opens each block: that of its cells and their neighbours."""
    wide = maximum_filter(ship, 2 * NEARBY + 1, mode="constant", cval=0.0)
    rows, columns = (-(-side // CELLS_A_BLOCK) for side in ship.shape)
    padded = np.zeros((rows * CELLS_A_BLOCK, columns * CELLS_A_BLOCK), np.float32)
    padded[: wide.shape[0], : wide.shape[1]] = wide
    return np.asarray(padded.reshape(rows, CELLS_A_BLOCK, columns, CELLS_A_BLOCK).max(axis=(1, 3)))


def scout_scene(scene: Scene, sampling: Sampling, scout: Scout, device: Device) -> Odds:
    """What the scout says of a whole scene; arguments and errors as `open_ground`."""
    coarse, stretch, quick = coarser(scene, sampling), scene_stretch(scene), fused(scout).to(device.device)
    rows, columns = block_shape(sampling.width, sampling.height)
    ship = np.zeros((rows * CELLS_A_BLOCK, columns * CELLS_A_BLOCK), np.float32)
    for top, strip, valid in _strips(scene, coarse, stretch, device):
        said = _look(quick, strip, device)
        here = (said * valid)[: len(ship) - top, : ship.shape[1]]
        ship[top : top + len(here), : here.shape[1]] = here
    cell = SCOUT_CELL * SCOUT_STRIDE
    return Odds(ship[: -(-sampling.height // cell), : -(-sampling.width // cell)], stretch)


def coarser(scene: Scene, sampling: Sampling) -> Sampling:
    """The scout's sampling, in pixels of an overview where there is one of nearly that size.

    Overviews are rounded up to whole pixels; read as they are, their last lies less than a scout pixel off.
    """
    grid, scale_x, scale_y = scene.grid, sampling.scale_x / SCOUT_STRIDE, sampling.scale_y / SCOUT_STRIDE
    for factor in scene.overviews:
        if abs(factor * scale_x - 1) < SNAP and abs(factor * scale_y - 1) < SNAP:
            width, height = -(-grid.width // factor), -(-grid.height // factor)
            return Sampling(width / grid.width, height / grid.height, width, height)
    return Sampling(scale_x, scale_y, -(-sampling.width // SCOUT_STRIDE), -(-sampling.height // SCOUT_STRIDE))


def _pieces(scene: Scene, coarse: Sampling) -> tuple[list[Window], int]:
    """Windows of the scout's pixels to read, strip after strip from left to right, and the rows of a strip."""
    level = open_level(scene, coarse)
    level.files.close()
    rows = max(1, round(STRIP / (level.step_y * level.box) / SCOUT_CELL)) * SCOUT_CELL
    columns = max(1, round(PIECE / (level.step_x * level.box) / SCOUT_CELL)) * SCOUT_CELL
    windows = [
        Window(x, y, min(columns, coarse.width - x), min(rows, coarse.height - y))
        for y in range(0, coarse.height, rows)
        for x in range(0, coarse.width, columns)
    ]
    return windows, rows


def _strips(
    scene: Scene, coarse: Sampling, stretch: Stretch, device: Device
) -> Iterator[tuple[int, "_Strip", NDArray[np.bool_]]]:
    """The first row of cells of each strip, its pixels, and which of its cells (rows, columns) have any."""
    windows, rows = _pieces(scene, coarse)
    held = _Held(coarse, rows, device)
    chips = prefetch_chips(scene, coarse, stretch, [Tile(window, window) for window in windows])
    for tile, chip in chips:
        held.take(chip.stretched())
        if tile.window.x + tile.window.width == coarse.width:
            yield from held.ready(tile.window.y + tile.window.height)


class _Strip(NamedTuple):
    """Pixels that the scout sees at once."""

    pixels: Tensor
    """(1, 3, H, W) channels last"""
    cells: slice
    """rows of cells that are meant"""


class _Held:
    """Rows of scout pixels that were read and may still be needed: those of two strips, and what lies around."""

    def __init__(self, coarse: Sampling, rows: int, device: Device) -> None:
        self._height, self._done, self._top = coarse.height, 0, 0
        # Few rows at once would be seen twice for the most part, because of what has to lie around them.
        self._least = max(rows, STRIP)
        shape = (1, SCOUT_BANDS, self._least + rows + 2 * SCOUT_REACH, coarse.width)
        self._pixels = torch.full(shape, MIDDLE, dtype=device.dtype, device=device.device)
        self._pixels = self._pixels.contiguous(memory_format=torch.channels_last)
        self._valid = np.zeros((-(-coarse.height // SCOUT_CELL), -(-coarse.width // SCOUT_CELL)), np.bool_)

    def take(self, chip: Chip) -> None:
        """Keeps what was read."""
        x, y, width, height = (getattr(chip.window, name) for name in ("x", "y", "width", "height"))
        here = self._pixels[0, :, y - self._top : y - self._top + height, x : x + width]
        here.copy_(torch.from_numpy(chip.pixels[:SCOUT_BANDS]))
        rows, columns = -(-height // SCOUT_CELL), -(-width // SCOUT_CELL)
        if not chip.valid.all():
            padded = np.zeros((rows * SCOUT_CELL, columns * SCOUT_CELL), np.bool_)
            padded[:height, :width] = chip.valid
            some = padded.reshape(rows, SCOUT_CELL, columns, SCOUT_CELL).any(axis=(1, 3))
        else:
            some = np.ones((rows, columns), np.bool_)
        top, left = y // SCOUT_CELL, x // SCOUT_CELL
        self._valid[top : top + rows, left : left + columns] = some

    def ready(self, until: int) -> Iterator[tuple[int, _Strip, NDArray[np.bool_]]]:
        """What can be looked at, once all rows before `until` are read."""
        last = until == self._height
        end = until if last else until - SCOUT_REACH
        if not last and end - self._done < self._least - SCOUT_REACH:
            return
        end = end if last else end // SCOUT_CELL * SCOUT_CELL
        above = self._done - self._top
        cells = slice(above // SCOUT_CELL, -(-(end - self._top) // SCOUT_CELL))
        top = self._done // SCOUT_CELL
        valid = self._valid[top : top + cells.stop - cells.start]
        yield top, _Strip(self._pixels[:, :, : until - self._top], cells), valid
        kept = max(end - SCOUT_REACH, 0)
        rest = self._pixels[:, :, kept - self._top : until - self._top].clone()
        self._pixels[:, :, : rest.shape[2]] = rest
        self._done, self._top = end, kept


def _look(scout: Scout, strip: _Strip, device: Device) -> NDArray[np.float32]:
    """Probabilities (rows, columns) of the cells of a strip."""
    half = device.dtype != torch.float32
    around = F.pad(strip.pixels, [BEYOND * SCOUT_CELL] * 4, value=MIDDLE)
    with torch.inference_mode(), torch.autocast(device.device.type, device.dtype, enabled=half):
        logits = scout(around)[0, BEYOND:-BEYOND, BEYOND:-BEYOND][strip.cells]
    said: NDArray[np.float32] = logits.float().sigmoid().cpu().numpy()
    return said
