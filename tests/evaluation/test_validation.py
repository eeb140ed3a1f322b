"""The card that validation gives to weights."""

import numpy as np
import pytest

from shipdet.evaluation.cases import Judged
from shipdet.evaluation.validation import card_with
from shipdet.models.calibration import Calibration, calibrated
from shipdet.models.weights import Card


def rescored(judged: Judged, score: np.ndarray) -> Judged:
    return judged._replace(matched=judged.matched._replace(score=score))


@pytest.fixture
def many(judged: list[Judged]) -> list[Judged]:
    """The same pictures many times over, so that there is enough to fit."""
    rng = np.random.default_rng(0)
    return [rescored(j, np.clip(j.matched.score + rng.normal(0, 0.15, len(j.hulls)), 0.05, 0.95)) for j in judged * 12]


def test_a_card_tells_scores_overlaps_and_recalls_of_each_split(many: list[Judged], judged: list[Judged], card: Card):
    told = card_with(card, {"inshore": many, "civil": judged})
    assert [scores.split for scores in told.scores] == ["inshore validation", "civil validation"]
    inshore = told.scores[0]
    assert inshore.ships == 60
    assert inshore.ap50 is not None
    by_length = [row for row in inshore.recalls if row.by == "length"]
    assert sum(row.ships for row in by_length) == 60
    assert sum(row.ships * row.recall for row in by_length) == pytest.approx(inshore.recall * 60)


def test_threshold_and_calibration_keep_the_same_ships(many: list[Judged], card: Card):
    raw = card_with(card, {"inshore": many})
    assert raw.calibration is not None
    again = [rescored(j, calibrated(j.matched.score, raw.calibration)) for j in many]
    best = card_with(raw, {"inshore": again})
    assert best.calibration is not None
    assert best.calibration.slope == pytest.approx(raw.calibration.slope, rel=1e-3)
    assert best.score_threshold == pytest.approx(raw.score_threshold, rel=1e-3)
    for one, other in zip(raw.scores, best.scores, strict=True):
        assert (one.f1, one.recall, one.ap) == pytest.approx((other.f1, other.recall, other.ap))


def test_with_too_little_to_fit_scores_stay_the_networks_own(judged: list[Judged], card: Card):
    told = card_with(card, {"inshore": judged})
    assert told.calibration is None
    assert told.score_threshold == 0.6


def test_without_validation_the_card_stays_as_it_is(card: Card):
    assert card_with(card, {}) == card
    with_line = card.model_copy(update={"calibration": Calibration(slope=2, intercept=1)})
    assert card_with(with_line, {}) == with_line
