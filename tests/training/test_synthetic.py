import numpy as np
import pytest
import shapely

from shipdet.geometry import hull_corners, overlaps, rectangle_corners
from shipdet.training.synthetic import HarbourOptions, Rendered, render_harbour
from shipdet.training.synthetic_canvas import Canvas
from shipdet.training.synthetic_fittings import FURNISH, draw_ship
from shipdet.training.synthetic_fleet import CLASSES, Hull, Ship, breadth
from shipdet.training.synthetic_mooring import RAFT_GAP, Waters, moor_along
from shipdet.training.synthetic_port import Berth

SEEDS = range(8)


@pytest.fixture(scope="module")
def scenes() -> list[Rendered]:
    return [render_harbour(np.random.default_rng(seed), (300, 360)) for seed in SEEDS]


def fleet(scenes: list[Rendered]) -> list[tuple[Rendered, int]]:
    return [(scene, k) for scene in scenes for k in range(len(scene.beam))]


def test_a_scene_has_the_size_asked_for_and_as_many_of_everything_as_ships(scenes: list[Rendered]) -> None:
    for scene in scenes:
        n = len(scene.type)
        assert scene.pixels.shape == (300, 360, 3)
        assert scene.pixels.dtype == np.uint8
        assert scene.bow.shape == scene.stern.shape == (n, 2)
        assert scene.beam.shape == (n,)
    assert sum(len(scene.type) for scene in scenes) > 20


def test_the_same_seed_gives_the_same_pixels_and_another_seed_others(scenes: list[Rendered]) -> None:
    again = render_harbour(np.random.default_rng(SEEDS[0]), (300, 360))
    assert np.array_equal(again.pixels, scenes[0].pixels)
    assert np.array_equal(again.bow, scenes[0].bow)
    assert again.type == scenes[0].type
    assert not np.array_equal(scenes[1].pixels, scenes[0].pixels)


def test_ships_lie_within_the_scene_and_overlap_no_other(scenes: list[Rendered]) -> None:
    for scene in scenes:
        corners = rectangle_corners(scene.bow, scene.stern, scene.beam)
        assert (corners >= 0).all()
        assert (corners <= (360, 300)).all()
        first = overlaps(corners).first
        assert len(first) == 0


def test_ships_have_their_types_length_and_slenderness(scenes: list[Rendered]) -> None:
    for scene, k in fleet(scenes):
        kind, length = CLASSES[scene.type[k]], float(np.hypot(*(scene.bow[k] - scene.stern[k])))
        assert 0.79 * kind.length_m[0] <= length <= kind.length_m[1] + 1e-6
        assert 0.75 * kind.slenderness[0] <= length / scene.beam[k] <= 1.15 * kind.slenderness[1]


def test_a_harbour_without_land_is_open_sea_and_a_harbour_with_land_is_not_all_sea() -> None:
    sea = render_harbour(np.random.default_rng(1), 200, HarbourOptions(open_sea=1.0, haze=0.0))
    port = render_harbour(np.random.default_rng(1), 200, HarbourOptions(open_sea=0.0, haze=0.0))
    assert np.median(port.pixels.std(axis=2)) != np.median(sea.pixels.std(axis=2))
    assert port.pixels.std() > sea.pixels.std()


@pytest.mark.parametrize("kind", sorted(CLASSES))
@pytest.mark.parametrize("heading_deg", [0.0, 33.0, 250.0])
def test_paint_ends_where_the_truth_says_that_the_ship_ends(kind: str, heading_deg: float) -> None:
    angle, length = np.radians(heading_deg), CLASSES[kind].length_m[0]
    half = np.array([np.cos(angle), np.sin(angle)]) * length / 2
    ship = Ship(100 + half, 100 - half, length / CLASSES[kind].slenderness[0], kind)
    canvas = Canvas(200, 200, np.zeros(2))
    draw_ship(canvas, ship)
    cover = canvas.layers().cover[..., 0]
    rows, columns = np.nonzero(cover > 0.5)
    along = ((columns + 0.5 - 100) * half[0] + (rows + 0.5 - 100) * half[1]) / (length / 2)
    # A fine stem is thinner than a pixel at its very tip, so the paint may seem to end a little before it.
    assert -2.5 <= along.max() - length / 2 <= 1.0
    assert -1.0 <= along.min() + length / 2 <= 1.5
    assert CLASSES[kind].form.transom * 0.6 * length * ship.beam < cover.sum() < (length + 1) * (ship.beam + 1)


@pytest.mark.parametrize("heading_deg", [0.0, 17.0, 45.0, 80.0])
def test_a_painted_shape_has_its_true_place_and_size(heading_deg: float) -> None:
    angle, centre = np.radians(heading_deg), np.array([40.3, 37.8])
    half = np.array([np.cos(angle), np.sin(angle)]) * 25
    corners = rectangle_corners(centre[None] + half, centre[None] - half, np.array([8.0]))[0]
    canvas = Canvas(80, 80, np.zeros(2))
    canvas.fill(corners, (255, 255, 255))
    cover = canvas.layers().cover[..., 0]
    rows, columns = np.mgrid[:80, :80] + 0.5
    assert (cover * columns).sum() / cover.sum() == pytest.approx(centre[0], abs=0.15)
    assert (cover * rows).sum() / cover.sum() == pytest.approx(centre[1], abs=0.15)
    assert cover.sum() / 50 == pytest.approx(8.0, abs=0.6)


def test_every_type_of_ship_can_be_painted() -> None:
    assert FURNISH.keys() == CLASSES.keys()


@pytest.mark.parametrize("kind", sorted(set(CLASSES) - {"barge", "submarine", "attack", "lighter"}))
def test_a_bow_is_narrower_than_a_stern(kind: str) -> None:
    near_ends = breadth(CLASSES[kind].form, np.array([0.03, 0.97]))
    assert near_ends[1] < 0.8 * near_ends[0]


def test_a_hull_tapers_to_its_tips_on_the_axis() -> None:
    ship = Ship(np.array([90.0, 40.0]), np.array([10.0, 40.0]), 10.0, "warship")
    outline = Hull(Canvas(80, 100, np.zeros(2)), ship).outline(0.0)
    assert outline[:, 0].max() == pytest.approx(90)
    assert outline[outline[:, 0].argmax(), 1] == pytest.approx(40)
    assert outline[:, 0].min() == pytest.approx(10)
    assert np.ptp(outline[:, 1]) == pytest.approx(10, rel=0.01)


def test_the_ships_of_a_raft_lie_one_to_three_pixels_apart() -> None:
    gaps: list[float] = []
    for seed in range(30):
        rng, waters = np.random.default_rng(seed), Waters(400, 400, shapely.box(0, 0, 400, 100))
        berth = Berth(np.array([100.0, 100.0]), np.array([300.0, 100.0]), np.array([0.0, 1.0]))
        moor_along(rng, waters, berth, (("warship", 1.0),), crowding=1.0)
        hulls = [rectangle_corners(s.bow[None], s.stern[None], np.array([s.beam]))[0] for s in waters.ships]
        spans = sorted((h[:, 1].min(), h[:, 1].max(), h[:, 0].min(), h[:, 0].max()) for h in hulls)
        for inner in spans:
            beside = [o for o in spans if o[0] > inner[1] and o[2] < inner[3] and inner[2] < o[3]]
            gaps += [min(outer[0] for outer in beside) - inner[1]] if beside else []
    assert len(gaps) > 20
    assert min(gaps) >= RAFT_GAP[0] - 1e-6
    assert max(gaps) <= RAFT_GAP[1] + 1e-6


def test_ships_look_unlike_the_water_beside_them() -> None:
    contrasts = []
    options = HarbourOptions(open_sea=1.0, haze=0.0)
    for seed in range(6):
        scene = render_harbour(np.random.default_rng(seed), 400, options)
        grey = scene.pixels.astype(float).mean(axis=2)
        hulls = shapely.polygons(hull_corners(scene.bow, scene.stern, scene.beam))
        rows, columns = np.mgrid[:400, :400] + 0.5
        for k, hull in enumerate(hulls):
            ring = shapely.difference(hull.buffer(8), hull.buffer(3))
            inside, around = shapely.contains_xy(hull, columns, rows), shapely.contains_xy(ring, columns, rows)
            axis = np.linspace(scene.stern[k], scene.bow[k], 60)[3:-3].astype(int)
            spread = abs(grey[axis[:, 1], axis[:, 0]] - np.median(grey[around])).mean()
            contrasts.append(max(spread, grey[inside].std()) / max(grey[around].std(), 1.0))
    assert len(contrasts) >= 4
    assert np.median(contrasts) > 2
