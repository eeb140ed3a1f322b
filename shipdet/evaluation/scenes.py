"""Scenes judged where their labels are complete, in pixels of the model, each read as `shipdet detect` reads it."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np

from shipdet.evaluation.matching import match
from shipdet.evaluation.run import Judged, gate_hits
from shipdet.geometry import Hulls
from shipdet.inference.engine import detect_hulls
from shipdet.labels.folders import LabelledPicture
from shipdet.models.device import Device
from shipdet.models.weights import Model
from shipdet.raster.sampling import Sampling
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
        picture = LabelledPicture(Path(labelled.scene.name), labels)
        gate = gate_hits(found, wanted, model.card.gate_threshold)
        judged.append(Judged(picture, hulls, match(hulls, labels), gate))
    return judged


def in_model_pixels(hulls: Hulls, sampling: Sampling) -> Hulls:
    """Hulls of a scene in the pixels that the model read."""
    return replace(
        hulls,
        bow=sampling.to_model(hulls.bow),
        stern=sampling.to_model(hulls.stern),
        beam=np.asarray(hulls.beam * np.sqrt(sampling.scale_x * sampling.scale_y)),
    )
