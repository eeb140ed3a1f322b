import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from shipdet.models.calibration import Calibration, calibrated, uncalibrated
from shipdet.models.weights import Card

STEEP = Calibration(slope=3.0, intercept=4.0)
CARD = Card(
    name="tiny", width=64, context=48, gsd_m=1.0, bands=("red",), normalisation="percentiles", classes=("hull",),
    gate_threshold=0.1, score_threshold=0.3, trained_on=("drawn harbours",), terms="none", steps=7,
)  # fmt: skip


def test_without_a_calibration_scores_stay_as_they_are():
    score = np.array([0.0, 0.2, 1.0])
    assert calibrated(score, None) is score
    assert uncalibrated(score, None) is score


def test_the_line_of_one_and_zero_changes_nothing():
    score = np.linspace(0.001, 0.999, 50)
    np.testing.assert_allclose(calibrated(score, Calibration(slope=1, intercept=0)), score)


def test_a_half_becomes_the_logistic_of_the_intercept():
    assert calibrated(np.array([0.5]), STEEP)[0] == pytest.approx(1 / (1 + np.exp(-4.0)))


@given(st.floats(0.02, 20), st.floats(-10, 10))
def test_the_order_of_scores_stays_and_they_stay_probabilities(slope: float, intercept: float):
    out = calibrated(np.linspace(0, 1, 101), Calibration(slope=slope, intercept=intercept))
    assert np.isfinite(out).all()
    assert ((out >= 0) & (out <= 1)).all()
    assert (np.diff(out) >= 0).all()


def test_uncalibrated_is_the_way_back():
    score = np.linspace(0.05, 0.9, 40)
    np.testing.assert_allclose(uncalibrated(calibrated(score, STEEP), STEEP), score)


@pytest.mark.parametrize("slope", [0.0, -1.0, float("nan"), float("inf")])
def test_a_line_that_does_not_rise_is_refused(slope: float):
    with pytest.raises(ValidationError):
        Calibration(slope=slope, intercept=0.0)


def test_a_card_keeps_its_calibration_and_older_cards_have_none():
    told = CARD.model_copy(update={"calibration": STEEP})
    assert Card.model_validate_json(told.model_dump_json()) == told
    older = CARD.model_dump_json(exclude={"calibration"})
    assert "calibration" not in older
    assert Card.model_validate_json(older) == CARD
