"""The whole way on drawn ports: training, the card, evaluation, detection."""

import json
from pathlib import Path

import numpy as np
import pytest
import rasterio
from PIL import Image
from rasterio import Affine

from shipdet.config import EvaluateConfig, TrainConfig, load_config
from shipdet.errors import ConfigError
from shipdet.evaluation.run import evaluate
from shipdet.learning import train
from shipdet.models.weights import load_weights

CONFIGS = Path(__file__).resolve().parents[2] / "configs"
SIDE = 96


def draw_port(folder: Path, seed: int) -> None:
    """Two ships of 200 m on water beside land, in four bands of 10 m."""
    rng = np.random.default_rng(seed)
    folder.mkdir(parents=True)
    image = rng.integers(300, 400, (4, SIDE, SIDE)).astype(np.uint16)
    image[:, :20] = 6000
    annotations = []
    for number, row in enumerate((40, 70)):
        image[:, row : row + 4, 30:50] = 4000
        mask = np.zeros((SIDE, SIDE), bool)
        mask[row : row + 4, 30:50] = True
        flat = np.concatenate([[False], mask.T.ravel(), [True]])
        counts = np.diff([0, *np.flatnonzero(np.diff(flat))])
        annotations.append({"image_id": number, "segmentation": {"size": [SIDE, SIDE], "counts": counts.tolist()}})
    (folder / "coco.json").write_text(json.dumps({"images": [], "annotations": annotations}))
    profile = {"driver": "GTiff", "dtype": "uint16", "count": 1, "width": SIDE, "height": SIDE, "crs": "EPSG:32631"}
    for band, pixels in zip(("B04", "B03", "B02", "B08"), image, strict=True):
        transform = Affine(10, 0, 500000, 0, -10, 5700000)
        with rasterio.open(folder / f"{band}.tiff", "w", **profile, transform=transform) as file:
            file.write(pixels, 1)


@pytest.fixture(scope="module")
def ports(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("sen2ships")
    draw_port(folder / "klang", 0)
    draw_port(folder / "busan", 1)
    return folder


@pytest.fixture(scope="module")
def weights(ports: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Of two steps' training: they know nothing."""
    config = TrainConfig(
        name="tiny", sen2ships=ports, output=tmp_path_factory.mktemp("runs"), steps=2, batch=2, crop=64,
        warmup_steps=1, validate_every=2, workers=0, precision="float32", terms="drawn",
    )  # fmt: skip
    return train(config, lambda _line: None)


def test_a_model_trained_on_ports_says_in_its_card_what_it_reads_and_says(weights: Path):
    card = load_weights(str(weights)).card
    assert card.bands == ("red", "green", "blue", "nir")
    assert (card.optional_bands, card.ends, card.terms) == (("nir",), "unordered", "drawn")
    low, high = card.serves_m
    assert low < 5
    assert high > 10
    (scores,) = card.scores
    assert (scores.split, scores.ships) == ("sen2ships0 validation", 2)


def test_ports_are_scored_and_their_sheet_drawn(ports: Path, weights: Path, tmp_path: Path):
    sheet = tmp_path / "sheet.png"
    result = evaluate(EvaluateConfig(sen2ships=ports, model=str(weights), sheet=sheet), lambda _done, _total: None)
    assert result.scores.ships == 2
    assert result.scores.gate_recall is not None
    with Image.open(sheet) as image:
        assert image.width > 1000


def test_ports_are_learned_from_without_scenes_and_types(tmp_path: Path):
    path = tmp_path / "config.yaml"
    text = (CONFIGS / "train_sentinel2.yaml").read_text()
    path.write_text(text + "ship_types: data/ship_types\n")
    with pytest.raises(ConfigError, match="sen2ships makes a model of its own"):
        load_config(path, TrainConfig)
    assert load_config(CONFIGS / "train_sentinel2.yaml", TrainConfig).sen2ships == Path("data/sen2ships")
