import numpy as np
import pytest
from deep_only import ships_of_coarse_map

from shipdet.geometry import Hulls
from shipdet.inference.evidence import CoarseMap
from shipdet.labels.types import Labels, Ship
from shipdet.models.task_partition import COARSE_STRIDE
from shipdet.raster.sampling import Sampling
from shipdet.training.targets import draw_targets

SIDE = 512


def coarse(*ships: Ship) -> CoarseMap:
    """What a perfect deep branch says of ships: the coarse map that it is taught."""
    classes = draw_targets(Labels.of_rows(ships, [], complete=True), np.ones((SIDE, SIDE), bool)).coarse
    return CoarseMap(np.where(classes > 0, 255, 0).astype(np.uint8), COARSE_STRIDE)


def look(seen: CoarseMap, scale: float = 1.0) -> Hulls:
    return ships_of_coarse_map(seen, Sampling(scale, scale, SIDE, SIDE))


def ship(middle: tuple[float, float], angle_deg: float, length: float, beam: float) -> Ship:
    half = length / 2 * np.array([np.cos(np.radians(angle_deg)), np.sin(np.radians(angle_deg))])
    bow, stern = np.array(middle) + half, np.array(middle) - half
    return Ship((float(bow[0]), float(bow[1])), (float(stern[0]), float(stern[1])), beam=beam)


@pytest.mark.parametrize("angle_deg", range(0, 180, 15))
@pytest.mark.parametrize(("length", "beam"), [(200, 30), (120, 16), (80, 20)])
def test_a_drawn_ship_is_found_with_both_its_ends(angle_deg: float, length: float, beam: float) -> None:
    drawn = ship((250.0, 260.0), angle_deg, length, beam)
    hulls = look(coarse(drawn))
    assert len(hulls) == 1
    ends = np.array([hulls.bow[0], hulls.stern[0]])
    errors = [np.hypot(*(ends - truth).T).max() for truth in ([drawn.bow, drawn.stern], [drawn.stern, drawn.bow])]
    assert min(errors) < 0.1 * length
    assert hulls.score[0] == 1
    assert hulls.bow_score[0] == 0.5


def test_ends_are_told_in_pixels_of_the_scene() -> None:
    drawn = ship((250.0, 260.0), 30, 160, 24)
    one, half = look(coarse(drawn)), look(coarse(drawn), scale=0.5)
    np.testing.assert_allclose(half.bow, 2 * one.bow)
    np.testing.assert_allclose(half.beam, 2 * one.beam)


def test_ships_apart_are_two_and_ships_side_by_side_are_one() -> None:
    apart = look(coarse(ship((150.0, 200.0), 0, 150, 20), ship((150.0, 300.0), 0, 150, 20)))
    beside = look(coarse(ship((150.0, 200.0), 0, 150, 20), ship((150.0, 222.0), 0, 150, 20)))
    assert (len(apart), len(beside)) == (2, 1)


def test_the_score_is_the_mean_probability_and_the_best_comes_first() -> None:
    seen = coarse(ship((150.0, 100.0), 0, 150, 20), ship((150.0, 300.0), 0, 150, 20))
    seen.ship[:20] = np.where(seen.ship[:20] > 0, 153, 0)
    hulls = look(seen)
    assert hulls.score.tolist() == [1.0, 0.6]
    assert hulls.bow[0, 1] > hulls.bow[1, 1]


def test_one_cell_is_a_ship_with_two_ends() -> None:
    seen = coarse()
    seen.ship[10, 20] = 200
    hulls = look(seen)
    assert hulls.length[0] == pytest.approx(4)
    np.testing.assert_allclose((hulls.bow + hulls.stern) / 2, [[164, 84]])


def test_water_alone_holds_no_ship() -> None:
    assert len(look(coarse())) == 0
