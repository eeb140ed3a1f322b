"""How a scout's threshold is chosen."""

import numpy as np
import pytest

from shipdet.evaluation.cases import case_of
from shipdet.evaluation.scout_threshold import _of_ships, threshold_of
from shipdet.labels.folders import LabelledPicture
from shipdet.labels.types import Labels
from shipdet.raster.sampling import Sampling


def test_no_more_ships_are_lost_than_may_be():
    found = np.random.default_rng(0).uniform(0, 0.4, 1000) ** 3
    assert (found < threshold_of(found)).sum() <= 3
    assert (found < 2 * threshold_of(found)).sum() == 3


def test_of_few_ships_none_is_lost():
    assert threshold_of(np.array([0.03, 0.02, 0.04])) == pytest.approx(0.01)


def test_where_all_ships_are_plain_half_of_that_opens():
    assert threshold_of(np.full(50, 0.98)) == pytest.approx(0.49)


def test_a_ship_is_as_open_as_the_least_open_block_along_it(tmp_path):
    bow, stern = np.array([[10.0, 10.0], [100.0, 300.0]]), np.array([[600.0, 10.0], [100.0, 350.0]])
    labels = Labels(
        bow, stern, np.full(2, 9.0), np.ones(2, bool), np.zeros(2, bool), ("", ""), np.zeros((0, 4)), complete=True
    )
    grid = np.full((4, 6), 0.9, np.float32)
    grid[0, 3], grid[2, 0] = 0.1, 0.4
    case = case_of(LabelledPicture(tmp_path / "1.jpg", labels))
    found = _of_ships(grid, Sampling(1.0, 1.0, 700, 500), case, np.array([0, 1]))
    np.testing.assert_allclose(found, [0.1, 0.4], atol=1e-6)
    coarser = _of_ships(grid, Sampling(0.5, 0.5, 350, 250), case, np.array([0, 1]))
    np.testing.assert_allclose(coarser, [0.9, 0.9], atol=1e-6)
