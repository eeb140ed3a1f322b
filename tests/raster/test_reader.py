import threading
from pathlib import Path

import numpy as np
import pytest
import rasterio
from affine import Affine

from shipdet.errors import ReadError
from shipdet.raster import levels, reader
from shipdet.raster.reader import FILL, SceneReader, prefetch_chips, read_chip
from shipdet.raster.sampling import model_sampling
from shipdet.raster.scene import open_scene
from shipdet.raster.stretch import Stretch, apply, scene_stretch
from shipdet.raster.tiling import Window, make_tiles

STRETCH = Stretch((0.0,) * 3, (255.0,) * 3)


def chip_of(scene, window, model_gsd_m=1.0, stretch=STRETCH):
    with SceneReader(scene, model_sampling(scene, model_gsd_m)) as opened:
        return read_chip(opened, stretch, window)


def whole(scene, model_gsd_m=1.0, stretch=STRETCH):
    sampling = model_sampling(scene, model_gsd_m)
    return chip_of(scene, Window(0, 0, sampling.width, sampling.height), model_gsd_m, stretch)


@pytest.mark.parametrize("dtype", ["uint8", "uint16", "int16", "float32", "float64"])
def test_a_window_at_the_models_scale_is_the_files_pixels_stretched(write_tif, rasters, dtype):
    pixels = rasters.noise((3, 90, 110), dtype)
    chip = chip_of(open_scene(write_tif("a.tif", pixels)), Window(10, 20, 64, 48))
    assert chip.pixels.dtype == np.float32
    assert chip.valid.all()
    assert (chip.pixels == apply(STRETCH, pixels[:, 20:68, 10:74])).all()


def test_outside_the_scene_nothing_is_valid(write_tif, rasters):
    pixels = rasters.noise((3, 40, 50))
    scene = open_scene(write_tif("a.tif", pixels))
    chip = chip_of(scene, Window(-8, -16, 72, 72))
    assert chip.valid.sum() == 40 * 50
    assert (chip.pixels[:, 16:56, 8:58] == apply(STRETCH, pixels)).all()
    assert (chip.pixels[:, ~chip.valid] == FILL).all()
    assert not chip_of(scene, Window(500, 500, 8, 8)).valid.any()


def half_masked(dataset):
    mask = np.full((40, 50), 255, np.uint8)
    mask[:, :20] = 0
    dataset.write_mask(mask)


def nan_left(pixels):
    pixels[1, :, :20] = np.nan
    return pixels


@pytest.mark.parametrize("kind", ["tag", "mask", "alpha", "zeros", "nan"])
def test_every_way_to_say_nodata_is_heard(write_tif, rasters, kind):
    pixels = rasters.noise((3, 40, 50), top=200)
    left = pixels.copy()
    left[:, :, :20] = {"tag": 250, "zeros": 0}.get(kind, 100)
    alpha = np.where(np.arange(50) < 20, 0, 255).astype(np.uint8) * np.ones((1, 40, 1), np.uint8)
    with rasterio.Env(GDAL_TIFF_INTERNAL_MASK=True):
        path = {
            "tag": lambda: write_tif("a.tif", left, nodata=250),
            "mask": lambda: write_tif("a.tif", left, half_masked),
            "alpha": lambda: write_tif("a.tif", np.concatenate([left, alpha]), photometric="rgb", alpha="yes"),
            "zeros": lambda: write_tif("a.tif", left),
            "nan": lambda: write_tif("a.tif", nan_left(left.astype(np.float32))),
        }[kind]()
    scene = open_scene(path)
    expected = {"tag": "nodata tag", "mask": "mask band", "alpha": "alpha band"}.get(kind, "none")
    assert scene.mask == expected
    for model_gsd_m in (1.0, 2.0):
        chip = whole(scene, model_gsd_m)
        edge = round(20 / model_gsd_m)
        assert not chip.valid[:, :edge].any()
        assert chip.valid[:20, edge + 1 : 25].all()
        assert np.isfinite(chip.pixels).all()
        assert (chip.pixels[:, ~chip.valid] == FILL).all()


def test_tiled_striped_and_separate_files_read_alike(write_tif, rasters):
    pixels = rasters.smooth(150, 170, "uint16")
    scenes = [
        open_scene(write_tif("tiled.tif", pixels, **rasters.tiled)),
        open_scene(write_tif("striped.tif", pixels, compress="lzw")),
        open_scene([write_tif(f"B0{4 - i}.tif", pixels[i : i + 1]) for i in range(3)]),
    ]
    for window in (Window(30, 40, 64, 64), Window(-8, 8, 40, 40)):
        for model_gsd_m in (1.0, 1.7):
            first, *others = (chip_of(scene, window, model_gsd_m) for scene in scenes)
            assert all((other.pixels == first.pixels).all() for other in others)


def test_a_single_band_and_a_chosen_order_fill_the_channels(write_tif, rasters):
    pixels = rasters.noise((3, 30, 30))
    path = write_tif("a.tif", pixels)
    assert (whole(open_scene(path, bands=(3, 1, 2))).pixels == apply(STRETCH, pixels[[2, 0, 1]])).all()
    grey = whole(open_scene(path, bands=(2,)), 2.0).pixels
    assert (grey[0] == grey[1]).all()
    assert (grey[0] == grey[2]).all()


@pytest.mark.parametrize("model_gsd_m", [0.4, 1.5, 2.9, 5.0, 20.0])
def test_a_window_does_not_change_values(write_tif, rasters, model_gsd_m):
    pixels = rasters.noise((3, 333, 401))
    pixels[:, 100:150, 200:300] = 0
    scene = open_scene(write_tif("a.tif", pixels, **rasters.tiled))
    big = whole(scene, model_gsd_m)
    for window in (Window(0, 0, 8, 8), Window(3, 5, 9, 7), Window(8, 0, 11, 15)):
        chip = chip_of(scene, window, model_gsd_m)
        place = np.s_[window.y : window.y + window.height, window.x : window.x + window.width]
        assert np.allclose(chip.pixels, big.pixels[:, *place], rtol=0, atol=1e-6)
        assert (chip.valid == big.valid[place]).all()


@pytest.mark.parametrize("model_gsd_m", [2.0, 10.0])
def test_how_much_is_read_at_once_does_not_change_values(write_tif, rasters, model_gsd_m, monkeypatch):
    scene = open_scene(write_tif("a.tif", rasters.noise((3, 200, 230))))
    expected = whole(scene, model_gsd_m)
    monkeypatch.setattr(reader, "BAND_SAMPLES", 3000)
    monkeypatch.setattr(levels, "STRIP_SAMPLES", 3000)
    found = whole(scene, model_gsd_m)
    assert np.allclose(found.pixels, expected.pixels, rtol=0, atol=1e-6)
    assert (found.valid == expected.valid).all()


@pytest.mark.parametrize(("factors", "model_gsd_m"), [([2], 2.0), ([2, 4], 4.0), ([2, 4], 5.3), ([2, 4, 8], 20.0)])
def test_overviews_read_nearly_as_the_full_resolution(write_tif, rasters, factors, model_gsd_m):
    pixels = rasters.smooth(333, 401)
    plain = whole(open_scene(write_tif("a.tif", pixels)), model_gsd_m)
    path = write_tif("b.tif", pixels)
    rasters.add_overviews(path, factors)
    scene = open_scene(path)
    sampling = model_sampling(scene, model_gsd_m)
    with SceneReader(scene, sampling) as opened:
        assert opened._level.files.width == -(-401 // factors[-1])
        chip = read_chip(opened, STRETCH, plain.window)
    inner = np.s_[:, 1:-1, 1:-1]
    assert np.abs(chip.pixels[inner] - plain.pixels[inner]).max() < 0.03
    assert chip.valid[inner[1:]].all()


def test_a_model_pixel_shows_the_place_that_its_coordinates_say(write_tif):
    pixels = np.full((3, 120, 120), 10, np.uint8)
    pixels[:, 60:66, 30:36] = 250
    for pixel_m, model_gsd_m in ((1.0, 2.0), (1.0, 0.5), (0.1, 1.0)):
        path = write_tif("a.tif", pixels, transform=Affine(pixel_m, 0, 500000, 0, -pixel_m, 5700000))
        scene = open_scene(path)
        chip = whole(scene, model_gsd_m)
        weight = (chip.pixels[0] - 10 / 255) * chip.valid
        y, x = (np.indices(weight.shape) + 0.5).reshape(2, -1) @ weight.ravel() / weight.sum()
        place = model_sampling(scene, model_gsd_m).to_scene(np.array([[x, y]]))
        assert np.allclose(place, [[33, 63]], atol=0.1)


def test_prefetched_chips_are_the_chips_in_order(write_tif, rasters):
    scene = open_scene(write_tif("a.tif", rasters.noise((3, 300, 310)), **rasters.tiled))
    sampling = model_sampling(scene, 1.0)
    tiles = make_tiles(sampling.width, sampling.height, 64, 16, 8)
    found = list(prefetch_chips(scene, sampling, STRETCH, tiles, threads=3, depth=4))
    assert [tile for tile, _ in found] == list(tiles)
    with SceneReader(scene, sampling) as opened:
        for tile, chip in found:
            assert chip.window == tile.window
            assert chip.pixels.dtype == np.uint8  # waiting chips are no larger than their file
            assert (chip.stretched().pixels == read_chip(opened, STRETCH, tile.window).pixels).all()


def reader_threads():
    return [thread for thread in threading.enumerate() if thread.name.startswith("shipdet-reader")]


def test_reading_ahead_is_bounded_and_ends_when_the_caller_leaves(write_tif, rasters, monkeypatch):
    scene = open_scene(write_tif("a.tif", rasters.noise((3, 300, 310))))
    sampling, reads = model_sampling(scene, 1.0), []
    monkeypatch.setattr(reader, "read_chip", lambda *args: reads.append(args) or read_chip(*args))
    chips = prefetch_chips(scene, sampling, STRETCH, make_tiles(310, 300, 32, 8, 8), depth=2)
    next(chips)
    next(chips)
    assert reader_threads()
    chips.close()
    assert not reader_threads()
    assert len(reads) <= 4


@pytest.mark.parametrize("options", [{"tiled": True, "blockxsize": 64, "blockysize": 64}, {}])
def test_a_truncated_file_is_a_read_error_with_the_place(write_tif, rasters, options, capfd):
    path = Path(write_tif("cut.tif", rasters.noise((3, 512, 512)), compress="deflate", **options))
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    scene = open_scene(path)
    tiles = make_tiles(512, 512, 128, 0, 8)
    with pytest.raises(ReadError, match=r"cut\.tif at column \d+, row \d+: it is truncated or damaged") as caught:
        list(prefetch_chips(scene, model_sampling(scene, 1.0), STRETCH, tiles))
    assert "\n" not in str(caught.value)
    assert not reader_threads()
    with pytest.raises(ReadError, match=r"cut\.tif"):
        scene_stretch(scene)
    assert capfd.readouterr() == ("", "")


def test_a_scene_of_one_pixel_can_be_read(write_tif):
    scene = open_scene(write_tif("a.tif", np.full((3, 1, 1), 9, np.uint8)))
    for model_gsd_m, count in ((0.34, 5), (1.0, 1), (30.0, 0)):
        chip = chip_of(scene, Window(-8, -8, 32, 32), model_gsd_m, scene_stretch(scene))
        assert chip.valid.sum() == count


def test_real_scenes_are_read(shared_data):
    port = shared_data / "sen2ships" / "busan"
    sources = [[str(path)] for path in sorted((shared_data / "geotiff").glob("*.tif"))]
    sources.append([str(port / f"{band}.tiff") for band in ("B04", "B03", "B02")])
    for source in sources:
        scene = open_scene(source)
        assert scene.grid.crs is not None
        chip = whole(scene, 2 * max(scene.gsd_m), scene_stretch(scene))
        assert chip.pixels.shape[0] == 3
        assert chip.valid.mean() > 0.5
        assert 0.1 < chip.pixels[:, chip.valid].mean() < 0.9
