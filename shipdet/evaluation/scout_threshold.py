"""How sure a scout has to be that nothing is there: as sure as keeps nearly all ships that are found without it."""

from collections.abc import Callable, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from shipdet.errors import LabelsError
from shipdet.evaluation.cases import Case, Judged
from shipdet.evaluation.matching import HIT
from shipdet.evaluation.run import judge
from shipdet.inference.covering import BLOCK
from shipdet.inference.scout import around, scout_scene
from shipdet.labels.folders import LabelledPicture
from shipdet.models.device import Device
from shipdet.models.weights import Model, ScoutFacts
from shipdet.raster.sampling import Sampling, model_sampling

ALONG = np.linspace(0, 1, 9)
"""Places along a hull, from end to end, that all have to be open."""
MOST_LOST = 0.003
"""Share of the found ships that a threshold may cost."""
OF_VALIDATION = 0.5
"""Part of that threshold that is taken: other places are not as plain as those of validation."""


class Openness(NamedTuple):
    """What the scout thinks of pictures."""

    found: NDArray[np.float64]
    """(N,) for each ship found without it, the highest threshold that leaves all of it open"""
    blocks: NDArray[np.float32]
    """(M,) for each block of the pictures, the highest threshold that leaves it open"""


def scout_facts(
    model: Model, device: Device, pictures: Sequence[LabelledPicture], split: str, report: Callable[[str], None]
) -> ScoutFacts:
    """The threshold for a model's scout, and what it costs.

    Args:
        model: with a scout, whose threshold does not matter.
        device: where it computes.
        pictures: of validation.
        split: what to call them.
        report: is told the outcome.

    Raises:
        LabelsError: no labelled ship is found in the pictures.
    """
    dense = model._replace(scout=None)
    openness = openness_of(model, device, judge(dense, device, pictures))
    if not len(openness.found):
        raise LabelsError(f"no labelled ship of {split} is found, so no threshold can be chosen; check the weights")
    threshold = threshold_of(openness.found)
    lost = float((openness.found < threshold).mean())
    opened = float((openness.blocks >= threshold).mean())
    report(f"{split}: threshold {threshold:.4f}, {lost:.2%} of {len(openness.found)} ships lost, {opened:.0%} opened")
    return ScoutFacts(threshold=threshold, split=split, ships=len(openness.found), lost_recall=lost, opened=opened)


def threshold_of(found: NDArray[np.float64]) -> float:
    """Half the highest threshold that costs no more than `MOST_LOST` of the ships (N,), of which there are some."""
    return OF_VALIDATION * float(np.sort(found)[int(MOST_LOST * len(found))])


def openness_of(model: Model, device: Device, judged: Sequence[Judged]) -> Openness:
    """What a model's scout thinks of pictures, judged without it, and of the ships that were found there."""
    if model.scout is None:
        raise ValueError("expected a model with a scout")
    ships, blocks = [], []
    for each in judged:
        scene = each.picture.open(model.card.gsd_m)
        sampling = model_sampling(scene, model.card.gsd_m)
        grid = around(scout_scene(scene, sampling, model.scout, device).ship)
        ships.append(_of_ships(grid, sampling, each.picture, np.unique(each.matched.label[_hits(each, model)])))
        blocks.append(grid.ravel())
    return Openness(np.concatenate(ships), np.concatenate(blocks))


def _hits(judged: Judged, model: Model) -> NDArray[np.bool_]:
    return np.asarray((judged.matched.status == HIT) & (judged.matched.score >= model.card.score_threshold))


def _of_ships(
    grid: NDArray[np.float32], sampling: Sampling, case: Case, ships: NDArray[np.intp]
) -> NDArray[np.float64]:
    """The least openness of the blocks along some labelled ships: (N,)."""
    bow, stern = (sampling.to_model(ends[ships]) for ends in (case.labels.bow, case.labels.stern))
    places = bow[:, None] + ALONG[:, None] * (stern - bow)[:, None]
    x, y = np.floor(places / BLOCK).astype(np.intp).transpose(2, 0, 1)
    rows, columns = grid.shape
    return np.asarray(grid[y.clip(0, rows - 1), x.clip(0, columns - 1)].min(axis=1), np.float64)
