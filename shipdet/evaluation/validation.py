"""Validation while training: which weights are kept, and the card that they get."""

from collections.abc import Callable
from pathlib import Path
from tempfile import TemporaryDirectory

from shipdet.config import TrainConfig
from shipdet.evaluation import metrics
from shipdet.evaluation.hull_scores import with_scorer
from shipdet.evaluation.port_validation import build_port_judge, validated_on_ports
from shipdet.evaluation.run import judge, pooled
from shipdet.labels.folders import Folder, civil, inshore, read_folder
from shipdet.labels.types import SHIP_TYPES
from shipdet.models.device import Device, choose_device
from shipdet.models.task_partition import TaskPartition
from shipdet.models.weights import Card, Model, Scores
from shipdet.training.module import Judge, Judged
from shipdet.training.pictures import save_harbours
from shipdet.training.run import GATE_THRESHOLD, SIZES, SYNTHETIC_SIZE

GSD_M = 1.0
DRAWN = 32
"""Harbours drawn for the hull scorer."""
DEFAULT_THRESHOLD = 0.3
"""Of models that were trained without a validation split, on drawn harbours alone."""


def build_judge(config: TrainConfig, report: Callable[[str], None]) -> Judge:
    """What scores a network in training: the mean of AP and F1 on the validation split of the first folder."""
    if config.sen2ships is not None:
        return build_port_judge(config, config.sen2ships, report)
    folders = _folders(config)
    if not folders:
        return lambda _network: Judged(0.0, 0.0, 0.0)
    pictures = read_folder(folders[0], "validation")
    device = choose_device("auto", config.precision)

    def judged(network: TaskPartition) -> Judged:
        found = pooled(judge(Model(network, _card(config, ())), device, pictures))
        report(
            f"{folders[0].name} validation: AP {found.ap or 0:.3f}, F1 {found.f1 or 0:.3f}, "
            f"heading {found.heading_accuracy or 0:.3f}, gate {found.gate_recall or 0:.3f}"
        )
        score = ((found.ap or 0.0) + (found.f1 or 0.0)) / 2
        return Judged(score, found.gate_recall or 0.0, found.heading_accuracy or 0.0)

    return judged


def finished(network: TaskPartition, config: TrainConfig) -> Model:
    """A trained network made a model: hulls scored as training pictures taught, and a card.

    The card tells the scores on every validation split; the threshold is from the first.
    """
    device = choose_device("auto", config.precision)
    if config.sen2ships is not None:
        ports = validated_on_ports(network, config, config.sen2ships)
        card = ports.model.card.model_copy(update={"scores": (_scores(ports.split, ports.scores),)})
        return ports.model._replace(card=card)
    model = _with_scorer(Model(network, _card(config, ())), device, config)
    cards: list[Scores] = []
    threshold = DEFAULT_THRESHOLD
    for number, folder in enumerate(_folders(config)):
        judged = judge(model, device, read_folder(folder, "validation"))
        best = pooled(judged)
        if number == 0 and best.threshold is not None:
            threshold = best.threshold
        cards.append(_scores(f"{folder.name} validation", pooled(judged, threshold)))
    card = model.card.model_copy(update={"scores": tuple(cards), "score_threshold": threshold})
    return model._replace(card=card)


def _with_scorer(model: Model, device: Device, config: TrainConfig) -> Model:
    """Its scorer learns from the training splits, and from harbours drawn anew."""
    pictures = [picture for folder in _folders(config) for picture in read_folder(folder, "train")]
    with TemporaryDirectory() as folder:
        if config.synthetic_share > 0:
            pictures += save_harbours(Path(folder), DRAWN, SYNTHETIC_SIZE, config.seed + 1)
        return with_scorer(model, device, pictures, config.seed)


def _folders(config: TrainConfig) -> list[Folder]:
    named = ((inshore, config.inshore), (civil, config.civil))
    return [folder(path) for folder, path in named if path is not None]


def _scores(split: str, found: metrics.Scores) -> Scores:
    return Scores(
        split=split,
        ships=found.ships,
        ap=found.ap or 0.0,
        f1=found.f1 or 0.0,
        precision=found.precision or 0.0,
        recall=found.recall or 0.0,
        heading_accuracy=found.heading_accuracy or 0.0,
        length_error=found.length_error or 0.0,
        gate_recall=found.gate_recall or 0.0,
    )


def _card(config: TrainConfig, scores: tuple[Scores, ...]) -> Card:
    trained_on = [f"{folder.name}, training split" for folder in _folders(config)]
    if config.synthetic_share > 0:
        trained_on.append(f"drawn harbours, {config.synthetic_share:.0%} of the chips")
    return Card(
        name=config.name,
        width=SIZES.width,
        context=SIZES.context,
        blocks=SIZES.blocks,
        gsd_m=GSD_M,
        bands=("red", "green", "blue"),
        normalisation="scene percentiles 1 to 99 to 0..1, then (x - 0.5) * 4",
        classes=("background", "hull", "end"),
        types=SHIP_TYPES,
        gate_threshold=GATE_THRESHOLD,
        score_threshold=DEFAULT_THRESHOLD,
        trained_on=tuple(trained_on),
        terms=config.terms,
        steps=config.steps,
        scores=scores,
    )
