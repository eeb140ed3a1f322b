import numpy as np

from shipdet.geometry import Hulls
from shipdet.inference.assembly import join
from shipdet.inference.evidence import CoarseMap, Joined, evidence, stretch, turn
from shipdet.models.decode import Tips
from shipdet.models.hull_scorer import EVIDENCE

SHIP = CoarseMap(np.full((64, 64), 255, np.uint8), 8)


def tips(*rows: tuple[float, ...]) -> Tips:
    """Rows of x, y, vector x, vector y, bow, score."""
    table = np.array(rows, float)
    none = np.zeros((len(table), 0))
    return Tips(table[:, :2], table[:, 4], table[:, 2:4], np.full(len(table), 5.0), table[:, 5], table[:, :2], none)


def of(joined: Joined, coarse: CoarseMap = SHIP) -> dict[str, float]:
    (row,) = evidence(joined, coarse)
    return dict(zip(EVIDENCE, row, strict=True))


def test_a_turn_is_the_angle_between_and_a_stretch_the_logarithm_of_the_ratio():
    east, north = np.array([[2.0, 0.0]]), np.array([[0.0, -1.0]])
    np.testing.assert_allclose(turn(east, north), np.pi / 2)
    np.testing.assert_allclose(stretch(east, north), np.log(2))


def test_ends_that_point_straight_at_each_other_differ_in_nothing():
    known = of(join(tips((100, 100, 60, 0, 0.9, 0.8), (160, 100, -60, 0, 0.1, 0.5)), SHIP))
    assert known["turn"] == known["stretch"] == known["mean_stretch"] == known["lone"] == known["beams_differ"] == 0
    np.testing.assert_allclose(known["weaker_end"], 0, atol=1e-12)  # the logit of one half
    np.testing.assert_allclose(known["stronger_end"], np.log(4))
    np.testing.assert_allclose(known["length"], 0, atol=1e-12)
    np.testing.assert_allclose(known["aspect"], np.log(1 / 6))


def test_an_end_by_itself_is_said_to_be_alone():
    assert of(join(tips((100, 100, 60, 0, 0.9, 0.8)), SHIP))["lone"] == 1


def test_a_vector_that_is_too_long_by_half_is_stretched_by_its_logarithm():
    known = of(join(tips((100, 100, 90, 0, 0.9, 0.8), (160, 100, -90, 0, 0.1, 0.5)), SHIP))
    np.testing.assert_allclose(known["mean_stretch"], np.log(1.5))
    np.testing.assert_allclose(known["stretch"], np.log(1.5) * np.sqrt(2))


def test_water_on_one_side_is_told_from_a_neighbour_on_the_other():
    ship = np.zeros((64, 64), np.uint8)
    ship[12:20] = 255  # rows 96 to 160: the hull at 100 and all that lies below it
    known = of(
        join(tips((100, 104, 60, 0, 0.9, 0.8), (160, 104, -60, 0, 0.1, 0.5)), CoarseMap(ship, 8)), CoarseMap(ship, 8)
    )
    assert (known["beside_less"], known["beside_more"]) == (0, 1)
    assert known["cover"] > 5  # as sure as a logit is let to be


def test_beyond_the_map_there_may_be_ship_or_not():
    known = of(join(tips((4, 4, 60, 0, 0.9, 0.8), (64, 4, -60, 0, 0.1, 0.5)), SHIP))
    assert known["beside_less"] == 0.5


def test_no_hulls_give_no_evidence():
    none = np.zeros(0, np.intp)
    nothing = Tips(*(np.zeros(shape) for shape in ((0, 2), (0,), (0, 2), (0,), (0,), (0, 2), (0, 0))))
    assert evidence(Joined(Hulls.empty(), nothing, none, none), SHIP).shape == (0, len(EVIDENCE))
