import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from shipdet.evaluation.matching import FALSE_ALARM, HIT, IGNORED, Matched, match
from shipdet.evaluation.metrics import GateHits, average_precision, precision_recall_curve, scores, scores_at
from shipdet.geometry import Hulls
from shipdet.labels.types import Labels, Ship


def matched_of(statuses, values, ships, heading=None, length=None):
    status = np.array(statuses, dtype=np.int8)
    label = np.where(status == HIT, np.cumsum(status == HIT) - 1, -1)
    blank = np.where(status == HIT, 0.0, np.nan)
    return Matched(
        status=status,
        label=label,
        score=np.array(values, dtype=np.float64),
        heading_error_deg=blank if heading is None else np.array(heading, dtype=np.float64),
        length_error=blank if length is None else np.array(length, dtype=np.float64),
        counted=np.ones(ships, dtype=bool),
    )


def fleet(seed, ships=8, predictions=16, levels=5):
    """Predictions on and off labelled ships, with few distinct scores so that many are equal."""
    rng = np.random.default_rng(seed)
    bow, stern = rng.uniform(0, 80, (2, ships, 2))
    rows = [
        Ship(tuple(b), tuple(s), bow_known=bool(rng.random() < 0.7), difficult=bool(rng.random() < 0.2))
        for b, s in zip(bow, stern, strict=True)
    ]
    of = rng.integers(0, max(ships, 1), predictions if ships else 0)
    ends = np.concatenate([bow[of], stern[of]], axis=1) + rng.normal(0, 4, (len(of), 4))
    score = rng.integers(1, levels + 1, len(of)) / levels
    hulls = Hulls(ends[:, :2], ends[:, 2:], np.full(len(of), 5.0), score, np.ones(len(of)))
    return hulls, Labels.of_rows(rows, [], complete=True)


def test_perfect_predictions_score_one():
    labels = Labels.of_rows([Ship((50.0, 0.0), (0.0, 0.0)), Ship((0.0, 99.0), (9.0, 50.0))], [], complete=True)
    hulls = Hulls(labels.bow, labels.stern, np.full(2, 9.0), np.array([0.9, 0.3]), np.ones(2))
    result = scores([match(hulls, labels)], [GateHits(3, 4), GateHits(0, 0)])
    assert (result.ships, result.ap, result.f1, result.precision, result.recall) == (2, 1, 1, 1, 1)
    assert (result.threshold, result.heading_accuracy, result.length_error) == (0.3, 1, 0)
    assert result.gate_recall == 0.75
    assert (result.hits, result.false_alarms) == (2, 0)


def test_swapped_ends_score_full_but_for_the_heading():
    labels = Labels.of_rows([Ship((50.0, 0.0), (0.0, 0.0)), Ship((0.0, 99.0), (9.0, 50.0))], [], complete=True)
    hulls = Hulls(labels.stern, labels.bow, np.full(2, 9.0), np.array([0.9, 0.3]), np.ones(2))
    result = scores([match(hulls, labels)])
    assert (result.ap, result.f1, result.heading_accuracy) == (1, 1, 0)


def test_average_precision_of_a_small_case_by_hand():
    # Recall 1/4 at 1, 2/4 at 2/3, 3/4 at 3/5: the last precision is not raised, the fourth ship is never found.
    matched = matched_of([HIT, FALSE_ALARM, HIT, FALSE_ALARM, HIT], [0.9, 0.8, 0.7, 0.6, 0.5], ships=4)
    result = scores([matched])
    assert result.ap == pytest.approx((1 + 2 / 3 + 3 / 5) / 4)
    assert result.f1 == pytest.approx(2 * 3 / (5 + 4))
    assert (result.precision, result.recall, result.threshold) == (pytest.approx(0.6), 0.75, 0.5)


def test_a_precision_is_raised_to_the_best_at_a_higher_recall():
    # Precision 0, 1/2, 2/3, 3/4: the envelope is 3/4 all along.
    matched = matched_of([FALSE_ALARM, HIT, HIT, HIT], [0.9, 0.8, 0.7, 0.6], ships=3)
    assert scores([matched]).ap == pytest.approx(0.75)


def test_pictures_are_pooled_not_averaged():
    one = matched_of([HIT, FALSE_ALARM], [0.9, 0.2], ships=1)
    other = matched_of([HIT, FALSE_ALARM, HIT], [0.7, 0.8, 0.5], ships=3)
    together = matched_of([HIT, FALSE_ALARM, HIT, HIT, FALSE_ALARM], [0.9, 0.8, 0.7, 0.5, 0.2], ships=4)
    assert scores([one, other]) == scores([together])


def test_predictions_of_equal_score_enter_the_curve_together():
    curve = precision_recall_curve([matched_of([HIT, FALSE_ALARM, HIT], [0.5, 0.5, 0.5], ships=4)])
    assert curve.threshold.tolist() == [0.5]
    assert curve.precision.tolist() == pytest.approx([2 / 3])
    assert curve.recall.tolist() == [0.5]
    assert average_precision(curve) == pytest.approx(1 / 3)


def test_ignored_predictions_change_nothing():
    plain = matched_of([HIT, FALSE_ALARM], [0.9, 0.8], ships=2)
    with_ignored = matched_of([HIT, IGNORED, FALSE_ALARM, IGNORED], [0.9, 0.99, 0.8, 0.1], ships=2)
    assert scores([with_ignored]) == scores([plain])


def test_the_second_prediction_on_a_ship_is_one_false_alarm():
    labels = Labels.of_rows([Ship((50.0, 0.0), (0.0, 0.0))], [], complete=True)
    hulls = Hulls(np.array([[50.0, 0], [51, 0]]), np.zeros((2, 2)), np.full(2, 9.0), np.array([0.9, 0.8]), np.ones(2))
    result = scores_at([match(hulls, labels)], 0.5)
    assert (result.hits, result.false_alarms, result.precision) == (1, 1, 0.5)
    assert result.ap == 1


def test_heading_counts_hits_at_the_threshold_whose_bow_is_known():
    matched = matched_of(
        [HIT, HIT, HIT, FALSE_ALARM, HIT],
        [0.9, 0.8, 0.7, 0.6, 0.1],
        ships=5,
        heading=[10.0, 10.5, np.nan, np.nan, 0.0],
        length=[0.1, 0.3, 0.2, np.nan, 9.0],
    )
    result = scores_at([matched], 0.7)
    assert result.heading_accuracy == 0.5
    assert result.length_error == pytest.approx(0.2)
    assert (result.precision, result.recall, result.threshold) == (1, 0.6, 0.7)


def test_of_equal_f1_the_highest_threshold_is_chosen():
    matched = matched_of([HIT, FALSE_ALARM, FALSE_ALARM, HIT], [0.9, 0.8, 0.7, 0.6], ships=2)
    assert scores([matched]).f1 == pytest.approx(2 / 3)
    assert scores([matched]).threshold == 0.9


def test_no_predictions_found_nothing():
    result = scores([matched_of([], [], ships=3)])
    assert (result.ships, result.ap, result.f1, result.recall) == (3, 0, 0, 0)
    assert result.precision is None
    assert result.threshold is None
    assert result.heading_accuracy is None
    assert result.length_error is None
    assert result.gate_recall is None


def test_without_ships_or_pictures_there_is_nothing_to_measure():
    for matched in ([], [matched_of([FALSE_ALARM], [0.5], ships=0)]):
        result = scores(matched)
        assert (result.ships, result.ap, result.f1, result.recall, result.threshold) == (0, None, None, None, None)
    at = scores_at([matched_of([FALSE_ALARM], [0.5], ships=0)], 0.4)
    assert (at.f1, at.precision, at.recall, at.false_alarms) == (0, 0, None, 1)


@given(seed=st.integers(0, 2**32 - 1))
def test_the_order_of_the_predictions_does_not_change_the_scores(seed):
    hulls, labels = fleet(seed)
    shuffled = hulls[np.random.default_rng(seed).permutation(len(hulls))]
    assert scores([match(shuffled, labels)]) == scores([match(hulls, labels)])


def literal_average_precision(matched):
    """The integral over recall of the best precision at that recall or more, threshold by threshold."""
    ships = sum(int(m.counted.sum()) for m in matched)
    values = sorted({float(s) for m in matched for s in m.score})
    points = []
    for t in values:
        hits = sum(int(s >= t and k == HIT) for m in matched for s, k in zip(m.score, m.status, strict=True))
        kept = sum(int(s >= t and k != IGNORED) for m in matched for s, k in zip(m.score, m.status, strict=True))
        if kept:
            points.append((hits / ships, hits / kept))
    steps = [max([p for r, p in points if r * ships >= n - 1e-6], default=0.0) for n in range(1, ships + 1)]
    return math.fsum(steps) / ships


@given(seeds=st.lists(st.integers(0, 2**32 - 1), min_size=1, max_size=3), levels=st.sampled_from([3, 1000]))
def test_average_precision_is_that_of_a_literal_computation(seeds, levels):
    matched = [match(*fleet(seed, levels=levels)) for seed in seeds]
    result = scores(matched)
    if result.ships == 0:
        assert result.ap is None
        return
    assert result.ap is not None
    assert 0 <= result.ap <= 1
    assert result.ap == pytest.approx(literal_average_precision(matched), abs=1e-12)


@given(seed=st.integers(0, 2**32 - 1))
def test_no_threshold_has_a_better_f1_than_the_best(seed):
    matched = [match(*fleet(seed))]
    best = scores(matched)
    if best.threshold is None:
        return
    assert scores_at(matched, best.threshold) == best
    assert all((scores_at(matched, t).f1 or 0) <= (best.f1 or 0) for t in np.linspace(0, 1.1, 12))
