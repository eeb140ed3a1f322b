import numpy as np
import pytest
import shapely

from shipdet.labels.frame import Frame
from shipdet.labels.outline import SUPPOSED_BEAM, area_of, least_rectangle, ship_around, ship_corners, without_holes
from shipdet.labels.types import Labels, Ship

MIDDLE = np.array([200, 150])


def ends(ship: Ship) -> np.ndarray:
    return np.array(sorted([ship.bow, ship.stern]))


@pytest.mark.parametrize("degrees", [0, 17, 45, 90, 133, 179])
def test_ends_lie_on_the_long_axis_and_the_beam_is_the_short_side(turned_box, degrees: float):
    ship = ship_around(turned_box(degrees), None)
    axis = 30 * np.array([np.cos(np.radians(degrees)), np.sin(np.radians(degrees))])
    np.testing.assert_allclose(ends(ship), np.array(sorted([MIDDLE + axis, MIDDLE - axis], key=tuple)), atol=1e-9)
    assert ship.beam == pytest.approx(16)
    assert not ship.bow_known


def test_the_rectangle_is_the_one_of_least_area_by_search():
    rng = np.random.default_rng(0)
    for _ in range(20):
        points = rng.normal(size=(12, 2)) * (9, 3) @ np.linalg.qr(rng.normal(size=(2, 2)))[0]
        first, second, width = least_rectangle(points)
        turns = np.radians(np.arange(0, 180, 0.05))
        axes = np.stack([np.cos(turns), np.sin(turns)])
        areas = np.ptp(points @ axes, axis=0) * np.ptp(points @ np.stack([-axes[1], axes[0]]), axis=0)
        assert np.hypot(*(first - second)) * width <= areas.min() + 1e-9
        assert np.hypot(*(first - second)) * width == pytest.approx(areas.min(), rel=2e-2)
        assert width <= np.hypot(*(first - second))


def test_the_order_of_corners_does_not_matter(turned_box):
    corners = turned_box(30)
    ships = [ship_around(np.roll(corners, k, axis=0)[::step], None) for k in range(4) for step in (1, -1)]
    for ship in ships:
        np.testing.assert_allclose([ship.bow, ship.stern], [ships[0].bow, ships[0].stern])


@pytest.mark.parametrize("points", [[(3, 3)] * 4, [(0, 0), (5, 5), (9, 9), (0, 0)]])
def test_an_outline_without_area_is_no_ship(points: list[tuple[float, float]]):
    assert ship_around(np.array(points, dtype=float), None) is None


def test_where_pixels_are_not_square_the_rectangle_is_one_on_the_ground(stretched: Frame):
    middle = np.array([[200.0, 150.0]])
    gsd = stretched.grid.gsd_m(middle)[0]
    turn = np.radians(40)
    metres = np.array([[20, 4], [20, -4], [-20, -4], [-20, 4]]) @ np.array(
        [[np.cos(turn), np.sin(turn)], [-np.sin(turn), np.cos(turn)]]
    )
    ship = ship_around(metres / gsd + middle, stretched)
    ground = (np.array(ship.bow) - ship.stern) * gsd
    assert np.hypot(*ground) == pytest.approx(40, rel=1e-3)
    assert ship.beam * np.sqrt(gsd.prod()) == pytest.approx(8, rel=1e-3)
    labels = Labels.of_rows([ship], [], complete=True)
    back = shapely.Polygon(ship_corners(labels, stretched)[0])
    assert back.symmetric_difference(shapely.Polygon(metres / gsd + middle)).area < 1e-3 * back.area


def test_an_unmeasured_beam_is_supposed_where_a_ship_must_be_drawn():
    labels = Labels.of_rows([Ship((0, 0), (100, 0))], [], complete=True)
    assert np.ptp(ship_corners(labels, None)[0, :, 1]) == pytest.approx(100 * SUPPOSED_BEAM)


def test_crossed_rings_keep_what_has_an_area():
    bow_tie = shapely.Polygon([(0, 0), (4, 4), (4, 0), (0, 4)])
    assert area_of(bow_tie).area == pytest.approx(8)
    assert area_of(shapely.LineString([(0, 0), (1, 1)])) is None


def test_what_has_holes_is_cut_into_polygons_without_that_cover_the_same():
    holes = [shapely.box(x, y, x + 3, y + 4) for x, y in ((2, 2), (2, 10), (11, 3), (3, 17))]
    area = shapely.union_all(
        [shapely.difference(shapely.box(0, 0, 20, 25), shapely.union_all(holes)), shapely.box(30, 0, 31, 1)]
    )
    parts = without_holes(area)
    assert not any(part.interiors for part in parts)
    assert sum(part.area for part in parts) == pytest.approx(area.area)
    assert shapely.union_all(parts).equals(area)
    assert without_holes(shapely.box(0, 0, 1, 1)) == [shapely.box(0, 0, 1, 1)]
