"""One ship of the sample scene explained, with the weights that ship."""

from dataclasses import replace
from pathlib import Path

import geopandas as gpd
import numpy as np
import pytest
import rasterio
import torch
from affine import Affine
from pyproj import CRS
from rasterio.windows import Window

from shipdet.errors import InputError, SceneError
from shipdet.geometry import Grid, Hulls
from shipdet.inference.engine import Found, Tiling, detect_hulls
from shipdet.inference.explain import Explained, Wanted, explain_ship, in_window, true_north
from shipdet.models.device import Device
from shipdet.models.task_partition import COARSE_STRIDE, FINE_STRIDE
from shipdet.models.weights import Model, load_weights
from shipdet.raster.scene import Scene, open_scene

SAMPLE = Path(__file__).resolve().parents[2] / "data_samples" / "harbour.tif"
EXACT = Device(torch.device("cpu"), torch.float32)
PART = Window(1500, 420, 500, 380)
ON_SHIP = (1700.0 - 1500, 700.0 - 420)
"""A large ship at anchor."""


@pytest.fixture(scope="module")
def model() -> Model:
    return load_weights("inshore-vhr")


@pytest.fixture(scope="module")
def harbour(tmp_path_factory: pytest.TempPathFactory) -> Scene:
    """A part of the sample."""
    path = tmp_path_factory.mktemp("scene") / "part.tif"
    with rasterio.open(SAMPLE) as sample:
        profile = {"driver": "GTiff", "dtype": "uint8", "count": 3, "crs": sample.crs, "width": 500, "height": 380}
        a, b, c, d, e, f = sample.transform[:6]
        corner = Affine(a, b, c + a * PART.col_off, d, e, f + e * PART.row_off)
        with rasterio.open(path, "w", transform=corner, **profile) as part:
            part.write(sample.read(window=PART))
    return open_scene(path)


@pytest.fixture(scope="module")
def whole(harbour: Scene, model: Model) -> Found:
    return detect_hulls(harbour, model, EXACT, Tiling(core=256))


@pytest.fixture(scope="module")
def explained(harbour: Scene, model: Model) -> Explained:
    return explain_ship(harbour, model, EXACT, Wanted(ON_SHIP, 100.0, 0.5))


def refusal(scene: Scene, model: Model, wanted: Wanted) -> str:
    with pytest.raises(InputError) as caught:
        explain_ship(scene, model, EXACT, wanted)
    assert "\n" not in str(caught.value)
    return str(caught.value)


def test_the_ship_is_the_one_that_the_labels_know_there(explained: Explained):
    labels = gpd.read_file(SAMPLE.with_name("harbour_labels.gpkg"))
    ends = labels[["bow_col", "bow_row", "stern_col", "stern_row"]].to_numpy().reshape(-1, 2, 2)
    ends = ends - np.array([PART.col_off, PART.row_off])
    ship = np.stack([explained.ship.bow[0], explained.ship.stern[0]])
    off = np.hypot(*(ends - ship).transpose(2, 0, 1)).max(axis=1)
    assert off.min() < 0.1 * explained.ship.length[0]


def test_it_is_what_a_pass_over_the_whole_scene_finds(explained: Explained, whole: Found):
    away = np.hypot(*(whole.hulls.bow - explained.ship.bow).T)
    same = whole.hulls[[int(away.argmin())]]
    np.testing.assert_allclose(explained.ship.bow, same.bow, atol=0.1)
    np.testing.assert_allclose(explained.ship.stern, same.stern, atol=0.1)
    np.testing.assert_allclose(explained.ship.score, same.score, atol=1e-3)


def test_the_attention_map_is_that_of_the_whole_scene(explained: Explained, whole: Found):
    window = explained.maps.window
    inner = window.clipped(500 // 8 * 8, 380 // 8 * 8)
    here = np.s_[inner.y // 8 : (inner.y + inner.height) // 8, inner.x // 8 : (inner.x + inner.width) // 8]
    y, x = (inner.y - window.y) // 8, (inner.x - window.x) // 8
    shown = explained.maps.attention[y : y + inner.height // 8, x : x + inner.width // 8]
    assert shown.max() > 0.9
    np.testing.assert_allclose(shown, whole.attention[here] / 255, atol=0.01)


def test_maps_have_their_strides_and_the_ship_lies_in_the_middle(explained: Explained):
    maps, side = explained.maps, explained.maps.window.width
    assert maps.pixels.shape == (3, side, side)
    assert maps.attention.shape == maps.gate.shape == maps.computed.shape == (side // 8, side // 8)
    assert maps.bow.shape == maps.stern.shape == (side // 4, side // 4)
    ship = in_window(explained.ship, explained)
    assert np.abs((ship.bow + ship.stern) / 2 - side / 2).max() <= COARSE_STRIDE
    assert side >= 1.8 * ship.length[0]


def test_the_gate_is_open_at_both_ends_and_the_heat_peaks_there(explained: Explained):
    maps, ship = explained.maps, in_window(explained.ship, explained)
    for end, heat in ((ship.bow[0], maps.bow), (ship.stern[0], maps.stern)):
        x, y = (end / COARSE_STRIDE).astype(int)
        assert maps.gate[y, x]
        x, y = (end / FINE_STRIDE).astype(int)
        assert heat[y - 2 : y + 3, x - 2 : x + 3].max() > 0.3


def test_nothing_is_heard_where_the_gate_is_shut_and_more_is_computed_than_heard(explained: Explained):
    maps = explained.maps
    shut = ~maps.gate.repeat(2, axis=0).repeat(2, axis=1)
    assert shut.any()
    assert not maps.bow[shut].any()
    assert not maps.stern[shut].any()
    assert (maps.computed | ~maps.gate).all()
    assert maps.computed.sum() > maps.gate.sum()


def test_of_several_ships_the_nearest_is_explained(harbour: Scene, model: Model, explained: Explained):
    other = explained.neighbours[:1]
    middle = (other.bow + other.stern)[0] / 2
    found = explain_ship(harbour, model, EXACT, Wanted((middle[0], middle[1]), 0.0, 0.5))
    np.testing.assert_allclose(found.ship.bow, other.bow, atol=0.1)


def test_a_place_without_a_ship_is_refused_with_how_far_the_nearest_is(harbour: Scene, model: Model):
    message = refusal(harbour, model, Wanted((300.0, 30.0), 5.0, 0.5))
    assert message.startswith("no ship of score 0.50 or more within 5 m of the place: the nearest is ")
    assert "none is anywhere near" in refusal(harbour, model, Wanted((300.0, 30.0), 5.0, 1.0))


@pytest.mark.parametrize("place", [(-1.0, 10.0), (500.0, 10.0), (10.0, 380.0), (1e30, 1e30)])
def test_a_place_outside_the_scene_is_refused(harbour: Scene, model: Model, place: tuple[float, float]):
    assert "lies outside" in refusal(harbour, model, Wanted(place, 100.0, 0.5))


def test_a_scene_of_unknown_scale_is_refused(harbour: Scene, model: Model):
    with pytest.raises(SceneError, match="--gsd"):
        explain_ship(replace(harbour, gsd_m=None), model, EXACT, Wanted(ON_SHIP, 100.0, 0.5))


@pytest.mark.parametrize(
    ("turn_deg", "north"), [(0, (0, -1)), (90, (1, 0)), (180, (0, 1)), (-45, (-(0.5**0.5), -(0.5**0.5)))]
)
def test_north_is_where_the_grid_has_it(explained: Explained, turn_deg: float, north: tuple[float, float]):
    """Turned about the middle of the zone, where the grid's north is the true one."""
    sine, cosine = np.sin(np.radians(turn_deg)), np.cos(np.radians(turn_deg))
    transform = Affine(cosine, sine, 500_000, sine, -cosine, 5e6)
    at = np.array([[0.0, 0.0]])
    ship = Hulls(at + 1, at - 1, np.ones(1), np.ones(1), np.ones(1))
    found = true_north(Grid(CRS.from_epsg(32631), transform, 10, 10), explained._replace(ship=ship))
    np.testing.assert_allclose(found, north, atol=1e-3)


def test_there_is_no_north_where_there_is_no_earth(explained: Explained):
    assert true_north(Grid(None, Affine.identity(), 10, 10), explained) is None
