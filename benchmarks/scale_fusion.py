"""What attention to scale gains where a picture's scale is unknown, and what further views gain where it is known.

Contract: `civil` validation pictures, scale unknown, ships with a known bow of at least 25 pixels: F1 at least 0.85,
heading right for at least 0.95, AP50 at least 0.80. Exit code 1 where that is not met.

Tables of scales: the pictures of a set as if nobody knew their scale. The same views of each picture are fused in
several ways; one view, taken at the model's own ground pixel, is what there was before. "GSD" is the likely ground
pixel that was reported, 5th, 50th and 95th percentile over pictures; the inshore ones are about 1 m. The contract is
judged by the table civil-scales.
Tables of views: `--augment none`, `flips`, `dihedral` and `scales`, for inshore at its known scale, and what they cost:
seconds a megapixel of picture as it is stored, from the file to the ships.
Scores are at the threshold of the best F1; what decides is their difference between rows.
"""

import argparse
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple, get_args

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from shipdet.evaluation.cases import Case, case_of
from shipdet.evaluation.matching import MatchRule
from shipdet.evaluation.run import Judging, judge_by
from shipdet.evaluation.summary import overlaps, pooled
from shipdet.inference.engine import Found, Tiling, eye_of, hulls_of
from shipdet.inference.fusion import Attend, Glance, attend, fuse_glances
from shipdet.inference.views import Augment, Looking, View, find_ships, likely_gsd_m, plan_views, sweeps
from shipdet.labels.folders import Folder, civil, inshore, read_folder
from shipdet.models.device import Device, choose_device
from shipdet.models.scale_head import confidence_logits, deep_features
from shipdet.models.task_partition import Coarse
from shipdet.models.weights import Model, load_weights

Array = NDArray[np.float64]

CIVIL_RULE = MatchRule(min_length=25.0, only_bow_known=True)
LEAST = {"F1": 0.85, "heading": 0.95, "AP50": 0.80}
TABLES = {
    "civil-scales": ("civil", "civil validation, scale unknown, bow known, at least 25 pixels"),
    "inshore-scales": ("inshore", "inshore validation, scale unknown"),
    "inshore-views": ("inshore", "inshore validation, scale known, further views"),
    "civil-views": ("civil", "civil validation, scale unknown, further views"),
}
"""Whose pictures, and the title"""
ALONE = "one view, at the model's GSD"
LEARNED = "attention, learned"
CONFIDENCE = "attention, by confidence"


class Line(NamedTuple):
    """One line of a table."""

    name: str
    values: Mapping[str, float]
    gsd_m: Sequence[float]
    """likely ground pixels, one a picture, where they were looked for"""
    seconds: float
    """a megapixel of picture"""


class Looks(NamedTuple):
    """All views of one picture."""

    views: tuple[View, ...]
    glances: tuple[Glance, ...]
    """with the worth that a trained head gives, or zeros"""
    confident: tuple[Glance, ...]
    """the same with the coarse map's own confidence"""
    plain: Found
    """of the first view alone"""


def look_at(case: Case, model: Model, device: Device) -> Looks:
    """All views of a picture of unknown scale, so that they can be fused in several ways."""
    scene = case.open(model.card.gsd_m)
    views = plan_views(scene, model.card.gsd_m, "none")
    eye = eye_of(model, device)._replace(more=_both_worths(model, device))
    glances: list[Glance] = []
    confident: list[Glance] = []
    plain: list[Found] = []
    for seen in sweeps(scene, model.card.gsd_m, eye, views, [Tiling()] * len(views)):
        hulls = hulls_of(seen, model)
        plain = plain or [Found(hulls, seen.sampling, seen.attention)]
        glances.append(Glance(hulls, seen.sampling, seen.more[0]))
        confident.append(Glance(hulls, seen.sampling, seen.more[1]))
    return Looks(views, tuple(glances), tuple(confident), plain[0])


def _both_worths(model: Model, device: Device) -> Callable[[Coarse], Tensor]:
    head = None if model.scale_head is None else model.scale_head.to(device.device)

    def worths(coarse: Coarse) -> Tensor:
        confidence = confidence_logits(coarse)
        learned = torch.zeros_like(confidence) if head is None else head(deep_features(coarse)).float()
        return torch.stack([learned, confidence], dim=1)

    return worths


def mean(score: Array, worth: Array) -> tuple[Array, Array]:
    """Every view worth the same."""
    return attend(score, np.zeros_like(worth))


def strongest(score: Array, _: Array) -> tuple[Array, Array]:
    """The view with the highest score alone."""
    return score.max(axis=1), np.eye(score.shape[1])[score.argmax(axis=1)]


def fusions(model: Model) -> dict[str, Callable[[Looks], tuple[Found, float | None]]]:
    """Ways to make ships, and a likely ground pixel, of the views of a picture."""
    ways: dict[str, Callable[[Looks], tuple[Found, float | None]]] = {
        ALONE: lambda looks: (looks.plain, None),
        "average": lambda looks: _fused(looks, looks.glances, mean),
        "maximum": lambda looks: _fused(looks, looks.glances, strongest),
        CONFIDENCE: lambda looks: _fused(looks, looks.confident, attend),
    }
    if model.scale_head is not None:
        ways[LEARNED] = lambda looks: _fused(looks, looks.glances, attend)
    return ways


def _fused(looks: Looks, glances: Sequence[Glance], how: Attend) -> tuple[Found, float | None]:
    together = fuse_glances(glances, how)
    return looks.plain._replace(hulls=together.hulls), likely_gsd_m(together, looks.views)


def unknown_scale(cases: Sequence[Case], model: Model, device: Device, rule: MatchRule) -> list[Line]:
    """A table of scales."""
    began = time.perf_counter()
    looks = {case.name: look_at(case, model, device) for case in cases}
    all_views = (time.perf_counter() - began) / megapixels(cases, model)
    lines = []
    for name, way in fusions(model).items():
        found = {case.name: way(looks[case.name]) for case in cases}
        values = scored({key: value[0] for key, value in found.items()}, cases, model, rule)
        gsds = [gsd for _, gsd in found.values() if gsd is not None]
        lines.append(Line(name, values, gsds, float("nan") if name == ALONE else all_views))
    return lines


def further_views(cases: Sequence[Case], model: Model, device: Device, rule: MatchRule) -> Iterator[Line]:
    """A table of views; the picture's scale as its case has it. The first one is looked at once more, to warm up."""
    augments: tuple[Augment, ...] = get_args(Augment)
    find_ships(cases[0].open(model.card.gsd_m), model, device)
    for augment in augments:
        began = time.perf_counter()
        found = {c.name: find_ships(c.open(model.card.gsd_m), model, device, Looking(augment)) for c in cases}
        seconds = (time.perf_counter() - began) / megapixels(cases, model)
        gsds = [one.likely_gsd_m for one in found.values() if one.likely_gsd_m is not None]
        yield Line(augment, scored(found, cases, model, rule), gsds, seconds)


def megapixels(cases: Sequence[Case], model: Model) -> float:
    """Of all pictures, as they are stored."""
    grids = [case.open(model.card.gsd_m).grid for case in cases]
    return sum(grid.width * grid.height for grid in grids) / 1e6


def scored(found: Mapping[str, Found], cases: Sequence[Case], model: Model, rule: MatchRule) -> dict[str, float]:
    """Figures over pictures, by column."""
    judged = judge_by(lambda case: found[case.name], cases, Judging(model.card.gate_threshold, rule))
    scores, overlap = pooled(judged), overlaps(judged)
    columns = {
        "AP": scores.ap,
        "F1": scores.f1,
        "precision": scores.precision,
        "recall": scores.recall,
        "heading": scores.heading_accuracy,
        "length": scores.length_error,
        "AP50": overlap.ap50,
        "threshold": scores.threshold,
    }
    return {name: float("nan") if value is None else value for name, value in columns.items()}


def unmet(line: Line) -> list[str]:
    """What of the contract a line does not meet."""
    return [
        f"{name} {line.values[name]:.3f}, expected at least {least:.2f}"
        for name, least in LEAST.items()
        if not line.values[name] >= least
    ]


def show(title: str, lines: Sequence[Line]) -> None:
    """Prints a table in Markdown."""
    columns = list(lines[0].values)
    print(f"\n{title}\n\n| | {' | '.join(columns)} | GSD, m | s / Mpx |\n|{'---|' * (len(columns) + 3)}")
    for line in lines:
        values = " | ".join(f"{value:.3f}" for value in line.values.values())
        gsd = ", ".join(f"{g:.2f}" for g in np.percentile(line.gsd_m, [5, 50, 95])) if line.gsd_m else "-"
        print(f"| {line.name} | {values} | {gsd} | {line.seconds:.2f} |", flush=True)


def _cases(folder: Folder, *, known: bool, every: int) -> list[Case]:
    pictures = read_folder(folder, "validation")[::every]
    return [case_of(picture, None if known else "unknown") for picture in pictures]


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="Fusion of scales and of other views.")
    parser.add_argument("--civil", type=Path, default=Path("data/civil"))
    parser.add_argument("--inshore", type=Path, default=Path("data/inshore"))
    parser.add_argument("--model", default="inshore-vhr", help="a shipped model or a weights file")
    parser.add_argument("--every", type=int, default=1, help="take every n-th inshore picture")
    parser.add_argument("--tables", nargs="+", choices=TABLES, default=[*TABLES], help="which to make")
    return parser.parse_args()


def main() -> int:
    """Measures, prints, judges."""
    arguments = _arguments()
    model, device = load_weights(arguments.model), choose_device()
    print(f"{model.card.name}, {model.card.steps} steps, {device.label}")
    low: list[str] = []
    for name in arguments.tables:
        data, title = TABLES[name]
        if data == "civil":
            cases, rule = _cases(civil(arguments.civil), known=False, every=1), CIVIL_RULE
        else:
            known = name == "inshore-views"
            cases, rule = _cases(inshore(arguments.inshore), known=known, every=arguments.every), MatchRule()
        views = name.endswith("views")
        lines = list((further_views if views else unknown_scale)(cases, model, device, rule))
        show(title, lines)
        if name == "civil-scales":
            low = unmet(lines[-1])
            print("\ncontract met" if not low else "\n".join(["\ncontract not met:", *low]), flush=True)
    return 1 if low else 0


if __name__ == "__main__":
    sys.exit(main())
