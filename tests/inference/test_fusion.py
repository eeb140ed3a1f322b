"""Ships of several views become one ship each."""

from dataclasses import replace

import numpy as np
import pytest

from shipdet.geometry import UNDECIDED, Hulls
from shipdet.inference.fusion import Glance, fuse_glances
from shipdet.raster.sampling import Sampling

SIDE = 256


def ships(*rows: tuple[float, float, float, float, float, float]) -> Hulls:
    """Of bow x, y, stern x, y, score, bow score."""
    values = np.array(rows, dtype=np.float64).reshape(-1, 6)
    return Hulls(values[:, :2], values[:, 2:4], np.full(len(values), 10.0), values[:, 4], values[:, 5])


def glance(hulls: Hulls, scale: float = 1.0, worth: float = 0.0) -> Glance:
    size = round(SIDE * scale)
    cells = np.full((-(-size // 8), -(-size // 8)), worth, np.float16)
    return Glance(hulls, Sampling(scale, scale, size, size), cells)


ONE = ships((50, 50, 110, 50, 0.8, 0.9))


def test_one_view_is_left_as_it_is():
    fused = fuse_glances([glance(ONE)])
    np.testing.assert_allclose(fused.hulls.bow, ONE.bow)
    np.testing.assert_allclose(fused.hulls.score, ONE.score)
    np.testing.assert_allclose(fused.weights, [[1.0]])


def test_a_ship_of_two_equal_views_is_their_mean():
    other = ships((54, 48, 114, 52, 0.8, 0.7))
    fused = fuse_glances([glance(ONE), glance(other, scale=0.5)])
    assert len(fused.hulls) == 1
    np.testing.assert_allclose(fused.hulls.bow, [[52, 49]])
    np.testing.assert_allclose(fused.hulls.stern, [[112, 51]])
    np.testing.assert_allclose([fused.hulls.score[0], fused.hulls.bow_score[0]], [0.8, 0.8])
    np.testing.assert_allclose(fused.weights, [[0.5, 0.5]])


def test_a_ship_that_one_of_four_views_shows_keeps_a_quarter_of_its_score():
    fused = fuse_glances([glance(ONE), *[glance(Hulls.empty())] * 3])
    np.testing.assert_allclose(fused.hulls.score, [0.2])
    np.testing.assert_allclose(fused.hulls.bow, ONE.bow)


def test_the_view_that_is_worth_all_is_the_only_one_heard():
    other = ships((54, 48, 114, 52, 0.3, 0.7))
    fused = fuse_glances([glance(ONE), glance(other, scale=0.5, worth=50.0)])
    np.testing.assert_allclose(fused.hulls.score, [0.3])
    np.testing.assert_allclose(fused.hulls.bow, other.bow)


def test_attention_is_that_of_the_place():
    right = ships((200, 50, 240, 50, 0.8, 0.9))
    here, there = glance(Hulls.join([ONE, right])), glance(Hulls.empty())
    here.worth[:, : 128 // 8], there.worth[:, 128 // 8 :] = 50.0, 50.0
    fused = fuse_glances([here, there])
    np.testing.assert_allclose(fused.weights[np.argsort(fused.hulls.bow[:, 0])], [[1, 0], [0, 1]], atol=1e-9)


def test_views_that_disagree_on_the_bow_are_settled_by_the_surer():
    turned = replace(ONE, bow=ONE.stern, stern=ONE.bow, bow_score=np.array([0.6]))
    for views in ([ONE, turned], [turned, ONE]):
        fused = fuse_glances([glance(hulls) for hulls in views])
        assert len(fused.hulls) == 1
        np.testing.assert_allclose(fused.hulls.bow, ONE.bow)
        np.testing.assert_allclose(fused.hulls.bow_score, [(0.9 + 0.4) / 2])


def test_ends_in_no_order_stay_so_exactly():
    views = [glance(replace(ONE, bow_score=np.array([UNDECIDED])), scale=1.0, worth=worth) for worth in (0.1, 0.7, 1.3)]
    for count in (2, 3):
        assert fuse_glances(views[:count]).hulls.ordered.tolist() == [False]


def test_neighbours_side_by_side_stay_two_ships():
    two = ships((50, 50, 110, 50, 0.8, 0.9), (50, 62, 110, 62, 0.7, 0.9))
    fused = fuse_glances([glance(two), glance(two, scale=0.5), glance(two, scale=1.4)])
    np.testing.assert_allclose(np.sort(fused.hulls.bow[:, 1]), [50, 62])
    np.testing.assert_allclose(np.sort(fused.hulls.score), [0.7, 0.8])


def test_types_are_fused_too():
    first, second = replace(ONE, types=np.array([[1.0, 0.0]])), replace(ONE, types=np.array([[0.2, 0.8]]))
    np.testing.assert_allclose(fuse_glances([glance(first), glance(second)]).hulls.types, [[0.6, 0.4]])


def test_no_ship_in_any_view_is_no_ship():
    fused = fuse_glances([glance(Hulls.empty()), glance(Hulls.empty(), scale=0.5)])
    assert len(fused.hulls) == 0
    assert fused.weights.shape == (0, 2)


@pytest.mark.parametrize("seed", range(5))
def test_the_order_of_views_changes_nothing(seed: int):
    rng = np.random.default_rng(seed)
    glances = []
    for scale in (0.5, 1.0, 1.4):
        middle, half = rng.uniform(40, 210, (12, 2)), rng.uniform(-30, 30, (12, 2))
        score, bow = rng.uniform(0.1, 0.9, (2, 12))
        hulls = Hulls(middle + half, middle - half, rng.uniform(4, 12, 12), score, np.maximum(bow, 1 - bow))
        near = replace(hulls, bow=hulls.bow + rng.normal(0, 2, (12, 2)), score=score[::-1])
        glances += [glance(hulls, scale, scale), glance(near, scale / 2, 0.0)]
    one, other = fuse_glances(glances), fuse_glances(glances[::-1])
    np.testing.assert_allclose(one.hulls.score, other.hulls.score)
    np.testing.assert_allclose(one.hulls.bow, other.hulls.bow)
    np.testing.assert_allclose(one.weights, other.weights[:, ::-1])
