"""Scenes judged where their labels are complete, in pixels of the model, each read as `shipdet detect` reads it."""

import logging
from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import NamedTuple

import numpy as np
import shapely

from shipdet.config import EvaluateConfig
from shipdet.errors import ConfigError
from shipdet.evaluation.cases import Case, Judged, as_it_is, match_case
from shipdet.evaluation.centres import DEFAULT_RULE as CENTRES
from shipdet.evaluation.gates import gate_hits
from shipdet.evaluation.land import land_beside
from shipdet.evaluation.matching import DEFAULT_RULE, MatchRule
from shipdet.geometry import Hulls
from shipdet.inference.views import Augment, Looking, find_ships
from shipdet.labels.types import Labels
from shipdet.models.choice import with_optional_bands
from shipdet.models.device import Device
from shipdet.models.weights import Card, Model
from shipdet.raster.sampling import Sampling, model_sampling
from shipdet.raster.scene import Scene, open_scene
from shipdet.training.blocks import to_judge_by
from shipdet.training.scenes import LabelledScene, open_labelled

log = logging.getLogger(__name__)

LARGEST_DRAWN = 4096
"""Pixels of the model on a side of the largest scene that is drawn whole."""


class ScenesJudging(NamedTuple):
    """How scenes are looked at, and what is asked of what is found there."""

    rule: MatchRule = DEFAULT_RULE
    """Its least length is in pixels of the model"""
    augment: Augment = "none"
    progress: Callable[[int, int], None] | None = None
    """Is told of each scene"""


def judge_scenes(
    model: Model, device: Device, scenes: Sequence[LabelledScene], judging: ScenesJudging | None = None
) -> list[Judged]:
    """Detects in each scene, and matches what is found with what is labelled in its validation blocks.

    Ships of a model that does not tell bows from sterns are matched by their middles. Land is read from
    `NAME.land.geojson` beside a scene's first file where there is one.

    Raises:
        LabelsError: the land cannot be read; told before the long work.
    """
    judging, judged = judging or ScenesJudging(), []
    lands = [land_beside(labelled.scene.sources[0].path, labelled.frame) for labelled in scenes]
    for done, (labelled, land) in enumerate(zip(scenes, lands, strict=True), start=1):
        found = find_ships(labelled.scene, model, device, Looking(judging.augment))
        wanted = to_judge_by(labelled.labels, labelled.blocks)
        case = _case(labelled.scene, wanted, found.sampling, model.card)
        if land is not None:
            case = case._replace(land=shapely.transform(land, found.sampling.to_model))
        hulls = in_model_pixels(found.hulls, found.sampling)
        matched = match_case(hulls, case, judging.rule)
        gate = gate_hits(found, wanted, model.card.gate_threshold, matched.counted)
        judged.append(Judged(case, hulls, matched, gate))
        if judging.progress is not None:
            judging.progress(done, len(scenes))
    return judged


def _case(scene: Scene, labels: Labels, sampling: Sampling, card: Card) -> Case:
    """A scene and its labels, given in its own pixels, in those of the model."""
    scales = (sampling.scale_x, sampling.scale_y)
    x, y = scene.gsd_m or (card.gsd_m, card.gsd_m)
    gsd_m = float(np.sqrt(x * y / (sampling.scale_x * sampling.scale_y)))
    rule = CENTRES if card.ends == "unordered" else None
    return Case(
        scene.name, labels.rescaled(scales), partial(as_it_is, scene), gsd_m, by_middles=rule, sampling=sampling
    )


def labelled_scenes(config: EvaluateConfig, card: Card) -> list[LabelledScene]:
    """The scenes that a config names, with the bands that a model reads, all of each to judge by.

    What is dropped of the labels is told by a warning.

    Raises:
        SceneError, LabelsError: a scene or its labels are not as expected.
        ConfigError: a sheet is asked for, and a scene is too large to be drawn whole.
    """
    pairs = zip(config.scenes, config.scene_labels, strict=True)
    found = [_labelled(source, labels, config, card) for source, labels in pairs]
    for labelled in found:
        for note in labelled.notes:
            log.warning("%s: %s", labelled.scene.name, note)
        if config.sheet is not None:
            _refuse_large(labelled.scene, card)
    return found


def _labelled(source: str | Sequence[str], labels: Path, config: EvaluateConfig, card: Card) -> LabelledScene:
    gsd_m = None if config.gsd_m == "unknown" else config.gsd_m
    bands = config.scene_bands or with_optional_bands(open_scene(source), card)
    return open_labelled(source, labels, 1.0, bands, gsd_m)


def _refuse_large(scene: Scene, card: Card) -> None:
    drawn = model_sampling(scene, card.gsd_m)
    if max(drawn.width, drawn.height) > LARGEST_DRAWN:
        raise ConfigError(
            f"sheet: expected scenes of at most {LARGEST_DRAWN} pixels a side, which are drawn whole, got {scene.name} "
            f"of {drawn.width} x {drawn.height} at the model's {card.gsd_m:g} m; ask for a report instead"
        )


def in_model_pixels(hulls: Hulls, sampling: Sampling) -> Hulls:
    """Hulls of a scene in the pixels that the model read."""
    return replace(
        hulls,
        bow=sampling.to_model(hulls.bow),
        stern=sampling.to_model(hulls.stern),
        beam=np.asarray(hulls.beam * np.sqrt(sampling.scale_x * sampling.scale_y)),
    )
