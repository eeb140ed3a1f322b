"""From a scene to hulls: tiles through the network, ends joined over the whole scene.

Nothing here holds more pixels than a few tiles; of the whole scene its ends are kept and two bytes a coarse cell.
"""

from collections.abc import Callable
from dataclasses import replace
from typing import NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from shipdet.attention.gate import open_gate
from shipdet.geometry import Hulls
from shipdet.inference.assembly import assemble
from shipdet.inference.covering import cover
from shipdet.inference.evidence import CoarseMap
from shipdet.inference.looked import Looked, TileMemory, only_open
from shipdet.inference.scout import Ground, open_ground
from shipdet.inference.symmetry import AS_IT_IS, Symmetry
from shipdet.models.calibration import calibrated
from shipdet.models.decode import UNDECIDED, Tips, find_tips, join_tips
from shipdet.models.device import Device
from shipdet.models.task_partition import (
    BACKGROUND,
    COARSE_STRIDE,
    END,
    FINE_STRIDE,
    STRIDE,
    Coarse,
    TaskPartition,
    normalise,
)
from shipdet.models.weights import Model
from shipdet.raster.reader import FILL, Chip, prefetch_chips
from shipdet.raster.sampling import Sampling, model_sampling
from shipdet.raster.scene import Scene
from shipdet.raster.stretch import scene_stretch
from shipdet.raster.tiling import Tile, Window, core_size, make_tiles

MARGIN = 352
"""Pixels around a core that may change what is said of it: the network's reach, 338, and a cell for peaks and gate."""
FAINTEST_TIP = 0.08
"""Peaks below are no ends at all; detections are cut much higher."""

Progress = Callable[[int, int], None]
"""Told how many tiles of how many are done."""


class Tiling(NamedTuple):
    """How a scene is cut; results do not depend on core and offset."""

    core: int = 1536
    offset: tuple[int, int] = (0, 0)
    """of the first inner corner of cores, where all is looked at"""
    ground: Ground | None = None
    """what is looked at; None: all. It does decide over results"""


class Found(NamedTuple):
    """What the network saw in a scene."""

    hulls: Hulls
    """in scene pixels, best first; beams in the mean ground pixel, sqrt(x * y); scores as the card calibrates them"""
    sampling: Sampling
    attention: NDArray[np.uint8]
    """(ceil(H/8), ceil(W/8)) of model pixels; probability of an end, 255 is 1"""
    views: int = 1
    """how often the scene was looked at"""
    likely_gsd_m: float | None = None
    """ground sample distance that the ships speak for, where it was looked for and there are any"""
    opened: float = 1.0
    """share of the scene that the scout had looked at closely; all of it where there is no scout"""


class Eye(NamedTuple):
    """Who looks at tiles, and how."""

    network: TaskPartition
    gate_threshold: float
    device: Device
    """where the network is moved to"""
    bands: int = 3
    """that the network reads"""
    knows_bows: bool = True
    """whether it was taught to tell a bow from a stern"""
    symmetry: Symmetry = AS_IT_IS
    """how tiles are turned before the network sees them"""
    more: Callable[[Coarse], Tensor] | None = None
    """(1, C, H/8, W/8) further maps to keep of what the deep branch says"""
    memory: TileMemory | None = None
    """of an earlier run with the same eye on the same tiles"""


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
    eye = eye_of(model, device)._replace(memory=memory)
    sampling = model_sampling(scene, model.card.gsd_m)
    seen = sweep(scene, sampling, eye, scouted(scene, sampling, model, device, tiling or Tiling()), progress)
    return Found(hulls_of(seen, model), seen.sampling, seen.attention, opened=seen.opened)


class Seen(NamedTuple):
    """What the network says of a scene, before ends are joined."""

    tips: Tips
    """in model pixels"""
    coarse: CoarseMap
    sampling: Sampling
    attention: NDArray[np.uint8]
    """as `Found.attention`"""
    more: NDArray[np.float16]
    """(C, ceil(H/8), ceil(W/8)) likewise; C is 0 where the eye asked for nothing more"""
    opened: float = 1.0
    """as `Found.opened`"""


def hulls_of(seen: Seen, model: Model) -> Hulls:
    """Ends joined into ships, as `Found.hulls`."""
    hulls = assemble(seen.tips, seen.coarse, model.scorer)
    hulls = replace(hulls, score=calibrated(hulls.score, model.card.calibration))
    return in_scene_pixels(hulls, seen.sampling)


def see(
    scene: Scene, model: Model, device: Device, tiling: Tiling | None = None, progress: Progress | None = None
) -> Seen:
    """All tiles of a scene through the network, whatever a scout says; arguments and errors as `detect_hulls`."""
    return sweep(scene, model_sampling(scene, model.card.gsd_m), eye_of(model, device), tiling or Tiling(), progress)


def eye_of(model: Model, device: Device) -> Eye:
    """The plain eye of a model."""
    card = model.card
    return Eye(model.network, card.gate_threshold, device, len(card.bands), card.ends == "ordered")


def scouted(scene: Scene, sampling: Sampling, model: Model, device: Device, tiling: Tiling) -> Tiling:
    """A tiling of what the model's scout opens; of all where the model has none. Errors as `detect_hulls`."""
    if model.scout is None or model.card.scout is None:
        return tiling
    return tiling._replace(ground=open_ground(scene, sampling, model.scout, model.card.scout.threshold, device))


def tiles_of(scene: Scene, sampling: Sampling, tiling: Tiling) -> tuple[Tile, ...]:
    """The tiles that a pass over a scene goes through."""
    if tiling.ground is not None:
        return cover(tiling.ground.opened, (sampling.width, sampling.height), tiling.core, MARGIN)
    core = core_size(scene, sampling, tiling.core, STRIDE)
    return make_tiles(sampling.width, sampling.height, core, MARGIN, STRIDE, tiling.offset)


def sweep(scene: Scene, sampling: Sampling, eye: Eye, tiling: Tiling, progress: Progress | None = None) -> Seen:
    """One pass over a scene, tile by tile; arguments and errors as `detect_hulls`."""
    tiles, ground = tiles_of(scene, sampling, tiling), tiling.ground
    eye.network.to(eye.device.device)
    seen = _Map(sampling, eye.memory)
    unseen = [tile for tile in tiles if not seen.recall(tile)]
    stretch = ground.stretch if ground is not None else scene_stretch(scene)
    chips = prefetch_chips(scene, sampling, stretch, unseen) if unseen else ()
    for done, (tile, chip) in enumerate(chips, start=len(tiles) - len(unseen) + 1):
        if _any_valid(chip, tile):
            looked = look(eye, _with_all_bands(chip, eye.bands), tile)
            seen.keep(tile, looked if ground is None else only_open(looked, tile, ground.opened))
        if progress is not None:
            progress(done, len(tiles))
    tips = join_tips(seen.parts)
    if not eye.knows_bows:
        tips = tips._replace(bow=np.full(len(tips.bow), UNDECIDED))
    opened = 1.0 if ground is None else ground.share
    return Seen(tips, CoarseMap(seen.ship, COARSE_STRIDE), sampling, seen.attention, seen.more, opened)


def _with_all_bands(chip: Chip, bands: int) -> Chip:
    """A chip with `FILL` in place of the optional bands that its scene lacks, which come last."""
    missing = bands - len(chip.pixels)
    if missing <= 0:
        return chip
    empty = np.full((missing, *chip.valid.shape), FILL, np.float32)
    return replace(chip, pixels=np.concatenate([chip.pixels, empty]))


class _Map:
    """What has been seen of a scene so far."""

    def __init__(self, sampling: Sampling, memory: TileMemory | None) -> None:
        shape = (-(-sampling.height // COARSE_STRIDE), -(-sampling.width // COARSE_STRIDE))
        self.attention, self.ship = np.zeros(shape, np.uint8), np.zeros(shape, np.uint8)
        self.more = np.zeros((0, *shape), np.float16)
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
        if len(self.more) < len(looked.more):
            self.more = np.zeros((len(looked.more), *self.ship.shape), np.float16)
        self.more[:, *here] = looked.more
        self.parts.append(looked.tips)


def look(eye: Eye, chip: Chip, tile: Tile) -> Looked:
    """One tile through the network: the deep branch everywhere, the shallow one where the gate is open."""
    device, network, turn = eye.device, eye.network, eye.symmetry
    pixels = turn.apply(torch.from_numpy(chip.pixels)[None].to(device.device, device.dtype))
    half = device.dtype != torch.float32
    with torch.inference_mode(), torch.autocast(device.device.type, device.dtype, enabled=half):
        coarse = network.coarse(normalise(pixels.contiguous(memory_format=torch.channels_last)))
        cells = _cells(tile.core, tile.window.x, tile.window.y)
        probability = coarse.probability[0]
        attention, ship = probability[END], 1 - probability[BACKGROUND]
        gate = open_gate(attention[None], eye.gate_threshold)[0]
        gate = turn.apply(_only_near(turn.undo(gate), cells))
        tips = find_tips(network, coarse, gate, FAINTEST_TIP)
        maps = [torch.stack([attention, ship])]
        maps += [eye.more(coarse)[0].float()] if eye.more is not None else []
        shown = turn.undo(torch.cat(maps))[:, *cells]
    tips = turn.undo_tips(tips, *pixels.shape[-2:]).moved(tile.window.x, tile.window.y)
    more: NDArray[np.float16] = shown[2:].half().cpu().numpy()
    return Looked(tips.where(_owned(tips, tile.core)), _bytes(shown[0]), _bytes(shown[1]), more)


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


def in_scene_pixels(hulls: Hulls, sampling: Sampling) -> Hulls:
    """Hulls in model pixels as they lie in the scene."""
    return replace(
        hulls,
        bow=sampling.to_scene(hulls.bow),
        stern=sampling.to_scene(hulls.stern),
        beam=hulls.beam / np.sqrt(sampling.scale_x * sampling.scale_y),
    )
