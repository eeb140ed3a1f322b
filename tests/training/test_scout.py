"""What the scout is taught."""

import numpy as np
import pytest
import torch

from shipdet.labels.types import Labels
from shipdet.training import scout as module
from shipdet.training.pictures import Picture, as_picture
from shipdet.training.scout import ScoutSchedule, lesson_of, scout_loss, train_scout

SIDE = 64


def labels(length: float = 120.0, complete: bool = True, kind: str = "cargo") -> Labels:
    """One ship in the middle of 400 x 400 pixels, lying along x."""
    ends = np.array([[200 - length / 2, 200.0]]), np.array([[200 + length / 2, 200.0]])
    return Labels(
        *ends, np.array([length / 4]), np.ones(1, bool), np.zeros(1, bool), (kind,), np.zeros((0, 4)), complete
    )


def picture(known: Labels) -> Picture:
    """Dark water, and a bright ship where one is labelled."""
    pixels = np.random.default_rng(0).integers(40, 60, (400, 400, 3)).astype(np.uint8)
    x0, x1 = int(known.bow[0, 0]), int(known.stern[0, 0])
    half = int(known.beam[0] / 2)
    pixels[200 - half : 200 + half, x0:x1] = 220
    return as_picture("a picture", pixels, known)


@pytest.fixture
def plain(monkeypatch: pytest.MonkeyPatch) -> None:
    """No zoom, no other light, no waves, no edge of the scene, and crops in the middle of the picture."""
    monkeypatch.setattr(module, "HIDDEN", 0.0)
    monkeypatch.setattr(module, "SWOLLEN", 0.0)
    monkeypatch.setattr(module, "ZOOM", (1.0, 1.0))
    monkeypatch.setattr(module, "relit", lambda pixels, _: pixels)
    monkeypatch.setattr(module, "_place", lambda *_: np.array([200.0, 200.0]))


@pytest.mark.usefixtures("plain")
@pytest.mark.parametrize("seed", range(4))
def test_cells_that_a_hull_touches_are_ship_however_the_crop_is_turned(seed: int):
    lesson = lesson_of(picture(labels()), SIDE, np.random.default_rng(seed))
    assert lesson.pixels.shape == (3, SIDE, SIDE)
    bright = lesson.pixels.mean(axis=0) > 0.7
    cells = bright.reshape(8, 8, 8, 8).any(axis=(1, 3))
    assert (lesson.ship >= cells).all()
    assert cells.sum() <= lesson.ship.sum() <= cells.sum() + 4
    assert lesson.known.all()


@pytest.mark.usefixtures("plain")
@pytest.mark.parametrize("odd", [labels(length=9.0), labels(kind="pontoon")])
def test_what_is_no_ship_to_speak_of_is_neither_here_nor_there(odd: Labels):
    lesson = lesson_of(picture(odd), SIDE, np.random.default_rng(0))
    assert not lesson.ship.any()
    assert 0 < (~lesson.known).sum() < 20


@pytest.mark.usefixtures("plain")
def test_far_from_the_ships_of_an_incomplete_picture_nothing_is_known():
    lesson = lesson_of(picture(labels(complete=False)), SIDE, np.random.default_rng(0))
    assert lesson.known[lesson.ship].all()
    assert not lesson.known[0].any()


@pytest.mark.usefixtures("plain")
def test_the_edge_of_a_scene_is_no_ship_and_half_a_ship_is_neither_here_nor_there(monkeypatch: pytest.MonkeyPatch):
    right_half = np.broadcast_to(np.arange(SIDE) >= SIDE // 2 - 4, (SIDE, SIDE))  # it goes through a column of cells
    monkeypatch.setattr(module, "_hidden", lambda *_: right_half)
    monkeypatch.setattr(module, "_turned", lambda lesson, _: lesson)
    lesson = lesson_of(picture(labels()), SIDE, np.random.default_rng(0))
    assert (lesson.pixels[:, right_half] == module.FILL).all()
    edge = slice(SIDE // 16 - 1, SIDE // 16)
    assert lesson.known[:, edge][~lesson.ship[:, edge]].all()
    assert lesson.ship[:, edge].any()
    assert not lesson.known[:, edge][lesson.ship[:, edge]].any()
    assert lesson.known[:, : SIDE // 16 - 1].all()


def test_waves_are_laid_over_some_crops_in_all_bands_alike():
    laid = [module._waves(SIDE, np.random.default_rng(seed)) for seed in range(60)]
    assert all(waves.shape == (SIDE, SIDE, 1) for waves in laid)
    assert 0.1 < np.mean([waves.any() for waves in laid]) < 0.5
    assert 0.02 < max(float(waves.std()) for waves in laid) < 2 * module.WAVE_HEIGHT


def test_unknown_cells_teach_nothing():
    logits = torch.tensor([[[5.0, -5.0]]], requires_grad=True)
    ship, known = torch.tensor([[[True, True]]]), torch.tensor([[[True, False]]])
    scout_loss(logits, ship, known, 4.0).backward()
    assert logits.grad is not None
    assert logits.grad[0, 0, 1] == 0
    assert logits.grad[0, 0, 0] < 0


def test_a_missed_ship_weighs_more_than_a_false_alarm():
    known = torch.ones(1, 1, 1, dtype=torch.bool)
    missed = scout_loss(torch.full((1, 1, 1), -3.0), known, known, 4.0)
    alarm = scout_loss(torch.full((1, 1, 1), 3.0), ~known, known, 4.0)
    assert missed == pytest.approx(4 * float(alarm))


@pytest.mark.usefixtures("plain")
def test_it_learns_to_tell_ships_from_water_and_always_the_same():
    told: list[str] = []
    schedule = ScoutSchedule(steps=100, batch=4, side=SIDE)
    scout = train_scout([picture(labels())], schedule, told.append)
    lesson = lesson_of(picture(labels()), 96, np.random.default_rng(5))
    with torch.inference_mode():
        odds = scout(torch.from_numpy(lesson.pixels)[None])[0].sigmoid().numpy()
    assert lesson.ship.any()
    assert odds[lesson.ship].mean() > odds[lesson.known & ~lesson.ship].mean() + 0.5
    assert len(told) == 1
    short = ScoutSchedule(steps=2, batch=2, side=SIDE)
    one, other = (train_scout([picture(labels())], short, told.append).state_dict() for _ in range(2))
    assert all(torch.equal(one[name], other[name]) for name in one)
