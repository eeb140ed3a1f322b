import json
from dataclasses import replace
from pathlib import Path

import pytest
import torch

from shipdet.api import DetectRequest
from shipdet.attention.rcan import RCAN, Layout
from shipdet.batch.settings import changes, settings_of
from shipdet.errors import WeightsError
from shipdet.models import sharpener
from shipdet.models.sharpener import Sharpener, SharpenerCard, save_sharpener
from shipdet.models.weights import load_weights, save_weights

ASKED = DetectRequest()


def test_where_it_is_computed_is_no_setting_but_how_is():
    assert settings_of(ASKED, "gpkg") == settings_of(replace(ASKED, device="cpu"), "gpkg")
    assert settings_of(ASKED, "gpkg").hash != settings_of(ASKED, "csv").hash
    assert settings_of(ASKED, "gpkg").hash != settings_of(replace(ASKED, threshold=0.5), "gpkg").hash
    assert settings_of(ASKED, "gpkg").hash != settings_of(replace(ASKED, precision="float32"), "gpkg").hash


def test_other_weights_under_the_same_name_are_noticed(tmp_path: Path):
    model, path = load_weights("inshore-vhr"), tmp_path / "mine.safetensors"
    save_weights(path, model)
    before = settings_of(replace(ASKED, model=str(path)), "gpkg")
    with torch.no_grad():
        next(model.network.parameters()).add_(0.5)
    save_weights(path, model)
    after = settings_of(replace(ASKED, model=str(path)), "gpkg")
    assert before.hash != after.hash
    assert changes(before.content, after.content).startswith("weights ")


def test_sharpening_is_a_setting_and_so_are_its_weights(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(sharpener, "FOLDER", tmp_path)
    sharp = replace(ASKED, sharpen=True)
    with pytest.raises(WeightsError, match="no weights to sharpen by 2"):
        settings_of(sharp, "gpkg")
    layout = Layout(1, 1, 4)
    for factor in (2, 4):
        card = SharpenerCard(factor=factor, **layout._asdict(), trained_on=(), terms="none", steps=0)
        save_sharpener(tmp_path / f"x{factor}.safetensors", Sharpener(RCAN(factor, layout), card))
    before = settings_of(sharp, "gpkg")
    assert before == settings_of(sharp, "gpkg")
    assert changes(settings_of(ASKED, "gpkg").content, before.content).startswith("sharpen null -> ")
    save_sharpener(tmp_path / "x4.safetensors", Sharpener(RCAN(4, layout), card))
    assert changes(before.content, settings_of(sharp, "gpkg").content).startswith("sharpen ")


def test_changes_are_told_by_name():
    old = settings_of(ASKED, "gpkg").content
    new = settings_of(replace(ASKED, threshold=0.5, bands=(3, 2, 1)), "gpkg").content
    assert changes(old, new) == "bands null -> [3, 2, 1], threshold null -> 0.5"
    assert changes(json.dumps({"a": 1}), json.dumps({"b": 2})) == "a 1 -> null, b null -> 2"


def test_unknown_weights_are_told():
    with pytest.raises(WeightsError):
        settings_of(replace(ASKED, model="no-such-model"), "gpkg")
