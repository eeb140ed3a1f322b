"""How the training benchmarks judge a detector on labelled pictures: matched as `shipdet evaluate` does, and timed."""

import time
from collections.abc import Callable, Sequence
from typing import NamedTuple

from outcomes import Outcome

from shipdet.evaluation.cases import Judged, case_of
from shipdet.evaluation.matching import match
from shipdet.evaluation.metrics import GateHits, scores
from shipdet.evaluation.strata import strata
from shipdet.geometry import Hulls
from shipdet.inference.engine import detect_hulls
from shipdet.labels.folders import LabelledPicture
from shipdet.labels.types import SHIP_TYPES
from shipdet.models.device import Device
from shipdet.models.task_partition import TaskPartition
from shipdet.models.weights import Card, Model
from shipdet.raster.scene import Scene, open_scene
from shipdet.training.run import SIZES

Detect = Callable[[Scene, Model, Device], Hulls]

GSD_M = 1.0


class Looked(NamedTuple):
    """What a detector found in pictures, one by one, and how long that took."""

    hulls: list[Hulls]
    ms_per_mpx: float


def model_of(network: TaskPartition, gate_threshold: float) -> Model:
    """A network ready for the engine; of its card, only scale and gate matter here."""
    card = Card(
        name="benchmark",
        width=SIZES.width,
        context=SIZES.context,
        blocks=SIZES.blocks,
        gsd_m=GSD_M,
        bands=("red", "green", "blue"),
        normalisation="as in training",
        classes=("background", "hull", "end"),
        types=SHIP_TYPES,
        gate_threshold=gate_threshold,
        score_threshold=0.0,
        trained_on=(),
        terms="never leaves the benchmark",
        steps=0,
    )
    return Model(network, card)


def joined_ends(scene: Scene, model: Model, device: Device) -> Hulls:
    """Ships as `shipdet detect` finds them."""
    return detect_hulls(scene, model, device).hulls


def look_at(pictures: Sequence[LabelledPicture], model: Model, device: Device, detect: Detect = joined_ends) -> Looked:
    """The ships of each picture, through the engine; the first picture is looked at once more, to warm up.

    Args:
        pictures: taken at the model's GSD.
        model: whose network looks.
        device: where.
        detect: finds the ships of one picture, in its pixels.
    """
    hulls, seconds, megapixels = [], 0.0, 0.0
    for number, picture in enumerate([pictures[0], *pictures]):
        began = time.perf_counter()
        scene = open_scene(picture.path, gsd_m=GSD_M)
        found = detect(scene, model, device)
        if number:
            seconds += time.perf_counter() - began
            megapixels += scene.grid.width * scene.grid.height / 1e6
            hulls.append(found)
    return Looked(hulls, 1000 * seconds / megapixels)


def outcome_of(pictures: Sequence[LabelledPicture], hulls: Sequence[Hulls]) -> Outcome:
    """Scores at the threshold of the best F1; cost and training are left to be filled in."""
    pairs = zip(pictures, hulls, strict=True)
    judged = [Judged(case_of(p), h, match(h, p.labels), GateHits(0, 0)) for p, h in pairs]
    found = scores([j.matched for j in judged])
    return Outcome(
        f1=found.f1,
        ap=found.ap,
        precision=found.precision,
        recall=found.recall,
        side_by_side=recall_side_by_side(judged, found.threshold),
        heading=found.heading_accuracy,
        ms_per_mpx=None,
        minutes=0.0,
        seen=0,
    )


def recall_side_by_side(judged: Sequence[Judged], threshold: float | None) -> float | None:
    """Of ships less than `strata.SIDE_BY_SIDE` from another; None where there are none."""
    by_neighbour = strata(judged, float("inf") if threshold is None else threshold)
    return next((s.recall for s in by_neighbour if s.name.startswith("side by side")), None)
