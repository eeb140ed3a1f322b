"""Why the network calls something a ship: what each part of it says around the ship nearest to a place."""

from dataclasses import replace
from typing import NamedTuple

import numpy as np
import shapely
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from torch import Tensor

from shipdet.attention.gate import open_gate
from shipdet.errors import InputError
from shipdet.geometry import UNDECIDED, Array, Grid, Hulls, rectangle_corners
from shipdet.inference.afloat import afloat
from shipdet.inference.engine import BEYOND, Eye, Seen, eye_of, hulls_of, look
from shipdet.inference.evidence import CoarseMap
from shipdet.inference.network_input import network_input
from shipdet.inference.second_look import look_again
from shipdet.inference.type_look import look_for_types
from shipdet.models.decode import PATCH
from shipdet.models.device import Device
from shipdet.models.task_partition import BOW, COARSE_STRIDE, FINE_STRIDE, STERN, STRIDE
from shipdet.models.weights import Model
from shipdet.raster.reader import Chip, SceneReader, read_chip
from shipdet.raster.sampling import Sampling, model_sampling
from shipdet.raster.scene import Scene
from shipdet.raster.stretch import Stretch, scene_stretch
from shipdet.raster.tiling import Tile, Window, near_scene, tile_of

LONGEST = 512
"""Model pixels looked at around where ships are looked for: ships beyond the network's reach are not joined anyway."""
ALIGNED = 64
"""Tiles start at multiples of this, as those of a whole scene do: patches of the shallow branch are then the same."""
ROOM = 1.8
"""Side of what is shown, in lengths of the ship."""
LEAST_SIDE = 96
"""Model pixels that are shown at least, so that there are surroundings."""
NORTHWARD_DEG = 1e-4
"""A step that is short for the Earth and long for rounding."""

FloatMap = NDArray[np.float32]
Mask = NDArray[np.bool_]


class Maps(NamedTuple):
    """What the network says of a square window of H x W model pixels."""

    window: Window
    pixels: FloatMap
    """(3, H, W) stretched, 0 to 1; NaN where the scene has no data"""
    attention: FloatMap
    """(H/8, W/8) probability of an end: the deep branch's attention map"""
    gate: Mask
    """(H/8, W/8) where the shallow branch is listened to"""
    computed: Mask
    """(H/8, W/8) the patches that it is computed on"""
    bow: FloatMap
    """(H/4, W/4) heat of bows, 0 where the gate is shut"""
    stern: FloatMap
    """(H/4, W/4) likewise"""


class Explained(NamedTuple):
    """One ship, and what the network says around it."""

    ship: Hulls
    """of length 1, in scene pixels"""
    neighbours: Hulls
    """other ships around, in scene pixels"""
    maps: Maps
    sampling: Sampling
    gsd_m: tuple[float, float]
    """ground metres of a model pixel, along columns and rows"""
    gate_threshold: float


class Wanted(NamedTuple):
    """Which ship is to be explained."""

    place: tuple[float, float]
    """(x, y) in scene pixels, within the scene"""
    within_m: float
    """how far from the place the ship may lie"""
    least_score: float
    """of ships that are reported"""


class _View(NamedTuple):
    """Who looks at what."""

    reader: SceneReader
    stretch: Stretch
    model: Model
    eye: Eye

    def tile(self, columns: tuple[int, int], rows: tuple[int, int]) -> Tile:
        """What answers for a range of model pixels, seen as `detect_hulls` sees it."""
        sampling = self.reader.sampling
        tile = tile_of(columns, rows, self.eye.margin, STRIDE)
        return near_scene(tile, sampling.width, sampling.height, BEYOND, STRIDE)

    def chip(self, tile: Tile) -> Chip:
        """What the network sees of a tile."""
        return read_chip(self.reader, self.stretch, tile.window)


def explain_ship(scene: Scene, model: Model, device: Device, wanted: Wanted) -> Explained:
    """The ship nearest to a place, as `find_ships` finds it in one view, and the maps that it was found by.

    Only the surroundings are read, however large the scene is.

    Args:
        scene: with a known ground sample distance.
        model: whose network looks.
        device: where and how precisely it computes.
        wanted: which ship.

    Raises:
        InputError: no ship lies there, or the place lies outside the scene.
        SceneError: the scene's ground sample distance is unknown, or it has no valid pixel.
        ReadError: the file is damaged.
    """
    sampling = model_sampling(scene, model.card.gsd_m)
    gsd_m = _model_gsd_m(scene, sampling)
    _require_inside(scene, wanted.place)
    eye = eye_of(model, device)
    with SceneReader(scene, sampling) as reader:
        view = _View(reader, scene_stretch(scene), model, eye)
        hulls = _ships_around(view, wanted, gsd_m)
        hulls = hulls[afloat(hulls, scene, sampling, model)]
        ship, neighbours = _pick(hulls, wanted, sampling, gsd_m)
        ship = look_for_types(look_again(ship, scene, sampling, model, device), scene, sampling, model, device)
        maps = _maps(view, _shown(ship, sampling))
    return Explained(ship, neighbours, maps, sampling, gsd_m, model.card.gate_threshold)


def in_window(hulls: Hulls, explained: Explained) -> Hulls:
    """Hulls in scene pixels as they lie in the maps' window, in model pixels."""
    sampling, window = explained.sampling, explained.maps.window
    corner = np.array([window.x, window.y], np.float64)
    return replace(
        hulls,
        bow=sampling.to_model(hulls.bow) - corner,
        stern=sampling.to_model(hulls.stern) - corner,
        beam=hulls.beam * np.sqrt(sampling.scale_x * sampling.scale_y),
    )


def true_north(grid: Grid, explained: Explained) -> Array | None:
    """The direction (2,) of true north at the ship on the maps, as a unit vector; None where there is no Earth."""
    if grid.crs is None:
        return None
    middle = (explained.ship.bow + explained.ship.stern) / 2
    lon, lat = grid.to_lonlat(middle)[0]
    here, there = grid.to_pixels(np.array([[lon, lat], [lon, lat + NORTHWARD_DEG]]))
    step = explained.sampling.to_model((there - here)[None])[0]
    return np.asarray(step / np.hypot(*step))


def _model_gsd_m(scene: Scene, sampling: Sampling) -> tuple[float, float]:
    x, y = scene.gsd_m or (1.0, 1.0)  # `model_sampling` refused scenes without
    return x / sampling.scale_x, y / sampling.scale_y


def _require_inside(scene: Scene, place: tuple[float, float]) -> None:
    (x, y), grid = place, scene.grid
    if not (0 <= x < grid.width and 0 <= y < grid.height):
        where = f"column {x:.0f}, row {y:.0f}" if abs(x) + abs(y) < 1e9 else "no pixel at all"
        raise InputError(
            f"the place lies outside {scene.name}: expected one within its {grid.width} x {grid.height} pixels, got "
            f"{where}; see `shipdet info` for where the scene lies"
        )


def _ships_around(view: _View, wanted: Wanted, gsd_m: tuple[float, float]) -> Hulls:
    """All ships that may matter, however faint, in scene pixels."""
    sampling = view.reader.sampling
    reach = LONGEST + int(wanted.within_m / min(gsd_m))
    middle = sampling.to_model(np.array([wanted.place]))[0]
    sizes = (sampling.width, sampling.height)
    columns, rows = ((max(a, 0), min(b, n)) for (a, b), n in zip(_aligned(middle, 2 * reach), sizes, strict=True))
    tile = view.tile(columns, rows)
    looked = look(view.eye, view.chip(tile), tile)
    tips = looked.tips.moved(-tile.core.x, -tile.core.y)
    if not view.eye.knows_bows:
        tips = tips._replace(bow=np.full(len(tips.bow), UNDECIDED))
    seen = Seen(tips, CoarseMap(looked.ship, COARSE_STRIDE), sampling, looked.attention, looked.more)
    hulls = hulls_of(seen, view.model)
    corner = sampling.to_scene(np.array([[tile.core.x, tile.core.y]], np.float64))
    return replace(hulls, bow=hulls.bow + corner, stern=hulls.stern + corner)


def _aligned(middle: Array, side: float) -> list[tuple[int, int]]:
    """Columns and rows, from and to, of an aligned rectangle that holds a square around a place (2,)."""
    return [
        (int((at - side / 2) // ALIGNED) * ALIGNED, -int((-at - side / 2) // ALIGNED) * ALIGNED)
        for at in middle.tolist()
    ]


def _pick(hulls: Hulls, wanted: Wanted, sampling: Sampling, gsd_m: tuple[float, float]) -> tuple[Hulls, Hulls]:
    """The ship nearest to the place, by its outline and then by its axis, and the others."""
    told = hulls[hulls.score >= wanted.least_score]
    metres = np.array([sampling.scale_x, sampling.scale_y]) * gsd_m
    bow, stern, beam = told.bow * metres, told.stern * metres, told.beam * np.sqrt(metres.prod())
    place = shapely.Point(np.array(wanted.place) * metres)
    away_m = shapely.distance(shapely.polygons(rectangle_corners(bow, stern, beam)), place)
    off_m = shapely.distance(shapely.linestrings(np.stack([bow, stern], axis=1)), place)
    order = np.lexsort((off_m, away_m))
    if not len(order) or away_m[order[0]] > wanted.within_m:
        raise InputError(_none_there(wanted, float(away_m[order[0]]) if len(order) else None))
    return told[order[:1]], told[order[1:]]


def _none_there(wanted: Wanted, nearest_m: float | None) -> str:
    found = "none is anywhere near" if nearest_m is None else f"the nearest is {nearest_m:.0f} m away"
    return (
        f"no ship of score {wanted.least_score:.2f} or more within {wanted.within_m:g} m of the place: {found}; "
        "give a place on a ship, or a greater --within, or a lower --threshold"
    )


def _shown(ship: Hulls, sampling: Sampling) -> Window:
    """A square around a ship, on coarse cells; it may stick out of the scene."""
    bow, stern = sampling.to_model(ship.bow)[0], sampling.to_model(ship.stern)[0]
    cells = int(np.ceil(max(ROOM * float(np.hypot(*(bow - stern))), LEAST_SIDE) / COARSE_STRIDE))
    x, y = (np.round((bow + stern) / 2 / COARSE_STRIDE - cells / 2) * COARSE_STRIDE).astype(int).tolist()
    return Window(x, y, cells * COARSE_STRIDE, cells * COARSE_STRIDE)


def _maps(view: _View, window: Window) -> Maps:
    """One tile through the network, both branches everywhere, and of its maps the part in a window."""
    middle = np.array([window.x + window.width / 2, window.y + window.height / 2])
    columns, rows = _aligned(middle, window.width)
    tile = view.tile(columns, rows)
    eye, chip = view.eye, view.chip(tile)
    with torch.inference_mode():
        coarse = eye.network.coarse(network_input(chip, eye.bands, eye.device))
        gate = open_gate(coarse.attention, eye.gate_threshold)[0]
        heat = eye.network.ends(coarse)[0, :, 0].float().sigmoid()
        fine_gate = F.interpolate(gate[None, None].float(), scale_factor=2.0)[0]
        rim = (fine_gate.shape[-1] - heat.shape[-1]) // 2  # which a network in inference form leaves out
        heat = F.pad(heat, (rim, rim, rim, rim)) * fine_gate
    inside = _part(window, tile.window, 1)
    rgb = np.where(chip.valid, np.clip(chip.pixels[:3], 0, 1), np.nan)
    coarse_part, fine_part = _part(window, tile.window, COARSE_STRIDE), _part(window, tile.window, FINE_STRIDE)
    return Maps(
        window=window,
        pixels=rgb[:, *inside],
        attention=_array(coarse.attention[0])[coarse_part],
        gate=gate.cpu().numpy()[coarse_part],
        computed=_computed(gate)[coarse_part],
        bow=_array(heat[BOW])[fine_part],
        stern=_array(heat[STERN])[fine_part],
    )


def _part(window: Window, whole: Window, stride: int) -> tuple[slice, slice]:
    """Where a window lies on the maps of another that holds it."""
    y, x = (window.y - whole.y) // stride, (window.x - whole.x) // stride
    return slice(y, y + window.height // stride), slice(x, x + window.width // stride)


def _computed(gate: Tensor) -> Mask:
    """The cells (h, w) of patches with an open cell."""
    patches = F.max_pool2d(gate[None, None].float(), PATCH, ceil_mode=True)
    cells: Mask = F.interpolate(patches, scale_factor=float(PATCH))[0, 0].bool().cpu().numpy()
    return cells[: gate.shape[0], : gate.shape[1]]


def _array(values: Tensor) -> FloatMap:
    found: FloatMap = values.float().cpu().numpy()
    return found
