"""How much a second look should weigh."""

import numpy as np
import pytest

from shipdet.evaluation.bow_weight import Looks, best_weight, heading_accuracy


def looks(seed: int, second_is_worth: float) -> Looks:
    """Ships whose logits are as sure as they say they are."""
    rng = np.random.default_rng(seed)
    right = (rng.random(20_000) < 0.5).astype(float)
    sign = 2 * right - 1
    first = sign * 0.8 + rng.normal(0, np.sqrt(1.6), len(sign))
    second = sign * 0.8 + rng.normal(0, np.sqrt(1.6), len(sign))
    return Looks(first, second / second_is_worth, right)


@pytest.mark.parametrize("worth", [0.5, 1.0, 2.0])
def test_logits_of_two_independent_looks_add_up(worth: float):
    assert best_weight(looks(0, worth)) == pytest.approx(worth, abs=0.15)


def test_a_look_at_nothing_weighs_nothing():
    told = looks(1, 1.0)
    noise = np.random.default_rng(2).normal(0, 1, len(told.right))
    assert best_weight(told._replace(second=noise)) == pytest.approx(0, abs=0.1)


def test_two_looks_see_more_than_one():
    told = looks(3, 1.0)
    assert heading_accuracy(told, 0) == pytest.approx(((told.first > 0) == (told.right > 0)).mean())
    assert heading_accuracy(told, 1) > heading_accuracy(told, 0) + 0.05


def test_ships_that_are_sure_are_not_looked_at_again():
    told = Looks(np.array([5.0, 0.1]), np.array([-50.0, -50.0]), np.array([1.0, 1.0]))
    assert heading_accuracy(told, 1) == 0.5


def test_without_unsure_ships_the_second_look_weighs_nothing():
    assert best_weight(Looks(np.array([5.0]), np.array([1.0]), np.array([1.0]))) == 0
