"""What shipdet does, one function a job: the command line, the pipelines and Python callers all come here."""

import logging
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from os import PathLike
from pathlib import Path
from typing import NamedTuple

import geopandas as gpd
import numpy as np

from shipdet.config import TrainConfig
from shipdet.errors import SceneError
from shipdet.export.picture import Picture, draw_scene
from shipdet.geometry import Hulls
from shipdet.inference.engine import TileMemory, Tiling, detect_hulls
from shipdet.inference.georeference import SceneTags, georeference, pixel_detections
from shipdet.models.device import PrecisionName, choose_device
from shipdet.models.weights import Model, load_weights, round_to_half, save_weights
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
COARSEST = 2.5
"""Scene pixels above this many model pixels show too little; they are read all the same."""
LEAST_SIDE = 16
"""Model pixels that a scene must measure; nothing smaller shows a ship."""


@dataclass(frozen=True)
class DetectRequest:
    """How to look for ships; the defaults suit most scenes."""

    model: str = "inshore-vhr"
    bands: BandChoice | None = None
    threshold: float | None = None
    """Lowest score to keep, else the model's own"""
    core: int = Tiling().core
    device: str = "auto"
    precision: PrecisionName = "auto"
    gsd_m: float | None = None
    pixel_coordinates: bool = False


class Detection(NamedTuple):
    """The ships of one scene, and how they were found."""

    detections: gpd.GeoDataFrame
    hulls: Hulls
    scene: Scene
    device: str
    seconds: float
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
        progress: is told of each tile.
        memory: what an earlier run with the same request saw of the same scene.

    Raises:
        ShipdetError: as `detect`.
    """
    began = time.perf_counter()
    scene = open_scene(source, request.bands, gsd_m=request.gsd_m)
    _refuse_unplaced(scene, request)
    model = load_weights(request.model)
    _refuse_unfit(scene, model)
    device = choose_device(request.device, request.precision)
    found = detect_hulls(scene, model, device, Tiling(core=request.core), progress, memory)
    least = model.card.score_threshold if request.threshold is None else request.threshold
    hulls = found.hulls[found.hulls.score >= least]
    tags = SceneTags(scene.scene_id, scene.acquired_at, model.card.name)
    if request.pixel_coordinates and scene.gsd_m is not None:
        detections = pixel_detections(hulls, float(np.sqrt(scene.gsd_m[0] * scene.gsd_m[1])), tags)
    else:
        detections = georeference(hulls, scene.grid, tags)
    return Detection(detections, hulls, scene, device.label, time.perf_counter() - began, model.card.name)


def save_picture(found: Detection, path: Path) -> None:
    """Draws the ships on their scene, decimated where it is large.

    Raises:
        OutputError: the picture cannot be written there.
    """
    scene = found.scene
    with SceneFiles(scene) as files:
        raw = files.read_decimated(PICTURE_SIDE)
    bands = raw.pixels[list(scene.channels)]
    pixels = apply(stretch_of(bands, raw.valid), bands)
    pixels[:, ~raw.valid] = np.nan
    gsd_m = None if scene.gsd_m is None else float(np.sqrt(scene.gsd_m[0] * scene.gsd_m[1]))
    title = f"{scene.scene_id} · {found.model}"
    draw_scene(Picture(pixels, pixels.shape[2] / scene.grid.width, title, gsd_m), found.hulls, path)


def _refuse_unplaced(scene: Scene, request: DetectRequest) -> None:
    """A scene without a place on Earth needs the caller's word that pixels will do, and the size of one."""
    if scene.grid.crs is None and not request.pixel_coordinates:
        raise SceneError(
            f"{scene.name} has no CRS; assign one with `rio edit-info --crs EPSG:CODE`, "
            "or pass --pixel-coordinates --gsd METRES for ships in pixels"
        )
    if scene.gsd_m is None:
        raise SceneError(f"{scene.name} does not say how large its pixels are; pass --gsd METRES")


def _refuse_unfit(scene: Scene, model: Model) -> None:
    """A model reads so many bands, and nothing smaller than a ship shows one."""
    wanted = model.card.bands
    if len(scene.channels) != len(wanted):
        raise SceneError(
            f"{model.card.name} reads {len(wanted)} bands ({', '.join(wanted)}), got {len(scene.channels)} "
            f"of {scene.name}; choose them with --bands"
        )
    read = model_sampling(scene, model.card.gsd_m)
    if max(read.width, read.height) < LEAST_SIDE:
        size = f"{scene.grid.width} x {scene.grid.height}"
        raise SceneError(
            f"{scene.name} measures {size} pixels, {read.width} x {read.height} at the model's {model.card.gsd_m:g} m; "
            f"expected at least {LEAST_SIDE} on one side: give a larger scene"
        )
    if max(scene.gsd_m or (0.0,)) > COARSEST * model.card.gsd_m:
        log.warning(
            "%s has pixels of %.1f m, %s was trained for about %g m: expect to miss most ships",
            scene.name,
            max(scene.gsd_m or (0.0,)),
            model.card.name,
            model.card.gsd_m,
        )


def train(config: TrainConfig, report: Callable[[str], None]) -> Path:
    """Trains a network, or goes on training, and writes the weights that validation liked best.

    Raises:
        ShipdetError: the data are not as expected.
    """
    from shipdet.evaluation.validation import build_judge, card_of  # noqa: PLC0415 - needs the extra `train`
    from shipdet.training.run import train as run  # noqa: PLC0415 - likewise

    network = round_to_half(run(config, build_judge(config, report), report))
    path = config.output / config.name / f"{config.name}.safetensors"
    save_weights(path, network, card_of(network, config))
    return path
