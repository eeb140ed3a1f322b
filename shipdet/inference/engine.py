"""From a scene to hulls: tiles through the network, ends joined over the whole scene.

Nothing here holds more pixels than a few tiles. What is kept of the whole scene is its
ends and two coarse maps, a byte each for every cell of 8 x 8 pixels.
"""

from collections.abc import Callable
from typing import NamedTuple, Protocol

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from shipdet.attention.gate import open_gate
from shipdet.geometry import Hulls
from shipdet.inference.assembly import CoarseMap, assemble
from shipdet.models.decode import Tips, find_tips, join_tips
from shipdet.models.device import Device
from shipdet.models.task_partition import (
    BACKGROUND,
    COARSE_STRIDE,
    END,
    FINE_STRIDE,
    STRIDE,
    TaskPartition,
    normalise,
)
from shipdet.models.weights import Model
from shipdet.raster.reader import Chip, prefetch_chips
from shipdet.raster.sampling import Sampling, model_sampling
from shipdet.raster.scene import Scene
from shipdet.raster.stretch import scene_stretch
from shipdet.raster.tiling import Tile, Window, core_size, make_tiles

MARGIN = 352
"""Pixels around a core that may change what is said of it: the network's reach, 322, and a cell for peaks and gate."""
FAINTEST_TIP = 0.08
"""Peaks below are no ends at all; detections are cut much higher."""

Progress = Callable[[int, int], None]
"""Told how many tiles of how many are done."""


class Tiling(NamedTuple):
    """How a scene is cut; results do not depend on it."""

    core: int = 1536
    offset: tuple[int, int] = (0, 0)


class Found(NamedTuple):
    """What the network saw in a scene."""

    hulls: Hulls
    """in scene pixels, best first; beams in the mean ground pixel, sqrt(x * y)"""
    sampling: Sampling
    attention: NDArray[np.uint8]
    """(ceil(H/8), ceil(W/8)) of model pixels; probability of an end, 255 is 1"""


class Looked(NamedTuple):
    """What the network says of one tile's core."""

    tips: Tips
    """in model pixels of the scene"""
    attention: NDArray[np.uint8]
    """of the core's coarse cells"""
    ship: NDArray[np.uint8]
    """likewise, probability of hull or end"""


class TileMemory(Protocol):
    """Keeps what was seen of tiles, so that a run that was stopped need not look at them again."""

    def recall(self, tile: Tile) -> Looked | None:
        """What was kept of a tile, or None."""

    def keep(self, tile: Tile, looked: Looked) -> None:
        """Keeps a tile for good; it is only recalled whole."""


def detect_hulls(
    scene: Scene,
    model: Model,
    device: Device,
    tiling: Tiling | None = None,
    progress: Progress | None = None,
    memory: TileMemory | None = None,
) -> Found:
    """Finds the ships of a scene.

    Args:
        scene: with a known ground sample distance.
        model: whose network looks.
        device: where and how precisely it computes; the network is moved there.
        tiling: how the scene is cut, or the default.
        progress: is told of each tile.
        memory: of an earlier run on the same scene with the same model, device and tiling.

    Raises:
        SceneError: the scene's ground sample distance is unknown, or it has no valid pixel.
        ReadError: the file is damaged.
    """
    tiling = tiling or Tiling()
    sampling = model_sampling(scene, model.card.gsd_m)
    core = core_size(scene, sampling, tiling.core, STRIDE)
    tiles = make_tiles(sampling.width, sampling.height, core, MARGIN, STRIDE, tiling.offset)
    network = model.network.to(device.device)
    seen = _Seen(sampling, memory)
    unseen = [tile for tile in tiles if not seen.recall(tile)]
    chips = prefetch_chips(scene, sampling, scene_stretch(scene), unseen) if unseen else ()
    for done, (tile, chip) in enumerate(chips, start=len(tiles) - len(unseen) + 1):
        if _any_valid(chip, tile):
            seen.keep(tile, look(network, chip, tile, model.card.gate_threshold, device))
        if progress is not None:
            progress(done, len(tiles))
    hulls = assemble(join_tips(seen.parts), CoarseMap(seen.ship, COARSE_STRIDE))
    return Found(_in_scene_pixels(hulls, sampling), sampling, seen.attention)


class _Seen:
    """What has been seen of a scene so far."""

    def __init__(self, sampling: Sampling, memory: TileMemory | None) -> None:
        shape = (-(-sampling.height // COARSE_STRIDE), -(-sampling.width // COARSE_STRIDE))
        self.attention, self.ship = np.zeros(shape, np.uint8), np.zeros(shape, np.uint8)
        self.parts: list[Tips] = []
        self._memory = memory

    def recall(self, tile: Tile) -> bool:
        """Whether an earlier run saw the tile; then it is taken over."""
        looked = None if self._memory is None else self._memory.recall(tile)
        if looked is None:
            return False
        self._take(tile, looked)
        return True

    def keep(self, tile: Tile, looked: Looked) -> None:
        self._take(tile, looked)
        if self._memory is not None:
            self._memory.keep(tile, looked)

    def _take(self, tile: Tile, looked: Looked) -> None:
        here = _cells(tile.core, 0, 0)
        self.attention[here], self.ship[here] = looked.attention, looked.ship
        self.parts.append(looked.tips)


def look(network: TaskPartition, chip: Chip, tile: Tile, gate_threshold: float, device: Device) -> Looked:
    """One tile through the network: the deep branch everywhere, the shallow one where the gate is open."""
    pixels = torch.from_numpy(chip.pixels)[None].to(device.device, device.dtype, memory_format=torch.channels_last)
    half = device.dtype != torch.float32
    with torch.inference_mode(), torch.autocast(device.device.type, device.dtype, enabled=half):
        coarse = network.coarse(normalise(pixels))
        cells = _cells(tile.core, tile.window.x, tile.window.y)
        probability = coarse.probability[0]
        attention, ship = probability[END], 1 - probability[BACKGROUND]
        gate = _only_near(open_gate(attention[None], gate_threshold)[0], cells)
        tips = find_tips(network, coarse, gate, FAINTEST_TIP)
    tips = tips.moved(tile.window.x, tile.window.y)
    return Looked(tips.where(_owned(tips, tile.core)), _bytes(attention[cells]), _bytes(ship[cells]))


def _bytes(probability: Tensor) -> NDArray[np.uint8]:
    rounded: NDArray[np.uint8] = (probability * 255).round().to(torch.uint8).cpu().numpy()
    return rounded


def _any_valid(chip: Chip, tile: Tile) -> bool:
    """Whether the core has a pixel to look at."""
    y, x = tile.core.y - tile.window.y, tile.core.x - tile.window.x
    return bool(chip.valid[y : y + tile.core.height, x : x + tile.core.width].any())


def _cells(core: Window, x: int, y: int) -> tuple[slice, slice]:
    """The coarse cells of a core on a map whose corner lies at (x, y)."""
    top, left = (core.y - y) // COARSE_STRIDE, (core.x - x) // COARSE_STRIDE
    return (
        slice(top, top - (-core.height // COARSE_STRIDE)),
        slice(left, left - (-core.width // COARSE_STRIDE)),
    )


def _only_near(gate: Tensor, cells: tuple[slice, slice]) -> Tensor:
    """The gate shut but for the cells of the core and one around, which its peaks are compared with."""
    near = torch.zeros_like(gate)
    grown = tuple(slice(s.start - 1, s.stop + 1) for s in cells)
    near[grown] = gate[grown]
    return near


def _owned(tips: Tips, core: Window) -> NDArray[np.bool_]:
    """Tips whose cell lies in the core; each cell lies in exactly one."""
    x, y = (tips.cell - FINE_STRIDE / 2).T
    inside = (x >= core.x) & (x < core.x + core.width) & (y >= core.y) & (y < core.y + core.height)
    return np.asarray(inside)


def _in_scene_pixels(hulls: Hulls, sampling: Sampling) -> Hulls:
    return Hulls(
        bow=sampling.to_scene(hulls.bow),
        stern=sampling.to_scene(hulls.stern),
        beam=hulls.beam / np.sqrt(sampling.scale_x * sampling.scale_y),
        score=hulls.score,
        bow_score=hulls.bow_score,
    )
