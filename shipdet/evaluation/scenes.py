"""Scenes judged where their labels are complete, in pixels of the model, each read as `shipdet detect` reads it."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial
from typing import NamedTuple

import numpy as np

from shipdet.config import EvaluateConfig
from shipdet.errors import ConfigError
from shipdet.evaluation.cases import Case, Judged
from shipdet.evaluation.gates import gate_hits
from shipdet.evaluation.matching import DEFAULT_RULE, MatchRule, match
from shipdet.geometry import Hulls
from shipdet.inference.views import Augment, Looking, find_ships
from shipdet.models.device import Device
from shipdet.models.weights import Model
from shipdet.raster.sampling import Sampling
from shipdet.raster.scene import Scene
from shipdet.training.blocks import to_judge_by
from shipdet.training.scenes import LabelledScene, open_labelled

LARGEST_DRAWN = 4096
"""Pixels on a side of the largest scene that is drawn whole."""


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
    """Detects in each scene, and matches what is found with what is labelled in its validation blocks."""
    judging, judged = judging or ScenesJudging(), []
    for done, labelled in enumerate(scenes, start=1):
        found = find_ships(labelled.scene, model, device, Looking(judging.augment))
        sampling = found.sampling
        wanted = to_judge_by(labelled.labels, labelled.blocks)
        labels = wanted.rescaled((sampling.scale_x, sampling.scale_y))
        hulls = in_model_pixels(found.hulls, sampling)
        opened = partial(_opened, labelled.scene)
        case = Case(labelled.scene.name, labels, opened, model.card.gsd_m, sampling=sampling)
        gate = gate_hits(found, wanted, model.card.gate_threshold)
        judged.append(Judged(case, hulls, match(hulls, labels, judging.rule), gate))
        if judging.progress is not None:
            judging.progress(done, len(scenes))
    return judged


def labelled_scenes(config: EvaluateConfig) -> list[LabelledScene]:
    """The scenes that a config names, all of each to judge by.

    Raises:
        SceneError, LabelsError: a scene or its labels are not as expected.
        ConfigError: a sheet is asked for, and a scene is too large to be drawn whole.
    """
    known = None if config.gsd_m == "unknown" else config.gsd_m
    labelled = [
        open_labelled(source, labels, 1.0, config.scene_bands, known)
        for source, labels in zip(config.scenes, config.scene_labels, strict=True)
    ]
    for scene in (each.scene for each in labelled if config.sheet is not None):
        width, height = scene.grid.width, scene.grid.height
        if max(width, height) > LARGEST_DRAWN:
            raise ConfigError(
                f"sheet: expected scenes of at most {LARGEST_DRAWN} pixels a side, which are drawn whole, got "
                f"{scene.name} of {width} x {height}; ask for a report instead"
            )
    return labelled


def in_model_pixels(hulls: Hulls, sampling: Sampling) -> Hulls:
    """Hulls of a scene in the pixels that the model read."""
    return replace(
        hulls,
        bow=sampling.to_model(hulls.bow),
        stern=sampling.to_model(hulls.stern),
        beam=np.asarray(hulls.beam * np.sqrt(sampling.scale_x * sampling.scale_y)),
    )


def _opened(scene: Scene, _gsd_m: float) -> Scene:
    """A scene that knows its own GSD, whatever is asked for."""
    return scene
