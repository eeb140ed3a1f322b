"""One scene of a batch, with the weights that ship."""

from dataclasses import replace
from pathlib import Path

import geopandas as gpd
import pytest

from shipdet.api import DetectRequest
from shipdet.attention.rcan import RCAN, Layout
from shipdet.batch.inputs import one
from shipdet.batch.settings import settings_of
from shipdet.batch.work import Task, do_task
from shipdet.inference import engine
from shipdet.models import sharpener
from shipdet.models.sharpener import FACTORS, Sharpener, SharpenerCard, save_sharpener

REQUEST = DetectRequest(threshold=0.0, core=64, dense=True)


@pytest.fixture
def task(scenes, tmp_path: Path) -> Task:
    """A scene of 2 x 3 tiles."""
    for folder in ("scenes", ".batch/parts"):
        (tmp_path / "out" / folder).mkdir(parents=True)
    path = scenes.write("a.tif", size=(128, 192), taken="2024:05:01 10:00:00")
    return Task(one(str(path)), "a", tmp_path / "out", REQUEST, "parquet", "settings", "")


@pytest.fixture
def looks(monkeypatch: pytest.MonkeyPatch) -> list[object]:
    """The tiles that the network looked at."""
    seen: list[object] = []

    def look(network, chip, tile, *others):
        if len(seen) == 4:
            seen.append(None)
            raise KeyboardInterrupt
        seen.append(tile)
        return real(network, chip, tile, *others)

    real = engine.look
    monkeypatch.setattr(engine, "look", look)
    return seen


def test_no_finished_tile_is_computed_twice_and_the_result_is_the_same(task, looks, tmp_path: Path):
    with pytest.raises(KeyboardInterrupt):
        do_task(task)
    assert len(list(task.tiles.rglob("*.safetensors"))) == 4
    told: list[tuple[int, int]] = []
    outcome = do_task(task, lambda done, total: told.append((done, total)))
    assert outcome.error is None
    assert len(looks) == 4 + 1 + 2
    assert told == [(5, 6), (6, 6)]
    resumed = task.output.read_bytes(), task.part.read_bytes()

    fresh = replace(task, settings="other settings")
    looks.append(None)
    do_task(fresh)
    assert len(looks) == 7 + 1 + 6
    assert (task.output.read_bytes(), task.part.read_bytes()) == resumed
    assert len(gpd.read_parquet(task.output)) > 0


def test_a_scene_looked_at_in_several_views_resumes_in_the_middle_of_one(task, looks):
    flips = replace(task, request=replace(REQUEST, augment="flips"))
    with pytest.raises(KeyboardInterrupt):
        do_task(flips)
    assert len(list(task.tiles.rglob("view0/*.safetensors"))) == 4
    assert do_task(flips).error is None
    assert len(looks) == 4 + 1 + 4 * 6 - 4


@pytest.fixture
def coarse(task: Task, scenes, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Task:
    """A scene that is said to have 3 m: in three quarters of its sharpened pixels 3 x 3 tiles."""
    folder, layout = tmp_path / "weights", Layout(1, 1, 4)
    folder.mkdir()
    for factor in FACTORS:
        card = SharpenerCard(factor=factor, **layout._asdict(), trained_on=(), terms="none", steps=0)
        save_sharpener(folder / f"x{factor}.safetensors", Sharpener(RCAN(factor, layout), card))
    monkeypatch.setattr(sharpener, "FOLDER", folder)
    path = scenes.write("coarse.tif", size=(60, 64))
    request = replace(REQUEST, gsd_m=3.0, sharpen=True, model="inshore-vhr")
    return replace(task, scene=one(str(path)), request=request, settings=settings_of(request, "parquet").hash)


def test_a_scene_that_is_sharpened_resumes_in_the_middle(coarse, looks):
    with pytest.raises(KeyboardInterrupt):
        do_task(coarse)
    assert len(list(coarse.tiles.rglob("*.safetensors"))) == 4
    assert do_task(coarse).error is None
    assert len(looks) == 4 + 1 + 9 - 4
    resumed = coarse.output.read_bytes(), coarse.part.read_bytes()
    do_task(replace(coarse, settings="other settings"))
    assert (coarse.output.read_bytes(), coarse.part.read_bytes()) == resumed
    assert len(gpd.read_parquet(coarse.output)) > 0


def test_tiles_that_were_looked_at_sharpened_are_not_taken_for_others(coarse, looks):
    """Both ways the scene measures 192 x 180 pixels of the model, so their tiles have the same names."""
    with pytest.raises(KeyboardInterrupt):
        do_task(coarse)
    plain = replace(coarse.request, sharpen=False)
    do_task(replace(coarse, request=plain, settings=settings_of(plain, "parquet").hash))
    folders = {path.parent: path.name for path in coarse.tiles.rglob("*.safetensors")}
    assert len(folders) == 2
    assert len(looks) == 4 + 1 + 9


def test_ships_on_earth_do_not_join_ships_in_pixels(task, detector):
    outcome = do_task(replace(task, request=replace(REQUEST, pixel_coordinates=True, gsd_m="unknown")))
    assert "without --pixel-coordinates" in str(outcome.error)
    assert detector.asked == []


def test_what_the_catalogue_tells_wins_over_the_file(task, detector):
    scene = replace(task.scene, scene_id="S2/31U", acquired_at="2030-01-01T00:00:00+00:00")
    outcome = do_task(replace(task, scene=scene))
    assert outcome.acquired_at == "2030-01-01T00:00:00+00:00"
    for path in (task.output, task.part):
        ship = gpd.read_parquet(path).iloc[0]
        assert (ship["scene_id"], ship["acquired_at"]) == ("S2/31U", "2030-01-01T00:00:00+00:00")


def test_a_problem_that_is_known_already_is_the_outcome(task, detector):
    outcome = do_task(replace(task, scene=replace(task.scene, problem="no asset nir")))
    assert outcome.error == "no asset nir"
    assert detector.asked == []


def test_secrets_are_not_in_the_outcome(task, detector, caplog: pytest.LogCaptureFixture):
    caplog.set_level("DEBUG")
    detector.answers = {"a": RuntimeError("https://alice:hunter2@host/a.tif?sig=SECRET broke")}
    outcome = do_task(task)
    assert outcome.error == "unforeseen RuntimeError: https://host/a.tif broke"
    assert "Traceback" in caplog.text
    assert not [secret for secret in ("alice", "hunter2", "SECRET") if secret in caplog.text + repr(task)]
