"""Scenes judged where their labels are complete, in pixels of the model, each read as `shipdet detect` reads it."""

from collections.abc import Sequence
from dataclasses import replace
from functools import partial

import numpy as np

from shipdet.evaluation.cases import Case, Judged
from shipdet.evaluation.matching import match
from shipdet.evaluation.run import gate_hits
from shipdet.geometry import Hulls
from shipdet.inference.engine import detect_hulls
from shipdet.models.device import Device
from shipdet.models.weights import Model
from shipdet.raster.sampling import Sampling
from shipdet.raster.scene import Scene
from shipdet.training.blocks import to_judge_by
from shipdet.training.scenes import LabelledScene


def judge_scenes(model: Model, device: Device, scenes: Sequence[LabelledScene]) -> list[Judged]:
    """Detects in each scene, and matches what is found with what is labelled in its validation blocks."""
    judged = []
    for labelled in scenes:
        found = detect_hulls(labelled.scene, model, device)
        sampling = found.sampling
        wanted = to_judge_by(labelled.labels, labelled.blocks)
        labels = wanted.rescaled((sampling.scale_x, sampling.scale_y))
        hulls = in_model_pixels(found.hulls, sampling)
        case = Case(labelled.scene.name, labels, partial(_opened, labelled.scene), model.card.gsd_m)
        gate = gate_hits(found, wanted, model.card.gate_threshold)
        judged.append(Judged(case, hulls, match(hulls, labels), gate))
    return judged


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
