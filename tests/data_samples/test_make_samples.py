import importlib.util
from pathlib import Path
from types import ModuleType

import geopandas as gpd
import numpy as np
import pytest
import rasterio
import shapely

from shipdet.geometry import overlaps, rectangle_corners

ROOT = Path(__file__).resolve().parents[2] / "data_samples"


@pytest.fixture(scope="module")
def maker() -> ModuleType:
    spec = importlib.util.spec_from_file_location("make_samples", ROOT / "make_samples.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="module")
def small(maker: ModuleType, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder: Path = tmp_path_factory.mktemp("small")
    maker.make_samples(folder, 512, 640)
    return folder


@pytest.fixture(params=["shipped", "small"])
def folder(request: pytest.FixtureRequest) -> Path:
    """The sample that ships, and a small one made now."""
    found: Path = ROOT if request.param == "shipped" else request.getfixturevalue("small")
    return found


def test_making_the_sample_twice_writes_the_same_bytes(maker: ModuleType, small: Path, tmp_path: Path) -> None:
    maker.make_samples(tmp_path, 512, 640)
    for name in ("harbour.tif", "harbour_labels.gpkg"):
        assert (tmp_path / name).read_bytes() == (small / name).read_bytes()
    assert sorted(p.name for p in tmp_path.iterdir()) == ["harbour.tif", "harbour_labels.gpkg"]


def test_the_scene_is_a_tiled_compressed_overviewed_utm_geotiff(folder: Path) -> None:
    with rasterio.open(folder / "harbour.tif") as file:
        assert file.crs.to_epsg() == 32631
        assert file.res == (1.0, 1.0)
        assert file.block_shapes == [(256, 256)] * 3
        assert file.compression.name == "jpeg"
        assert file.overviews(1) == [2, 4, 8]
        assert file.tags()["TIFFTAG_DATETIME"] == "2017:07:27 10:42:00"


def test_the_nodata_corner_is_masked_and_nothing_else_is(folder: Path) -> None:
    with rasterio.open(folder / "harbour.tif") as file:
        mask = file.dataset_mask()
        half = file.dataset_mask(out_shape=(mask.shape[0] // 2, mask.shape[1] // 2))
    assert mask[0, 0] == 0
    assert (mask[:, mask.shape[1] // 2 :] == 255).all()
    assert 0.02 < (mask == 0).mean() < 0.25
    assert (half == 0).mean() == pytest.approx((mask == 0).mean(), abs=0.01)


def test_the_sample_that_ships_is_small_and_holds_about_forty_ships() -> None:
    assert sum(file.stat().st_size for file in ROOT.iterdir() if file.is_file()) < 4e6
    labels = gpd.read_file(ROOT / "harbour_labels.gpkg", layer="ships")
    assert 30 <= len(labels) <= 70
    assert labels["type"].nunique() >= 5


def test_the_script_still_renders_the_sample_that_ships(maker: ModuleType) -> None:
    with rasterio.open(ROOT / "harbour.tif") as file:
        shipped = file.read().transpose(1, 2, 0).astype(float)
        valid = file.dataset_mask() > 0
    scene = maker.render_sample()
    labels = gpd.read_file(ROOT / "harbour_labels.gpkg", layer="ships")
    assert np.allclose(labels[["bow_col", "bow_row"]].to_numpy(), scene.bow)
    assert abs(shipped - scene.pixels)[valid].mean() < 3


def test_labels_say_the_same_in_pixels_on_the_map_and_in_metres(folder: Path) -> None:
    labels = gpd.read_file(folder / "harbour_labels.gpkg", layer="ships")
    with rasterio.open(folder / "harbour.tif") as file:
        transform, crs = file.transform, file.crs
    assert labels.crs == crs
    for ship in labels.itertuples():
        bow, stern = (transform @ (ship.bow_col, ship.bow_row), transform @ (ship.stern_col, ship.stern_row))
        assert shapely.distance(ship.geometry.exterior, shapely.Point(bow)) < 1e-6
        assert shapely.distance(ship.geometry.exterior, shapely.Point(stern)) < 1e-6
        east, north = bow[0] - stern[0], bow[1] - stern[1]
        assert ship.length_m == pytest.approx(np.hypot(east, north), rel=2e-3)
        # UTM north is within half a degree of true north so close to the central meridian.
        turn = (ship.heading_deg - np.degrees(np.arctan2(east, north)) + 180) % 360 - 180
        assert abs(turn) < 0.6
        assert 2 < ship.length_m / ship.beam_m < 12


def test_labelled_ships_are_seen_whole_and_overlap_no_other(folder: Path) -> None:
    labels = gpd.read_file(folder / "harbour_labels.gpkg", layer="ships")
    with rasterio.open(folder / "harbour.tif") as file:
        mask = file.dataset_mask()
    bow, stern = labels[["bow_col", "bow_row"]].to_numpy(), labels[["stern_col", "stern_row"]].to_numpy()
    corners = rectangle_corners(bow, stern, labels["beam_m"].to_numpy())
    assert len(overlaps(corners).first) == 0
    inside = corners.astype(int).reshape(-1, 2)
    assert (mask[inside[:, 1], inside[:, 0]] == 255).all()
