from pathlib import Path

import geopandas as gpd
import numpy as np
import pytest
import rasterio
from affine import Affine
from pydantic import ValidationError
from shapely.geometry import Polygon

from shipdet.config import EvaluateConfig, load_config
from shipdet.errors import ConfigError, LabelsError
from shipdet.evaluation import scenes
from shipdet.evaluation.centres import CentreRule
from shipdet.evaluation.land import land_beside
from shipdet.evaluation.matching import MatchRule
from shipdet.evaluation.run import evaluate
from shipdet.evaluation.strata import strata
from shipdet.geometry import Grid, Hulls
from shipdet.inference.engine import Found
from shipdet.labels.frame import Frame
from shipdet.labels.types import Labels, Ship
from shipdet.models.device import choose_device
from shipdet.models.weights import load_weights
from shipdet.raster.sampling import model_sampling
from shipdet.raster.scene import open_scene
from shipdet.training.blocks import Blocks
from shipdet.training.scenes import LabelledScene

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def labelled(tmp_path: Path) -> LabelledScene:
    """Half a metre a pixel; a ship in either half, the right half for validation."""
    profile = {"driver": "GTiff", "count": 3, "height": 400, "width": 800, "dtype": "uint8", "crs": 32631}
    with rasterio.open(tmp_path / "a.tif", "w", transform=Affine(0.5, 0, 5e5, 0, -0.5, 5.7e6), **profile) as file:
        file.write(np.full((3, 400, 800), 80, np.uint8))
    scene = open_scene(tmp_path / "a.tif")
    ships = [Ship((100, 100), (200, 100), 20.0), Ship((500, 200), (600, 200), 20.0)]
    blocks = Blocks(np.array([[0.0, 0, 400, 400]]), np.array([[400.0, 0, 800, 400]]))
    return LabelledScene(scene, Frame("a.tif", scene.grid), Labels.of_rows(ships, [], complete=True), blocks, ())


def test_a_scene_is_judged_in_its_validation_blocks_in_pixels_of_the_model(
    labelled: LabelledScene, monkeypatch: pytest.MonkeyPatch
):
    bow, stern = np.array([[503.0, 200], [300, 300], [700, 350]]), np.array([[600.0, 200], [200, 300], [600, 350]])
    hulls = Hulls(bow, stern, np.full(3, 20.0), np.array([0.9, 0.8, 0.7]), np.ones(3))
    sampling = model_sampling(labelled.scene, 1.0)
    shape = (-(-sampling.height // 8), -(-sampling.width // 8))
    found = Found(hulls=hulls, sampling=sampling, attention=np.full(shape, 255, np.uint8))
    monkeypatch.setattr(scenes, "find_ships", lambda *_: found)
    (judged,) = scenes.judge_scenes(load_weights("inshore-vhr"), choose_device("cpu"), [labelled])
    assert judged.matched.status.tolist() == [1, -1, 0]
    assert judged.matched.counted.tolist() == [False, True]
    assert judged.picture.labels.length == pytest.approx([50, 50], rel=2e-3)
    assert judged.hulls.beam == pytest.approx([10] * 3, rel=2e-3)
    assert judged.gate == (2, 2)
    assert judged.picture.gsd_m == pytest.approx(1.0, rel=2e-3)


def quay(labelled: LabelledScene) -> gpd.GeoSeries:
    """Land 20 scene pixels beside the ship for validation, 10 m."""
    corners = [labelled.scene.grid.transform @ xy for xy in ((500, 230), (600, 230), (600, 390), (500, 390))]
    return gpd.GeoSeries([Polygon(corners)], crs=labelled.scene.grid.crs)


def test_land_beside_a_scene_tells_ships_inshore_in_pixels_of_the_model(
    labelled: LabelledScene, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(scenes, "find_ships", lambda *_: nothing_in(labelled, 1.0))
    model, device = load_weights("inshore-vhr"), choose_device("cpu")
    (judged,) = scenes.judge_scenes(model, device, [labelled])
    assert judged.picture.land is None
    quay(labelled).to_crs(4326).to_file(tmp_path / "a.land.geojson")
    (judged,) = scenes.judge_scenes(model, device, [labelled])
    assert judged.picture.land is not None
    assert judged.picture.land.bounds == pytest.approx((250, 115, 300, 195), abs=0.5)
    shore = [(row.name, row.ships) for row in strata([judged], 0.5) if row.by == "shore"]
    assert shore == [("inshore (land < 1 length off)", 1)]


@pytest.mark.parametrize("text", ["{}", '{"type": "FeatureCollection", "features": []}', "no JSON"])
def test_land_that_is_none_is_told_before_the_long_work(
    labelled: LabelledScene, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, text: str
):
    monkeypatch.setattr(scenes, "find_ships", lambda *_: pytest.fail("it looked"))
    (tmp_path / "a.land.geojson").write_text(text)
    with pytest.raises(LabelsError, match=r"a\.land\.geojson: expected"):
        scenes.judge_scenes(load_weights("inshore-vhr"), choose_device("cpu"), [labelled])


def test_a_coastline_is_no_land(labelled: LabelledScene, tmp_path: Path):
    quay(labelled).boundary.to_crs(4326).to_file(tmp_path / "a.land.geojson")
    with pytest.raises(LabelsError, match=r"expected polygons, got LineString"):
        land_beside(tmp_path / "a.tif", labelled.frame)


def test_land_of_a_scene_that_lies_nowhere_is_given_in_pixels(tmp_path: Path):
    (tmp_path / "a.land.geojson").write_text('{"type": "Polygon", "coordinates": [[[0,0],[9,0],[9,9],[0,9],[0,0]]]}')
    land = land_beside(tmp_path / "a.tif", Frame("a.tif", Grid(None, Affine.identity(), 20, 20)))
    assert land is not None
    assert land.area == 81


def test_ships_that_do_not_count_count_for_the_gate_neither(labelled: LabelledScene, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(scenes, "find_ships", lambda *_: nothing_in(labelled, 1.0))
    model, device = load_weights("inshore-vhr"), choose_device("cpu")
    judging = scenes.ScenesJudging(MatchRule(min_length=60.0))  # the ship measures 50, 100 in the scene's
    (judged,) = scenes.judge_scenes(model, device, [labelled], judging)
    assert not judged.matched.counted.any()
    assert judged.gate == (0, 0)


def test_ships_of_a_model_that_knows_no_bows_are_matched_by_their_middles(
    labelled: LabelledScene, monkeypatch: pytest.MonkeyPatch
):
    model = load_weights("sentinel2")
    ship = Hulls(np.array([[620.0, 210]]), np.array([[520.0, 210]]), np.full(1, 20.0), np.full(1, 0.9), np.full(1, 0.5))
    found = nothing_in(labelled, model.card.gsd_m)._replace(hulls=ship)
    monkeypatch.setattr(scenes, "find_ships", lambda *_: found)
    monkeypatch.setattr(scenes, "CENTRES", CentreRule(min_length_m=40.0))  # the ship measures 50 m
    (judged,) = scenes.judge_scenes(model, choose_device("cpu"), [labelled])
    assert judged.picture.gsd_m == pytest.approx(model.card.gsd_m, rel=1e-2)
    assert judged.matched.status.tolist() == [1]


def nothing_in(labelled: LabelledScene, gsd_m: float) -> Found:
    """What is found where nothing is."""
    sampling = model_sampling(labelled.scene, gsd_m)
    shape = (-(-sampling.height // 8), -(-sampling.width // 8))
    return Found(hulls=Hulls.empty(), sampling=sampling, attention=np.full(shape, 255, np.uint8))


def config_of(folder: Path, **changed: object) -> EvaluateConfig:
    """The sample, as its config names it."""
    named = load_config(ROOT / "configs" / "evaluate_scenes.yaml", EvaluateConfig)
    paths = {"scenes": (str(ROOT / named.scenes[0]),), "scene_labels": (ROOT / named.scene_labels[0],)}
    return EvaluateConfig.model_validate({**named.model_dump(by_alias=True), **paths, **changed})


def test_a_scene_that_is_too_large_to_be_drawn_is_told_before_the_long_work(tmp_path: Path, monkeypatch):
    monkeypatch.setattr(scenes, "LARGEST_DRAWN", 64)
    monkeypatch.setattr(scenes, "find_ships", lambda *_: pytest.fail("it looked"))
    with pytest.raises(ConfigError, match=r"at most 64 pixels a side.*ask for a report"):
        evaluate(config_of(tmp_path, sheet=tmp_path / "sheet.png"), lambda *_: None)


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"scene_labels": ()}, "a file for each of 1 scenes, got 0"),
        ({"gsd_m": "unknown"}, "measured on the ground"),
        ({"split": "train"}, "of scenes all is scored"),
        ({"scenes": (), "scene_labels": (), "inshore": "data/inshore", "scene_bands": (1, 2, 3)}, "chosen for scenes"),
        ({"inshore": "data/inshore"}, "one data set"),
        ({"scenes": (), "scene_labels": ()}, "one data set"),
    ],
)
def test_configs_that_cannot_be_meant_are_refused(tmp_path: Path, changed: dict[str, object], said: str):
    with pytest.raises(ValidationError, match=said):
        config_of(tmp_path, **changed)
