import numpy as np
import pytest
import shapely
from affine import Affine
from pyproj import CRS

from shipdet.geometry import UNDECIDED, Grid, Hulls, hull_corners, overlaps, rectangle_corners


def ships(count: int, seed: int = 0) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    stern, angle = rng.uniform(0, 500, (count, 2)), rng.uniform(0, 2 * np.pi, count)
    length = rng.uniform(20, 200, count)
    return stern + length[:, None] * np.stack([np.cos(angle), np.sin(angle)], axis=1), stern, length / 5


def test_hulls_measure_stern_to_bow_and_can_be_picked() -> None:
    hulls = Hulls(np.array([[3.0, 4], [0, 9]]), np.zeros((2, 2)), np.ones(2), np.array([0.9, 0.1]), np.ones(2))
    assert hulls.length.tolist() == [5, 9]
    assert hulls[hulls.score < 0.5].length.tolist() == [9]
    assert hulls[np.array([1, 0])].score.tolist() == [0.1, 0.9]
    assert len(hulls[:1]) == 1


def test_no_ship_is_a_fleet_too() -> None:
    assert len(Hulls.empty()) == 0
    assert Hulls.empty().length.shape == (0,)
    assert hull_corners(np.zeros((0, 2)), np.zeros((0, 2)), np.zeros(0)).shape == (0, 5, 2)
    assert len(overlaps(np.zeros((0, 4, 2))).first) == 0


def test_a_footprint_is_pointed_at_the_bow_and_goes_clockwise_on_screen() -> None:
    corners = hull_corners(np.array([[50.0, 10]]), np.array([[10.0, 10]]), np.array([8.0]))[0]
    np.testing.assert_allclose(corners, [[50, 10], [46, 14], [10, 14], [10, 6], [46, 6]])


def test_a_ship_that_may_lie_either_way_ends_square() -> None:
    ends = np.array([[50.0, 10], [50, 30]]), np.array([[10.0, 10], [10, 30]])
    hulls = Hulls(*ends, np.array([8.0, 8]), np.ones(2), np.array([UNDECIDED, 0.9]))
    assert hulls.ordered.tolist() == [False, True]
    np.testing.assert_allclose(hulls.corners[0], [[50, 10], [50, 14], [10, 14], [10, 6], [50, 6]])
    np.testing.assert_allclose(hulls.corners[1], [[50, 30], [46, 34], [10, 34], [10, 26], [46, 26]])


def test_a_stubby_ships_point_is_a_third_of_its_length() -> None:
    corners = hull_corners(np.array([[9.0, 0]]), np.array([[0.0, 0]]), np.array([20.0]))[0]
    np.testing.assert_allclose(corners[:, 0], [9, 6, 0, 0, 6])


def test_a_footprint_lies_in_its_box_and_has_its_area() -> None:
    bow, stern, beam = ships(30)
    box = shapely.polygons(rectangle_corners(bow, stern, beam))
    hull = shapely.polygons(hull_corners(bow, stern, beam))
    length = np.hypot(*(bow - stern).T)
    np.testing.assert_allclose(shapely.area(box), length * beam)
    np.testing.assert_allclose(shapely.area(hull), length * beam - (beam / 2) ** 2)
    assert shapely.covers(shapely.buffer(box, 1e-6), hull).all()


def test_corners_turn_with_the_ship() -> None:
    bow, stern, beam = ships(10)
    quarter = np.array([[0.0, -1], [1, 0]])
    for corners in (hull_corners, rectangle_corners):
        turned = corners(bow @ quarter.T, stern @ quarter.T, beam)
        np.testing.assert_allclose(turned, corners(bow, stern, beam) @ quarter.T, atol=1e-9)


def test_a_ship_of_no_length_has_finite_corners() -> None:
    point = np.array([[5.0, 5]])
    assert np.isfinite(hull_corners(point, point, np.array([3.0]))).all()
    assert np.isfinite(rectangle_corners(point, point, np.array([3.0]))).all()


def test_overlaps_have_exact_areas_and_name_each_pair_once() -> None:
    def box(x: float, y: float) -> list[list[float]]:
        return [[x, y], [x + 4, y], [x + 4, y + 2], [x, y + 2]]

    found = overlaps(np.array([box(0, 0), box(3, 1), box(100, 100), box(0, 0)]))
    pairs = {(i, j): k for k, (i, j) in enumerate(zip(found.first.tolist(), found.second.tolist(), strict=True))}
    assert set(pairs) == {(0, 1), (0, 3), (1, 3)}
    assert found.common[pairs[0, 1]] == pytest.approx(1)
    assert found.union[pairs[0, 1]] == pytest.approx(15)
    assert found.common[pairs[0, 3]] == found.union[pairs[0, 3]] == pytest.approx(8)
    np.testing.assert_allclose(found.smaller, 8)


def test_the_first_pixels_corner_is_the_origin_of_the_transform() -> None:
    grid = Grid(CRS.from_epsg(32631), Affine(2, 0, 500_000, 0, -2, 6_000_000), 10, 10)
    np.testing.assert_allclose(
        grid.to_crs(np.array([[0.0, 0], [0.5, 0.5], [10, 10]])),
        [[500_000, 6_000_000], [500_001, 5_999_999], [500_020, 5_999_980]],
    )


def test_a_rotated_transform_turns_columns_and_rows() -> None:
    cos, sin = np.cos(np.radians(30)), np.sin(np.radians(30))
    grid = Grid(CRS.from_epsg(32631), Affine(3 * cos, 2 * sin, 5e5, 3 * sin, -2 * cos, 6e6), 9, 9)
    corner, along, down = grid.to_crs(np.array([[0.0, 0], [1, 0], [0, 1]]))
    np.testing.assert_allclose(corner, [5e5, 6e6])
    np.testing.assert_allclose(along - corner, [3 * cos, 3 * sin], atol=1e-8)
    np.testing.assert_allclose(down - corner, [2 * sin, -2 * cos], atol=1e-8)


def test_a_10_m_web_mercator_pixel_at_60_north_covers_5_m() -> None:
    north = 8_399_737.89
    grid = Grid(CRS.from_epsg(3857), Affine(10, 0, 0, 0, -10, north), 100, 100)
    np.testing.assert_allclose(grid.to_lonlat(np.zeros((1, 2))), [[0, 60]], atol=1e-6)
    np.testing.assert_allclose(grid.gsd_m(np.zeros((1, 2))), [[5, 5]], rtol=0.005)


def test_ground_sample_distance_of_degrees_shrinks_along_a_parallel_only() -> None:
    step = 1e-4
    grid = Grid(CRS.from_epsg(4326), Affine(step, 0, 0, 0, -step, 60), 100, 100)
    (across, down), metre_degree = grid.gsd_m(np.zeros((1, 2)))[0], 111_412
    assert down == pytest.approx(step * metre_degree, rel=1e-3)
    assert across == pytest.approx(down / 2, rel=5e-3)


def test_longitudes_stay_within_180_degrees_across_the_date_line() -> None:
    grid = Grid(CRS.from_epsg(4326), Affine(1, 0, 179, 0, -1, 10), 4, 4)
    np.testing.assert_allclose(grid.to_lonlat(np.array([[0.5, 0.0], [2.0, 0.0]])), [[179.5, 10], [-179, 10]])
    assert grid.gsd_m(np.array([[1.0, 0.0]]))[0, 0] < 120_000


def test_a_grid_without_a_crs_has_no_place() -> None:
    grid = Grid(None, Affine.identity(), 4, 4)
    np.testing.assert_allclose(grid.to_crs(np.array([[1.0, 2.0]])), [[1, 2]])
    with pytest.raises(ValueError, match="no place on Earth"):
        grid.to_lonlat(np.array([[1.0, 2.0]]))


@pytest.mark.parametrize(
    ("epsg", "transform"),
    [
        (32631, Affine(1.0, 0.1, 500_000, 0.1, -1.0, 5.8e6)),
        (4326, Affine(1e-4, 0, 179.99, 0, -1e-4, 10)),
        (3857, Affine(10, 0, -1e6, 0, -10, 7e6)),
    ],
)
def test_places_go_to_longitude_and_latitude_and_back(epsg: int, transform: Affine) -> None:
    grid = Grid(CRS.from_epsg(epsg), transform, 400, 300)
    xy = np.array([[0.0, 0.0], [200.5, 10.25], [399.0, 299.0]])
    np.testing.assert_allclose(grid.to_pixels(grid.to_lonlat(xy)), xy, atol=1e-3)


def test_a_place_that_a_crs_does_not_reach_lies_far_off_the_grid() -> None:
    grid = Grid(CRS.from_epsg(3857), Affine(10, 0, 0, 0, -10, 0), 400, 300)
    assert np.abs(grid.to_pixels(np.array([[0.0, 90.0]]))).max() > 1e6
