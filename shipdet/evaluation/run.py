"""A model judged on labelled pictures, each read and detected in as any scene is."""

from collections.abc import Callable, Sequence
from typing import NamedTuple

import numpy as np
import torch
from PIL import Image

from shipdet.attention.gate import open_gate
from shipdet.config import EvaluateConfig
from shipdet.evaluation.matching import Matched, ignored, match
from shipdet.evaluation.metrics import GateHits, Scores, scores, scores_at
from shipdet.evaluation.ports import evaluate_ports
from shipdet.evaluation.sheet import Panel, draw_sheet
from shipdet.geometry import Hulls
from shipdet.inference.engine import Found, detect_hulls
from shipdet.labels.folders import Folder, LabelledPicture, civil, inshore, read_folder
from shipdet.labels.types import Labels
from shipdet.models.device import Device, choose_device
from shipdet.models.task_partition import COARSE_STRIDE
from shipdet.models.weights import Model, load_weights
from shipdet.raster.scene import open_scene

Progress = Callable[[int, int], None]


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
    if config.sen2ships is not None:
        return evaluate_ports(config, config.sen2ships, progress)
    folder = folder_of(config)
    judged = judge(load_weights(config.model), choose_device(), read_folder(folder, config.split), progress)
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
    model: Model, device: Device, pictures: Sequence[LabelledPicture], progress: Progress | None = None
) -> list[Judged]:
    """Detects in each picture, taken at the model's GSD, and matches what is found with what is labelled."""
    judged = []
    for done, picture in enumerate(pictures, start=1):
        found = detect_hulls(open_scene(picture.path, gsd_m=model.card.gsd_m), model, device)
        gate = gate_hits(found, picture.labels, model.card.gate_threshold)
        judged.append(Judged(picture, found.hulls, match(found.hulls, picture.labels), gate))
        if progress is not None:
            progress(done, len(pictures))
    return judged


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
