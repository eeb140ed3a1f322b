"""How the training benchmarks judge a detector on labelled pictures: matched as `shipdet evaluate` does, and timed."""

import time
from collections.abc import Callable, Sequence
from typing import NamedTuple

import numpy as np
import shapely
from numpy.typing import NDArray
from outcomes import Outcome

from shipdet.evaluation.matching import HIT, Matched, footprints, ignored, match
from shipdet.evaluation.metrics import scores
from shipdet.geometry import Hulls
from shipdet.inference.engine import detect_hulls
from shipdet.labels.folders import LabelledPicture
from shipdet.labels.types import IGNORED_TYPES, Labels
from shipdet.models.device import Device
from shipdet.models.task_partition import TaskPartition
from shipdet.models.weights import Card, Model
from shipdet.raster.scene import Scene, open_scene
from shipdet.training.run import SIZES

Mask = NDArray[np.bool_]
Detect = Callable[[Scene, Model, Device], Hulls]

GSD_M = 1.0
SIDE_BY_SIDE = 5.0
"""Pixels between footprints, below which ships lie side by side."""


class Looked(NamedTuple):
    """What a detector found in pictures, one by one, and how long that took."""

    hulls: list[Hulls]
    ms_per_mpx: float


def model_of(network: TaskPartition, gate_threshold: float) -> Model:
    """A network ready for the engine; of its card, only the scale and the gate matter here."""
    card = Card(
        name="benchmark",
        width=SIZES.width,
        context=SIZES.context,
        blocks=SIZES.blocks,
        gsd_m=GSD_M,
        bands=("red", "green", "blue"),
        normalisation="as in training",
        classes=("background", "hull", "end"),
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


def side_by_side(labels: Labels) -> Mask:
    """Which labelled ships (L,) lie less than `SIDE_BY_SIDE` from another; pontoons and the like are no ships."""
    is_ship = np.array([kind not in IGNORED_TYPES for kind in labels.type], dtype=bool)
    ships = np.flatnonzero(is_ship)
    polygons = shapely.polygons(footprints(labels)[ships])
    i, j = shapely.STRtree(polygons).query(polygons, predicate="dwithin", distance=SIDE_BY_SIDE)
    close = np.zeros(len(labels), dtype=bool)
    close[ships[i[i != j]]] = True
    return close


def outcome_of(pictures: Sequence[LabelledPicture], hulls: Sequence[Hulls]) -> Outcome:
    """Scores at the threshold of the best F1; cost and training are left to be filled in."""
    matched = [match(h, p.labels) for h, p in zip(hulls, pictures, strict=True)]
    found = scores(matched)
    return Outcome(
        f1=found.f1,
        ap=found.ap,
        precision=found.precision,
        recall=found.recall,
        side_by_side=_recall_side_by_side(pictures, matched, found.threshold),
        heading=found.heading_accuracy,
        ms_per_mpx=None,
        minutes=0.0,
        seen=0,
    )


def _recall_side_by_side(
    pictures: Sequence[LabelledPicture], matched: Sequence[Matched], threshold: float | None
) -> float | None:
    hits = total = 0
    for picture, m in zip(pictures, matched, strict=True):
        close = side_by_side(picture.labels) & ~ignored(picture.labels)
        kept = (m.status == HIT) & (m.score >= (np.inf if threshold is None else threshold))
        hits += int(close[m.label[kept]].sum())
        total += int(close.sum())
    return hits / total if total else None
