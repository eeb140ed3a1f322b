"""Validation while training on ports: which weights are kept, and the card that they get."""

from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import NamedTuple

from shipdet.config import TrainConfig
from shipdet.evaluation.centres import match_centres
from shipdet.evaluation.hull_scores import fitted
from shipdet.evaluation.metrics import Scores
from shipdet.evaluation.ports import judge_ports, mean_gsd_m, open_port, port_scores
from shipdet.labels.sen2ships import LabelledPort, read_ports
from shipdet.models.device import Device, choose_device
from shipdet.models.task_partition import TaskPartition
from shipdet.models.weights import Card, Model
from shipdet.training.module import Judge, Judged
from shipdet.training.ports import OPTIONAL_BANDS, PORT_BANDS, PORT_GSD_M
from shipdet.training.run import GATE_THRESHOLD, PORT_SIZES

DEFAULT_THRESHOLD = 0.3
GSD_RANGE_M = (4.5, 13.0)
"""From 10 m pixels in EPSG:3857 at 63 degrees of latitude, which cover 4.5 m of ground, to somewhat coarser ones."""


def build_port_judge(config: TrainConfig, folder: Path, report: Callable[[str], None]) -> Judge:
    """What scores a network in training: the mean of AP and F1 on the validation ports.

    Raises:
        LabelsError: there are no such ports.
    """
    ports, device = read_ports(folder, "validation"), choose_device("auto", config.precision)

    def judged(network: TaskPartition) -> Judged:
        found = port_scores(judge_ports(Model(network, _card(config)), device, ports))
        report(
            f"{folder.name} validation: AP {found.ap or 0:.3f}, F1 {found.f1 or 0:.3f}, "
            f"length error {found.length_error or 0:.3f}, gate {found.gate_recall or 0:.3f}"
        )
        return Judged(((found.ap or 0.0) + (found.f1 or 0.0)) / 2, found.gate_recall or 0.0, 0.0)

    return judged


class PortModel(NamedTuple):
    """A finished model, and what the validation ports say of it."""

    model: Model
    """its card without scores; its threshold is that of the best F1"""
    split: str
    scores: Scores


def validated_on_ports(network: TaskPartition, config: TrainConfig, folder: Path) -> PortModel:
    """A trained network made a model: hulls scored as the training ports taught, judged on the validation ports.

    Raises:
        LabelsError: there are no such ports.
    """
    device, ports = choose_device("auto", config.precision), read_ports(folder, "validation")
    model = with_port_scorer(Model(network, _card(config)), device, read_ports(folder, "train"), config.seed)
    judged = judge_ports(model, device, ports)
    best = port_scores(judged)
    threshold = model.card.score_threshold if best.threshold is None else best.threshold
    split = f"{folder.name} validation ({' and '.join(port.name for port in ports)}), ships of at least 80 m"
    card = model.card.model_copy(update={"score_threshold": threshold})
    return PortModel(model._replace(card=card), split, port_scores(judged, threshold))


def with_port_scorer(model: Model, device: Device, ports: Sequence[LabelledPort], seed: int) -> Model:
    """The model with a scorer fitted to the hulls that its network joins in ports."""
    scenes = [open_port(port, model) for port in ports]
    judged = [
        (scene, partial(match_centres, labels=port.labels, gsd_m=mean_gsd_m(scene)))
        for scene, port in zip(scenes, ports, strict=True)
    ]
    return fitted(model, device, judged, seed)


def _card(config: TrainConfig) -> Card:
    return Card(
        name=config.name,
        width=PORT_SIZES.width,
        context=PORT_SIZES.context,
        blocks=PORT_SIZES.blocks,
        gsd_m=PORT_GSD_M,
        gsd_range_m=GSD_RANGE_M,
        bands=PORT_BANDS,
        optional_bands=OPTIONAL_BANDS,
        ends="unordered",
        normalisation="scene percentiles 1 to 99 to 0..1, then (x - 0.5) * 4; a missing band is 0",
        classes=("background", "hull", "end"),
        gate_threshold=GATE_THRESHOLD,
        score_threshold=DEFAULT_THRESHOLD,
        trained_on=("sen2ships, training ports, with their ships pasted on other water",),
        terms=config.terms,
        steps=config.steps,
    )
