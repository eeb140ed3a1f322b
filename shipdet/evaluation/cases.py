"""Labelled pictures as evaluation takes them: what is labelled, how the scene is opened, what was found in it."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Literal, NamedTuple

import numpy as np
import shapely
from numpy.typing import NDArray

from shipdet.evaluation.centres import CentreRule, match_centres
from shipdet.evaluation.land import land_beside
from shipdet.evaluation.matching import Matched, MatchRule, match
from shipdet.evaluation.metrics import GateHits
from shipdet.geometry import Hulls
from shipdet.labels.folders import LabelledPicture
from shipdet.labels.types import Labels
from shipdet.raster.raw import SceneFiles
from shipdet.raster.reader import SceneReader
from shipdet.raster.sampling import Sampling
from shipdet.raster.scene import Scene, open_scene
from shipdet.raster.stretch import apply, scene_stretch
from shipdet.raster.tiling import Window


class Case(NamedTuple):
    """A labelled picture of any kind; labels are in its pixels."""

    name: str
    labels: Labels
    open: Callable[[float], Scene]
    """The scene; its GSD is the one given, the model's in metres, where the picture does not know its own; None where
    it is to be looked for"""
    gsd_m: float | None = None
    """Ground metres of a pixel; None where nobody knows"""
    land: shapely.Geometry | None = None
    """What is not water, in pixels of the picture; None where nobody knows"""
    by_middles: CentreRule | None = None
    """How ships are matched by their middles, where the picture is too coarse to judge ends"""
    sampling: Sampling | None = None
    """How the case's pixels lie in the scene; None where they are the scene's own"""


def match_case(hulls: Hulls, case: Case, rule: MatchRule) -> Matched:
    """Which hulls, in pixels of a case, are which of its labelled ships; `rule` counts in those pixels too."""
    if case.by_middles is None or case.gsd_m is None:
        return match(hulls, case.labels, rule)
    return match_centres(hulls, case.labels, case.gsd_m, case.by_middles)


class Judged(NamedTuple):
    """One picture's ships, found and labelled."""

    picture: Case
    hulls: Hulls
    matched: Matched
    gate: GateHits
    scale: float = 1.0
    """Pixels of the model per pixel of the picture"""


def case_of(picture: LabelledPicture, gsd_m: float | Literal["unknown"] | None = None) -> Case:
    """A picture file with labels.

    Land is read from `NAME.land.geojson` beside it where there is one: polygons in pixels of the picture.

    Args:
        picture: the file and its labels.
        gsd_m: ground metres of its pixels; where nobody knows None, the model's is taken for it then, or "unknown",
            it is looked for then.

    Raises:
        LabelsError: the land cannot be read.
    """
    opened = partial(_open, picture.path, gsd_m)
    known = None if gsd_m == "unknown" else gsd_m
    return Case(picture.path.stem, picture.labels, opened, known, land_beside(picture.path))


def cases_of(pictures: Sequence[LabelledPicture | Case]) -> list[Case]:
    """Cases as they are, and picture files as cases of unknown GSD."""
    return [picture if isinstance(picture, Case) else case_of(picture) for picture in pictures]


def as_it_is(scene: Scene, _gsd_m: float) -> Scene:
    """Opens, as a case does, a scene that knows its own GSD, whatever is asked for."""
    return scene


def size_of(case: Case, scene: Scene) -> tuple[int, int]:
    """Width and height of a case in its pixels; `scene` is what it opened."""
    return (
        (scene.grid.width, scene.grid.height) if case.sampling is None else (case.sampling.width, case.sampling.height)
    )


def rgb(case: Case, gsd_m: float, window: Window | None = None) -> NDArray[np.uint8]:
    """Pixels (H, W, 3) to show: 8 bits as they are, others stretched; all of a case, or a window within it.

    Args:
        case: any.
        gsd_m: ground metres of its pixels where nobody knows.
        window: in its pixels.

    Raises:
        SceneError, ReadError: the scene has no valid pixel, or its file is damaged.
    """
    scene = case.open(gsd_m)
    window = window or Window(0, 0, *size_of(case, scene))
    if case.sampling is None:
        with SceneFiles(scene) as files:
            bands = files.read(window).pixels[list(scene.channels)]
    else:
        with SceneReader(scene, case.sampling) as reader:
            bands, _ = reader.read(window)
    if scene.dtype != "uint8":
        bands = np.clip(np.nan_to_num(apply(scene_stretch(scene), bands)), 0, 1) * 255
    bands = np.clip(np.nan_to_num(bands), 0, 255).round().astype(np.uint8)
    three = bands[:3] if len(bands) >= 3 else np.repeat(bands[:1], 3, axis=0)
    return np.ascontiguousarray(np.moveaxis(three, 0, 2))


def _open(path: Path, gsd_m: float | Literal["unknown"] | None, model_gsd_m: float) -> Scene:
    if gsd_m == "unknown":
        return replace(open_scene(path), gsd_m=None)
    return open_scene(path, gsd_m=model_gsd_m if gsd_m is None else gsd_m)
