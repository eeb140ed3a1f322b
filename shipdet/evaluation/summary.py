"""All that is said of a model on one set of labelled pictures."""

from collections.abc import Sequence
from typing import NamedTuple

from shipdet.evaluation.calibration import Reliability, outcomes, reliability
from shipdet.evaluation.cases import Judged
from shipdet.evaluation.confusion import Confusion, confusion
from shipdet.evaluation.iou import THRESHOLDS, OverlapScores, match_by_overlap, overlap_scores
from shipdet.evaluation.metrics import Scores, scores, scores_at
from shipdet.evaluation.strata import Stratum, strata
from shipdet.models.weights import Card


class Evaluation(NamedTuple):
    """How good a model is on some pictures. What has nothing to be measured on is None or empty.

    Shares of ships found (recalls, the types, and what `Scores` says) hold at the threshold.
    """

    name: str
    """What was scored, such as "inshore validation\""""
    model: str
    pictures: int
    scores: Scores
    overlap: OverlapScores
    strata: tuple[Stratum, ...]
    reliability: Reliability
    confusion: Confusion | None


def pooled(judged: Sequence[Judged], threshold: float | None = None) -> Scores:
    """Scores over pictures, at a threshold, or at that of the best F1."""
    matched, gate = [j.matched for j in judged], [j.gate for j in judged]
    return scores(matched, gate) if threshold is None else scores_at(matched, threshold, gate)


def overlaps(judged: Sequence[Judged]) -> OverlapScores:
    """Average precision by overlap over pictures."""
    return overlap_scores([match_by_overlap(j.hulls, j.picture.labels, THRESHOLDS, ~j.matched.counted) for j in judged])


def summarise(judged: Sequence[Judged], name: str, card: Card, threshold: float | None = None) -> Evaluation:
    """Everything over pictures, at a threshold, or at that of the best F1.

    Args:
        judged: pictures by one model.
        name: what they are.
        card: of the model.
        threshold: lowest score that counts.
    """
    found = pooled(judged, threshold)
    kept = found.threshold or 0.0
    return Evaluation(
        name=name,
        model=card.name,
        pictures=len(judged),
        scores=found,
        overlap=overlaps(judged),
        strata=strata(judged, kept),
        reliability=reliability([outcomes(j.matched) for j in judged], kept, card.calibration),
        confusion=confusion(judged, kept, card.types),
    )
