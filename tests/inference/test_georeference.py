"""The ground truth is made with pyproj alone: a ship laid out by geodesics, then carried into pixels."""

from dataclasses import replace
from typing import NamedTuple

import numpy as np
import pytest
import shapely
from affine import Affine
from pyproj import CRS, Geod, Transformer

from shipdet.errors import SceneError
from shipdet.geometry import UNDECIDED, Grid, Hulls
from shipdet.inference.georeference import COLUMNS, SceneTags, georeference, pixel_detections

GEOD = Geod(ellps="WGS84")
TAGS = SceneTags("harbour", None, "shipdet-test")
LENGTH_M, BEAM_M, HEADING_DEG = 200.0, 32.0, 45.0
WORLD_M = 2 * 20037508.342789244
DEGREES_OF_A_METRE = 1 / 111_000


class Case(NamedTuple):
    epsg: int
    lon: float
    """Of the middle of the hull."""
    lat: float
    pixel: Affine
    """The linear part of the geotransform."""
    turn: float = 0.0
    """What a grid that goes on past the 180th meridian adds to western longitudes, in units of its CRS."""


def square(size: float) -> Affine:
    return Affine.scale(size, -size)


DEGREES = Affine.scale(3 * DEGREES_OF_A_METRE, -3 * DEGREES_OF_A_METRE)
CASES = {
    "utm_0": Case(32631, 4.0, 0.001, square(10)),
    "utm_60n": Case(32631, 5.5, 60.0, square(3)),
    "utm_60s": Case(32731, 0.2, -60.0, square(0.5)),
    "degrees_0": Case(4326, 10.0, 0.0, DEGREES),
    "degrees_60n": Case(4326, 10.0, 60.0, DEGREES),
    "degrees_60s": Case(4326, -70.0, -60.0, DEGREES),
    "mercator_0": Case(3857, 10.0, 0.0, square(10)),
    "mercator_60n": Case(3857, 10.0, 60.0, square(10)),
    "mercator_60s": Case(3857, -70.0, -60.0, square(1)),
    "rotated_0": Case(32631, 3.0, 0.5, Affine.rotation(33) @ square(2)),
    "rotated_60n": Case(32631, 3.0, 60.0, Affine.rotation(-128) @ square(2)),
    "rotated_60s": Case(32731, 3.0, -60.0, Affine.rotation(271) @ square(2)),
    "oblong_rotated": Case(32631, 3.0, 60.0, Affine.rotation(20) @ Affine.scale(2, -3)),
    "south_up": Case(32631, 3.0, 60.0, Affine.scale(2, 2)),
    "polar": Case(3413, 100.0, 85.0, square(5)),
    "utm_60_across_180": Case(32660, 180.0, 60.0, square(3)),
    "degrees_across_180": Case(4326, 180.0, 60.0, DEGREES, 360.0),
    "degrees_0_to_360": Case(4326, -70.0, -60.0, DEGREES, 360.0),
    "mercator_across_180": Case(3857, 180.0, -60.0, square(4), WORLD_M),
    "utm_1_across_180": Case(32701, 180.0, -10.0, square(3)),
}


@pytest.fixture(params=CASES.values(), ids=CASES.keys())
def case(request: pytest.FixtureRequest) -> Case:
    result: Case = request.param
    return result


def travel(lonlat: tuple[float, float], heading_deg: float, distance_m: float) -> tuple[float, float]:
    lon, lat, _ = GEOD.fwd(*lonlat, heading_deg, distance_m)
    return lon, lat


def onto_crs(case: Case, lonlat: tuple[float, float]) -> tuple[float, float]:
    x, y = Transformer.from_crs(4326, case.epsg, always_xy=True).transform(*lonlat)
    return (x + case.turn if case.turn and lonlat[0] < 0 else x), y


def place(case: Case, heading_deg: float) -> tuple[Grid, Hulls, tuple[float, float], tuple[float, float]]:
    """A grid around one ship, the ship in its pixels, and its true stern and bow as longitude and latitude."""
    stern = travel((case.lon, case.lat), heading_deg + 180, LENGTH_M / 2)
    bow = travel(stern, heading_deg, LENGTH_M)
    origin = onto_crs(case, stern)
    transform = Affine.translation(*origin) @ case.pixel @ Affine.translation(-400.25, -300.75)
    grid = Grid(CRS.from_epsg(case.epsg), transform, 1000, 1000)
    in_pixels = [~transform @ onto_crs(case, end) for end in (bow, stern)]
    hulls = Hulls(
        bow=np.array(in_pixels[:1]),
        stern=np.array(in_pixels[1:]),
        beam=np.array([BEAM_M / mean_ground_pixel(case, transform, in_pixels[1])]),
        score=np.array([0.9]),
        bow_score=np.array([0.8]),
    )
    return grid, hulls, stern, bow


def mean_ground_pixel(case: Case, transform: Affine, at: tuple[float, float]) -> float:
    back = Transformer.from_crs(case.epsg, 4326, always_xy=True)
    corner = back.transform(*(transform @ at))
    across, down = (back.transform(*(transform @ (at[0] + dx, at[1] + dy))) for dx, dy in ((1, 0), (0, 1)))
    sides = [GEOD.inv(*corner, *other)[2] for other in (across, down)]
    return float(np.sqrt(sides[0] * sides[1]))


def footprint_lonlat(case: Case, footprint: shapely.Polygon) -> np.ndarray:
    x, y = shapely.get_coordinates(footprint)[:-1].T
    lon, lat = Transformer.from_crs(case.epsg, 4326, always_xy=True).transform(x, y)
    return np.stack([lon, lat], axis=1)


def distance_m(a: np.ndarray, b: np.ndarray) -> float:
    return float(GEOD.inv(*a, *b)[2])


def apart(a_deg: float, b_deg: float) -> float:
    return abs((a_deg - b_deg + 180) % 360 - 180)


@pytest.mark.parametrize("heading_deg", [45.0, 0.0, 199.0, 270.0])
def test_length_heading_and_beam_are_those_on_the_ground(case: Case, heading_deg: float) -> None:
    grid, hulls, _, _ = place(case, heading_deg)
    ship = georeference(hulls, grid, TAGS).iloc[0]
    assert ship.length_m == pytest.approx(LENGTH_M, rel=1e-3)
    assert apart(ship.heading_deg, heading_deg) < 0.1
    assert 0 <= ship.heading_deg < 360
    assert ship.beam_m == pytest.approx(BEAM_M, rel=0.01)


def test_places_are_longitudes_and_latitudes_wrapped_to_180(case: Case) -> None:
    grid, hulls, stern, bow = place(case, HEADING_DEG)
    frame = georeference(hulls, grid, TAGS)
    ship = frame.iloc[0]
    assert distance_m((ship.bow_lon, ship.bow_lat), bow) < 0.01
    assert distance_m((ship.stern_lon, ship.stern_lat), stern) < 0.01
    assert distance_m((ship.lon, ship.lat), (case.lon, case.lat)) < 0.05
    assert (frame[["lon", "bow_lon", "stern_lon"]].abs() <= 180).all(axis=None)
    assert (ship.bow_col, ship.bow_row) == tuple(hulls.bow[0])
    assert (ship.stern_col, ship.stern_row) == tuple(hulls.stern[0])


def test_the_footprint_has_its_true_shape_on_the_ground(case: Case) -> None:
    grid, hulls, stern, bow = place(case, HEADING_DEG)
    frame = georeference(hulls, grid, TAGS)
    assert frame.crs == CRS.from_epsg(case.epsg)
    tip, port_shoulder, port_stern, starboard_stern, starboard_shoulder = footprint_lonlat(case, frame.geometry[0])
    assert distance_m(tip, bow) < 0.01
    assert distance_m(port_stern, starboard_stern) == pytest.approx(BEAM_M, rel=0.01)
    assert distance_m(port_shoulder, starboard_shoulder) == pytest.approx(BEAM_M, rel=0.01)
    assert distance_m(port_stern, stern) == pytest.approx(BEAM_M / 2, rel=0.01)
    to_port, _, _ = GEOD.inv(*stern, *port_stern)
    assert apart(to_port, HEADING_DEG - 90) < 0.1
    area, _ = GEOD.polygon_area_perimeter(
        *np.array([tip, port_shoulder, port_stern, starboard_stern, starboard_shoulder]).T
    )
    point_m = BEAM_M / 2
    assert area == pytest.approx(BEAM_M * (LENGTH_M - point_m) + BEAM_M * point_m / 2, rel=0.02)


def test_footprints_stay_in_one_piece_in_the_grids_own_coordinates(case: Case) -> None:
    grid, hulls, _, _ = place(case, HEADING_DEG)
    footprint = georeference(hulls, grid, TAGS).geometry[0]
    in_pixels = np.array([~grid.transform @ tuple(xy) for xy in shapely.get_coordinates(footprint)])
    np.testing.assert_allclose(in_pixels[0], hulls.bow[0], atol=1e-3)
    assert np.ptp(in_pixels, axis=0).max() < 1.5 * np.hypot(*(hulls.bow - hulls.stern)[0])
    assert footprint.is_valid


def test_heading_due_north_is_never_360() -> None:
    x = np.linspace(10, 90, 400) + np.linspace(-1e-15, 1e-15, 400)
    stern, bow = np.stack([x, np.full(400, 90.0)], axis=1), np.stack([x, np.full(400, 10.0)], axis=1)
    bow[::2, 0] -= 1e-14
    hulls = Hulls(bow, stern, np.full(400, 5.0), np.full(400, 0.5), np.full(400, 0.5))
    for frame in (
        georeference(hulls, Grid(CRS.from_epsg(3857), Affine(10, 0, 1e6, 0, -10, 8e6), 100, 100), TAGS),
        georeference(hulls, Grid(CRS.from_epsg(4326), Affine(1e-4, 0, 5, 0, -1e-4, 60), 100, 100), TAGS),
        pixel_detections(hulls, 1.0, TAGS),
    ):
        assert ((frame.heading_deg >= 0) & (frame.heading_deg < 360)).all()
        assert (np.minimum(frame.heading_deg, 360 - frame.heading_deg) < 1e-6).all()


def test_rows_come_best_first_then_from_the_top_and_are_numbered() -> None:
    bow = np.array([[5.0, 50.0], [9.0, 20.0], [3.0, 20.0], [1.0, 90.0]])
    hulls = Hulls(bow, bow + np.array([0, 9]), np.full(4, 2.0), np.array([0.5, 0.5, 0.5, 0.9]), np.full(4, 0.5))
    frame = pixel_detections(hulls, 1.0, TAGS)
    assert frame.bow_col.tolist() == [1.0, 3.0, 9.0, 5.0]
    assert frame.id.tolist() == [1, 2, 3, 4]
    assert frame.index.tolist() == [0, 1, 2, 3]


@pytest.mark.parametrize("ships", [0, 2])
def test_the_columns_are_those_of_the_schema_with_or_without_ships(ships: int) -> None:
    bow = np.array([[5.0, 50.0], [9.0, 20.0]])
    some = Hulls(bow, bow + np.array([0, 9]), np.full(2, 2.0), np.full(2, 0.5), np.full(2, 0.5))[np.arange(ships)]
    grid = Grid(CRS.from_epsg(32631), Affine(10, 0, 5e5, 0, -10, 6e6), 100, 100)
    for frame, crs in ((georeference(some, grid, TAGS), grid.crs), (pixel_detections(some, 2.0, TAGS), None)):
        assert len(frame) == ships
        assert frame.crs == crs
        assert list(frame.columns) == [column.name for column in COLUMNS]
        assert [str(dtype) for dtype in frame.dtypes] == [column.dtype for column in COLUMNS]


def test_tags_stand_in_every_row() -> None:
    ship = Hulls(np.array([[5.0, 5]]), np.array([[5.0, 20]]), np.array([3.0]), np.array([0.5]), np.array([0.5]))
    row = pixel_detections(ship, 1.0, SceneTags("a.tif", "2024-05-01T10:00:00Z", "m")).iloc[0]
    assert (row.scene_id, row.acquired_at, row.model) == ("a.tif", "2024-05-01T10:00:00Z", "m")
    assert pixel_detections(ship, 1.0, TAGS).acquired_at.isna().all()


@pytest.mark.parametrize(("along", "heading_deg"), [((0, -1), 0), ((1, 0), 90), ((0, 1), 180), ((-1, 0), 270)])
def test_in_pixels_heading_counts_clockwise_from_up(along: tuple[int, int], heading_deg: float) -> None:
    stern = np.array([[100.0, 100.0]])
    ship = Hulls(stern + 40 * np.array(along), stern, np.array([8.0]), np.array([0.5]), np.array([0.8]))
    row = pixel_detections(ship, 2.5, TAGS).iloc[0]
    assert row.heading_deg == pytest.approx(heading_deg)
    assert (row.length_m, row.beam_m) == (100.0, 20.0)
    assert row.geometry.area == pytest.approx(8 * 36 + 8 * 4 / 2)
    assert np.isnan([row.lon, row.lat, row.bow_lon, row.stern_lat]).all()
    port = shapely.get_coordinates(row.geometry)[2] - stern[0]
    np.testing.assert_allclose(port, 4 * np.array([along[1], -along[0]]), atol=1e-9)


def test_a_grid_without_a_crs_is_refused_with_advice() -> None:
    grid = Grid(None, Affine.identity(), 10, 10)
    with pytest.raises(SceneError, match=r"harbour has no CRS.*--pixel-coordinates"):
        georeference(Hulls.empty(), grid, TAGS)


@pytest.mark.parametrize(
    ("epsg", "transform"),
    [
        (32631, Affine(10, 0, 5e8, 0, -10, 1e8)),
        (4326, Affine(10, 0, 500_000, 0, -10, 6e6)),
        (4326, Affine(0.001, 0, 0, 0, -0.001, 90.01)),
    ],
    ids=["far off a zone", "metres called degrees", "beyond the pole"],
)
def test_a_ship_off_the_map_is_refused_with_its_place(epsg: int, transform: Affine) -> None:
    ship = Hulls(np.array([[5.0, 5]]), np.array([[5.0, 20]]), np.array([3.0]), np.array([0.5]), np.array([0.5]))
    with pytest.raises(SceneError, match=r"no longitude and latitude at column 5, row 12"):
        georeference(ship, Grid(CRS.from_epsg(epsg), transform, 100, 100), TAGS)


NO_ORDER = TAGS._replace(unordered_ends=True)


def test_a_ship_whose_ends_are_in_no_order_is_a_rectangle_on_the_ground(case: Case) -> None:
    grid, hulls, _, _ = place(case, HEADING_DEG)
    frame = georeference(replace(hulls, bow_score=np.array([UNDECIDED])), grid, NO_ORDER)
    _, *corners = footprint_lonlat(case, frame.geometry[0])
    area, _ = GEOD.polygon_area_perimeter(*np.array(corners).T)
    assert abs(area) == pytest.approx(BEAM_M * LENGTH_M, rel=0.01)
    sides = [distance_m(a, b) for a, b in zip(corners, [*corners[1:], corners[0]], strict=True)]
    np.testing.assert_allclose(sorted(sides), [BEAM_M, BEAM_M, LENGTH_M, LENGTH_M], rtol=0.01)


def undecided(bow: list[list[float]], stern: list[list[float]]) -> Hulls:
    n = len(bow)
    score = np.linspace(0.9, 0.5, n)
    return Hulls(np.array(bow, float), np.array(stern, float), np.full(n, 3.0), score, np.full(n, 0.5))


def test_ships_whose_ends_are_in_no_order_head_from_0_to_180_on_earth():
    grid = Grid(CRS.from_epsg(32631), Affine(10, 0, 500000, 0, -10, 5700000), 200, 200)
    ends = [[50, 20], [50, 80], [20, 50], [80, 50], [30, 70], [70, 30], [30, 30], [70, 70]]
    hulls = undecided(ends, [[100 - x, 100 - y] for x, y in ends])
    ships = georeference(hulls, grid, NO_ORDER)
    assert ships["heading_deg"].between(0, 180, inclusive="left").all()
    assert (ships["bow_score"] == 0.5).all()
    assert (ships["bow_lon"] - ships["stern_lon"] > -1e-6).all()
    pairs = ships["heading_deg"].to_numpy().reshape(-1, 2)
    assert np.allclose(pairs[:, 0], pairs[:, 1], atol=1e-6)
    assert np.allclose(ships["length_m"].to_numpy().reshape(-1, 2)[:, 0], ships["length_m"].iloc[1::2])


def test_ships_whose_ends_are_in_no_order_head_from_0_to_180_in_pixels():
    hulls = undecided([[20, 50], [50, 80], [50, 20]], [[80, 50], [50, 20], [50, 80]])
    ships = pixel_detections(hulls, 10.0, NO_ORDER)
    assert ships["heading_deg"].tolist() == pytest.approx([90, 0, 0])
    assert ships["bow_col"].tolist() == [80, 50, 50]
    assert ships["bow_row"].tolist() == [50, 20, 20]


def test_ships_whose_bow_is_known_keep_it():
    grid = Grid(CRS.from_epsg(32631), Affine(10, 0, 500000, 0, -10, 5700000), 200, 200)
    hulls = undecided([[20, 50]], [[80, 50]])
    assert georeference(hulls, grid, TAGS)["heading_deg"].iloc[0] == pytest.approx(270, abs=1)
