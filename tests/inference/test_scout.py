"""Where the scout has scenes looked at closely."""

import re
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from rasterio.shutil import copy

from shipdet.inference import scout as module
from shipdet.inference.covering import BLOCK, are_open
from shipdet.inference.engine import Tiling, detect_hulls, eye_of, scouted, tiles_of
from shipdet.inference.looked import Looked
from shipdet.inference.scout import coarser, open_ground, scout_scene
from shipdet.inference.views import Looking, find_ships
from shipdet.models.device import Device
from shipdet.models.scout import Scout
from shipdet.models.weights import Model, load_weights
from shipdet.raster import raw
from shipdet.raster.sampling import model_sampling
from shipdet.raster.scene import Scene, open_scene
from shipdet.raster.stretch import Stretch
from shipdet.raster.tiling import Tile, Window

SAMPLE = Path(__file__).resolve().parents[2] / "data_samples" / "harbour.tif"
EXACT = Device(torch.device("cpu"), torch.float32)
CELL = 4
"""Pixels; the shallow branch places an end within its cell or a little beside it."""
HEIGHT, WIDTH = 1301, 1567
SHIP = np.s_[:, 900:960, 300:420]


def water(height: int = HEIGHT, width: int = WIDTH) -> NDArray[np.uint8]:
    """Dark, with a little noise."""
    return np.random.default_rng(0).integers(40, 60, (3, height, width)).astype(np.uint8)


@pytest.fixture
def sea() -> NDArray[np.uint8]:
    """Water with one bright thing."""
    pixels = water()
    pixels[SHIP] = 250
    return pixels


def said(scene: Scene, scout: Scout) -> NDArray[np.float32]:
    return scout_scene(scene, model_sampling(scene, 1.0), scout, EXACT).ship


def test_cells_with_something_bright_are_told_from_water(write_scene, sea, bright_scout: Scout):
    ship = said(write_scene("a.tif", sea), bright_scout)
    assert ship.shape == (-(-HEIGHT // 32), -(-WIDTH // 32))
    rows, columns = np.nonzero(ship > 0.5)
    assert set(rows) <= set(range(900 // 32 - 1, 960 // 32 + 2))
    assert set(columns) <= set(range(300 // 32 - 1, 420 // 32 + 2))
    assert (ship[29, 10:13] > 0.5).all()


@pytest.mark.parametrize("factors", [(2, 4, 8), (4,), (2,)])
def test_overviews_say_what_full_resolution_says(write_scene, sea, bright_scout: Scout, factors: tuple[int, ...]):
    plain, coarse = write_scene("a.tif", sea), write_scene("b.tif", sea, factors)
    assert np.abs(said(plain, bright_scout) - said(coarse, bright_scout)).mean() < 0.01
    ground = [open_ground(s, model_sampling(s, 1.0), bright_scout, 0.5, EXACT) for s in (plain, coarse)]
    assert (ground[0].opened == ground[1].opened).all()
    assert 0 < ground[0].share < 0.1


def test_an_overview_of_the_right_factor_is_read_as_it_is(write_scene, sea):
    scene = write_scene("a.tif", sea, (2, 4))
    found = coarser(scene, model_sampling(scene, 1.0))
    assert (found.width, found.height) == (-(-WIDTH // 4), -(-HEIGHT // 4))
    level = module.open_level(scene, found)
    level.files.close()
    assert level.exact


@pytest.mark.parametrize("factors", [(), (2, 4)])
def test_how_much_is_seen_at_once_does_not_matter(write_scene, bright_scout: Scout, monkeypatch, factors):
    random = np.random.default_rng(1).integers(1, 255, (3, HEIGHT // 16 + 1, WIDTH // 16 + 1)).astype(np.uint8)
    patches = random.repeat(16, axis=1).repeat(16, axis=2)[:, :HEIGHT, :WIDTH]
    scene = write_scene("a.tif", patches, factors)
    whole = said(scene, bright_scout)
    monkeypatch.setattr(module, "STRIP", 64)
    monkeypatch.setattr(module, "PIECE", 200)
    np.testing.assert_allclose(said(scene, bright_scout), whole, atol=1e-5)


def test_rows_held_do_not_grow_with_the_scene(write_scene, bright_scout: Scout, monkeypatch):
    monkeypatch.setattr(module, "STRIP", 64)
    seen = []
    look = module._look
    monkeypatch.setattr(module, "_look", lambda scout, strip, device: seen.append(strip) or look(scout, strip, device))
    said(write_scene("a.tif", water(4000, 64), (2, 4)), bright_scout)
    assert len(seen) > 10
    assert max(strip.pixels.shape[2] for strip in seen) <= 2 * 64 + 2 * module.SCOUT_REACH


def test_where_there_is_no_picture_nothing_opens(write_scene, bright_scout: Scout, sea):
    sea[:, :, 800:] = 0
    ship = said(write_scene("a.tif", sea), bright_scout)
    assert (ship[:, 800 // 32 + 1 :] == 0).all()


def test_open_water_opens_nothing_and_the_network_never_looks(write_scene, scouting: Model):
    told: list[tuple[int, int]] = []
    found = detect_hulls(
        write_scene("a.tif", water()), scouting, EXACT, progress=lambda done, total: told.append((done, total))
    )
    assert (len(found.hulls), found.opened, told) == (0, 0.0, [])
    assert not found.attention.any()
    assert found.hulls.types.shape == (0, len(scouting.card.types))


def test_a_model_without_a_scout_looks_at_everything(write_scene, sea, scouting: Model):
    scene = write_scene("a.tif", sea[:, :300, :300])
    assert scouted(scene, model_sampling(scene, 1.0), scouting._replace(scout=None), EXACT, Tiling()).ground is None


@pytest.fixture(scope="module")
def harbour() -> Scene:
    return open_scene(SAMPLE)


@pytest.fixture(scope="module")
def threshold(harbour: Scene, bright_scout: Scout) -> float:
    """One that opens about half of the harbour."""
    ground = module.around(said(harbour, bright_scout))
    return float(np.quantile(ground, 0.6))


@pytest.fixture(scope="module")
def half(scouting: Model, threshold: float) -> Model:
    facts = scouting.card.scout.model_copy(update={"threshold": threshold})
    return scouting._replace(card=scouting.card.model_copy(update={"scout": facts}))


@pytest.fixture(scope="module")
def found(harbour: Scene, half: Model):
    return detect_hulls(harbour, half, EXACT)


def rows(hulls) -> NDArray[np.float64]:
    sure = hulls[hulls.score >= 0.3]
    table = np.column_stack([sure.bow, sure.stern, sure.score])
    return table[np.lexsort(np.round(table[:, :2]).T)]


def test_ships_do_not_depend_on_how_open_ground_is_cut(harbour: Scene, half: Model, found):
    assert 0.2 < found.opened < 0.8
    other = detect_hulls(harbour, half, EXACT, Tiling(core=384))
    assert len(rows(found.hulls)) >= 5
    np.testing.assert_allclose(rows(other.hulls), rows(found.hulls), atol=0.1)
    assert np.abs(other.attention.astype(int) - found.attention.astype(int)).max() <= 1


def test_what_lies_in_open_ground_is_seen_as_if_all_were_looked_at(harbour: Scene, half: Model, found):
    ground = scouted(harbour, model_sampling(harbour, 1.0), half, EXACT, Tiling()).ground
    dense = detect_hulls(harbour, half._replace(scout=None), EXACT)
    height, width = dense.attention.shape
    opened = ground.opened.repeat(BLOCK // 8, 0).repeat(BLOCK // 8, 1)[:height, :width]
    np.testing.assert_allclose(found.attention, dense.attention * opened, atol=1)
    shifts = np.array([(x, y) for x in (-CELL, 0, CELL) for y in (-CELL, 0, CELL)])  # an end may lie beside its cell
    ends = np.stack([found.hulls.bow, found.hulls.stern])[None] + shifts[:, None, None]
    within = ends.clip(0, (harbour.grid.width - 1, harbour.grid.height - 1))
    assert are_open(ground.opened, within.reshape(-1, 2)).reshape(len(shifts) * 2, -1).any(axis=0).all()


class Memory:
    """Forgets nothing."""

    def __init__(self) -> None:
        self.kept: dict[Tile, Looked] = {}
        self.recalled = 0

    def recall(self, tile: Tile) -> Looked | None:
        self.recalled += tile in self.kept
        return self.kept.get(tile)

    def keep(self, tile: Tile, looked: Looked) -> None:
        self.kept[tile] = looked


def test_a_run_that_was_stopped_goes_on_with_the_same_tiles(harbour: Scene, half: Model, found):
    memory = Memory()
    first = detect_hulls(harbour, half, EXACT, memory=memory)
    tiles = len(memory.kept)
    memory.kept.pop(next(iter(memory.kept)))
    again = detect_hulls(harbour, half, EXACT, memory=memory)
    assert (memory.recalled, len(memory.kept)) == (tiles - 1, tiles)
    np.testing.assert_allclose(rows(again.hulls), rows(first.hulls), atol=1e-6)


def test_several_views_share_what_is_open(write_scene, sea, scouting: Model, monkeypatch):
    asked = []
    real = module.scout_scene
    monkeypatch.setattr(module, "scout_scene", lambda *args: asked.append(args) or real(*args))
    scene = write_scene("a.tif", sea)
    found = find_ships(scene, scouting, EXACT, Looking("flips"))
    assert (found.views, len(asked)) == (4, 1)
    assert 0 < found.opened < 0.1


def test_where_the_scale_is_unknown_everything_is_looked_at(write_scene, sea, scouting: Model):
    scene = replace(write_scene("a.tif", sea[:, 800:1100, 200:500]), gsd_m=None)
    assert find_ships(scene, scouting, EXACT).opened == 1.0


def test_several_views_of_open_water_find_nothing(write_scene, scouting: Model):
    found = find_ships(write_scene("a.tif", water(400, 500)), scouting, EXACT, Looking("flips"))
    assert (len(found.hulls), found.opened) == (0, 0.0)


@pytest.fixture
def reads(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[tuple[int | None, Window]]]:
    """Overview level and window of each read of pixels."""
    seen: list[tuple[int | None, Window]] = []
    real = raw.SceneFiles.read

    def read(files: raw.SceneFiles, window: Window) -> raw.Raw:
        seen.append((files._overview, window))
        return real(files, window)

    monkeypatch.setattr(raw.SceneFiles, "read", read)
    return seen


def test_with_overviews_closed_ground_is_never_read_at_full_resolution(write_scene, sea, scouting: Model, reads):
    scene = write_scene("a.tif", sea, (2, 4, 8))
    tiling = scouted(scene, model_sampling(scene, 1.0), scouting, EXACT, Tiling())
    tiles = tiles_of(scene, model_sampling(scene, 1.0), tiling, eye_of(scouting, EXACT))
    reads.clear()
    detect_hulls(scene, scouting, EXACT)
    fine = [window for overview, window in reads if overview is None]
    assert sorted(map(repr, fine)) == sorted(repr(tile.window.clipped(WIDTH, HEIGHT)) for tile in tiles)
    assert 0 < sum(window.area for window in fine) < 0.6 * WIDTH * HEIGHT


def test_without_overviews_each_pixel_is_read_once_by_the_scout(write_scene, bright_scout: Scout, reads, monkeypatch):
    monkeypatch.setattr(module, "scene_stretch", lambda _: Stretch((0.0,) * 3, (255.0,) * 3))
    scene = write_scene("a.tif", water())
    reads.clear()
    said(scene, bright_scout)
    assert sum(window.area for _, window in reads) == WIDTH * HEIGHT
    assert all(window.y % 128 == 0 and window.x % 128 == 0 for _, window in reads)


def test_of_a_remote_scene_little_is_fetched(write_scene, serve, scouting: Model, tmp_path: Path):
    side = 3072
    pixels = water(side, side)
    pixels[:, 400:440, 400:500] = 250
    write_scene("plain.tif", pixels)
    copy(tmp_path / "plain.tif", tmp_path / "cog.tif", driver="COG", compress="deflate", blocksize=256)
    found = detect_hulls(open_scene(serve.url("cog.tif")), scouting, EXACT)
    assert 0 < found.opened < 0.02
    sent = sum(request["sent"] for request in serve.served())
    assert sent < 0.35 * (tmp_path / "cog.tif").stat().st_size
    assert all(re.match("bytes=", request["range"] or "bytes=") for request in serve.served())


def test_on_the_sample_the_shipped_scout_loses_nothing(harbour: Scene):
    model = load_weights("inshore-vhr")
    if model.scout is None:
        pytest.skip("the weights that ship have no scout")
    found, dense = (detect_hulls(harbour, one, EXACT).hulls for one in (model, model._replace(scout=None)))
    sure = [hulls[hulls.score >= model.card.score_threshold] for hulls in (found, dense)]
    assert len(sure[0]) == len(sure[1])
