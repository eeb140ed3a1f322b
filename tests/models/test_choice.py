import logging
from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
import rasterio
from affine import Affine

from shipdet.errors import SceneError
from shipdet.models.choice import load_model, shipped_cards, suited
from shipdet.models.weights import FOLDER, Card
from shipdet.raster.scene import Scene, open_scene

RGB = ("red", "green", "blue")


def card(name: str, low: float, high: float, bands: tuple[str, ...] = RGB, optional: int = 0) -> Card:
    return Card(
        name=name, width=8, context=8, gsd_m=low, gsd_range_m=(low, high), bands=bands,
        optional_bands=bands[len(bands) - optional :], normalisation="none", classes=("background", "hull", "end"),
        gate_threshold=0.1, score_threshold=0.3, trained_on=(), terms="none", steps=1,
    )  # fmt: skip


FINE, COARSE = card("fine", 0.3, 2), card("coarse", 5, 12, (*RGB, "nir"), 1)


@pytest.fixture(scope="module")
def scene(tmp_path_factory: pytest.TempPathFactory) -> Scene:
    path = tmp_path_factory.mktemp("scene") / "a.tif"
    profile = {"driver": "GTiff", "count": 3, "width": 64, "height": 64, "dtype": "uint8", "crs": "EPSG:32631"}
    with rasterio.open(path, "w", **profile, transform=Affine(1, 0, 500000, 0, -1, 5700000)) as file:
        file.write(np.full((3, 64, 64), 9, np.uint8))
    return open_scene(path)


def of_gsd(scene: Scene, gsd_m: float) -> Scene:
    return replace(scene, gsd_m=(gsd_m, gsd_m))


@pytest.mark.parametrize(("gsd_m", "name"), [(0.3, "fine"), (2, "fine"), (5, "coarse"), (10, "coarse"), (0.05, "fine")])
def test_the_ground_pixel_chooses_the_model(scene: Scene, gsd_m: float, name: str):
    assert suited(of_gsd(scene, gsd_m), (COARSE, FINE)).name == name


@pytest.mark.parametrize("gsd_m", [2.5, 4.9, 15, 30])
def test_a_scene_that_suits_none_is_refused_with_the_reason(scene: Scene, gsd_m: float):
    with pytest.raises(SceneError, match=rf"{gsd_m:g} m, which no model serves \(fine 0.3 to 2 m, coarse 5 to 12 m\)"):
        suited(of_gsd(scene, gsd_m), (FINE, COARSE))


def test_of_two_models_the_nearer_is_taken(scene: Scene):
    assert suited(of_gsd(scene, 1.9), (card("a", 0.3, 2), card("b", 1, 4))).name == "b"


def test_a_scene_of_unknown_scale_goes_to_the_finest_model(scene: Scene):
    assert suited(replace(scene, gsd_m=None), (COARSE, FINE)) is FINE
    with pytest.raises(SceneError, match="--gsd"):
        suited(replace(scene, gsd_m=None), ())


def test_a_named_model_is_taken_with_a_warning_where_it_does_not_suit(scene: Scene, caplog: pytest.LogCaptureFixture):
    with caplog.at_level(logging.WARNING):
        assert load_model("inshore-vhr", of_gsd(scene, 1)).card.name == "inshore-vhr"
        assert not caplog.records
        load_model("inshore-vhr", of_gsd(scene, 5))
    assert "pixels of 5 m" in caplog.text


def test_bands_that_no_model_reads_are_refused_by_naming_those_that_it_does(scene: Scene):
    with pytest.raises(SceneError, match=r"reads 3 bands \(red, green, blue\), got 2 .*--bands"):
        load_model("inshore-vhr", replace(scene, channels=(0, 1)))


def test_the_models_that_ship_are_named_as_their_files_and_serve_apart():
    cards = shipped_cards()
    assert {card.name for card in cards} == {path.stem for path in Path(FOLDER).glob("*.safetensors")}
    for finer, coarser in pairwise(cards):
        assert finer.serves_m[1] < coarser.serves_m[0]
