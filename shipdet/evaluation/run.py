"""A model judged on labelled pictures, each read and detected in as any scene is."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Literal, NamedTuple

import numpy as np
import torch
from PIL import Image

from shipdet.attention.gate import open_gate
from shipdet.config import EvaluateConfig
from shipdet.evaluation.matching import Matched, ignored, match
from shipdet.evaluation.metrics import GateHits, Scores, scores, scores_at
from shipdet.evaluation.sheet import Panel, draw_sheet
from shipdet.geometry import Hulls
from shipdet.inference.engine import Found
from shipdet.inference.views import Augment, Looking, find_ships
from shipdet.labels.folders import Folder, LabelledPicture, civil, inshore, read_folder
from shipdet.labels.types import Labels
from shipdet.models.device import Device, choose_device
from shipdet.models.task_partition import COARSE_STRIDE
from shipdet.models.weights import Model, load_weights
from shipdet.raster.scene import Scene, open_scene

Progress = Callable[[int, int], None]


class How(NamedTuple):
    """How pictures are looked at."""

    gsd_m: float | Literal["unknown"] | None = None
    """what they are taken at, else the model's own"""
    augment: Augment = "none"


class Judged(NamedTuple):
    """One picture's ships, found and labelled."""

    picture: LabelledPicture
    hulls: Hulls
    matched: Matched
    gate: GateHits


def evaluate(config: EvaluateConfig, progress: Progress) -> Scores:
    """Scores as a config says; draws its sheet where it names one.

    Raises:
        LabelsError, WeightsError, OutputError: what the config names is not as expected.
    """
    folder = folder_of(config)
    pictures, how = read_folder(folder, config.split), How(config.gsd_m, config.augment)
    judged = judge(load_weights(config.model), choose_device(), pictures, progress, how)
    result = pooled(judged, config.threshold)
    if config.sheet is not None:
        draw_sheet([_panel(j) for j in judged], config.sheet, result.threshold or 0.0)
    return result


def folder_of(config: EvaluateConfig) -> Folder:
    """The labelled folder that a config names."""
    if config.inshore is not None:
        return inshore(config.inshore)
    if config.civil is not None:
        return civil(config.civil)
    raise ValueError("a checked config names a folder")


def judge(
    model: Model,
    device: Device,
    pictures: Sequence[LabelledPicture],
    progress: Progress | None = None,
    how: How = How(),  # noqa: B008 - a tuple
) -> list[Judged]:
    """Detects in each picture and matches what is found with what is labelled."""
    judged = []
    for done, picture in enumerate(pictures, start=1):
        found = find_ships(_open(picture, model, how), model, device, Looking(how.augment))
        gate = gate_hits(found, picture.labels, model.card.gate_threshold)
        judged.append(Judged(picture, found.hulls, match(found.hulls, picture.labels), gate))
        if progress is not None:
            progress(done, len(pictures))
    return judged


def _open(picture: LabelledPicture, model: Model, how: How) -> Scene:
    """The picture at the ground pixel that it is taken to have; at none where that is to be looked for."""
    scene = open_scene(picture.path)
    if how.gsd_m == "unknown":
        return replace(scene, gsd_m=None)
    gsd_m = how.gsd_m or model.card.gsd_m
    return replace(scene, gsd_m=(gsd_m, gsd_m))


def pooled(judged: Sequence[Judged], threshold: float | None = None) -> Scores:
    """Scores over pictures, at a threshold, or at that of the best F1."""
    matched, gate = [j.matched for j in judged], [j.gate for j in judged]
    return scores(matched, gate) if threshold is None else scores_at(matched, threshold, gate)


def gate_hits(found: Found, labels: Labels, threshold: float) -> GateHits:
    """Of the ends of the ships that count, those that lie where the gate is open."""
    counted = ~ignored(labels)
    ends = found.sampling.to_model(np.concatenate([labels.bow[counted], labels.stern[counted]]))
    gate = open_gate(torch.from_numpy(found.attention)[None].float() / 255, threshold)[0].numpy()
    column, row = np.floor(ends / COARSE_STRIDE).astype(int).T
    inside = (row >= 0) & (row < gate.shape[0]) & (column >= 0) & (column < gate.shape[1])
    return GateHits(int(gate[row[inside], column[inside]].sum()), len(ends))


def _panel(judged: Judged) -> Panel:
    with Image.open(judged.picture.path) as image:
        pixels = np.asarray(image.convert("RGB"))
    name = judged.picture.path.stem
    return Panel(pixels, judged.hulls, judged.picture.labels, judged.matched, name)
