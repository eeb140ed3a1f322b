"""One scene of a batch: what has to be done, and doing it, on whichever machine.

A scene's failure is an outcome, not an exception: it never stops the others.
"""

import hashlib
import logging
import time
import traceback
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import geopandas as gpd

from shipdet.api import Detection, DetectRequest, run_detection
from shipdet.batch.inputs import Input
from shipdet.batch.tiles import TileFolder
from shipdet.errors import SceneError, ShipdetError
from shipdet.export.vector import to_lonlat, write_detections
from shipdet.models.device import choose_device
from shipdet.raster.scene import open_scene
from shipdet.redaction import redacted

log = logging.getLogger(__name__)

HIDDEN = ".batch"
"""The folder in the output folder for what is not for reading."""


@dataclass(frozen=True)
class Task:
    """One scene to detect in; goes to other processes and machines, which see the same folders."""

    scene: Input
    name: str
    """Of its files; no other scene of the output folder has it."""
    folder: Path
    """The batch's output folder, absolute."""
    request: DetectRequest
    ending: str
    """Of the scene's own file, such as "gpkg"."""
    settings: str
    """Hash of all that decides over the result, the model's weights among it."""
    fingerprint: str
    """Says which version of the file it is; empty where that is not known."""

    @property
    def output(self) -> Path:
        """The scene's own file."""
        return self.folder / "scenes" / f"{self.name}.{self.ending}"

    @property
    def part(self) -> Path:
        """The scene's rows of the data set of all detections."""
        return part_path(self.folder, self.name)

    @property
    def tiles(self) -> Path:
        """What is remembered of the scene until it is finished."""
        return tiles_path(self.folder, self.scene.key)


class Outcome(NamedTuple):
    """What became of a task."""

    key: str
    name: str
    ships: int | None
    acquired_at: str | None
    model: str | None
    seconds: float
    error: str | None
    """Why it failed, in one line without secrets; None where it did not."""


def part_path(folder: Path, name: str) -> Path:
    """Where a scene's rows of the data set are kept."""
    return folder / HIDDEN / "parts" / f"{name}.parquet"


def tiles_path(folder: Path, key: str) -> Path:
    """Where the tiles of a scene that is not finished are kept."""
    return folder / HIDDEN / "tiles" / key


def failed(task: Task, why: str, seconds: float = 0.0) -> Outcome:
    """The outcome of a scene that could not be detected in."""
    line = redacted(" ".join(why.split()))
    return Outcome(task.scene.key, task.name, None, task.scene.acquired_at, None, seconds, line)


def do_task(task: Task, progress: Callable[[int, int], None] | None = None) -> Outcome:
    """Detects in one scene and writes its files; whatever goes wrong with it is in the outcome.

    Args:
        task: which scene.
        progress: is told of tiles done and of how many.
    """
    began = time.perf_counter()
    try:
        found = _detect(task, progress)
        write_detections(found.detections, task.output)
        write_detections(rows(found.detections, task.name), task.part)
    except Exception as error:
        known = isinstance(error, ShipdetError)
        why = str(error) if known else f"unforeseen {type(error).__name__}: {error}"
        log.debug("%s: %s", task.name, redacted(traceback.format_exc()))
        return failed(task, why, time.perf_counter() - began)
    when = task.scene.acquired_at or found.scene.acquired_at
    seconds = time.perf_counter() - began
    return Outcome(task.scene.key, task.name, len(found.detections), when, found.model, seconds, None)


def _detect(task: Task, progress: Callable[[int, int], None] | None) -> Detection:
    if task.scene.problem is not None:
        raise SceneError(task.scene.problem)
    device = choose_device(task.request.device, task.request.precision)
    # What one kind of device saw is not mixed with what another saw.
    version = f"{task.settings} {task.fingerprint} {device.device.type} {device.dtype}"
    memory = TileFolder(task.tiles / hashlib.sha256(version.encode()).hexdigest()[:16])
    sources = task.scene.sources
    _refuse_mixture(task)
    found = run_detection(sources[0] if len(sources) == 1 else sources, task.request, progress, memory)
    told = {"scene_id": task.scene.scene_id, "acquired_at": task.scene.acquired_at}
    columns = {name: value for name, value in told.items() if value is not None}
    detections = found.detections.assign(**columns).astype(dict.fromkeys(columns, "string"))
    return found._replace(detections=detections)


def _refuse_mixture(task: Task) -> None:
    """All scenes of a batch have their ships on Earth, or all in pixels.

    Ships of an unknown scale are in pixels only where they cannot be on Earth; see `shipdet.api.run_detection`.
    """
    request = task.request
    if not (request.pixel_coordinates and request.gsd_m == "unknown"):
        return
    scene = open_scene(task.scene.sources, request.bands)
    if scene.grid.crs is not None:
        raise SceneError(
            f"{scene.name} has a CRS, so its ships cannot join others in pixels; "
            "detect it in a batch without --pixel-coordinates, or pass --gsd METRES"
        )


def rows(detections: gpd.GeoDataFrame, name: str) -> gpd.GeoDataFrame:
    """A scene's detections as rows of the data set of all: in WGS 84, each with a name of its own.

    Added columns: `ship_id`, the scene's name and the ship's number in it; `scene`, that name;
    `same_as`, missing until overlapping scenes are merged.
    """
    table = detections if detections.crs is None else to_lonlat(detections)
    added = {
        "ship_id": [f"{name}/{number}" for number in table["id"]],
        "same_as": None,
        "scene": name,
    }
    wide = table.assign(**added).astype(dict.fromkeys(added, "string"))
    return wide[[*added, *table.columns]]
