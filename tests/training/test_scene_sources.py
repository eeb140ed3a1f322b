from pathlib import Path

import geopandas as gpd
import numpy as np
import pytest
import rasterio
import torch
from affine import Affine
from shapely.geometry import LineString

from shipdet.config import TrainConfig
from shipdet.errors import ConfigError
from shipdet.evaluation.validation import build_judge, finished
from shipdet.training.run import read_sources, train
from shipdet.training.scene_sources import scene_sources, training_scenes, validation_scenes


def write_harbour(folder: Path, name: str, ships: int = 24, gsd: float = 1.0, side: int = 1024) -> None:
    """A sea with bright ships of 60 x 12 m in rows, and their bow-to-stern lines with beams."""
    rng = np.random.default_rng(0)
    pixels = rng.integers(40, 90, (3, side, side), dtype=np.uint8)
    lines = []
    for number in range(ships):
        x, y = 90 + 160 * (number % (side // 160)), 80 + 200 * (number // (side // 160))
        pixels[:, y - 6 : y + 6, x - 30 : x + 30] = 200
        lines.append(LineString([(5e5 + (x + 30) * gsd, 5.7e6 - y * gsd), (5e5 + (x - 30) * gsd, 5.7e6 - y * gsd)]))
    profile = {"driver": "GTiff", "count": 3, "height": side, "width": side, "dtype": "uint8", "crs": "EPSG:32631",
               "transform": Affine(gsd, 0, 5e5, 0, -gsd, 5.7e6), "tiled": True, "compress": "deflate"}  # fmt: skip
    with rasterio.open(folder / f"{name}.tif", "w", **profile) as file:
        file.write(pixels)
    beams = [12.0 * gsd] * ships
    gpd.GeoDataFrame({"beam_m": beams}, geometry=lines, crs=32631).to_crs(4326).to_file(folder / f"{name}.gpkg")


def config_of(folder: Path, **more: object) -> TrainConfig:
    names = {"scenes": [str(folder / "a.tif")], "scene_labels": [folder / "a.gpkg"], "validation_share": 0.25}
    run = {"name": "tiny", "output": folder / "runs", "steps": 2, "batch": 1, "crop": 64, "warmup_steps": 1,
           "validate_every": 2, "precision": "float32"}  # fmt: skip
    return TrainConfig(**{**names, **run, **more})


def test_a_network_trains_on_a_scene_and_its_vector_labels_and_is_judged_by_other_blocks(tmp_path: Path):
    write_harbour(tmp_path, "a", ships=6, side=512)
    lines: list[str] = []
    config = config_of(tmp_path, workers=1)
    network = train(config, build_judge(config, lines.append), lines.append)
    assert not network.training
    assert any(line.startswith("a: ") and line.endswith("1 of 4 blocks for validation") for line in lines)
    assert any(line.startswith("scenes validation: AP ") for line in lines)
    assert torch.load(tmp_path / "runs" / "tiny" / "last.ckpt", weights_only=True)["global_step"] == 2
    (scores,) = finished(network, config).card.scores
    assert scores.split == "scenes validation"
    assert 0 < scores.ships < 6


def test_training_and_validation_share_no_ship(tmp_path: Path):
    write_harbour(tmp_path, "a")
    config = config_of(tmp_path)
    (source,), (held,) = scene_sources(config, str), list(validation_scenes(config))
    learnt = source.pictures[0].labels
    middle = (learnt.bow + learnt.stern)[~learnt.difficult] / 2
    x0, y0, x1, y1 = held.blocks.validation.T[:, :, None]
    assert not ((middle[:, 0] > x0) & (middle[:, 0] < x1) & (middle[:, 1] > y0) & (middle[:, 1] < y1)).any()
    assert 10 < len(learnt) < 24


def test_each_scene_is_drawn_around_the_models_scale(tmp_path: Path):
    write_harbour(tmp_path, "a")
    write_harbour(tmp_path, "b", gsd=0.5)
    names = {
        "scenes": [str(tmp_path / f"{n}.tif") for n in "ab"],
        "scene_labels": [tmp_path / f"{n}.gpkg" for n in "ab"],
    }
    coarse, fine = read_sources(config_of(tmp_path, **names), str)
    assert coarse.scale == pytest.approx((0.5, 2.0), rel=2e-3)
    assert fine.scale == pytest.approx((0.25, 1.0), rel=2e-3)


def test_scenes_named_for_validation_leave_the_others_whole(tmp_path: Path):
    write_harbour(tmp_path, "a")
    write_harbour(tmp_path, "b", ships=6)
    named = {"validation_scenes": [str(tmp_path / "b.tif")], "validation_labels": [tmp_path / "b.gpkg"]}
    config = config_of(tmp_path, **named)
    assert [len(scene.blocks.validation) for scene in training_scenes(config)] == [0]
    (judged,) = validation_scenes(config)
    assert (judged.frame.name, len(judged.blocks.training), len(judged.labels)) == ("b.tif", 0, 6)


@pytest.mark.parametrize(("more", "complaint"), [
    ({"scene_labels": []}, "scene_labels: expected a file for each of 1 scenes, got 0"),
    ({"validation_scenes": ["b.tif"]}, "validation_labels: expected a file for each of 1 scenes, got 0"),
    ({"scenes": ["b.tif"], "validation_scenes": ["b.tif"], "validation_labels": ["b.gpkg"]}, "is both learnt from"),
    ({"scenes": [], "scene_labels": []}, "nothing to learn from"),
])  # fmt: skip
def test_configs_that_do_not_fit_together_are_refused(tmp_path: Path, more: dict[str, object], complaint: str):
    with pytest.raises((ValueError, ConfigError), match=complaint):
        config_of(tmp_path, **more)
