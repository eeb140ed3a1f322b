"""Scores over many pictures: average precision, the best F1, heading, length, gate recall.

Average precision is the area under the interpolated precision-recall curve at all points (PASCAL VOC
from 2010 on: Everingham et al., IJCV 2015). Predictions of equal score enter the curve together.
"""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from shipdet.evaluation.matching import HIT, IGNORED, Matched

Array = NDArray[np.float64]
Counts = NDArray[np.int64]

HEADING_TOLERANCE_DEG = 10.0
"""A heading within this of the labelled one, out of 360, is right."""


class GateHits(NamedTuple):
    """Of the labelled things that the gate should let through in one picture, how many it did."""

    opened: int
    total: int


class Curve(NamedTuple):
    """Precision and recall at each of K distinct scores, highest first."""

    threshold: Array
    """(K,) predictions of at least this score are kept"""
    precision: Array
    """(K,)"""
    recall: Array
    """(K,) zero where there are no ships"""
    f1: Array
    """(K,)"""


class Scores(NamedTuple):
    """How good predictions are. What has nothing to be measured on is None.

    Precision and what follows it, gate recall aside, hold at the threshold.
    """

    ships: int
    """Labelled ships that count"""
    ap: float | None
    f1: float | None
    precision: float | None
    recall: float | None
    threshold: float | None
    heading_accuracy: float | None
    """Share of the ships found, bow known, whose heading is within HEADING_TOLERANCE_DEG"""
    length_error: float | None
    """Median over the ships found, relative to the labelled length"""
    gate_recall: float | None
    hits: int
    false_alarms: int


class _Pool(NamedTuple):
    """The N predictions of all pictures that count, highest score first."""

    score: Array
    hit: NDArray[np.bool_]
    heading_error_deg: Array
    length_error: Array
    ships: int


def precision_recall_curve(matched: Sequence[Matched]) -> Curve:
    """Precision and recall over all pictures, at each score that occurs."""
    return _curve(_pool(matched))


def average_precision(curve: Curve) -> float:
    """Area under the curve after each precision is raised to the best at any higher recall."""
    envelope = np.maximum.accumulate(curve.precision[::-1])[::-1]
    return float(np.sum(np.diff(curve.recall, prepend=0.0) * envelope))


def scores(matched: Sequence[Matched], gate: Sequence[GateHits] = ()) -> Scores:
    """Scores over all pictures, at the threshold of the best F1 (of equals, the highest threshold)."""
    pool = _pool(matched)
    curve = _curve(pool)
    best = float(curve.threshold[np.argmax(curve.f1)]) if pool.ships and len(curve.f1) else None
    return _scores(pool, best, gate)


def scores_at(matched: Sequence[Matched], threshold: float, gate: Sequence[GateHits] = ()) -> Scores:
    """Scores over all pictures, at a threshold chosen beforehand; average precision needs none."""
    return _scores(_pool(matched), threshold, gate)


def _pool(matched: Sequence[Matched]) -> _Pool:
    none = np.zeros(0)
    kept = [m.status != IGNORED for m in matched]
    score = np.concatenate([none, *(m.score[k] for m, k in zip(matched, kept, strict=True))])
    order = np.argsort(-score, kind="stable")
    hit = np.concatenate([none, *(m.status[k] == HIT for m, k in zip(matched, kept, strict=True))]).astype(bool)
    heading = np.concatenate([none, *(m.heading_error_deg[k] for m, k in zip(matched, kept, strict=True))])
    length = np.concatenate([none, *(m.length_error[k] for m, k in zip(matched, kept, strict=True))])
    ships = sum(int(m.counted.sum()) for m in matched)
    return _Pool(score[order], hit[order], heading[order], length[order], ships)


def _curve(pool: _Pool) -> Curve:
    last = np.flatnonzero(np.diff(pool.score, append=-np.inf))  # of each run of equal scores
    hits, kept = np.cumsum(pool.hit)[last], last + 1
    recall = hits / max(pool.ships, 1)
    return Curve(pool.score[last], hits / kept, recall, 2 * hits / (kept + pool.ships))


def _scores(pool: _Pool, threshold: float | None, gate: Sequence[GateHits]) -> Scores:
    kept = np.zeros(len(pool.score), dtype=bool) if threshold is None else pool.score >= threshold
    found = kept & pool.hit
    hits, predictions = int(found.sum()), int(kept.sum())
    heading = pool.heading_error_deg[found]
    heading = heading[~np.isnan(heading)]
    return Scores(
        ships=pool.ships,
        ap=average_precision(_curve(pool)) if pool.ships else None,
        f1=_ratio(2 * hits, predictions + pool.ships),
        precision=_ratio(hits, predictions),
        recall=_ratio(hits, pool.ships),
        threshold=threshold,
        heading_accuracy=_ratio(int((heading <= HEADING_TOLERANCE_DEG).sum()), len(heading)),
        length_error=float(np.median(pool.length_error[found])) if hits else None,
        gate_recall=_ratio(sum(g.opened for g in gate), sum(g.total for g in gate)),
        hits=hits,
        false_alarms=predictions - hits,
    )


def _ratio(part: int, whole: int) -> float | None:
    return part / whole if whole else None
