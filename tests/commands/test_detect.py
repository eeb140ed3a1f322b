"""`shipdet detect` from its words to a file, with nothing stood in for."""

from pathlib import Path

import geopandas as gpd
import numpy as np
import pytest
import rasterio
import torch
from torch import nn

from shipdet.attention.rcan import RCAN, Layout
from shipdet.cli import main
from shipdet.models import sharpener
from shipdet.models.sharpener import Sharpener, SharpenerCard, save_sharpener

SAMPLE = Path(__file__).resolve().parents[2] / "data_samples" / "harbour.tif"


@pytest.fixture
def coarse(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A part of the sample of 2 m a pixel, in the working directory; no weights to sharpen with ship."""
    with rasterio.open(SAMPLE) as file:
        pixels = file.read(window=((600, 840), (1000, 1240))).reshape(3, 120, 2, 120, 2).mean(axis=(2, 4))
        a, b, c, d, e, f = file.transform[:6]
        place = {"crs": file.crs, "transform": rasterio.Affine(2 * a, b, c + 1000 * a, d, 2 * e, f + 600 * e)}
    profile = {"driver": "GTiff", "dtype": "uint8", "count": 3, "width": 120, "height": 120, **place}
    with rasterio.open(tmp_path / "coarse.tif", "w", **profile) as file:
        file.write(pixels.astype(np.uint8))
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sharpener, "FOLDER", tmp_path)
    return tmp_path / "coarse.tif"


def detect(*words: str) -> int:
    with pytest.raises(SystemExit) as stop:
        main(["detect", "coarse.tif", "-o", "ships.gpkg", "--threshold", "0.2", *words])
    return int(stop.value.code or 0)


def test_a_coarse_scene_is_sharpened_by_weights_that_ship(coarse: Path, capsys: pytest.CaptureFixture[str]):
    torch.manual_seed(0)
    layout, network = Layout(1, 1, 8), RCAN(2, Layout(1, 1, 8))
    nn.init.normal_(network.tail[-1].weight, std=1e-3)
    card = SharpenerCard(factor=2, **layout._asdict(), trained_on=(), terms="none", steps=0)
    save_sharpener(coarse.parent / "x2.safetensors", Sharpener(network, card))
    assert detect("--sharpen") == 0
    assert "sharpened 2 times" in capsys.readouterr().out
    ships = gpd.read_file("ships.gpkg")
    assert len(ships) > 0
    assert ships["gsd_m"].to_numpy() == pytest.approx(2, rel=1e-3)
    assert ships["bow_col"].between(-5, 125).all()


def test_missing_weights_are_told_in_one_line(coarse: Path, capsys: pytest.CaptureFixture[str]):
    assert detect("--sharpen") == 2
    error = capsys.readouterr().err
    assert error.count("\n") == 1
    assert "no weights to sharpen by 2" in error
    assert not Path("ships.gpkg").exists()
