"""Types by a look at each hull, by a classifier that tells bright ships from dark ones."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import Tensor

from shipdet.geometry import Hulls
from shipdet.inference.engine import Found, Tiling
from shipdet.inference.hull_pictures import LEAST_SCORE
from shipdet.inference.type_look import SURE, UNSURE, look_for_types, together
from shipdet.inference.views import Looking, find_ships
from shipdet.models.device import Device
from shipdet.models.type_classifier import TypeClassifier
from shipdet.models.weights import Model, TypeLookFacts, load_weights
from shipdet.raster.sampling import Sampling
from shipdet.raster.scene import Scene, open_scene

CPU = Device(torch.device("cpu"), torch.float32)
SAMPLE = Path(__file__).resolve().parents[2] / "data_samples" / "harbour.tif"
SIDE, LENGTH = 600, 60
PLACES = np.array([(x, y) for y in range(30, 500, 120) for x in range(30, 570, 55)][:40], float)
BRIGHT = np.arange(len(PLACES)) % 2 == 0
FACTS = TypeLookFacts(
    width=16, weight=1, split="none", ships=0, accuracy_before=0, accuracy_after=1, balanced_before=0, balanced_after=1
)
SAMPLING = Sampling(1.0, 1.0, SIDE, SIDE)


class Brightness(TypeClassifier):
    """Of two types the first is bright."""

    def forward(self, hulls: Tensor) -> Tensor:
        inside = hulls[:, :, 40:-40, 18:-18].mean(dim=(1, 2, 3))
        return torch.stack([inside - 0.4, 0.4 - inside], dim=1) * 50


@pytest.fixture(scope="module")
def model() -> Model:
    plain = load_weights("inshore-vhr")
    return plain._replace(card=plain.card.model_copy(update={"type_look": FACTS}), type_classifier=Brightness(2))


@pytest.fixture
def scene(write_scene: Callable[..., Scene]) -> Scene:
    """Forty ships, every other one bright."""
    pixels = np.full((3, SIDE, SIDE), 40, np.uint8)
    for (x, y), bright in zip(PLACES.astype(int), BRIGHT, strict=True):
        pixels[:, y : y + LENGTH, x - 5 : x + 5] = 250 if bright else 5
    return write_scene("ships.tif", pixels)


def hulls(score: float = 0.9) -> Hulls:
    many = np.ones(len(PLACES))
    stern = PLACES + np.array([0.0, LENGTH])
    return Hulls(PLACES.copy(), stern, 10 * many, score * many, many, np.full((len(PLACES), 2), 0.5))


def test_each_ship_is_named_by_what_it_looks_like(scene: Scene, model: Model):
    types = look_for_types(hulls(), scene, SAMPLING, model, CPU).types
    np.testing.assert_array_equal(types[:, 0] > 0.9, BRIGHT)
    np.testing.assert_array_equal(types[:, 1] > 0.9, ~BRIGHT)
    np.testing.assert_allclose(types.sum(axis=1), 1)


def test_nothing_but_types_changes(scene: Scene, model: Model):
    before = hulls()
    after = look_for_types(before, scene, SAMPLING, model, CPU)
    for name in ("bow", "stern", "beam", "score", "bow_score"):
        np.testing.assert_array_equal(getattr(after, name), getattr(before, name))
    assert (before.types == 0.5).all()


def test_what_is_hardly_a_ship_keeps_the_word_of_the_network(scene: Scene, model: Model):
    some = replace(hulls(), score=np.where(BRIGHT, 0.9, LEAST_SCORE - 0.01))
    types = look_for_types(some, scene, SAMPLING, model, CPU).types
    assert (types[~BRIGHT] == 0.5).all()
    assert (types[BRIGHT] != 0.5).all()


def test_where_the_network_is_sure_its_word_stays(scene: Scene, model: Model):
    sure = replace(hulls(), types=np.where(BRIGHT[:, None], [0.5, 0.5], [SURE, 1 - SURE]))
    types = look_for_types(sure, scene, SAMPLING, model, CPU).types
    assert (types[~BRIGHT] == [SURE, 1 - SURE]).all()
    assert (types[BRIGHT] != 0.5).all()


def test_the_look_counts_less_the_surer_the_network_is_and_by_its_weight():
    first = np.array([[top, 1 - top] for top in (0.5, UNSURE, (UNSURE + SURE) / 2, SURE, 1.0)])
    second = np.array([[0.0, 1.0]] * 5)
    share = (first - together(first, second, 0.8))[:, 0] / first[:, 0]
    np.testing.assert_allclose(share, [0.8, 0.8, 0.4, 0, 0], atol=1e-9)


def test_what_is_said_of_a_ship_does_not_depend_on_the_others(scene: Scene, model: Model):
    order = np.random.default_rng(0).permutation(len(PLACES))
    together = look_for_types(hulls(), scene, SAMPLING, model, CPU).types
    mixed = look_for_types(hulls()[order], scene, SAMPLING, model, CPU).types
    np.testing.assert_allclose(mixed, together[order], rtol=1e-5)


def test_without_a_classifier_or_a_ship_nothing_changes(scene: Scene, model: Model):
    before = hulls()
    assert look_for_types(before, scene, SAMPLING, model._replace(type_classifier=None), CPU) is before
    assert len(look_for_types(before[:0], scene, SAMPLING, model, CPU)) == 0


def test_found_ships_are_named(scene: Scene, model: Model, monkeypatch: pytest.MonkeyPatch):
    def detect_hulls(*_: object) -> object:
        return Found(hulls(), SAMPLING, np.zeros((75, 75), np.uint8))

    monkeypatch.setattr("shipdet.inference.views.detect_hulls", detect_hulls)
    found = find_ships(replace(scene, gsd_m=(1.0, 1.0)), model, CPU)
    np.testing.assert_array_equal(found.hulls.types[:, 0] > 0.9, BRIGHT)


def test_the_shipped_classifier_does_not_depend_on_tiles():
    shipped = load_weights("inshore-vhr")
    assert shipped.type_classifier is not None
    harbour = open_scene(SAMPLE)
    several, one = (find_ships(harbour, shipped, CPU, Looking(tiling=Tiling(core=core))).hulls for core in (512, 2048))
    sure = one.score >= shipped.card.score_threshold
    np.testing.assert_allclose(several.types[sure], one.types[sure], atol=0.01)
