import numpy as np
import pytest

from shipdet.evaluation.centres import match_centres
from shipdet.evaluation.matching import FALSE_ALARM, HIT, IGNORED
from shipdet.geometry import Hulls
from shipdet.labels.types import Labels, Ship

GSD_M = 10.0


def labels(*ships: tuple[float, float, float], difficult: bool = False) -> Labels:
    """Ships along x: middle and length, in pixels."""
    rows = [Ship((x + n / 2, y), (x - n / 2, y), 2.0, bow_known=False, difficult=difficult) for x, y, n in ships]
    return Labels.of_rows(rows, [], complete=True)


def hulls(*ships: tuple[float, float, float], score: tuple[float, ...] | None = None) -> Hulls:
    x, y, n = np.array(ships, float).reshape(-1, 3).T
    bow, stern = np.stack([x + n / 2, y], axis=1), np.stack([x - n / 2, y], axis=1)
    scores = np.array(score) if score else np.full(len(x), 0.5)
    return Hulls(bow, stern, np.full(len(x), 2.0), scores, np.full(len(x), 0.5))


@pytest.mark.parametrize(
    ("away", "length", "status"), [(4.9, 10, HIT), (5.1, 10, FALSE_ALARM), (7.4, 30, HIT), (7.6, 30, FALSE_ALARM)]
)
def test_middles_match_within_50_m_or_a_quarter_of_the_length(away: float, length: float, status: int):
    matched = match_centres(hulls((20 + away, 20, length)), labels((20, 20, length)), GSD_M)
    assert matched.status.tolist() == [status]


def test_the_better_score_takes_the_ship_and_the_other_is_a_false_alarm():
    found = match_centres(hulls((20, 21, 10), (20, 20, 10), score=(0.9, 0.8)), labels((20, 20, 10)), GSD_M)
    assert found.status.tolist() == [HIT, FALSE_ALARM]
    assert found.label.tolist() == [0, -1]


def test_ships_side_by_side_are_found_one_by_one():
    found = match_centres(hulls((20, 20, 10), (20, 22, 10)), labels((20, 20, 10), (20, 22, 10)), GSD_M)
    assert found.label.tolist() == [0, 1]
    assert np.isnan(found.heading_error_deg).all()


def test_short_ships_are_ignored_and_so_is_what_lies_on_them_or_is_short_itself():
    truth = labels((20, 20, 7.9), (60, 20, 8.1))
    found = match_centres(hulls((20, 20, 9), (90, 90, 7), (60, 20, 6)), truth, GSD_M)
    assert found.counted.tolist() == [False, True]
    assert found.status.tolist() == [IGNORED, IGNORED, HIT]
    assert found.length_error[2] == pytest.approx(2.1 / 8.1)


def test_difficult_ships_do_not_count():
    found = match_centres(hulls((20, 20, 10)), labels((20, 20, 10), difficult=True), GSD_M)
    assert found.status.tolist() == [IGNORED]
    assert not found.counted.any()


def test_nothing_found_and_nothing_labelled_are_fine():
    nothing = match_centres(Hulls.empty(), labels((20, 20, 10)), GSD_M)
    assert (len(nothing.status), nothing.counted.tolist()) == (0, [True])
    assert match_centres(hulls((20, 20, 10)), labels(), GSD_M).status.tolist() == [FALSE_ALARM]
