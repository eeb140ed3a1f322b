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
from shipdet.geometry import UNDECIDED, Hulls
from shipdet.inference.assembly import assemble
from shipdet.inference.covering import cover
from shipdet.inference.evidence import CoarseMap
from shipdet.inference.looked import Looked, TileMaps, TileMemory, cells_of, only_open
from shipdet.inference.network_input import network_input
from shipdet.inference.scout import Ground, open_ground
from shipdet.inference.symmetry import AS_IT_IS, Symmetry
from shipdet.models.calibration import calibrated
from shipdet.models.decode import Tips, find_tips, join_tips
from shipdet.models.device import Device
from shipdet.models.inference_form import inference_form
from shipdet.models.task_partition import (
    BACKGROUND,
    COARSE_STRIDE,
    END,
    FINE_STRIDE,
    STRIDE,
    Coarse,
    TaskPartition,
)
from shipdet.models.weights import Model
from shipdet.raster.reader import Chip, prefetch_chips
from shipdet.raster.sampling import Sampling, model_sampling
from shipdet.raster.scene import Scene
from shipdet.raster.stretch import scene_stretch
from shipdet.raster.tiling import Tile, Window, core_size, make_tiles, near_scene

MARGIN = 288
"""Pixels around a core that are read with it.

Measured, not theoretical: the network reaches 338 pixels, but hardly listens to the last of them. With 288 no end of
a ship moved by more than 0.007 pixels and no score by more than 1e-5 on drawn harbours, in float32, which is
a fourteenth of what is allowed (0.1 and 1e-3) or less; with 256, 0.4 and 4e-4. See benchmarks/README.md.
"""
BEYOND = 96
"""Pixels outside a scene that are seen with it: nothing is there, so no more than a border's worth."""
LARGEST_IN_FLOAT32 = 1536
"""Pixels on a side of a core in float32, whose maps take twice the memory of those in half precision."""
FAINTEST_TIP = 0.08
"""Peaks below are no ends at all; detections are cut much higher."""

Progress = Callable[[int, int], None]
"""Told how many tiles of how many are done."""


class Tiling(NamedTuple):
    """How a scene is cut; results do not depend on core and offset."""

    core: int = 2048
    """pixels on a side, at most `LARGEST_IN_FLOAT32` in that precision"""
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
    """in inference form"""
    gate_threshold: float
    device: Device
    """where it looks, and how precisely"""
    bands: int = 3
    """that the network reads"""
    knows_bows: bool = True
    """whether it was taught to tell a bow from a stern"""
    types: int = 0
    """of ship, that it tells apart"""
    symmetry: Symmetry = AS_IT_IS
    """how tiles are turned before the network sees them"""
    more: Callable[[Coarse], Tensor] | None = None
    """(1, C, H/8, W/8) further maps to keep of what the deep branch says"""
    memory: TileMemory | None = None
    """of an earlier run with the same eye on the same tiles"""
    margin: int = MARGIN
    """pixels around a core that the network needs"""


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
    form = inference_form(model.network, device)
    eye = Eye(form, card.gate_threshold, device, len(card.bands), card.ends == "ordered", len(card.types))
    return eye._replace(margin=MARGIN + model.network.trunk.wider)


def scouted(scene: Scene, sampling: Sampling, model: Model, device: Device, tiling: Tiling) -> Tiling:
    """A tiling of what the model's scout opens; of all where the model has none. Errors as `detect_hulls`."""
    if model.scout is None or model.card.scout is None:
        return tiling
    return tiling._replace(ground=open_ground(scene, sampling, model.scout, model.card.scout.threshold, device))


def tiles_of(scene: Scene, sampling: Sampling, tiling: Tiling, eye: Eye) -> tuple[Tile, ...]:
    """The tiles that a pass over a scene goes through."""
    most = min(tiling.core, LARGEST_IN_FLOAT32) if eye.device.dtype == torch.float32 else tiling.core
    size = (sampling.width, sampling.height)
    if tiling.ground is not None:
        tiles = cover(tiling.ground.opened, size, most, eye.margin)
    else:
        core = core_size(scene, sampling, most, STRIDE)
        tiles = make_tiles(*size, core, eye.margin, STRIDE, tiling.offset)
    return tuple(near_scene(tile, *size, BEYOND, STRIDE) for tile in tiles)


def sweep(scene: Scene, sampling: Sampling, eye: Eye, tiling: Tiling, progress: Progress | None = None) -> Seen:
    """One pass over a scene, tile by tile; arguments and errors as `detect_hulls`."""
    tiles, ground = tiles_of(scene, sampling, tiling, eye), tiling.ground
    maps = TileMaps(sampling)
    unseen = [tile for tile in tiles if not maps.recall(tile, eye.memory)]
    stretch = ground.stretch if ground is not None else scene_stretch(scene)
    chips = prefetch_chips(scene, sampling, stretch, unseen) if unseen else ()
    for done, (tile, chip) in enumerate(chips, start=len(tiles) - len(unseen) + 1):
        if _any_valid(chip, tile):
            looked = look(eye, chip, tile)
            looked = looked if ground is None else only_open(looked, tile, ground.opened)
            maps.put(tile, looked)
            if eye.memory is not None:
                eye.memory.keep(tile, looked)
        if progress is not None:
            progress(done, len(tiles))
    tips = join_tips(maps.parts, eye.types)
    if not eye.knows_bows:
        tips = tips._replace(bow=np.full(len(tips.bow), UNDECIDED))
    opened = 1.0 if ground is None else ground.share
    return Seen(tips, CoarseMap(maps.ship, COARSE_STRIDE), sampling, maps.attention, maps.more, opened)


def look(eye: Eye, chip: Chip, tile: Tile) -> Looked:
    """One tile through the network: the deep branch everywhere, the shallow one where the gate is open.

    Args:
        eye: who looks.
        chip: of the tile's window.
        tile: whose core counts.
    """
    network, turn = eye.network, eye.symmetry
    with torch.inference_mode():
        pixels = turn.apply(network_input(chip, eye.bands, eye.device)).contiguous(memory_format=torch.channels_last)
        coarse = network.coarse(pixels)
        cells = cells_of(tile.core, tile.window.x, tile.window.y)
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
