"""A sharper copy of a coarse scene: exact in place, data type and validity, and the same however it is read."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import rasterio
import torch
from affine import Affine
from numpy.typing import NDArray
from pyproj import Transformer
from torch import Tensor, nn

from shipdet.attention.rcan import RCAN, ChannelWeights, EqualWeights, Layout, enlarge
from shipdet.errors import OutputError, SceneError, WeightsError
from shipdet.geometry import UNDECIDED, Grid, Hulls
from shipdet.inference import sharpening as module
from shipdet.inference.engine import Found
from shipdet.inference.sharpening import (
    CORE,
    MARGIN,
    blocks,
    in_coarse_pixels,
    sharper_grid,
    sharper_scene,
    write_sharpened,
)
from shipdet.models.device import choose_device
from shipdet.models.sharpener import Sharpener, SharpenerCard, factor_for, reach, save_sharpener, sharpened
from shipdet.raster.raw import SceneFiles
from shipdet.raster.sampling import Sampling
from shipdet.raster.scene import Scene, open_scene
from shipdet.raster.stretch import scene_stretch
from shipdet.raster.tiling import Window

CPU = choose_device("cpu", "float32")
TINY = Layout(1, 1, 8)
WriteScene = Callable[..., Scene]


def sharpener(factor: int, strength: float = 0.1, weigh: Any = ChannelWeights, layout: Layout = TINY) -> Sharpener:
    """Random weights; of strength 0 they enlarge as bicubic does."""
    torch.manual_seed(0)
    network = RCAN(factor, layout, weigh)
    nn.init.normal_(network.tail[-1].weight, std=strength)
    card = SharpenerCard(factor=factor, **layout._asdict(), trained_on=(), terms="none", steps=0)
    return Sharpener(network.eval(), card)


def waves(height: int, width: int, dtype: str = "uint8", high: float = 220) -> NDArray[Any]:
    """Three bands of waves, some fine, none zero."""
    y, x = np.mgrid[:height, :width]
    wave = np.stack([np.sin(x / a + y / b) for a, b in ((1.3, 4.0), (7.0, 1.9), (3.0, 3.0))])
    return (high * (0.55 + 0.4 * wave)).astype(dtype)


def copy_of(scene: Scene, sharp: Sharpener, path: Path) -> tuple[Scene, NDArray[Any], NDArray[np.bool_]]:
    """The copy, its pixels and where they are valid, as a model would read them."""
    write_sharpened(scene, sharp, CPU, path)
    copy = open_scene(path)
    assert (copy.chosen, copy.mask) == ((1, 2, 3), "mask band")
    with SceneFiles(copy) as files:
        raw = files.read(Window(0, 0, files.width, files.height))
    return copy, raw.pixels, raw.valid


def at_once(scene: Scene, pixels: NDArray[Any], sharp: Sharpener) -> NDArray[np.float64]:
    """The whole scene through the network in one piece."""
    stretch = scene_stretch(scene)
    low, high = (torch.tensor(ends)[:, None, None] for ends in (stretch.low, stretch.high))
    with torch.inference_mode():
        image: Tensor = sharpened(
            sharp.network, (((torch.from_numpy(pixels.astype(np.float64)) - low) / (high - low)).float())[None]
        )
    return np.asarray((image[0].double() * (high - low) + low).numpy())


@pytest.mark.parametrize(
    ("gsd_m", "factor"),
    [
        (0.5, None),
        (1.0, None),
        (1.41, None),
        (1.42, 2),
        (2.0, 2),
        (2.82, 2),
        (2.84, 4),
        (5.6, 4),
        (5.7, None),
        (10.0, None),
    ],
)
def test_the_factor_brings_pixels_near_to_a_metre(gsd_m: float, factor: int | None) -> None:
    assert factor_for((gsd_m, gsd_m)) == factor
    assert factor_for((gsd_m / 2, gsd_m * 2)) == factor


def test_pixels_of_unknown_size_have_no_factor() -> None:
    assert factor_for(None) is None


def test_blocks_partition_the_scene_from_its_corner() -> None:
    seen = np.zeros((CORE * 2 + 9, CORE + 1), int)
    for block in blocks(CORE + 1, CORE * 2 + 9):
        seen[block.y : block.y + block.height, block.x : block.x + block.width] += 1
        assert block.x % CORE == block.y % CORE == 0
    assert (seen == 1).all()


@pytest.mark.parametrize("factor", [2, 4])
@pytest.mark.parametrize(("crs", "a"), [("EPSG:32631", 3.0), ("EPSG:4326", 3e-5)])
def test_every_place_keeps_its_coordinates(
    write_scene: WriteScene, tmp_path: Path, factor: int, crs: str, a: float
) -> None:
    place = Affine(a, 0.1 * a, 3.25, 0.2 * a, -a, 51.5)
    scene = write_scene("s.tif", waves(20, 30), crs=crs, transform=place)
    copy, pixels, _ = copy_of(scene, sharpener(factor), tmp_path / "copy.tif")
    assert pixels.shape == (3, 20 * factor, 30 * factor)
    with rasterio.open(tmp_path / "copy.tif") as file:
        assert file.crs == rasterio.CRS.from_user_input(crs)
        assert file.transform.almost_equals(sharper_grid(scene.grid, factor).transform, 1e-15)
        assert (file.block_shapes[0], file.compression.name) == ((256, 256), "deflate")
        corners = np.array([[0.0, 0.0], [30.0, 0.0], [7.0, 13.0], [30.0, 20.0]])
        there = Grid(None, file.transform, 0, 0).to_crs(corners * factor)
        np.testing.assert_allclose(there, scene.grid.to_crs(corners), rtol=0, atol=1e-9)
    xy = np.array([[0.0, 0.0], [3.7, 18.2], [30.0, 20.0]])
    to_lonlat = Transformer.from_crs(crs, "EPSG:4326", always_xy=True)
    expected = np.stack(to_lonlat.transform(*scene.grid.to_crs(xy).T), axis=1)
    np.testing.assert_allclose(copy.grid.to_lonlat(xy * factor), expected, rtol=0, atol=1e-12)


def test_what_lies_nowhere_keeps_no_place() -> None:
    grid = Grid(None, Affine.identity(), 7, 5)
    assert sharper_grid(grid, 4) == Grid(None, Affine.identity(), 28, 20)


def test_a_picture_that_lies_nowhere_is_sharpened_likewise(write_scene: WriteScene, tmp_path: Path, caplog) -> None:
    scene = replace(write_scene("s.tif", waves(20, 30)), grid=Grid(None, Affine.identity(), 30, 20))
    copy, _, _ = copy_of(scene, sharpener(2), tmp_path / "copy.tif")
    assert copy.grid == Grid(None, Affine.identity(), 60, 40)
    assert not caplog.records


@pytest.mark.parametrize(
    ("dtype", "high"), [("uint8", 255), ("uint16", 9000), ("int16", 3000), ("float32", 0.3), ("float64", 1e4)]
)
def test_an_untrained_network_gives_bicubic_pixels_in_the_scenes_own_values(
    write_scene: WriteScene, tmp_path: Path, dtype: str, high: float
) -> None:
    pixels = waves(40, 50, dtype, high)
    pixels[:, 20, 25] = np.array(pixels.max() * 2 if dtype != "uint8" else 255, dtype)
    scene = write_scene("s.tif", pixels)
    copy, found, valid = copy_of(scene, sharpener(2, strength=0.0), tmp_path / "copy.tif")
    assert copy.dtype == dtype
    assert valid.all()
    expected = enlarge(torch.from_numpy(np.pad(pixels.astype(np.float64), [(0, 0), (9, 9), (9, 9)], "edge"))[None], 2)
    expected = expected[0, :, 18:-18, 18:-18].numpy()
    if np.dtype(dtype).kind != "f":
        limits = np.iinfo(dtype)
        expected = np.clip(expected, limits.min, limits.max)
        assert np.abs(found - expected).max() <= 0.51
    else:
        np.testing.assert_allclose(found, expected, rtol=1e-5, atol=1e-5 * high)


@pytest.mark.parametrize("factor", [2, 4])
def test_without_channel_attention_blocks_are_the_whole_in_pieces(
    write_scene: WriteScene, tmp_path: Path, factor: int
) -> None:
    pixels = waves(CORE + 70, CORE + 40, "float32", 1.0)
    scene, sharp = write_scene("s.tif", pixels), sharpener(factor, weigh=EqualWeights, layout=Layout(2, 3, 8))
    _, found, _ = copy_of(scene, sharp, tmp_path / "copy.tif")
    whole = at_once(scene, pixels, sharp)
    inside = np.s_[:, reach(sharp.card.layout) * factor : -reach(sharp.card.layout) * factor]
    inside = (*inside, inside[1])
    np.testing.assert_allclose(found[inside], whole[inside], rtol=0, atol=2e-5)
    assert np.abs(found - at_once(scene, pixels, sharpener(factor, 0.0))).max() > 0.02


def test_with_channel_attention_seams_are_faint(write_scene: WriteScene, tmp_path: Path) -> None:
    """The halves differ a lot, and so do the means that channels are weighed by."""
    pixels = waves(96, 2 * CORE, "float32", 1.0)
    pixels[:, :, CORE:] = 0.5 + 0.2 * (pixels[:, :, CORE:] - 0.5)
    scene, sharp = write_scene("s.tif", pixels), sharpener(2)
    _, found, _ = copy_of(scene, sharp, tmp_path / "copy.tif")
    added = found - at_once(scene, pixels, sharpener(2, 0.0))
    inside = np.s_[:, 64:-64, 64:-64]
    apart = np.abs(found - at_once(scene, pixels, sharp))[inside].max()
    assert 0 < apart < 0.1 * np.abs(added[inside]).max()


def test_the_copy_is_the_same_however_the_scene_is_stored(write_scene: WriteScene, tmp_path: Path) -> None:
    pixels = waves(CORE + 50, CORE + 30)
    tiled = write_scene("a.tif", pixels)
    striped = write_scene("b.tif", pixels, tiled=False, blockxsize=None, blockysize=7)
    files = [str(tmp_path / f"{name}.tif") for name in ("red", "green", "blue")]
    for path, band in zip(files, pixels, strict=True):
        write_scene(Path(path).name, band[None], photometric="minisblack")
    copies = [
        copy_of(scene, sharpener(2), tmp_path / f"copy{number}.tif")[1]
        for number, scene in enumerate((tiled, striped, open_scene(files)))
    ]
    assert np.array_equal(copies[0], copies[1])
    assert np.array_equal(copies[0], copies[2])


def test_channels_come_in_the_order_that_was_chosen(write_scene: WriteScene, tmp_path: Path) -> None:
    four = np.concatenate([waves(30, 40), waves(30, 40)[:1]])
    scene = write_scene("s.tif", four, photometric="minisblack")
    _, found, _ = copy_of(open_scene(scene.name, (3, 1, 4, 2)), sharpener(2, 0.0), tmp_path / "copy.tif")
    _, usual, _ = copy_of(write_scene("t.tif", four[[2, 0, 3]]), sharpener(2, 0.0), tmp_path / "usual.tif")
    assert np.array_equal(found, usual)


def test_two_bands_are_refused(write_scene: WriteScene, tmp_path: Path) -> None:
    scene = write_scene("s.tif", waves(30, 40))
    with pytest.raises(SceneError, match="red, green and blue are sharpened, got 2 bands; choose three with --bands"):
        write_sharpened(replace(scene, channels=(0, 1)), sharpener(2), CPU, tmp_path / "copy.tif")
    assert not (tmp_path / "copy.tif").exists()


@pytest.mark.parametrize(
    ("dtype", "nodata"), [("uint8", None), ("uint16", 777), ("float32", -9999.0), ("float32", np.nan)]
)
def test_fine_pixels_are_valid_where_the_coarse_one_is_and_edges_of_data_do_not_ring(
    write_scene: WriteScene, tmp_path: Path, dtype: str, nodata: float | None
) -> None:
    pixels = np.full((3, CORE + 60, 90), 100, dtype)
    holes = np.zeros(pixels.shape[1:], bool)
    holes[5:30, 40:60] = holes[CORE - 3 : CORE + 20, :50] = holes[50, 50] = True
    pixels[:, holes] = 0 if nodata is None else nodata
    scene = write_scene("s.tif", pixels, nodata=nodata)
    _, found, valid = copy_of(scene, sharpener(2, 0.0), tmp_path / "copy.tif")
    assert np.array_equal(valid, ~holes.repeat(2, axis=0).repeat(2, axis=1))
    assert (found[:, ~valid] == 0).all()
    np.testing.assert_allclose(found[:, valid], 100, rtol=1e-5)


def test_a_valid_pixel_that_comes_out_black_stays_valid(write_scene: WriteScene, tmp_path: Path) -> None:
    pixels = np.full((3, 40, 40), 1, "uint8")
    pixels[:, :, 20:] = 250
    _, found, valid = copy_of(write_scene("s.tif", pixels), sharpener(2, 0.0), tmp_path / "copy.tif")
    assert valid.all()
    assert found.min() == 1


def test_blocks_without_data_are_left_empty_and_a_scene_of_nothing_else_is_refused(
    write_scene: WriteScene, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pixels = np.zeros((3, CORE * 2, CORE), "uint8")
    pixels[:, CORE + 40 :] = waves(CORE - 40, CORE)
    seen: list[int] = []
    real = module._through
    monkeypatch.setattr(module, "_through", lambda *given: seen.append(1) or real(*given))
    _, _, valid = copy_of(write_scene("s.tif", pixels), sharpener(2), tmp_path / "copy.tif")
    assert len(seen) == 1
    assert valid.mean() == pytest.approx((CORE - 40) / (2 * CORE))
    with pytest.raises(SceneError, match="no valid pixel"):
        write_sharpened(write_scene("n.tif", pixels * 0), sharpener(2), CPU, tmp_path / "none.tif")
    assert not (tmp_path / "none.tif").exists()


def test_no_more_than_a_block_and_its_margin_is_read_at_once(
    write_scene: WriteScene, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    scene = write_scene("s.tif", waves(CORE + 90, CORE * 2))
    read: list[Window] = []
    real = SceneFiles.read
    monkeypatch.setattr(SceneFiles, "read", lambda self, window: read.append(window) or real(self, window))
    told: list[tuple[int, int]] = []
    sharp = sharpener(2, layout=Layout(1, 1, 4))
    write_sharpened(scene, sharp, CPU, tmp_path / "copy.tif", lambda *done: told.append(done))
    assert told == [(1, 4), (2, 4), (3, 4), (4, 4)]
    assert len(read) == 4
    assert max(max(window.width, window.height) for window in read) <= CORE + 2 * MARGIN


def test_the_copy_knows_when_it_was_taken(write_scene: WriteScene, tmp_path: Path) -> None:
    scene = replace(write_scene("s.tif", waves(20, 30)), acquired_at="2024-05-01T10:00:00+00:00")
    copy, _, _ = copy_of(scene, sharpener(2), tmp_path / "copy.tif")
    assert copy.acquired_at == scene.acquired_at


def test_what_fails_half_way_leaves_nothing(write_scene: WriteScene, tmp_path: Path, monkeypatch) -> None:
    def fail(*_: object) -> None:
        raise OSError(28, "No space left on device")

    scene = write_scene("s.tif", waves(20, 30))
    monkeypatch.setattr(module, "_through", fail)
    with pytest.raises(OutputError, match="No space left"):
        write_sharpened(scene, sharpener(2), CPU, tmp_path / "copy.tif")
    assert [path.name for path in tmp_path.iterdir()] == ["s.tif"]


@pytest.fixture
def shipped(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Weights of factor 4 ship, none of 2."""
    folder = tmp_path / "weights"
    folder.mkdir()
    save_sharpener(folder / "x4.safetensors", sharpener(4))
    monkeypatch.setattr("shipdet.models.sharpener.FOLDER", folder)


@pytest.mark.usefixtures("shipped")
def test_a_sharper_scene_lasts_as_long_as_the_block(write_scene: WriteScene, tmp_path: Path, monkeypatch) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path / "room"))
    (tmp_path / "room").mkdir()
    scene = replace(write_scene("s.tif", waves(20, 30)), gsd_m=(3.0, 4.0))
    with sharper_scene(scene, 4, CPU) as copy:
        assert copy.gsd_m == (0.75, 1.0)
        assert copy.scene_id == "s"
        assert (copy.grid.width, copy.grid.height) == (120, 80)
        assert len(list((tmp_path / "room").rglob("*.tif"))) == 1
    assert not list((tmp_path / "room").iterdir())


@pytest.mark.usefixtures("shipped")
def test_missing_weights_and_room_are_told_in_one_line(write_scene: WriteScene, tmp_path: Path, monkeypatch) -> None:
    scene = write_scene("s.tif", waves(20, 30))
    with pytest.raises(WeightsError, match=r"x2\.safetensors is missing"), sharper_scene(scene, 2, CPU):
        pass
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path / "nowhere"))
    with pytest.raises(OutputError, match="set TMPDIR"), sharper_scene(scene, 4, CPU):
        pass


def test_hulls_come_back_to_the_coarse_pixels() -> None:
    bow, stern = np.array([[40.0, 20.0]]), np.array([[8.0, 12.0]])
    kinds = np.array([[0.25, 0.75]])
    hulls = Hulls(bow, stern, np.array([6.0]), np.array([0.9]), np.array([UNDECIDED]), kinds)
    found = Found(hulls, Sampling(0.75, 0.8, 90, 96), np.zeros((12, 12), np.uint8), 4, None, 0.5)
    back = in_coarse_pixels(found, 4)
    assert back.hulls.bow.tolist() == [[10, 5]]
    assert back.hulls.stern.tolist() == [[2, 3]]
    assert back.hulls.beam.tolist() == [1.5]
    for name in ("score", "bow_score", "types"):
        assert np.array_equal(getattr(back.hulls, name), getattr(hulls, name))
    assert back.sampling == Sampling(3.0, 3.2, 90, 96)
    assert (back.views, back.opened) == (4, 0.5)


def test_the_margin_covers_what_the_network_reaches() -> None:
    assert reach(Layout()) <= MARGIN
