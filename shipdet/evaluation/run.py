"""A model judged on labelled pictures, each read and detected in as any scene is."""

from collections.abc import Callable, Sequence
from typing import NamedTuple

import numpy as np

from shipdet.config import EvaluateConfig
from shipdet.evaluation.cases import Case, Judged, case_of, cases_of, match_case, rgb
from shipdet.evaluation.gates import gate_hits
from shipdet.evaluation.html_report import write_html
from shipdet.evaluation.matching import DEFAULT_RULE, MatchRule
from shipdet.evaluation.ports import port_cases
from shipdet.evaluation.scenes import ScenesJudging, judge_scenes, labelled_scenes
from shipdet.evaluation.sheet import Panel, draw_sheet
from shipdet.evaluation.summary import Evaluation, pooled, summarise
from shipdet.inference.engine import Found
from shipdet.inference.views import Augment, Looking, find_ships
from shipdet.labels.folders import Folder, LabelledPicture, civil, inshore, read_folder
from shipdet.labels.sen2ships import read_ports
from shipdet.models.device import Device, choose_device
from shipdet.models.weights import Model, load_weights

__all__ = ["Judged", "Judging", "evaluate", "folder_of", "judge", "judge_by", "pooled"]

Progress = Callable[[int, int], None]


class Judging(NamedTuple):
    """What is asked of what a model finds."""

    gate_threshold: float
    """Attention that opens the gate"""
    rule: MatchRule = DEFAULT_RULE
    """Its least length is in pixels of the model"""


def evaluate(config: EvaluateConfig, progress: Progress) -> Evaluation:
    """Evaluates as a config says; draws the sheet and writes the report that it names.

    Raises:
        LabelsError, WeightsError, OutputError: what the config names is not as expected.
    """
    model = load_weights(config.model)
    rule = MatchRule(min_length=config.min_length, only_bow_known=config.ships == "bow known")
    name, judged = _judged(config, model, rule, progress)
    result = summarise(judged, name, model.card, config.threshold)
    threshold = result.scores.threshold or 0.0
    if config.sheet is not None:
        draw_sheet([_panel(j, model.card.gsd_m) for j in judged], config.sheet, threshold)
    if config.report is not None:
        write_html(result, judged, model.card, config.report)
    return result


def _judged(config: EvaluateConfig, model: Model, rule: MatchRule, progress: Progress) -> tuple[str, list[Judged]]:
    """What a config names, and what was found there."""
    device = choose_device()
    if config.scenes:
        scenes = labelled_scenes(config, model.card)
        return "scenes", judge_scenes(model, device, scenes, ScenesJudging(rule, config.augment, progress))
    name, cases = _cases(config, model)
    return f"{name} {config.split}", judge(model, device, cases, progress, rule, config.augment)


def _cases(config: EvaluateConfig, model: Model) -> tuple[str, list[Case]]:
    """The folder that a config names, and its cases."""
    if config.sen2ships is not None:
        return config.sen2ships.name, port_cases(read_ports(config.sen2ships, config.split), model.card)
    folder = folder_of(config)
    return folder.name, [case_of(picture, config.gsd_m) for picture in read_folder(folder, config.split)]


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
    pictures: Sequence[LabelledPicture | Case],
    progress: Progress | None = None,
    rule: MatchRule = DEFAULT_RULE,
    augment: Augment = "none",
) -> list[Judged]:
    """Detects in each picture, at its own GSD or else at the model's, and matches what is found with what is labelled.

    Args:
        model: whose network looks.
        device: where it computes.
        pictures: files with labels, of unknown GSD, or cases of any kind.
        progress: is told of each picture.
        rule: when a ship counts and is found; its least length is in pixels of the model.
        augment: further views to look at them in.
    """

    def find(case: Case) -> Found:
        return find_ships(case.open(model.card.gsd_m), model, device, Looking(augment))

    return judge_by(find, cases_of(pictures), Judging(model.card.gate_threshold, rule), progress)


def judge_by(
    find: Callable[[Case], Found], cases: Sequence[Case], judging: Judging, progress: Progress | None = None
) -> list[Judged]:
    """As `judge`, for any way of finding ships in a case."""
    judged = []
    for done, case in enumerate(cases, start=1):
        found = find(case)
        scale = float(np.sqrt(found.sampling.scale_x * found.sampling.scale_y))
        rule = judging.rule._replace(min_length=judging.rule.min_length / scale)
        matched = match_case(found.hulls, case, rule)
        gate = gate_hits(found, case.labels, judging.gate_threshold, matched.counted)
        judged.append(Judged(case, found.hulls, matched, gate, scale))
        if progress is not None:
            progress(done, len(cases))
    return judged


def _panel(judged: Judged, gsd_m: float) -> Panel:
    case = judged.picture
    return Panel(rgb(case, gsd_m), judged.hulls, case.labels, judged.matched, case.name)
