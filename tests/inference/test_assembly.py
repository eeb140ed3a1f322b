"""Ends become hulls: who joins whom, and what an end alone is worth."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from shipdet.geometry import Hulls
from shipdet.inference.assembly import DEFAULT_RULE, assemble
from shipdet.inference.evidence import CoarseMap
from shipdet.models.decode import Tips, no_tips

EVERYWHERE = CoarseMap(np.full((64, 64), 255, np.uint8), 8)


def tips(*rows: tuple[float, float, float, float, float, float]) -> Tips:
    """Each x, y, vector x, y, bow probability, score; half beam 6."""
    table = np.array(rows, dtype=np.float64).reshape(-1, 6)
    xy = table[:, :2]
    none = np.zeros((len(table), 0))
    return Tips(xy, table[:, 4], table[:, 2:4], np.full(len(table), 6.0), table[:, 5], xy, none)


SHIP = ((100.0, 100.0, -80.0, 0.0, 0.9, 0.8), (20.0, 100.0, 80.0, 0.0, 0.1, 0.6))


def ends(hulls: Hulls) -> np.ndarray:
    return np.concatenate([hulls.bow, hulls.stern], axis=1)


def test_nothing_gives_nothing():
    assert len(assemble(no_tips(), EVERYWHERE)) == 0


def test_a_bow_and_a_stern_that_point_at_each_other_are_a_ship():
    hulls = assemble(tips(*SHIP), EVERYWHERE)
    assert ends(hulls).tolist() == [[100, 100, 20, 100]]
    assert hulls.beam.tolist() == [12]
    together = 0.9 * 0.9 + 0.1 * 0.1
    assert hulls.score[0] == pytest.approx(np.sqrt(0.8 * 0.6 * together))
    assert hulls.bow_score[0] == pytest.approx(0.81 / together)


def test_an_end_alone_stands_on_its_vector_with_a_lower_score():
    hulls = assemble(tips(SHIP[1]), EVERYWHERE)
    assert ends(hulls).tolist() == [[100, 100, 20, 100]]
    assert hulls.score[0] == pytest.approx(0.6 * DEFAULT_RULE.lone)


def test_a_vector_too_short_still_finds_its_partner_but_one_turned_away_does_not():
    short = assemble(tips((100, 100, -50, 0, 0.9, 0.8), SHIP[1]), EVERYWHERE)
    assert ends(short).tolist() == [[100, 100, 20, 100]]
    turned = assemble(tips((100, 100, -10, 79, 0.9, 0.8), SHIP[1]), EVERYWHERE)
    assert turned.score.max() < 0.6


def test_an_end_seen_twice_counts_once():
    again = (101.0, 102.0, -81.0, 1.0, 0.4, 0.5)
    assert ends(assemble(tips(*SHIP, again), EVERYWHERE)).tolist() == [[100, 100, 20, 100]]


def test_bow_and_stern_of_two_ships_that_touch_stay_two_ends():
    ahead = ((103.0, 100.0, 80.0, 0.0, 0.1, 0.7), (183.0, 100.0, -80.0, 0.0, 0.9, 0.7))
    hulls = assemble(tips(*SHIP, *ahead), EVERYWHERE)
    assert sorted(ends(hulls).tolist()) == [[100, 100, 20, 100], [183, 100, 103, 100]]


def test_a_hull_over_water_is_worth_less_than_one_over_what_looks_like_ship():
    ship = np.zeros((64, 64), np.uint8)
    ship[12, 2:13] = 255
    on_ship = assemble(tips(*SHIP), CoarseMap(ship, 8))
    on_water = assemble(tips(*SHIP), CoarseMap(np.zeros((64, 64), np.uint8), 8))
    assert on_ship.score[0] == pytest.approx(assemble(tips(*SHIP), EVERYWHERE).score[0])
    assert on_water.score.max(initial=0) == 0


def test_of_two_hulls_on_one_place_the_better_is_kept():
    other = ((100.0, 105.5, -80.0, 0.0, 0.9, 0.4), (20.0, 105.5, 80.0, 0.0, 0.1, 0.4))
    assert ends(assemble(tips(*SHIP, *other), EVERYWHERE)).tolist() == [[100, 100, 20, 100]]


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 2**32 - 1))
def test_the_order_of_the_ends_does_not_matter(seed: int):
    rng = np.random.default_rng(seed)
    crowd = tips(
        *(
            (*rng.uniform(0, 500, 2), *rng.uniform(-120, 120, 2), rng.uniform(0.01, 0.99), rng.uniform(0.1, 1))
            for _ in range(40)
        )
    )
    expected = assemble(crowd, EVERYWHERE)
    mixed = assemble(crowd.where(rng.permutation(40)), EVERYWHERE)
    np.testing.assert_array_equal(ends(mixed), ends(expected))
    np.testing.assert_array_equal(mixed.score, expected.score)
    joined = np.concatenate([expected.bow, expected.stern])
    real = joined[(joined[:, None] == crowd.xy[None]).all(axis=2).any(axis=1)]
    assert len(np.unique(real, axis=0)) == len(real)
