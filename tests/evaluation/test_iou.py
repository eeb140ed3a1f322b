"""Overlaps against shapely, against cases known by hand, and the average precision that they give."""

import numpy as np
import pytest
import shapely

from shipdet.evaluation.iou import (
    THRESHOLDS,
    intersection_areas,
    match_by_overlap,
    overlap_scores,
    overlapping,
    rectangle_iou,
)
from shipdet.evaluation.matching import FALSE_ALARM, HIT, IGNORED
from shipdet.geometry import Hulls, hull_corners, rectangle_corners
from shipdet.labels.types import Labels, Ship


def square(x: float, y: float, side: float = 1.0) -> np.ndarray:
    return np.array([[x, y], [x + side, y], [x + side, y + side], [x, y + side]], dtype=float)


def rectangles(rng: np.random.Generator, count: int, shift: float = 0.0) -> np.ndarray:
    bow, stern = rng.uniform(0, 60, (2, count, 2)) + shift
    return rectangle_corners(bow, stern, rng.uniform(0.5, 40, count))


def ship(length: float, beam: float = 10.0, x: float = 0.0, y: float = 0.0, **facts: bool) -> Ship:
    return Ship((x + length, y), (x, y), beam, **facts)


def hulls_of(*ships: Ship, scores: tuple[float, ...]) -> Hulls:
    beam, ones = np.array([s.beam for s in ships]), np.ones(len(ships))
    return Hulls(np.array([s.bow for s in ships]), np.array([s.stern for s in ships]), beam, np.array(scores), ones)


def aps(ships: list[Ship], hulls: Hulls) -> tuple[float | None, float | None, float | None]:
    labels = Labels.of_rows(ships, [], complete=True)
    result = overlap_scores([match_by_overlap(hulls, labels, THRESHOLDS, np.zeros(len(labels), bool))])
    return result.ap50, result.ap75, result.ap50_95


@pytest.mark.parametrize("shift", [0.0, 5_000_000.0], ids=["near the origin", "far from it"])
def test_overlaps_of_random_rectangles_are_those_of_shapely(shift: float):
    rng = np.random.default_rng(3)
    a, b = rectangles(rng, 4000, shift), rectangles(rng, 4000, shift)
    one, other = shapely.polygons(a - shift), shapely.polygons(b - shift)
    common = shapely.area(shapely.intersection(one, other))
    expected = common / shapely.area(shapely.union(one, other))
    np.testing.assert_allclose(intersection_areas(a, b), common, rtol=1e-9, atol=1e-5 if shift else 1e-9)
    np.testing.assert_allclose(rectangle_iou(a, b), expected, rtol=1e-9, atol=1e-7 if shift else 1e-10)
    assert (common == 0).any()


def test_overlaps_of_other_convex_outlines_are_those_of_shapely():
    rng = np.random.default_rng(4)
    footprints = hull_corners(*rng.uniform(0, 50, (2, 500, 2)), rng.uniform(1, 20, 500))
    triangles = rng.uniform(0, 50, (500, 3, 2))
    expected = shapely.area(shapely.intersection(shapely.polygons(footprints), shapely.polygons(triangles)))
    np.testing.assert_allclose(intersection_areas(footprints, triangles), expected, rtol=1e-9, atol=1e-9)
    np.testing.assert_allclose(intersection_areas(triangles, footprints), expected, rtol=1e-9, atol=1e-9)


def test_known_overlaps():
    diamond = np.array([[0.5, -0.5], [1.5, 0.5], [0.5, 1.5], [-0.5, 0.5]])
    step = np.full(2, 8**-0.5)  # half a unit along the diagonal
    turned = rectangle_corners((0.5 + step)[None], (0.5 - step)[None], np.ones(1))[0]
    cases = [
        (square(0, 0), square(0, 0), 1.0),
        (square(0, 0), square(0.5, 0), 1 / 3),
        (square(0, 0), square(1, 0), 0.0),  # a common edge
        (square(0, 0), square(1, 1), 0.0),  # a common corner
        (square(0, 0), square(3, 0), 0.0),
        (square(0, 0, 4), square(1, 1, 2), 1 / 4),  # one within the other
        (square(0, 0), square(0, 0)[::-1], 1.0),  # the other way round
        (square(0, 0), diamond, 1 / 2),  # all corners on the other's edges
        (square(0, 0), np.roll(diamond, 1, axis=0), 1 / 2),
        (square(0, 0), turned, 1 / 2**0.5),  # the common part is a regular octagon
    ]
    a, b, expected = (np.array([case[k] for case in cases]) for k in range(3))
    np.testing.assert_allclose(rectangle_iou(a, b), expected, atol=1e-12)
    np.testing.assert_allclose(rectangle_iou(b, a), expected, atol=1e-12)


def test_flat_rectangles_overlap_nothing():
    flat = rectangle_corners(np.array([[10.0, 0.0]]), np.zeros((1, 2)), np.zeros(1))
    assert rectangle_iou(flat, flat).tolist() == [0.0]
    assert rectangle_iou(flat, square(0, -1, 20)[None]).tolist() == [0.0]
    assert intersection_areas(np.zeros((0, 4, 2)), np.zeros((0, 4, 2))).shape == (0,)


def test_every_overlapping_pair_is_found_once():
    rng = np.random.default_rng(5)
    (bow, stern), (bow_l, stern_l) = rng.uniform(0, 200, (2, 2, 60, 2))
    beam = rng.uniform(1, 30, (2, 60))
    hulls = Hulls(bow, stern, beam[0], np.ones(60), np.ones(60))
    rows = [Ship(tuple(b), tuple(s), w) for b, s, w in zip(bow_l, stern_l, beam[1], strict=True)]
    pairs = overlapping(hulls, Labels.of_rows(rows, [], complete=True))
    ours = shapely.polygons(rectangle_corners(bow, stern, beam[0]))[:, None]
    theirs = shapely.polygons(rectangle_corners(bow_l, stern_l, beam[1]))[None]
    iou = shapely.area(shapely.intersection(ours, theirs)) / shapely.area(shapely.union(ours, theirs))
    expected = list(zip(*np.nonzero(iou > 1e-9), strict=True))
    assert sorted(zip(pairs.prediction, pairs.label, strict=True)) == expected
    np.testing.assert_allclose(1 - pairs.distance, iou[pairs.prediction, pairs.label], atol=1e-9)


def test_average_precision_falls_where_the_overlap_does():
    ships = [ship(100, y=0), ship(100, y=50), ship(100, y=100), ship(100, y=150)]
    # IoU 1, 0.8, 0.6 (beam of 6 in 10) and 0.4: found at 10, 7, 3 and 0 of the thresholds.
    found = [ship(100), ship(80, y=50), ship(100, 6.0, y=100), ship(40, y=150)]
    ap50, ap75, ap50_95 = aps(ships, hulls_of(*found, scores=(0.9, 0.8, 0.7, 0.6)))
    assert (ap50, ap75) == (3 / 4, 2 / 4)
    assert ap50_95 == pytest.approx((10 + 7 + 3) / 40)


def test_the_end_that_is_the_bow_does_not_matter_to_overlap():
    ships = [ship(100), ship(60, y=40)]
    hulls = hulls_of(*ships, scores=(0.9, 0.8))
    swapped = Hulls(hulls.stern, hulls.bow, hulls.beam, hulls.score, hulls.bow_score)
    assert aps(ships, hulls) == aps(ships, swapped) == (1.0, 1.0, 1.0)


def test_one_of_two_predictions_on_a_ship_is_a_false_alarm():
    labels = Labels.of_rows([ship(100)], [], complete=True)
    hulls = hulls_of(ship(100), ship(90), scores=(0.3, 0.9))
    (matched,) = match_by_overlap(hulls, labels, [0.5], np.zeros(1, bool))
    assert matched.status.tolist() == [FALSE_ALARM, HIT]


def test_ships_without_a_labelled_beam_are_ignored_and_what_lies_on_them():
    ships = [ship(100), ship(100, float("nan"), y=60), ship(100, y=120)]
    labels = Labels.of_rows(ships, [], complete=True)
    hulls = hulls_of(ship(100), ship(100, 12.0, y=60), ship(100, y=120), ship(100, y=300), scores=(0.9, 0.8, 0.7, 0.6))
    (matched,) = match_by_overlap(hulls, labels, [0.5], np.array([False, False, True]))
    assert matched.status.tolist() == [HIT, IGNORED, IGNORED, FALSE_ALARM]
    assert matched.counted.tolist() == [True, False, False]


def test_without_a_ship_that_has_a_beam_there_is_no_figure():
    assert aps([ship(100, float("nan"))], hulls_of(ship(100), scores=(0.9,))) == (None, None, None)
    assert aps([], Hulls.empty()) == (None, None, None)
    assert aps([ship(100)], Hulls.empty()) == (0.0, 0.0, 0.0)
