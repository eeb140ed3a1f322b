"""What hulls of several views are by labels."""

import numpy as np

from shipdet.evaluation.scale_lessons import judge_hulls
from shipdet.geometry import Hulls
from shipdet.labels.types import Labels, Ship


def hulls(*rows: tuple[float, float, float, float]) -> Hulls:
    ends = np.array(rows, dtype=np.float64).reshape(-1, 4)
    ones = np.ones(len(ends))
    return Hulls(ends[:, :2], ends[:, 2:], 8 * ones, ones, ones)


def test_hulls_are_ships_false_alarms_or_beyond_judgement():
    labels = Labels.of_rows(
        [Ship((10, 10), (60, 10)), Ship((10, 90), (60, 90), difficult=True), Ship((300, 10), (350, 10))],
        [(0, 0, 200, 200)],
        complete=True,
    )
    found = hulls(
        (12, 10, 58, 12),  # on the first ship
        (59, 9, 11, 10),  # on it again, the other way round
        (10, 10, 40, 10),  # on a part of it
        (10, 90, 60, 90),  # on a difficult one
        (150, 150, 190, 150),  # on nothing
        (400, 400, 450, 400),  # where nobody labelled
        (348, 10, 302, 11),  # on a labelled ship outside the region
    )
    verdict = judge_hulls(found, labels)
    assert verdict.ship.tolist() == [True, True, False, False, False, False, True]
    assert verdict.false_alarm.tolist() == [False, False, False, False, True, False, False]
    assert verdict.label.tolist() == [0, 0, 0, 0, 0, 0, 2]
    assert verdict.turned[[0, 1, 6]].tolist() == [False, True, True]


def test_without_labels_everything_is_a_false_alarm_where_labelling_is_complete():
    labels = Labels.of_rows([], [], complete=True)
    assert judge_hulls(hulls((1, 1, 30, 1)), labels).false_alarm.tolist() == [True]
    assert len(judge_hulls(Hulls.empty(), labels).ship) == 0
