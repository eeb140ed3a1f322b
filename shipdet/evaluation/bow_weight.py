"""What a second look at ships whose bow is in doubt is worth, and how much it should weigh."""

from collections.abc import Callable, Sequence
from typing import NamedTuple

import numpy as np
from scipy.special import expit, log_expit, logit

from shipdet.errors import LabelsError
from shipdet.evaluation.cases import Judged
from shipdet.evaluation.matching import HIT
from shipdet.evaluation.run import judge
from shipdet.geometry import Array
from shipdet.inference.second_look import SUREST, bow_logits, doubt
from shipdet.labels.folders import LabelledPicture
from shipdet.models.bow_classifier import BowClassifier
from shipdet.models.device import Device
from shipdet.models.weights import Model, SecondLookFacts
from shipdet.raster.sampling import model_sampling

WEIGHTS = np.linspace(0, 4, 41)
RIGHT_DEG = 90.0


class Looks(NamedTuple):
    """Of N ships that were found: both logits that the end taken for the bow is it, and whether it is."""

    first: Array
    second: Array
    right: Array
    """1 or 0"""


def second_look_facts(
    model: Model,
    classifier: BowClassifier,
    device: Device,
    pictures: Sequence[LabelledPicture],
    split: str,
    report: Callable[[str], None],
) -> SecondLookFacts:
    """The weight of a classifier's word beside the network's, by which validation is likeliest, and what it gains.

    Args:
        model: with or without a classifier of its own.
        classifier: newly trained.
        device: where it computes.
        pictures: of validation.
        split: what to call them.
        report: is told the outcome.

    Raises:
        LabelsError: no ship with a known bow is found in the pictures.
    """
    judged = judge(model._replace(bow_classifier=None), device, pictures)
    looks = Looks(*np.concatenate([_looks(each, model, classifier, device) for each in judged], axis=1))
    if not len(looks.right):
        raise LabelsError(f"no ship of {split} with a known bow is found; name pictures with bows")
    weight = best_weight(looks)
    before, after = float(looks.right.mean()), heading_accuracy(looks, weight)
    report(f"{split}: weight {weight:.1f}, {before:.1%} of {len(looks.right)} headings right, then {after:.1%}")
    return SecondLookFacts(
        width=classifier.width, weight=weight, split=split, ships=len(looks.right), heading_before=before,
        heading_after=after,
    )  # fmt: skip


def best_weight(looks: Looks) -> float:
    """The weight of the second look that makes what is true of the ships likeliest; 0 where none is in doubt."""
    sign = np.where(looks.right > 0, 1.0, -1.0)
    told = looks.first + WEIGHTS[:, None] * doubt(expit(looks.first)) * looks.second
    return float(WEIGHTS[np.argmax(log_expit(sign * told).sum(axis=1))])


def heading_accuracy(looks: Looks, weight: float) -> float:
    """Share of the ships that point the right way once the unsure ones were looked at again."""
    told = looks.first + weight * doubt(expit(looks.first)) * looks.second
    return float(((told > 0) == (looks.right > 0)).mean())


def _looks(judged: Judged, model: Model, classifier: BowClassifier, device: Device) -> Array:
    """`Looks` of one picture as rows (3, N)."""
    matched, hulls = judged.matched, judged.hulls
    found = (matched.status == HIT) & (matched.score >= model.card.score_threshold)
    known = np.flatnonzero(found & np.isfinite(matched.heading_error_deg))
    scene = judged.picture.open(model.card.gsd_m)
    second = bow_logits(hulls[known], scene, model_sampling(scene, model.card.gsd_m), classifier, device)
    return np.stack([logit(hulls.bow_score[known].clip(*SUREST)), second, matched.heading_error_deg[known] < RIGHT_DEG])
