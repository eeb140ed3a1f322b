"""Ships on dry land are none, where near infrared tells."""

from collections.abc import Callable, Sequence

import numpy as np
import pytest

from shipdet.geometry import Hulls
from shipdet.inference.afloat import LEAST_SCORE, _share_around, _water_in, afloat
from shipdet.models.weights import Model, load_weights
from shipdet.raster.raw import SceneFiles
from shipdet.raster.sampling import Sampling
from shipdet.raster.scene import Scene, open_scene

SIDE = 120
WATER, LAND, MUD, SHIP = (
    (300, 400, 500, 200),
    (900, 1000, 1100, 3000),
    (700, 540, 450, 560),
    (4000, 4000, 4000, 4000),
)
"""Red, green, blue and near infrared. Mud reflects more near infrared than green, but little for a scene with land."""
MIDDLES = {"at sea": (30, 30), "at a quay": (64, 30), "ashore": (100, 30), "in mud": (30, 90)}
SAMPLING = Sampling(4.0, 4.0, 4 * SIDE, 4 * SIDE)


@pytest.fixture(scope="module")
def model() -> Model:
    shipped = load_weights("sentinel2")
    assert shipped.card.least_water is not None
    return shipped


@pytest.fixture
def port(write_scene: Callable[..., Scene]) -> Scene:
    """Water on the left, muddy in its lower part, land on the right; a bright hull at each of the middles."""
    pixels = np.empty((4, SIDE, SIDE), np.uint16)
    pixels[:] = np.array(LAND)[:, None, None]
    pixels[:, :, :67] = np.array(WATER)[:, None, None]
    pixels[:, 60:, :67] = np.array(MUD)[:, None, None]
    for x, y in MIDDLES.values():
        pixels[:, y - 8 : y + 8, x - 2 : x + 2] = np.array(SHIP)[:, None, None]
    return reopened(write_scene("port.tif", pixels), (1, 2, 3, 4))


def reopened(scene: Scene, bands: Sequence[int]) -> Scene:
    return open_scene(scene.sources[0].path, tuple(bands), gsd_m=10.0)


def hulls(names: Sequence[str], score: float = 0.9) -> Hulls:
    middles = np.array([MIDDLES[name] for name in names], float)
    many = np.ones(len(names))
    half = np.array([0.0, 8.0])
    return Hulls(middles - half, middles + half, 4 * many, score * many, 0.5 * many)


def test_ships_ashore_are_told_from_those_afloat(port: Scene, model: Model):
    told = afloat(hulls(list(MIDDLES)), port, SAMPLING, model)
    assert dict(zip(MIDDLES, told.tolist(), strict=True)) == {
        "at sea": True, "at a quay": True, "ashore": False, "in mud": True,
    }  # fmt: skip


def test_each_is_told_the_same_alone(port: Scene, model: Model):
    alone = [bool(afloat(hulls([name]), port, SAMPLING, model)[0]) for name in MIDDLES]
    assert alone == afloat(hulls(list(MIDDLES)), port, SAMPLING, model).tolist()


def test_without_near_infrared_nobody_asks(port: Scene, model: Model):
    assert afloat(hulls(["ashore"]), reopened(port, (1, 2, 3)), SAMPLING, model).all()


def test_models_that_do_not_ask_keep_all(port: Scene, model: Model):
    card = model.card.model_copy(update={"least_water": None})
    assert afloat(hulls(["ashore"]), port, SAMPLING, model._replace(card=card)).all()


def test_what_is_hardly_a_ship_is_not_read(port: Scene, model: Model):
    assert afloat(hulls(["ashore"], LEAST_SCORE / 2), port, SAMPLING, model).all()


def test_a_ship_beyond_the_scene_or_without_data_around_stays(write_scene: Callable[..., Scene], model: Model):
    empty = np.zeros((4, SIDE, SIDE), np.uint16)
    empty[:, :10] = np.array(LAND)[:, None, None]
    scene = reopened(write_scene("empty.tif", empty), (1, 2, 3, 4))
    assert afloat(hulls(["in mud"]), scene, SAMPLING, model).all()
    away = hulls(["ashore"])
    assert afloat(
        Hulls(away.bow + 500, away.stern + 500, away.beam, away.score, away.bow_score), scene, SAMPLING, model
    ).all()


def test_an_empty_sea_is_water_however_dark_it_is(write_scene: Callable[..., Scene], model: Model):
    rng = np.random.default_rng(0)
    sea = (np.array(WATER)[:, None, None] + rng.integers(-9, 10, (4, SIDE, SIDE))).astype(np.uint16)
    sea[:, 22:38, 28:32] = np.array(SHIP)[:, None, None]
    assert afloat(hulls(["at sea"]), reopened(write_scene("sea.tif", sea), (1, 2, 3, 4)), SAMPLING, model).all()


def test_in_mud_alone_nobody_can_tell(write_scene: Callable[..., Scene], model: Model):
    rng = np.random.default_rng(0)
    mud = (np.array((1700, 1650, 1500, 1800))[:, None, None] + rng.normal(0, 60, (4, SIDE, SIDE))).astype(np.uint16)
    mud[:, 22:38, 28:32] = np.array(SHIP)[:, None, None]
    assert afloat(hulls(["at sea"]), reopened(write_scene("mud.tif", mud), (1, 2, 3, 4)), SAMPLING, model).all()


def test_the_rim_is_as_wide_on_the_ground_where_pixels_are_not_square(write_scene: Callable[..., Scene], model: Model):
    """Land begins 40 m east of the ship where pixels are square, 16 m where they are narrow: its rim is more land."""
    pixels = np.empty((4, SIDE, SIDE), np.uint16)
    pixels[:] = np.array(WATER)[:, None, None]
    pixels[:, :, 36:] = np.array(LAND)[:, None, None]
    pixels[:, 22:38, 28:32] = np.array(SHIP)[:, None, None]
    scene = reopened(write_scene("narrow.tif", pixels), (1, 2, 3, 4))
    narrow = Sampling(1.6, 4.0, round(1.6 * SIDE), 4 * SIDE)
    told = _water_in(scene, model)
    assert told is not None
    with SceneFiles(scene) as files:
        hull = hulls(["at sea"])
        square, oblong = (_share_around(files, hull, each, told) for each in (SAMPLING, narrow))
    assert square is not None
    assert oblong is not None
    assert 0.55 < oblong < 0.75
    assert square > oblong + 0.05


def test_what_is_dropped_is_told(port: Scene, model: Model, caplog: pytest.LogCaptureFixture):
    afloat(hulls(list(MIDDLES)), port, SAMPLING, model)
    assert [r.getMessage().split(": ", 1)[1].split(" have")[0] for r in caplog.records] == [
        f"1 that score {model.card.score_threshold:.2f} or more"
    ]
