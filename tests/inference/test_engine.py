"""The engine on the sample scene, with the weights that ship."""

from pathlib import Path

import numpy as np
import pytest
import rasterio
import torch
from affine import Affine
from rasterio.windows import Window

from shipdet.inference.engine import MARGIN, Found, Tiling, detect_hulls, eye_of, tiles_of
from shipdet.models.calibration import Calibration, calibrated, uncalibrated
from shipdet.models.device import Device
from shipdet.models.weights import Model, load_weights
from shipdet.raster.sampling import Sampling
from shipdet.raster.scene import Scene, open_scene

SAMPLE = Path(__file__).resolve().parents[2] / "data_samples" / "harbour.tif"
EXACT = Device(torch.device("cpu"), torch.float32)
HALF = Device(torch.device("cpu"), torch.bfloat16)


@pytest.fixture(scope="module")
def model() -> Model:
    return load_weights("inshore-vhr")


@pytest.fixture(scope="module")
def harbour(tmp_path_factory: pytest.TempPathFactory) -> Scene:
    """An odd-sized part of the sample with moored ships in it."""
    return open_scene(
        crop(tmp_path_factory.mktemp("scene") / "part.tif", Window(500, 300, 1101, 867), nodata_from=1050)
    )


def shifted(transform: Affine, window: Window) -> Affine:
    a, b, c, d, e, f = transform[:6]
    x, y = window.col_off, window.row_off
    return Affine(a, b, c + a * x + b * y, d, e, f + d * x + e * y)


def crop(path: Path, window: Window, nodata_from: int) -> Path:
    with rasterio.open(SAMPLE) as sample:
        pixels = sample.read(window=window)
        pixels[:, :, nodata_from:] = 0
        profile = {"driver": "GTiff", "dtype": "uint8", "count": 3, "crs": sample.crs, "nodata": 0}
        profile |= {"tiled": True, "blockxsize": 256, "blockysize": 256, "transform": shifted(sample.transform, window)}
    with rasterio.open(path, "w", width=window.width, height=window.height, **profile) as part:
        part.write(pixels)
    return path


@pytest.fixture(scope="module")
def whole(harbour: Scene, model: Model) -> Found:
    return detect_hulls(harbour, model, EXACT, Tiling(core=1024))


def sure(found: Found, model: Model) -> np.ndarray:
    """Bow, stern, beam, score and bow score of what would be reported, in an order of their own."""
    hulls = found.hulls[found.hulls.score >= model.card.score_threshold]
    rows = np.column_stack([hulls.bow, hulls.stern, hulls.beam, hulls.score, hulls.bow_score])
    return rows[np.lexsort(np.round(rows[:, :2]).T)]


@pytest.mark.parametrize(("core", "offset"), [(256, (0, 0)), (512, (96, 224)), (512, (320, 32)), (1024, (640, 416))])
def test_ships_do_not_depend_on_how_the_scene_is_cut(harbour, model, whole, core: int, offset: tuple[int, int]):
    found = detect_hulls(harbour, model, EXACT, Tiling(core, offset))
    expected, got = sure(whole, model), sure(found, model)
    assert len(expected) >= 5
    assert got.shape == expected.shape
    assert np.abs(got[:, :5] - expected[:, :5]).max() < 0.1
    assert np.abs(got[:, 5:] - expected[:, 5:]).max() < 1e-3
    assert np.abs(found.attention.astype(int) - whole.attention.astype(int)).max() <= 1


@pytest.mark.parametrize(("device", "most"), [(EXACT, 1536), (HALF, 2048)])
def test_tiles_are_smaller_where_maps_take_more_memory(harbour: Scene, model: Model, device: Device, most: int):
    tiles = tiles_of(harbour, Sampling(1.0, 1.0, 9000, 7000), Tiling(), eye_of(model, device))
    assert max(tile.core.width for tile in tiles) == most
    assert sum(tile.core.area for tile in tiles) == 9000 * 7000


def test_all_hulls_however_faint_survive_another_cut(harbour, model, whole):
    found = detect_hulls(harbour, model, EXACT, Tiling(512, (96, 224)))
    assert len(found.hulls) == len(whole.hulls)
    assert np.abs(np.sort(found.hulls.score) - np.sort(whole.hulls.score)).max() < 1e-3


def test_the_attention_map_covers_the_scene_and_is_shut_on_nodata(whole):
    assert whole.attention.shape == (-(-867 // 8), -(-1101 // 8))
    assert whole.attention[:, :120].max() > 128
    assert whole.attention[:, 1080 // 8 :].max() < 26


def test_hulls_are_best_first_with_scores_that_are_probabilities(whole):
    assert (np.diff(whole.hulls.score) <= 0).all()
    assert ((whole.hulls.score >= 0) & (whole.hulls.score <= 1)).all()
    assert ((whole.hulls.bow_score >= 0.5) & (whole.hulls.bow_score <= 1)).all()


def test_a_tile_is_seen_with_the_whole_reach_of_the_network_around_it():
    assert MARGIN % 32 == 0


def test_progress_tells_of_every_tile(harbour, model):
    told: list[tuple[int, int]] = []
    detect_hulls(harbour, model, EXACT, Tiling(1024), lambda done, total: told.append((done, total)))
    assert told == [(n, told[0][1]) for n in range(1, told[0][1] + 1)]


def test_a_calibrated_model_finds_the_same_ships_with_other_scores(harbour: Scene, model: Model, whole: Found):
    line = Calibration(slope=2.0, intercept=1.0)
    calibration = model._replace(card=model.card.model_copy(update={"calibration": line}))
    found = detect_hulls(harbour, calibration, EXACT, Tiling(core=1024))
    same, other = (hulls[np.lexsort(hulls.bow.round().T)] for hulls in (whole.hulls, found.hulls))
    np.testing.assert_allclose(other.bow, same.bow, atol=0.1)  # the tiles are others
    raw = uncalibrated(same.score, model.card.calibration)
    np.testing.assert_allclose(other.score, calibrated(raw, line), atol=1e-3)
    assert (np.diff(found.hulls.score) <= 0).all()
