"""A second look at doubtful bows, by a classifier that calls the bright end the bow."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import rasterio
import torch
from affine import Affine
from rasterio.windows import Window
from scipy.special import expit, logit
from torch import Tensor

from shipdet.geometry import UNDECIDED, Hulls
from shipdet.inference.engine import Found, Tiling
from shipdet.inference.hull_pictures import LEAST_SCORE
from shipdet.inference.second_look import SURE, UNSURE, bow_logits, doubt, look_again
from shipdet.inference.views import Looking, find_ships
from shipdet.models.bow_classifier import BowClassifier
from shipdet.models.device import Device
from shipdet.models.weights import Model, SecondLookFacts, load_weights
from shipdet.raster.sampling import Sampling
from shipdet.raster.scene import Scene, open_scene

CPU = Device(torch.device("cpu"), torch.float32)
SAMPLE = Path(__file__).resolve().parents[2] / "data_samples" / "harbour.tif"
PART = Window(1200, 300, 800, 600)
SIDE, LENGTH = 600, 60
WEIGHT = 0.5
FACTS = SecondLookFacts(width=8, weight=WEIGHT, split="none", ships=0, heading_before=0.5, heading_after=1.0)


class BrightBow(BowClassifier):
    """Trusts brightness alone."""

    def forward(self, hulls: Tensor) -> Tensor:
        upper, lower = hulls.chunk(2, dim=2)
        return 40 * (upper - lower).mean(dim=(1, 2, 3))


@pytest.fixture(scope="module")
def model() -> Model:
    plain = load_weights("inshore-vhr")
    card = plain.card.model_copy(update={"second_look": FACTS})
    return plain._replace(card=card, bow_classifier=BrightBow(8), type_classifier=None)


@pytest.fixture(scope="module")
def harbour(tmp_path_factory: pytest.TempPathFactory) -> Scene:
    """A part of the sample."""
    path = tmp_path_factory.mktemp("scene") / "part.tif"
    with rasterio.open(SAMPLE) as sample:
        part = sample.read(window=PART)
        a, b, c, d, e, f = sample.transform[:6]
        corner = Affine(a, b, c + a * PART.col_off, d, e, f + e * PART.row_off)
        profile = {"driver": "GTiff", "dtype": "uint8", "count": 3, "width": PART.width, "height": PART.height}
        with rasterio.open(path, "w", crs=sample.crs, transform=corner, **profile) as file:
            file.write(part)
    return open_scene(path)


@pytest.fixture
def scene(write_scene) -> Scene:
    """Forty ships, north up, the upper end of each bright."""
    pixels = np.full((3, SIDE, SIDE), 40, np.uint8)
    for x, y in PLACES:
        pixels[:, y : y + LENGTH, x - 5 : x + 5] = 90
        pixels[:, y : y + 15, x - 5 : x + 5] = 230
    return write_scene("ships.tif", pixels)


PLACES = [(x, y) for y in range(30, 500, 120) for x in range(30, 570, 55)][:40]


def hulls_at(upwards: bool, bow_score: float, score: float = 0.9) -> Hulls:
    top = np.array([(x, y) for x, y in PLACES], float)
    bottom = top + np.array([0.0, LENGTH])
    bow, stern = (top, bottom) if upwards else (bottom, top)
    many = np.ones(len(top))
    return Hulls(bow, stern, 10 * many, score * many, bow_score * many)


def sampling_of(scale: float = 1.0) -> Sampling:
    return Sampling(scale, scale, round(SIDE * scale), round(SIDE * scale))


@pytest.mark.parametrize("scale", [1.0, 0.5])
def test_ships_that_point_the_wrong_way_are_turned_round(scene: Scene, model: Model, scale: float):
    seen = look_again(hulls_at(upwards=False, bow_score=0.6), scene, sampling_of(scale), model, CPU)
    right = hulls_at(upwards=True, bow_score=0.6)
    np.testing.assert_array_equal(seen.bow, right.bow)
    np.testing.assert_array_equal(seen.stern, right.stern)
    assert (seen.bow_score > 0.6).all()


def test_ships_that_point_the_right_way_are_surer_of_it_by_both_looks(scene: Scene, model: Model):
    before = hulls_at(upwards=True, bow_score=0.6)
    right = look_again(before, scene, sampling_of(), model, CPU)
    wrong = look_again(hulls_at(upwards=False, bow_score=0.6), scene, sampling_of(), model, CPU)
    np.testing.assert_array_equal(right.bow, before.bow)
    second = logit(right.bow_score) - logit(0.6)
    np.testing.assert_allclose(wrong.bow_score, expit(second - logit(0.6)), rtol=1e-5)


@pytest.mark.parametrize(
    ("bow_score", "score"), [(SURE, 0.9), (UNDECIDED, 0.9), (0.6, LEAST_SCORE - 0.01), (0.4, LEAST_SCORE - 0.01)]
)  # fmt: skip
def test_others_are_left_as_they_are(scene: Scene, model: Model, bow_score: float, score: float):
    before = hulls_at(upwards=False, bow_score=bow_score, score=score)
    after = look_again(before, scene, sampling_of(), model, CPU)
    np.testing.assert_array_equal(after.bow, before.bow)
    np.testing.assert_array_equal(after.bow_score, before.bow_score)


def test_the_second_look_counts_less_the_surer_the_first_one_was():
    scores = np.array([0.5, UNSURE, (UNSURE + SURE) / 2, SURE, 1.0])
    np.testing.assert_allclose(doubt(scores), [1, 1, 0.5, 0, 0], atol=1e-9)


def test_the_least_difference_of_the_first_look_stays_one(scene: Scene, model: Model):
    for near in (UNSURE, SURE):
        below, above = (
            look_again(hulls_at(upwards=True, bow_score=near + step), scene, sampling_of(), model, CPU).bow_score
            for step in (-1e-6, 1e-6)
        )
        np.testing.assert_allclose(below, above, atol=1e-3)


def test_of_no_ships_nothing_is_said(scene: Scene, model: Model):
    none = hulls_at(upwards=True, bow_score=0.6)[:0]
    assert len(look_again(none, scene, sampling_of(), model, CPU)) == 0
    assert model.bow_classifier is not None
    assert bow_logits(none, scene, sampling_of(), model.bow_classifier, CPU).shape == (0,)


def test_without_a_classifier_nothing_changes(scene: Scene, model: Model):
    before = hulls_at(upwards=False, bow_score=0.6)
    assert look_again(before, scene, sampling_of(), model._replace(bow_classifier=None), CPU) is before


def test_what_is_said_of_a_ship_does_not_depend_on_the_others(scene: Scene, model: Model):
    hulls = hulls_at(upwards=False, bow_score=0.7)
    hulls = replace(hulls, bow_score=np.where(np.arange(len(hulls)) % 3 == 0, 0.95, 0.7))
    order = np.random.default_rng(0).permutation(len(hulls))
    together = look_again(hulls, scene, sampling_of(), model, CPU)
    mixed = look_again(hulls[order], scene, sampling_of(), model, CPU)
    np.testing.assert_array_equal(mixed.bow, together.bow[order])
    np.testing.assert_allclose(mixed.bow_score, together.bow_score[order], rtol=1e-5)
    alone = Hulls.join([look_again(hulls[i : i + 1], scene, sampling_of(), model, CPU) for i in range(len(hulls))])
    np.testing.assert_array_equal(alone.bow, together.bow)


def test_found_ships_are_looked_at_again(scene: Scene, model: Model, monkeypatch: pytest.MonkeyPatch):
    told = hulls_at(upwards=False, bow_score=0.6)

    def detect_hulls(*_: object) -> object:
        return Found(told, sampling_of(), np.zeros((75, 75), np.uint8))

    monkeypatch.setattr("shipdet.inference.views.detect_hulls", detect_hulls)
    found = find_ships(replace(scene, gsd_m=(1.0, 1.0)), model, CPU)
    np.testing.assert_array_equal(found.hulls.bow, told.stern)


def test_it_does_not_depend_on_tiles(harbour: Scene):
    shipped = load_weights("inshore-vhr")
    assert shipped.bow_classifier is not None
    several, one = (find_ships(harbour, shipped, CPU, Looking(tiling=Tiling(core=core))).hulls for core in (256, 1024))
    plain = find_ships(harbour, shipped._replace(bow_classifier=None), CPU).hulls
    assert (one.bow_score != plain.bow_score).any()
    np.testing.assert_allclose(several.bow, one.bow, atol=0.1)
    np.testing.assert_allclose(several.bow_score, one.bow_score, atol=1e-3)
