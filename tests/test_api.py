"""From a file to a table of ships, in Python."""

import warnings
from dataclasses import replace
from pathlib import Path

import geopandas as gpd
import numpy as np
import pytest
import rasterio
import torch
from PIL import Image
from rasterio.errors import NotGeoreferencedWarning
from rasterio.windows import Window

import shipdet
from shipdet.api import DetectRequest, run_detection, save_picture
from shipdet.attention.rcan import RCAN, Layout
from shipdet.errors import SceneError, WeightsError
from shipdet.inference.georeference import COLUMNS
from shipdet.models.sharpener import Sharpener, SharpenerCard, save_sharpener
from shipdet.models.weights import Card, Model, build_network, save_weights

SAMPLE = Path(__file__).resolve().parents[1] / "data_samples" / "harbour.tif"
PART = Window(1000, 600, 448, 320)


def write_part(path: Path, **changes: object) -> Path:
    """A part of the sample in which ships lie."""
    with rasterio.open(SAMPLE) as sample:
        a, b, c, d, e, f = sample.transform[:6]
        x, y = PART.col_off, PART.row_off
        transform = rasterio.Affine(a, b, c + a * x + b * y, d, e, f + d * x + e * y)
        pixels = sample.read(window=PART)
        profile = {"driver": "GTiff", "dtype": "uint8", "count": 3, "crs": sample.crs, "transform": transform}
    profile |= {"width": PART.width, "height": PART.height} | changes
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", NotGeoreferencedWarning)  # a picture without a CRS is meant so
        with rasterio.open(path, "w", **profile) as file:
            file.write(pixels)
    return path


@pytest.fixture(scope="module")
def part(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_part(tmp_path_factory.mktemp("scene") / "part.tif")


@pytest.fixture(scope="module")
def ships(part: Path) -> gpd.GeoDataFrame:
    return shipdet.detect(part)


def test_ships_come_in_the_documented_columns_and_the_crs_of_the_scene(ships):
    assert [*ships.columns] == [column.name for column in COLUMNS]
    assert ships.crs == "EPSG:32631"
    assert len(ships) > 0
    assert (ships["scene_id"] == "part").all()
    assert (ships["model"] == "inshore-vhr").all()


@pytest.mark.parametrize("request_", [DetectRequest(), DetectRequest(gsd_m="unknown"), DetectRequest(augment="flips")])
def test_open_water_is_a_table_without_ships(tmp_path: Path, request_: DetectRequest):
    shades = np.full((3, 1, 1), 70) + np.random.default_rng(0).integers(-3, 4, (3, 320, 448))
    profile = {"driver": "GTiff", "dtype": "uint8", "count": 3, "crs": 32631, "width": 448, "height": 320}
    with rasterio.open(tmp_path / "sea.tif", "w", transform=rasterio.Affine(1, 0, 5e5, 0, -1, 5.7e6), **profile) as sea:
        sea.write(shades.astype(np.uint8))
    ships = shipdet.detect(tmp_path / "sea.tif", request_)
    assert len(ships) == 0
    assert list(ships.columns) == [column.name for column in COLUMNS]


def test_a_threshold_keeps_the_surer_ships(part: Path, ships):
    most = shipdet.detect(part, DetectRequest(threshold=0.0))
    assert len(most) >= len(ships)
    assert most["score"].is_monotonic_decreasing
    middle = float(most["score"].median())
    assert len(shipdet.detect(part, DetectRequest(threshold=middle))) == int((most["score"] >= middle).sum())


def test_bands_of_one_scene_in_several_files_give_the_same_ships(part: Path, ships, tmp_path: Path):
    files = []
    with rasterio.open(part) as whole:
        for index in whole.indexes:
            files.append(tmp_path / f"part_{index}.tif")
            with rasterio.open(files[-1], "w", **{**whole.profile, "count": 1}) as file:
                file.write(whole.read(index), 1)
    apart = shipdet.detect(files)
    assert np.allclose(apart[["bow_col", "bow_row", "score"]], ships[["bow_col", "bow_row", "score"]])


def test_a_scene_without_a_crs_is_refused_with_advice(tmp_path: Path):
    bare = write_part(tmp_path / "bare.png", driver="PNG", crs=None, transform=rasterio.Affine.identity())
    with pytest.raises(SceneError, match="--pixel-coordinates"):
        shipdet.detect(bare)
    with pytest.raises(SceneError, match="--gsd"):
        shipdet.detect(bare, DetectRequest(pixel_coordinates=True))


def test_a_scene_without_a_crs_gives_the_same_ships_in_pixels(tmp_path: Path, ships):
    bare = write_part(tmp_path / "bare.png", driver="PNG", crs=None, transform=rasterio.Affine.identity())
    found = shipdet.detect(bare, DetectRequest(pixel_coordinates=True, gsd_m=1.0))
    assert found.crs is None
    assert np.allclose(found["bow_col"], ships["bow_col"])
    assert found["lon"].isna().all()
    x0, y0, x1, y1 = found.total_bounds
    assert min(x0, y0) > -50
    assert x1 < PART.width + 50
    assert y1 < PART.height + 50


def test_a_picture_shows_the_scene(part: Path, tmp_path: Path):
    found = run_detection(part, DetectRequest())
    save_picture(found, tmp_path / "part.png")
    with Image.open(tmp_path / "part.png") as picture:
        assert picture.width == PART.width
        assert picture.height > PART.height


@pytest.fixture
def bicubic(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Weights to sharpen by 4 that ship; they were never trained, so they enlarge as bicubic does."""
    folder, layout = tmp_path / "weights", Layout(1, 1, 8)
    folder.mkdir()
    card = SharpenerCard(factor=4, **layout._asdict(), trained_on=(), terms="none", steps=0)
    save_sharpener(folder / "x4.safetensors", Sharpener(RCAN(4, layout), card))
    monkeypatch.setattr("shipdet.models.sharpener.FOLDER", folder)


@pytest.fixture
def coarse(part: Path, tmp_path: Path) -> Path:
    """The part as a sensor of 3 m sees it."""
    with rasterio.open(part) as file:
        a, b, c, d, e, f = file.transform[:6]
        pixels = file.read()[:, :318, :447].reshape(3, 106, 3, 149, 3).mean(axis=(2, 4)).round().astype(np.uint8)
        profile = {**file.profile, "width": 149, "height": 106, "transform": rasterio.Affine(3 * a, b, c, d, 3 * e, f)}
    with rasterio.open(tmp_path / "coarse.tif", "w", **profile) as file:
        file.write(pixels)
        file.update_tags(ACQUISITIONDATETIME="2024-05-01T10:00:00Z")
    return tmp_path / "coarse.tif"


@pytest.mark.usefixtures("bicubic")
def test_a_coarse_scene_is_sharpened_where_asked_for_and_told_of_in_its_own_pixels(coarse: Path, tmp_path: Path, ships):
    with pytest.raises(SceneError, match="pixels of 3 m, which no model serves"):
        shipdet.detect(coarse)
    found = run_detection(coarse, DetectRequest(sharpen=True, threshold=0.2))
    assert (found.model, found.sharpened) == ("inshore-vhr", 4)
    assert (found.scene.grid.width, found.scene.grid.height) == (149, 106)
    table = found.detections
    assert len(table) > 0
    assert (table["scene_id"] == "coarse").all()
    assert table["acquired_at"].str.startswith("2024-05-01T10:00:00").all()
    np.testing.assert_allclose(table["gsd_m"], 3.0, rtol=1e-3)
    in_pixels = np.hypot(table["bow_col"] - table["stern_col"], table["bow_row"] - table["stern_row"])
    np.testing.assert_allclose(table["length_m"], 3 * in_pixels, rtol=2e-3)
    apart = [ships.distance(ship).min() for ship in table[table["score"] > 0.5].geometry.centroid]
    assert np.median(apart) == 0
    lengths = table.sjoin(ships[["geometry", "length_m"]], how="inner")
    assert 0.8 < float((lengths["length_m_left"] / lengths["length_m_right"]).median()) < 1.2
    save_picture(found, tmp_path / "coarse.png")


@pytest.mark.usefixtures("bicubic")
def test_a_model_that_is_named_looks_at_the_sharpened_scene_without_a_warning(coarse: Path, caplog):
    run_detection(coarse, DetectRequest(sharpen=True, model="inshore-vhr", dense=True))
    assert "found ships may be few and wrong" not in caplog.text
    run_detection(coarse, DetectRequest(model="inshore-vhr"))
    assert "found ships may be few and wrong" in caplog.text


@pytest.mark.usefixtures("bicubic")
def test_a_coarse_picture_is_sharpened_by_the_pixel_that_it_is_said_to_have(coarse: Path, tmp_path: Path):
    request = DetectRequest(sharpen=True, threshold=0.2, precision="float32")
    on_earth = shipdet.detect(coarse, request)
    bare = shipdet.detect(coarse, replace(request, pixel_coordinates=True, gsd_m=3.0))
    assert bare.crs is None
    middles = [(ships["bow_col"] + ships["stern_col"]) / 2 for ships in (bare, on_earth)]
    np.testing.assert_allclose(*middles, atol=0.05)
    np.testing.assert_allclose(bare["gsd_m"], 3.0)


@pytest.mark.parametrize(
    ("request_", "pixels"),
    [
        (DetectRequest(sharpen=True), "1 m"),
        (DetectRequest(sharpen=True, gsd_m="unknown"), "an unknown size"),
    ],
)
def test_fine_scenes_and_those_of_unknown_scale_are_looked_at_as_they_are(part, caplog, request_, pixels, monkeypatch):
    monkeypatch.setattr("shipdet.models.sharpener.FOLDER", Path("nowhere"))
    found = run_detection(part, request_)
    assert found.sharpened == 1
    assert caplog.text.count("so it is looked at as it is") == 1
    assert f"its pixels measure {pixels}, so" in caplog.text
    plain = run_detection(part, replace(request_, sharpen=False))
    assert plain.detections.equals(found.detections)


def test_missing_weights_to_sharpen_with_are_told(coarse: Path, monkeypatch):
    monkeypatch.setattr("shipdet.models.sharpener.FOLDER", Path("nowhere"))
    with pytest.raises(WeightsError, match=r"no weights to sharpen by 4: nowhere/x4\.safetensors is missing"):
        shipdet.detect(coarse, DetectRequest(sharpen=True))


def test_unknown_weights_are_refused(part: Path):
    with pytest.raises(WeightsError, match="inshore-vhr"):
        shipdet.detect(part, DetectRequest(model="no-such-model"))


def test_real_scenes_of_many_kinds_are_read(shared_data: Path):
    for path in sorted((shared_data / "geotiff").glob("*.tif")):
        assert [*shipdet.detect(path).columns] == [column.name for column in COLUMNS], path.name
    jpeg = shared_data / "inshore" / "20.jpg"
    assert len(shipdet.detect(jpeg, DetectRequest(pixel_coordinates=True, gsd_m=1.0))) > 3


@pytest.fixture
def with_infrared(tmp_path: Path) -> Path:
    """Weights, random ones, of a model for 10 m that reads near infrared where it is there and no order of ends."""
    torch.manual_seed(0)
    card = Card(
        name="infrared", width=16, context=8, gsd_m=5.0, gsd_range_m=(5, 12), bands=("red", "green", "blue", "nir"),
        optional_bands=("nir",), ends="unordered", normalisation="none", classes=("background", "hull", "end"),
        gate_threshold=0.0, score_threshold=0.0, trained_on=(), terms="none", steps=1,
    )  # fmt: skip
    save_weights(tmp_path / "infrared.safetensors", Model(build_network(card), card))
    return tmp_path / "infrared.safetensors"


def write_bands(folder: Path, names: tuple[str, ...], **changes: object) -> list[Path]:
    """Bands of a 10 m scene, a file each."""
    profile = {"driver": "GTiff", "dtype": "uint16", "count": 1, "width": 80, "height": 64, "crs": "EPSG:32631"}
    profile |= {"transform": rasterio.Affine(10, 0, 500000, 0, -10, 5700000)} | changes
    rng = np.random.default_rng(0)
    for name in names:
        with rasterio.open(folder / f"{name}.tif", "w", **profile) as file:
            file.write(rng.integers(1, 4000, (1, 64, 80)).astype(np.uint16))
    return [folder / f"{name}.tif" for name in names]


def test_near_infrared_is_read_where_a_scene_has_it_and_done_without_where_not(with_infrared: Path, tmp_path: Path):
    request = DetectRequest(model=str(with_infrared))
    four = run_detection(write_bands(tmp_path, ("B02", "B03", "B04", "B08")), request)
    assert four.scene.chosen == (3, 2, 1, 4)
    three = run_detection(write_bands(tmp_path, ("T32_B04_10m", "T32_B03_10m", "T32_B02_10m")), request)
    assert three.scene.chosen == (1, 2, 3)
    for found in (four, three):
        assert found.detections["heading_deg"].between(0, 180, inclusive="left").all()
        assert (found.detections["bow_score"] == 0.5).all()
    save_picture(four, tmp_path / "four.png")


def test_a_multi_band_file_gives_its_near_infrared(with_infrared: Path, tmp_path: Path):
    profile = {"driver": "GTiff", "dtype": "uint16", "count": 4, "width": 80, "height": 64, "crs": "EPSG:32631"}
    path = tmp_path / "all.tif"
    with rasterio.open(path, "w", **profile, transform=rasterio.Affine(10, 0, 500000, 0, -10, 5700000)) as file:
        file.write(np.random.default_rng(0).integers(1, 4000, (4, 64, 80)).astype(np.uint16))
        file.descriptions = ("B2", "B3", "B4", "B8")
    assert run_detection(path, DetectRequest(model=str(with_infrared))).scene.chosen == (3, 2, 1, 4)
    chosen = DetectRequest(model=str(with_infrared), bands=(3, 2, 1))
    assert run_detection(path, chosen).scene.chosen == (3, 2, 1)


def test_a_scene_that_no_model_serves_is_refused_with_the_reason(tmp_path: Path):
    coarse = write_bands(tmp_path, ("B04",), transform=rasterio.Affine(30, 0, 500000, 0, -30, 5700000))[0]
    with pytest.raises(SceneError, match=r"pixels of 30 m, which no model serves .*inshore-vhr 0.3 to 2 m"):
        shipdet.detect(coarse)


def test_a_picture_of_unknown_scale_is_looked_at_in_several_and_sizes_go_by_the_likely_one(
    part: Path, tmp_path, caplog
):
    picture = tmp_path / "picture.tif"
    write_part(picture, crs=None, transform=rasterio.Affine.identity())
    with pytest.raises(SceneError, match="--gsd unknown"):
        run_detection(picture, DetectRequest(pixel_coordinates=True, precision="float32"))
    request = DetectRequest(pixel_coordinates=True, gsd_m="unknown", precision="float32", threshold=0.1)
    found = run_detection(picture, request)
    assert 0.25 < found.likely_gsd_m < 1.41
    assert f"{found.likely_gsd_m:.2g} m" in caplog.text
    ships = found.detections
    assert len(ships) >= 2
    in_pixels = np.hypot(ships.bow_col - ships.stern_col, ships.bow_row - ships.stern_row)
    np.testing.assert_allclose(ships.length_m, in_pixels * found.likely_gsd_m)
    np.testing.assert_allclose(ships.gsd_m, found.likely_gsd_m)


def test_a_scene_on_earth_is_measured_there_even_where_its_scale_is_looked_for(part: Path):
    plain = shipdet.detect(part, DetectRequest(precision="float32"))
    looked_for = shipdet.detect(part, DetectRequest(gsd_m="unknown", precision="float32"))
    np.testing.assert_allclose(looked_for.gsd_m, plain.gsd_m.iloc[0], rtol=1e-3)
    assert looked_for.crs == plain.crs
