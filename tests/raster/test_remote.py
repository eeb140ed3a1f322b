"""Scenes over HTTP: only what is needed is fetched, what breaks is tried again, secrets stay secret."""

import logging
from pathlib import Path

import numpy as np
import pytest
from rasterio.shutil import copy

from shipdet.errors import ReadError, SceneError
from shipdet.raster.info import scene_info
from shipdet.raster.reader import SceneReader
from shipdet.raster.sampling import model_sampling
from shipdet.raster.scene import open_scene
from shipdet.raster.tiling import Window

SIDE = 1024
WHERE = Window(300, 300, 200, 200)
PLACE = np.s_[:, 300:500, 300:500]
SECRET = {"user": "alice:hunter2@", "query": "?X-Signature=SECRET"}


@pytest.fixture
def cog(write_tif, rasters, tmp_path: Path) -> np.ndarray:
    """The pixels of cog.tif, which do not compress."""
    pixels = rasters.noise((3, SIDE, SIDE))
    copy(write_tif("plain.tif", pixels), tmp_path / "cog.tif", driver="COG", compress="deflate", blocksize=128)
    return pixels


def read(url: str) -> np.ndarray:
    scene = open_scene(url)
    with SceneReader(scene, model_sampling(scene, 1.0)) as reader:
        return reader.read(WHERE)[0]


def test_only_the_blocks_that_are_read_are_fetched(cog, serve, tmp_path: Path):
    assert (read(serve.url("cog.tif")) == cog[PLACE]).all()
    sent = sum(request["sent"] for request in serve.served())
    blocks = 2 * 2 * 128 * 128 * 3
    assert blocks <= sent < 1.5 * blocks + 4 * 16384
    assert sent < (tmp_path / "cog.tif").stat().st_size / 4
    assert all(request["range"] for request in serve.served() if request["sent"])


@pytest.mark.parametrize("fault", ["drop", "half", 503, 429])
@pytest.mark.parametrize("at", [1, 2, 3, 5])
def test_one_failure_is_tried_over(cog, serve, fault: str | int, at: int):
    serve.fail(fault, at, at)
    assert (read(serve.url("cog.tif", query=f"?{fault}={at}")) == cog[PLACE]).all()


@pytest.mark.parametrize("fault", ["drop", "half", 503])
def test_a_connection_that_stays_broken_is_the_scenes_error(cog, serve, monkeypatch, fault: str | int):
    monkeypatch.setenv("GDAL_HTTP_MAX_RETRY", "1")
    scene = open_scene(serve.url("cog.tif", query=f"?{fault}", user=SECRET["user"]))
    with SceneReader(scene, model_sampling(scene, 1.0)) as reader:
        serve.fail(fault)
        with pytest.raises(ReadError, match=r"connection failed.*get the file again") as caught:
            reader.read(WHERE)
        assert "alice" not in str(caught.value)
        serve.recover()
        assert (reader.read(WHERE)[0] == cog[PLACE]).all()


def test_a_server_that_cannot_be_reached_is_the_scenes_error(monkeypatch):
    monkeypatch.setenv("GDAL_HTTP_RETRY_DELAY", "0.01")
    with pytest.raises(SceneError, match=r"http://127.0.0.1:1/cog.tif cannot be opened"):
        open_scene("http://alice:hunter2@127.0.0.1:1/cog.tif?X-Signature=SECRET")


@pytest.mark.parametrize("status", [401, 403, 404])
def test_what_the_server_refuses_is_not_asked_for_again(cog, serve, status: int):
    serve.fail(status)
    with pytest.raises(SceneError, match=f"HTTP response code: {status}"):
        open_scene(serve.url("cog.tif", query=f"?{status}"))
    assert len(serve.served()) <= 3


def test_a_failure_is_forgotten_once_the_server_recovers(cog, serve):
    url = serve.url("cog.tif", query="?recovers")
    serve.fail(404)
    with pytest.raises(SceneError):
        open_scene(url)
    serve.recover()
    assert open_scene(url).grid.width == SIDE


def test_secrets_reach_the_server_but_are_neither_told_nor_logged(cog, serve, caplog: pytest.LogCaptureFixture):
    caplog.set_level(logging.DEBUG)
    url = serve.url("cog.tif", **SECRET)
    assert scene_info(open_scene(url), 1.0).paths == (serve.url("cog.tif"),)
    assert "SECRET" in serve.served()[0]["path"]
    assert serve.served()[0]["authorization"].startswith("Basic ")
    serve.fail("half")
    with pytest.raises(SceneError) as broken:
        open_scene(url)
    serve.fail(403)
    with pytest.raises(SceneError) as refused:
        open_scene(url)
    told = f"{broken.value} {refused.value} {caplog.text}"
    assert "trying again" in told
    assert not [secret for secret in ("alice", "hunter2", "SECRET") if secret in told]


def mosaic(path: Path, left: str, right: str) -> Path:
    """A VRT of two pictures side by side."""
    sources = "".join(
        f'<SimpleSource><SourceFilename relativeToVRT="0">{name}</SourceFilename><SourceBand>{{band}}</SourceBand>'
        f'<SrcRect xOff="0" yOff="0" xSize="512" ySize="{SIDE}"/>'
        f'<DstRect xOff="{x}" yOff="0" xSize="512" ySize="{SIDE}"/></SimpleSource>'
        for x, name in ((0, left), (512, right))
    )
    bands = "".join(
        f'<VRTRasterBand dataType="Byte" band="{band}">{sources.format(band=band)}</VRTRasterBand>'
        for band in (1, 2, 3)
    )
    place = "<SRS>EPSG:32631</SRS><GeoTransform>500000, 1, 0, 5700000, 0, -1</GeoTransform>"
    path.write_text(f'<VRTDataset rasterXSize="{SIDE}" rasterYSize="{SIDE}">{place}{bands}</VRTDataset>')
    return path


@pytest.fixture
def halves(write_tif, rasters) -> np.ndarray:
    """The pixels of left.tif and right.tif together."""
    pixels = rasters.noise((3, SIDE, SIDE))
    write_tif("left.tif", pixels[:, :, :512], **rasters.tiled)
    write_tif("right.tif", pixels[:, :, 512:], **rasters.tiled)
    return pixels


def test_a_mosaic_is_one_scene(halves, tmp_path: Path):
    path = mosaic(tmp_path / "both.vrt", f"{tmp_path}/left.tif", f"{tmp_path}/right.tif")
    scene = open_scene(path)
    with SceneReader(scene, model_sampling(scene, 1.0)) as reader:
        assert (reader.read(Window(400, 300, 224, 200))[0] == halves[:, 300:500, 400:624]).all()


def test_a_mosaic_with_a_part_missing_is_an_error(halves, tmp_path: Path):
    path = mosaic(tmp_path / "both.vrt", f"{tmp_path}/left.tif", f"{tmp_path}/gone.tif")
    scene = open_scene(path)
    with SceneReader(scene, model_sampling(scene, 1.0)) as reader, pytest.raises(ReadError, match=r"both\.vrt"):
        reader.read(Window(400, 300, 224, 200))


def test_a_mosaic_of_remote_parts_that_break_is_an_error_and_no_black_hole(halves, serve, tmp_path, monkeypatch):
    monkeypatch.setenv("GDAL_HTTP_MAX_RETRY", "1")
    monkeypatch.setenv("GDAL_NUM_THREADS", "ALL_CPUS")
    parts = [f"/vsicurl/{serve.url(name)}" for name in ("left.tif", "right.tif")]
    scene = open_scene(mosaic(tmp_path / "both.vrt", *parts))
    with SceneReader(scene, model_sampling(scene, 1.0)) as reader:
        serve.fail("drop", on="right")
        with pytest.raises(ReadError, match=r"both\.vrt"):
            reader.read(Window(400, 300, 224, 200))
