"""Whether a score of 0.7 is a ship seven times in ten, and the line that makes it so.

Two numbers are fitted on hits and false alarms (Platt, 1999, with his targets, which keep the fit finite where
all predictions are right). The error is the expected calibration error (Guo et al., ICML 2017) in ten bins.
"""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize
from scipy.special import expit

from shipdet.evaluation.matching import HIT, IGNORED, Matched
from shipdet.models.calibration import Calibration, bounded_logit, calibrated, uncalibrated

Array = NDArray[np.float64]

BINS = 10
LEAST_OF_EACH = 10
"""Hits, and false alarms, below which nothing is fitted."""
STEEPEST, FLATTEST = 50.0, 0.02


class Outcomes(NamedTuple):
    """N predictions, of one picture or of several, that were right or wrong."""

    score: Array
    hit: NDArray[np.bool_]


class Bins(NamedTuple):
    """Predictions of like score; K bins that hold any."""

    score: Array
    """(K,) mean"""
    share: Array
    """(K,) of them that are ships"""
    size: NDArray[np.int64]
    """(K,)"""


class Trust(NamedTuple):
    """How far scores are from probabilities; errors are None where there is no prediction."""

    bins: Bins
    """of all predictions, however unlikely"""
    error: float | None
    """Expected calibration error of all predictions"""
    error_kept: float | None
    """of those at or above the threshold"""


class Reliability(NamedTuple):
    """How far scores are from probabilities, each way of making them."""

    raw: Trust
    """The network's own scores"""
    reported: Trust | None
    """The scores that are reported, where the model's card calibrates them"""
    refitted: Trust | None
    """Scores calibrated on every other picture and measured on those between, both ways round; None where there
    are too few predictions to fit"""


def outcomes(matched: Matched) -> Outcomes:
    """Hits and false alarms of one picture; what is ignored is neither."""
    kept = matched.status != IGNORED
    return Outcomes(matched.score[kept], matched.status[kept] == HIT)


def fit_calibration(known: Outcomes) -> Calibration | None:
    """The line of the greatest likelihood; None where there are too few hits or false alarms."""
    hits = int(known.hit.sum())
    misses = len(known.hit) - hits
    if min(hits, misses) < LEAST_OF_EACH:
        return None
    at = bounded_logit(known.score)
    target = np.where(known.hit, (hits + 1) / (hits + 2), 1 / (misses + 2))

    def loss(line: Array) -> tuple[float, Array]:
        value = line[0] * at + line[1]
        slope = expit(value) - target
        return float(np.mean(np.logaddexp(0, value) - target * value)), np.array([np.mean(slope * at), np.mean(slope)])

    fitted = minimize(loss, np.array([1.0, 0.0]), jac=True, bounds=((FLATTEST, STEEPEST), (None, None)))
    return Calibration(slope=float(fitted.x[0]), intercept=float(fitted.x[1]))


def reliability(pictures: Sequence[Outcomes], threshold: float, calibration: Calibration | None) -> Reliability:
    """Calibration error before and after.

    Args:
        pictures: predictions of each picture, scored as reported.
        threshold: reported score from which predictions are kept.
        calibration: what made these scores of the network's own.
    """
    raw = [Outcomes(uncalibrated(picture.score, calibration), picture.hit) for picture in pictures]
    kept = [picture.score >= threshold for picture in pictures]
    refitted = _cross_fitted(raw)
    return Reliability(
        raw=_trust(raw, kept),
        reported=None if calibration is None else _trust(pictures, kept),
        refitted=None if refitted is None else _trust(refitted, kept),
    )


def _trust(pictures: Sequence[Outcomes], kept: Sequence[NDArray[np.bool_]]) -> Trust:
    bins = bins_of(pool(pictures))
    some = [Outcomes(p.score[keep], p.hit[keep]) for p, keep in zip(pictures, kept, strict=True)]
    return Trust(bins, expected_error(bins), expected_error(bins_of(pool(some))))


def pool(pictures: Sequence[Outcomes]) -> Outcomes:
    """Predictions of several pictures."""
    score = np.concatenate([np.zeros(0), *(picture.score for picture in pictures)])
    return Outcomes(score, np.concatenate([np.zeros(0, dtype=bool), *(picture.hit for picture in pictures)]))


def bins_of(known: Outcomes) -> Bins:
    """Predictions in `BINS` bins of equal width."""
    place = np.minimum((known.score * BINS).astype(np.intp), BINS - 1)
    count = np.bincount(place, minlength=BINS)
    some = count > 0
    score, hits = (np.bincount(place, weights=of, minlength=BINS)[some] for of in (known.score, known.hit))
    return Bins(score / count[some], hits / count[some], count[some])


def expected_error(bins: Bins) -> float | None:
    """Mean distance between score and share of ships, weighted by predictions."""
    total = int(bins.size.sum())
    return float(np.sum(bins.size * np.abs(bins.score - bins.share)) / total) if total else None


def _cross_fitted(pictures: Sequence[Outcomes]) -> list[Outcomes] | None:
    """Every other picture calibrated by the fit of those between."""
    even, odd = fit_calibration(pool(pictures[1::2])), fit_calibration(pool(pictures[0::2]))
    if even is None or odd is None:
        return None
    fits = [(even, odd)[number % 2] for number in range(len(pictures))]
    return [Outcomes(calibrated(p.score, fit), p.hit) for p, fit in zip(pictures, fits, strict=True)]
