"""Validation while training: which weights are kept, and the card that they get."""

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import NamedTuple

import numpy as np

from shipdet.config import TrainConfig
from shipdet.evaluation.calibration import Outcomes, fit_calibration, outcomes, pool
from shipdet.evaluation.cards import first_card, folders_of
from shipdet.evaluation.cases import Case, Judged, case_of
from shipdet.evaluation.hull_scores import with_scorer
from shipdet.evaluation.ports import port_cases
from shipdet.evaluation.run import judge
from shipdet.evaluation.scenes import judge_scenes
from shipdet.evaluation.strata import strata
from shipdet.evaluation.summary import overlaps, pooled
from shipdet.labels.folders import Folder, LabelledPicture, read_folder
from shipdet.labels.sen2ships import read_ports
from shipdet.models.calibration import calibrated, uncalibrated
from shipdet.models.device import Device, choose_device
from shipdet.models.task_partition import TaskPartition
from shipdet.models.weights import Card, Model, Recall, Scores
from shipdet.training.module import Judge
from shipdet.training.module import Judged as JudgedNetwork
from shipdet.training.pictures import save_harbours
from shipdet.training.run import SYNTHETIC_SIZE
from shipdet.training.scene_sources import validation_scenes

DRAWN = 32
"""Harbours drawn for the hull scorer."""


def build_judge(config: TrainConfig, report: Callable[[str], None]) -> Judge:
    """What scores a network in training: the mean of AP and F1 on the scenes' validation, else the first folder's."""
    sets = _validation_sets(config)
    if not sets:
        return lambda _network: JudgedNetwork(0.0, 0.0, 0.0)
    device = choose_device("auto", config.precision)

    def judged(network: TaskPartition) -> JudgedNetwork:
        found = pooled(sets[0].judge(Model(network, first_card(config)), device))
        report(
            f"{sets[0].name} validation: AP {found.ap or 0:.3f}, F1 {found.f1 or 0:.3f}, "
            f"heading {found.heading_accuracy or 0:.3f}, gate {found.gate_recall or 0:.3f}"
        )
        score = ((found.ap or 0.0) + (found.f1 or 0.0)) / 2
        return JudgedNetwork(score, found.gate_recall or 0.0, found.heading_accuracy or 0.0)

    return judged


def finished(network: TaskPartition, config: TrainConfig) -> Model:
    """A trained network made a model: hulls scored as training pictures taught, and a card.

    The card's calibration is fitted on all validation splits, its threshold is that of the best F1 on the first, and
    it tells the scores on each.
    """
    device = choose_device("auto", config.precision)
    model = _with_scorer(Model(network, first_card(config)), device, config)
    judged = {each.name: each.judge(model, device) for each in _validation_sets(config)}
    return model._replace(card=card_with(model.card, judged))


def card_with(card: Card, judged: Mapping[str, Sequence[Judged]]) -> Card:
    """A card with calibration, threshold and scores.

    Args:
        card: of the model; without a calibration, or pictures judged with the one that it has.
        judged: validation pictures of each data set; the first decides the threshold. Of none the card stays as it is.
    """
    if not judged:
        return card
    pictures = [outcomes(j.matched) for data in judged.values() for j in data]
    raw = [Outcomes(uncalibrated(p.score, card.calibration), p.hit) for p in pictures]
    calibration = fit_calibration(pool(raw)) or card.calibration
    first = next((pooled(data).threshold for data in judged.values()), None)
    threshold = card.score_threshold if first is None else first
    scores = tuple(_scores(f"{name} validation", data, threshold) for name, data in judged.items())
    in_raw = uncalibrated(np.array([threshold]), card.calibration)
    told = {"calibration": calibration, "score_threshold": float(calibrated(in_raw, calibration)[0]), "scores": scores}
    return card.model_copy(update=told)


def rescored(model: Model, device: Device, folders: Sequence[Folder]) -> Card:
    """A model's card with its scores on the validation splits of folders, at its own threshold, told anew."""
    threshold = model.card.score_threshold
    judged = {folder.name: judge(model, device, read_folder(folder, "validation")) for folder in folders}
    scores = tuple(_scores(f"{name} validation", data, threshold) for name, data in judged.items())
    return model.card.model_copy(update={"scores": scores})


def _with_scorer(model: Model, device: Device, config: TrainConfig) -> Model:
    """Its scorer learns from the pictures' training splits, and from harbours drawn anew."""
    if config.sen2ships is not None:
        return model  # of so few hulls, judged by their middles, it learns nothing good
    pictures = [picture for folder in folders_of(config) for picture in read_folder(folder, "train")]
    with TemporaryDirectory() as folder:
        if config.synthetic_share > 0:
            pictures += save_harbours(Path(folder), DRAWN, SYNTHETIC_SIZE, config.seed + 1)
        return with_scorer(model, device, pictures, config.seed)


class _ValidationSet(NamedTuple):
    """What a network is judged by."""

    name: str
    judge: Callable[[Model, Device], list[Judged]]


def _validation_sets(config: TrainConfig) -> list[_ValidationSet]:
    """Scenes first: who names some wants to know of them.

    Raises:
        LabelsError: there are no labels to judge by.
    """
    sets = []
    scenes = list(validation_scenes(config))
    if scenes:
        sets.append(_ValidationSet("scenes", lambda model, device: judge_scenes(model, device, scenes)))
    if config.sen2ships is not None:
        ports = port_cases(read_ports(config.sen2ships, "validation"), first_card(config))
        sets.append(_ValidationSet(config.sen2ships.name, partial(_judge_pictures, ports)))
    for folder in folders_of(config) if config.sen2ships is None else ():
        pictures = read_folder(folder, "validation")
        sets.append(_ValidationSet(folder.name, partial(_judge_pictures, pictures)))
    return sets


def _judge_pictures(pictures: Sequence[LabelledPicture | Case], model: Model, device: Device) -> list[Judged]:
    return judge(model, device, pictures)


def fused_threshold(model: Model, device: Device, folder: Folder, report: Callable[[str], None]) -> float | None:
    """The score of the best F1 where validation pictures are looked at as of unknown scale; None where no ship is."""
    cases = [case_of(picture, "unknown") for picture in read_folder(folder, "validation")]
    found = pooled(judge(model, device, cases))
    report(f"{folder.name} validation, scale unknown: AP {found.ap or 0:.3f}, F1 {found.f1 or 0:.3f}")
    return found.threshold


def _scores(split: str, judged: Sequence[Judged], threshold: float) -> Scores:
    found, overlap = pooled(judged, threshold), overlaps(judged)
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
        ap50=overlap.ap50,
        ap75=overlap.ap75,
        ap50_95=overlap.ap50_95,
        recalls=tuple(Recall(by=s.by, name=s.name, ships=s.ships, recall=s.recall) for s in strata(judged, threshold)),
    )
