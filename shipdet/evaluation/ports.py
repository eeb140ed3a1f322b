"""A model judged on ports that Sentinel-2 saw, each detected in as any scene is."""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
import torch

from shipdet.attention.gate import open_gate
from shipdet.config import EvaluateConfig
from shipdet.evaluation.centres import match_centres
from shipdet.evaluation.matching import Matched
from shipdet.evaluation.metrics import GateHits, Scores, scores, scores_at
from shipdet.evaluation.sheet import Panel, draw_sheet
from shipdet.geometry import Hulls
from shipdet.inference.engine import Found, detect_hulls
from shipdet.labels.sen2ships import LabelledPort, read_ports
from shipdet.models.device import Device, choose_device
from shipdet.models.task_partition import COARSE_STRIDE
from shipdet.models.weights import Model, load_weights
from shipdet.raster.raw import SceneFiles
from shipdet.raster.scene import Scene, open_scene
from shipdet.raster.stretch import apply, stretch_of
from shipdet.raster.tiling import Window

Progress = Callable[[int, int], None]
GAMMA = 0.6


class JudgedPort(NamedTuple):
    """One port's ships, found and labelled."""

    port: LabelledPort
    scene: Scene
    hulls: Hulls
    matched: Matched
    gate: GateHits


def judge_ports(
    model: Model, device: Device, ports: Sequence[LabelledPort], progress: Progress | None = None
) -> list[JudgedPort]:
    """Detects in each port, by all bands that the model reads, and matches by `centres.match_centres`."""
    judged = []
    for done, port in enumerate(ports, start=1):
        scene = open_port(port, model)
        found = detect_hulls(scene, model, device)
        matched = match_centres(found.hulls, port.labels, mean_gsd_m(scene))
        gate = _gate_hits(found, port, matched, model.card.gate_threshold)
        judged.append(JudgedPort(port, scene, found.hulls, matched, gate))
        if progress is not None:
            progress(done, len(ports))
    return judged


def open_port(port: LabelledPort, model: Model) -> Scene:
    """A port with all bands that a model reads."""
    count = len(model.card.bands)
    return open_scene(port.bands[:count], bands=range(1, count + 1))


def mean_gsd_m(scene: Scene) -> float:
    """Ground metres per pixel, of both directions' the geometric mean."""
    return float(np.sqrt(np.prod(scene.gsd_m or (np.nan, np.nan))))


def port_scores(judged: Sequence[JudgedPort], threshold: float | None = None) -> Scores:
    """Scores over ports, at a threshold, or at that of the best F1."""
    matched, gate = [j.matched for j in judged], [j.gate for j in judged]
    return scores(matched, gate) if threshold is None else scores_at(matched, threshold, gate)


def evaluate_ports(config: EvaluateConfig, folder: Path, progress: Progress | None = None) -> Scores:
    """Scores on the ports of one split, as a config says; draws its sheet where it names one.

    Raises:
        LabelsError, WeightsError, OutputError: what the config names is not as expected.
    """
    judged = judge_ports(load_weights(config.model), choose_device(), read_ports(folder, config.split), progress)
    result = port_scores(judged, config.threshold)
    if config.sheet is not None:
        draw_sheet([_panel(j) for j in judged], config.sheet, result.threshold or 0.0)
    return result


def _panel(judged: JudgedPort) -> Panel:
    """The port in true colours, its darks lifted."""
    with SceneFiles(judged.scene) as files:
        raw = files.read(Window(0, 0, judged.scene.grid.width, judged.scene.grid.height))
    colours = np.clip(apply(stretch_of(raw.pixels[:3], raw.valid), raw.pixels[:3]), 0, 1) ** GAMMA
    pixels = np.ascontiguousarray((colours * 255).astype(np.uint8).transpose(1, 2, 0))
    return Panel(pixels, judged.hulls, judged.port.labels, judged.matched, judged.port.name)


def _gate_hits(found: Found, port: LabelledPort, matched: Matched, threshold: float) -> GateHits:
    """Of the ends of the ships that count, those that lie where the gate is open."""
    labels, counted = port.labels, matched.counted
    ends = found.sampling.to_model(np.concatenate([labels.bow[counted], labels.stern[counted]]))
    gate = open_gate(torch.from_numpy(found.attention)[None].float() / 255, threshold)[0].numpy()
    column, row = np.floor(ends / COARSE_STRIDE).astype(int).T
    inside = (row >= 0) & (row < gate.shape[0]) & (column >= 0) & (column < gate.shape[1])
    return GateHits(int(gate[row[inside], column[inside]].sum()), len(ends))
