"""What shipdet does, one function a job: the command line, the pipelines and Python callers all come here."""

import logging
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from os import PathLike
from pathlib import Path
from typing import Literal, NamedTuple

import geopandas as gpd
import numpy as np

from shipdet.errors import SceneError
from shipdet.export.explanation import draw_explanation, facts_of
from shipdet.export.picture import Picture, draw_scene
from shipdet.geometry import Hulls
from shipdet.inference.engine import Found, Tiling
from shipdet.inference.explain import Explained, Wanted, explain_ship, true_north
from shipdet.inference.georeference import SceneTags, georeference, pixel_detections
from shipdet.inference.looked import TileMemory
from shipdet.inference.sharpening import in_coarse_pixels, sharper_scene
from shipdet.inference.views import Augment, Looking, find_ships
from shipdet.models.choice import AUTO, load_model, with_optional_bands
from shipdet.models.device import Device, PrecisionName, choose_device
from shipdet.models.sharpener import factor_for
from shipdet.models.weights import Model
from shipdet.raster.bands import BandChoice
from shipdet.raster.raw import SceneFiles
from shipdet.raster.sampling import model_sampling
from shipdet.raster.scene import Scene, open_scene
from shipdet.raster.stretch import apply, stretch_of

log = logging.getLogger(__name__)

Source = str | PathLike[str] | Sequence[str | PathLike[str]]
"""A raster, or the single-band rasters of one scene."""
Progress = Callable[[int, int], None]
"""Told how many tiles of how many are done."""

PICTURE_SIDE = 2048
"""Longer side of a picture of a scene, in pixels."""
LIKELY = "%s: its pixels look like %.2g m, judged by its ships; without a CRS their sizes in metres go by that"
NOT_SHARPENED = "%s: its pixels measure %s, so it is looked at as it is; 1.41 to 5.66 m are sharpened"
LEAST_SIDE = 16
"""Model pixels that a scene must measure; nothing smaller shows a ship."""


@dataclass(frozen=True)
class DetectRequest:
    """How to look for ships; the defaults suit most scenes."""

    model: str = AUTO
    """The name of a model that ships or a weights file; AUTO is the one that suits the scene's ground pixels"""
    bands: BandChoice | None = None
    threshold: float | None = None
    """Lowest score to keep, else the model's own"""
    core: int = Tiling().core
    device: str = "auto"
    precision: PrecisionName = "auto"
    gsd_m: float | Literal["unknown"] | None = None
    """ground metres per pixel where the scene cannot tell, or that it is to be looked for"""
    pixel_coordinates: bool = False
    augment: Augment = "none"
    """further views of the scene, fused: more ships for more time"""
    dense: bool = False
    """look at everything closely, also where the model's scout sees nothing"""
    sharpen: bool = False
    """sharpen a scene of coarse pixels, 1.41 to 5.66 m, to about 1 m before; its copy takes room in TMPDIR"""


class Detection(NamedTuple):
    """The ships of one scene, and how they were found."""

    detections: gpd.GeoDataFrame
    hulls: Hulls
    scene: Scene
    device: str
    seconds: float
    model: str
    likely_gsd_m: float | None
    """ground metres per pixel that the ships speak for, where that was unknown"""
    opened: float = 1.0
    """share of the scene that was looked at closely"""
    sharpened: int = 1
    """pixels looked at per pixel of the scene, along each axis"""


class _Look(NamedTuple):
    """What was seen of a scene, and with what."""

    scene: Scene
    model: Model
    device: Device
    found: Found
    """in pixels of that scene, also where a sharper copy of it was looked at"""
    sharpened: int = 1


class Explanation(NamedTuple):
    """One ship of a scene, and how it was found."""

    detection: gpd.GeoDataFrame
    """one row, columns as of `detect`"""
    seen: Explained
    scene: Scene
    model: str


def detect(scene: Source, request: DetectRequest | None = None) -> gpd.GeoDataFrame:
    """The ships of a scene as a GeoDataFrame in the scene's CRS; columns as `inference.georeference.COLUMNS`.

    Raises:
        ShipdetError: the scene, the model or the device is not as expected; the message says what to do.
    """
    return run_detection(scene, request or DetectRequest()).detections


def run_detection(
    source: Source, request: DetectRequest, progress: Progress | None = None, memory: TileMemory | None = None
) -> Detection:
    """The ships of a scene, with what else there is to tell.

    Args:
        source: a raster, or the single-band rasters of one scene.
        request: how to look.
        progress: is told of each tile, and before that of each block that is sharpened.
        memory: what an earlier run with the same request saw of the same scene.

    Raises:
        ShipdetError: as `detect`.
    """
    began = time.perf_counter()
    looking = Looking(request.augment, Tiling(core=request.core), memory)
    scene, model, device, found, sharpened = (_look_sharper if request.sharpen else _look)(
        source, request, looking, progress
    )
    hulls = found.hulls[found.hulls.score >= _least_score(request, model, found)]
    if found.likely_gsd_m is not None:
        log.warning(LIKELY, scene.name, found.likely_gsd_m)
    if request.pixel_coordinates and (scene.gsd_m is not None or scene.grid.crs is None):
        gsd_m = _mean(scene.gsd_m) or found.likely_gsd_m or model.card.gsd_m
        detections = pixel_detections(hulls, gsd_m, _tags(scene, model))
    else:
        detections = georeference(hulls, scene.grid, _tags(scene, model))
    seconds = time.perf_counter() - began
    told = (device.label, seconds, model.card.name, found.likely_gsd_m, found.opened, sharpened)
    return Detection(detections, hulls, scene, *told)


def _look(source: Source, request: DetectRequest, looking: Looking, progress: Progress | None) -> _Look:
    """What is seen of a scene as it is."""
    scene, model, device = _prepare(source, request)
    return _Look(scene, model, device, find_ships(scene, model, device, looking, progress))


def _look_sharper(source: Source, request: DetectRequest, looking: Looking, progress: Progress | None) -> _Look:
    """What is seen of a scene's sharper copy, by the model that suits that; of itself where it is not that coarse."""
    scene = _open(source, request)
    _refuse_unplaced(scene, request)
    factor = factor_for(scene.gsd_m)
    if factor is None:
        pixels = "an unknown size" if scene.gsd_m is None else f"{_mean(scene.gsd_m):.3g} m"
        log.warning(NOT_SHARPENED, scene.name, pixels)
        return _look(source, request, looking, progress)
    device = choose_device(request.device, request.precision)
    with sharper_scene(scene, factor, device, progress) as copy:
        model = _model_for(copy, request)
        _refuse_small(copy, model)
        found = find_ships(copy, model, device, looking, progress)
    return _Look(scene, model, device, in_coarse_pixels(found, factor), factor)


def explain(source: Source, request: DetectRequest, at: tuple[float, float], within_m: float = 100.0) -> Explanation:
    """The ship nearest to a place, and what each part of the network says around it.

    Args:
        source: a raster, or the single-band rasters of one scene.
        request: how to look; further views and an unknown ground sample distance are not for one ship.
        at: longitude and latitude in degrees; column and row of the scene where the request is for pixels.
        within_m: how far from there the ship may lie.

    Raises:
        ShipdetError: as `detect`; or no ship lies there.
    """
    scene, model, device = _prepare(source, request)
    place = at if request.pixel_coordinates else scene.grid.to_pixels(np.array([at]))[0].tolist()
    least = model.card.score_threshold if request.threshold is None else request.threshold
    seen = explain_ship(scene, model, device, Wanted((place[0], place[1]), within_m, least))
    if scene.grid.crs is None:
        detection = pixel_detections(seen.ship, _mean(scene.gsd_m) or model.card.gsd_m, _tags(scene, model))
    else:
        detection = georeference(seen.ship, scene.grid, _tags(scene, model))
    return Explanation(detection, seen, scene, model.card.name)


def save_explanation(found: Explanation, path: Path) -> None:
    """Draws what speaks for a ship, step by step, side by side.

    Raises:
        OutputError: the picture cannot be written there.
    """
    title = f"{found.scene.scene_id} · {found.model}"
    draw_explanation(found.seen, facts_of(found.detection, title), true_north(found.scene.grid, found.seen), path)


def _prepare(source: Source, request: DetectRequest) -> tuple[Scene, Model, Device]:
    """The scene as the model reads it, the model, and where it computes."""
    scene = _open(source, request)
    _refuse_unplaced(scene, request)
    model = _model_for(scene, request)
    scene = _with_optional_bands(source, scene, model, request)
    _refuse_small(scene, model)
    return scene, model, choose_device(request.device, request.precision)


def _model_for(scene: Scene, request: DetectRequest) -> Model:
    """The model that was asked for or suits, without its scout where that is not to be asked."""
    model = load_model(request.model, scene)
    return model._replace(scout=None) if request.dense else model


def _tags(scene: Scene, model: Model) -> SceneTags:
    card = model.card
    return SceneTags(scene.scene_id, scene.acquired_at, card.name, card.types, card.ends == "unordered")


def _open(source: Source, request: DetectRequest) -> Scene:
    """The scene, without a ground sample distance where that is to be looked for."""
    if request.gsd_m == "unknown":
        return replace(open_scene(source, request.bands), gsd_m=None)
    return open_scene(source, request.bands, gsd_m=request.gsd_m)


def _least_score(request: DetectRequest, model: Model, found: Found) -> float:
    """What was asked for, else the model's own for as many views."""
    if request.threshold is not None:
        return request.threshold
    fused = model.card.fused_threshold
    return model.card.score_threshold if found.views == 1 or fused is None else fused


def _mean(gsd_m: tuple[float, float] | None) -> float | None:
    return None if gsd_m is None else float(np.sqrt(gsd_m[0] * gsd_m[1]))


def save_picture(found: Detection, path: Path) -> None:
    """Draws the ships on their scene, decimated where it is large.

    Raises:
        OutputError: the picture cannot be written there.
    """
    scene = found.scene
    with SceneFiles(scene) as files:
        raw = files.read_decimated(PICTURE_SIDE)
    bands = raw.pixels[list(scene.channels[:3])]
    pixels = apply(stretch_of(bands, raw.valid), bands)
    pixels[:, ~raw.valid] = np.nan
    gsd_m = _mean(scene.gsd_m) or found.likely_gsd_m
    title = f"{scene.scene_id} · {found.model}"
    draw_scene(Picture(pixels, pixels.shape[2] / scene.grid.width, title, gsd_m), found.hulls, path)


def _refuse_unplaced(scene: Scene, request: DetectRequest) -> None:
    """A scene without a place on Earth needs the caller's word that pixels will do, and the size of one."""
    if scene.grid.crs is None and not request.pixel_coordinates:
        raise SceneError(
            f"{scene.name} has no CRS; assign one with `rio edit-info --crs EPSG:CODE`, "
            "or pass --pixel-coordinates --gsd METRES (or --gsd unknown) for ships in pixels"
        )
    if scene.gsd_m is None and request.gsd_m != "unknown":
        raise SceneError(f"{scene.name} does not say how large its pixels are; pass --gsd METRES, or --gsd unknown")


def _with_optional_bands(source: Source, scene: Scene, model: Model, request: DetectRequest) -> Scene:
    """The scene with the further bands that the model likes to read, unless others were asked for."""
    bands = with_optional_bands(scene, model.card) if request.bands is None else None
    return scene if bands is None else _open(source, replace(request, bands=bands))


def _refuse_small(scene: Scene, model: Model) -> None:
    """Nothing smaller than a ship shows one."""
    read = model_sampling(_at_least_supposed(scene, model), model.card.gsd_m)
    if max(read.width, read.height) < LEAST_SIDE:
        size = f"{scene.grid.width} x {scene.grid.height}"
        raise SceneError(
            f"{scene.name} measures {size} pixels, {read.width} x {read.height} at the model's {model.card.gsd_m:g} m; "
            f"expected at least {LEAST_SIDE} on one side: give a larger scene"
        )


def _at_least_supposed(scene: Scene, model: Model) -> Scene:
    return replace(scene, gsd_m=scene.gsd_m or (model.card.gsd_m, model.card.gsd_m))
