"""Calibration finds the line that made the scores, and says how far off they were."""

import numpy as np
import pytest

from shipdet.evaluation.calibration import (
    Outcomes,
    bins_of,
    expected_error,
    fit_calibration,
    outcomes,
    pool,
    reliability,
)
from shipdet.evaluation.cases import Judged
from shipdet.models.calibration import Calibration, calibrated, uncalibrated

TRUE = Calibration(slope=2.5, intercept=1.5)


def drawn(count: int, seed: int, line: Calibration = TRUE) -> Outcomes:
    """Scores, and ships as likely as the line makes of them."""
    rng = np.random.default_rng(seed)
    score = rng.uniform(0.02, 0.98, count)
    return Outcomes(score, rng.random(count) < calibrated(score, line))


def test_the_line_that_made_the_outcomes_is_found():
    fitted = fit_calibration(drawn(40_000, 1))
    assert fitted is not None
    assert fitted.slope == pytest.approx(TRUE.slope, rel=0.05)
    assert fitted.intercept == pytest.approx(TRUE.intercept, rel=0.05)


def test_scores_that_are_probabilities_are_left_alone():
    fitted = fit_calibration(drawn(40_000, 2, Calibration(slope=1, intercept=0)))
    assert fitted is not None
    assert (fitted.slope, fitted.intercept) == (pytest.approx(1, abs=0.05), pytest.approx(0, abs=0.05))


def test_predictions_that_are_all_told_apart_still_give_a_finite_line():
    score = np.concatenate([np.full(50, 0.2), np.full(50, 0.8)])
    fitted = fit_calibration(Outcomes(score, score > 0.5))
    assert fitted is not None
    low, high = calibrated(np.array([0.2, 0.8]), fitted)
    assert 0 < low < 0.1
    assert 0.9 < high < 1


def test_too_few_hits_or_false_alarms_give_no_line():
    assert fit_calibration(pool([])) is None
    assert fit_calibration(Outcomes(np.full(100, 0.5), np.arange(100) < 9)) is None
    assert fit_calibration(Outcomes(np.full(100, 0.5), np.arange(100) >= 9)) is None


def test_scores_that_mislead_never_turn_the_order_round():
    known = drawn(2000, 3)
    fitted = fit_calibration(Outcomes(known.score, ~known.hit))
    assert fitted is not None
    assert fitted.slope > 0


def test_the_expected_error_of_a_small_case_by_hand():
    known = Outcomes(np.array([0.92, 0.98, 0.15, 0.15, 1.0]), np.array([True, False, False, True, True]))
    bins = bins_of(known)
    assert bins.size.tolist() == [2, 3]
    # 0.15 against 1/2, and 2.9/3 against 2/3.
    assert expected_error(bins) == pytest.approx((2 * 0.35 + 3 * (0.9 / 3)) / 5)
    assert expected_error(bins_of(pool([]))) is None


def test_ignored_predictions_are_neither_right_nor_wrong(judged: list[Judged]):
    known = outcomes(judged[0].matched)
    assert dict(zip(known.score.tolist(), known.hit.tolist(), strict=True)) == {0.9: True, 0.6: True, 0.7: False}


def test_refitting_mends_scores_and_is_measured_on_other_pictures():
    pictures = [drawn(400, seed) for seed in range(10)]
    found = reliability(pictures, 0.5, None)
    assert found.reported is None
    assert found.refitted is not None
    assert (found.raw.error or 0) > 0.1
    assert (found.refitted.error or 1) < 0.03


def test_of_a_calibrated_model_the_networks_own_scores_are_told_too():
    raw = [drawn(400, seed) for seed in range(10)]
    reported = [Outcomes(calibrated(picture.score, TRUE), picture.hit) for picture in raw]
    before, after = reliability(raw, 0.0, None), reliability(reported, 0.0, TRUE)
    assert after.raw.error == pytest.approx(before.raw.error)
    assert after.reported is not None
    assert (after.reported.error or 1) < 0.03
    np.testing.assert_allclose(uncalibrated(reported[0].score, TRUE), raw[0].score)


def test_the_error_of_what_is_kept_leaves_out_the_unlikely():
    pictures = [Outcomes(np.array([0.95, 0.05]), np.array([True, True]))]
    found = reliability(pictures, 0.5, None)
    assert (found.raw.error, found.raw.error_kept) == (pytest.approx(0.5), pytest.approx(0.05))
    assert reliability(pictures, 0.99, None).raw.error_kept is None
