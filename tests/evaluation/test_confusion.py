from dataclasses import replace

import numpy as np
import pytest

from shipdet.evaluation.cases import Judged
from shipdet.evaluation.confusion import Confusion, confusion

TYPES = ("warship", "tanker")


def test_types_of_ships_found_are_counted_where_they_are_labelled(judged: list[Judged]):
    found = confusion(judged, 0.0, TYPES)
    assert found is not None
    assert found.names == TYPES
    assert found.counts.tolist() == [[1, 0], [1, 0]]  # the tanker passed for a warship, the unknown ship is left out
    assert found.accuracy == 0.5


def test_ships_below_the_threshold_are_left_out(judged: list[Judged]):
    found = confusion(judged, 0.7, TYPES)
    assert found is not None
    assert found.names == ("warship",)
    assert found.counts.tolist() == [[1]]


def test_a_model_without_types_has_no_confusion(judged: list[Judged]):
    bare = [j._replace(hulls=replace(j.hulls, types=np.zeros((len(j.hulls), 0)))) for j in judged]
    assert confusion(bare, 0.0, ()) is None
    assert confusion(judged[1:], 0.0, TYPES) is None
    assert confusion([], 0.0, TYPES) is None


def test_rare_types_count_as_much_as_common_ones():
    counts = np.array([[8, 2, 0], [1, 1, 0], [0, 0, 0]])
    assert Confusion(("warship", "tanker", "tug"), counts).balanced == pytest.approx((0.8 + 0.5) / 2)
