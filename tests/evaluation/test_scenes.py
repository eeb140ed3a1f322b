from pathlib import Path

import numpy as np
import pytest
import rasterio
from affine import Affine

from shipdet.evaluation import scenes
from shipdet.geometry import Hulls
from shipdet.inference.engine import Found
from shipdet.labels.frame import Frame
from shipdet.labels.types import Labels, Ship
from shipdet.models.device import choose_device
from shipdet.models.weights import load_weights
from shipdet.raster.sampling import model_sampling
from shipdet.raster.scene import open_scene
from shipdet.training.blocks import Blocks
from shipdet.training.scenes import LabelledScene


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
    monkeypatch.setattr(scenes, "detect_hulls", lambda *_: found)
    (judged,) = scenes.judge_scenes(load_weights("inshore-vhr"), choose_device("cpu"), [labelled])
    assert judged.matched.status.tolist() == [1, -1, 0]
    assert judged.matched.counted.tolist() == [False, True]
    assert judged.picture.labels.length == pytest.approx([50, 50], rel=2e-3)
    assert judged.hulls.beam == pytest.approx([10] * 3, rel=2e-3)
    assert judged.gate == (2, 2)
