"""Scenes in several views: planned, fused, and independent of how they are cut."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import rasterio
import torch
from rasterio.windows import Window

from shipdet.geometry import Hulls
from shipdet.inference.engine import Found, Tiling, detect_hulls
from shipdet.inference.fusion import Together
from shipdet.inference.symmetry import AS_IT_IS
from shipdet.inference.views import Augment, Looking, View, find_ships, likely_gsd_m, on_grid, plan_views
from shipdet.models.device import Device
from shipdet.models.scale_head import ScaleHead
from shipdet.models.weights import Model, load_weights
from shipdet.raster.scene import Scene, open_scene

SAMPLE = Path(__file__).resolve().parents[2] / "data_samples" / "harbour.tif"
EXACT = Device(torch.device("cpu"), torch.float32)


@pytest.fixture(scope="module")
def model() -> Model:
    """The shipped network with a head that likes some places better than others."""
    shipped = load_weights("inshore-vhr")
    with torch.random.fork_rng():
        torch.manual_seed(0)
        return shipped._replace(scale_head=ScaleHead(shipped.card.context, 4).eval())


@pytest.fixture(scope="module")
def harbour(tmp_path_factory: pytest.TempPathFactory) -> Scene:
    """An odd-sized part of the sample with ships in it."""
    path, window = tmp_path_factory.mktemp("scene") / "part.tif", Window(1003, 607, 331, 273)
    with rasterio.open(SAMPLE) as sample:
        profile = sample.profile | {"width": window.width, "height": window.height, "nodata": None}
        with rasterio.open(path, "w", **profile) as part:
            part.write(sample.read(window=window))
    return open_scene(path)


def test_a_known_scale_is_one_plain_view(harbour: Scene):
    assert plan_views(harbour, 1.0, "none") == (View(harbour.gsd_m, AS_IT_IS),)


@pytest.mark.parametrize(("augment", "count"), [("flips", 4), ("dihedral", 8), ("scales", 3)])
def test_further_views_are_around_the_known_scale_and_the_plain_one_comes_first(harbour, augment: Augment, count: int):
    views = plan_views(harbour, 1.0, augment)
    assert len(set(views)) == count
    assert views[0] == View(harbour.gsd_m, AS_IT_IS)


def test_an_unknown_scale_is_looked_for_around_the_models_own(harbour: Scene):
    unknown = replace(harbour, gsd_m=None)
    views = plan_views(unknown, 10.0, "none")
    assert views[0].gsd_m == (10.0, 10.0)
    assert min(view.gsd_m[0] for view in views) <= 2.5
    assert max(view.gsd_m[0] for view in views) > 10
    assert len(plan_views(unknown, 10.0, "flips")) == 4 * len(views)


def test_one_view_is_what_the_engine_sees(harbour: Scene, model: Model):
    """But for the second look at doubtful bows."""
    one = find_ships(harbour, model._replace(bow_classifier=None), EXACT)
    other = detect_hulls(harbour, model, EXACT)
    assert np.array_equal(one.hulls.bow, other.hulls.bow)
    assert (one.views, one.likely_gsd_m) == (1, None)


def rows(found: Found) -> np.ndarray:
    hulls = found.hulls[found.hulls.score >= 0.1]
    values = np.column_stack([hulls.bow, hulls.stern, hulls.beam, 100 * hulls.score, 100 * hulls.bow_score])
    return values[np.lexsort(np.round(values[:, :2]).T)]


@pytest.mark.parametrize("augment", ["dihedral", "scales"])
def test_fused_ships_do_not_depend_on_how_the_scene_is_cut(harbour: Scene, model: Model, augment: Augment):
    whole = find_ships(harbour, model, EXACT, Looking(augment, Tiling(1024)))
    parts = find_ships(harbour, model, EXACT, Looking(augment, Tiling(256, (96, 160))))
    assert len(rows(whole)) >= 3
    assert rows(whole).shape == rows(parts).shape
    assert np.abs(rows(whole) - rows(parts)).max() < 0.1
    assert np.abs(whole.attention.astype(int) - parts.attention.astype(int)).max() <= 1


def test_an_unknown_scale_finds_the_ships_twice_alike_and_tells_what_is_likely(harbour: Scene, model: Model):
    told: list[tuple[int, int]] = []
    unknown = replace(harbour, gsd_m=None)
    found = find_ships(unknown, model, EXACT, progress=lambda done, total: told.append((done, total)))
    again = find_ships(unknown, model, EXACT)
    assert np.array_equal(found.hulls.bow, again.hulls.bow)
    assert np.array_equal(found.hulls.score, again.hulls.score)
    assert len(rows(found)) >= 3
    assert found.views == 6
    assert 0.25 < found.likely_gsd_m < 1.41
    assert found.attention.shape == (-(-273 // 8), -(-331 // 8))
    assert told == [(n, told[0][1]) for n in range(1, told[0][1] + 1)]


def test_without_a_trained_head_the_networks_own_confidence_weighs(harbour: Scene, model: Model):
    found = find_ships(replace(harbour, gsd_m=None), model._replace(scale_head=None), EXACT)
    assert len(rows(found)) >= 3


def test_the_likely_ground_pixel_is_where_the_attention_of_sure_ships_lies():
    point = np.zeros((2, 2))
    hulls = Hulls(point, point, np.ones(2), np.array([0.9, 0.0]), np.ones(2))
    views = [View((gsd, gsd), AS_IT_IS) for gsd in (0.5, 2.0)]
    for weights, expected in (([1.0, 0.0], 0.5), ([0.5, 0.5], 1.0), ([0.1, 0.9], 2.0 ** (80 / 82)), ([0.0, 1.0], 2.0)):
        together = Together(hulls, np.array([weights, weights[::-1]]))
        assert likely_gsd_m(together, views) == pytest.approx(expected)
    assert likely_gsd_m(Together(Hulls.empty(), np.zeros((0, 2))), views) is None


def test_maps_come_to_another_grid_with_their_highest_values():
    cells = np.zeros((6, 9), np.uint8)
    cells[3, 7] = 200
    smaller, larger = on_grid(cells, (2, 3)), on_grid(cells, (12, 18))
    assert smaller.tolist() == [[0, 0, 0], [0, 0, 200]]
    assert (larger == 200).sum() == 4
    assert larger[6:8, 14:16].min() == 200
    assert np.array_equal(on_grid(cells, (6, 9)), cells)
