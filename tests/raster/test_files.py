import multiprocessing
from typing import Any

import pytest
from rasterio.errors import RasterioIOError

from shipdet.raster.files import gdal_env, patiently, shown, stem


def test_files_on_disk_are_decoded_by_all_threads_and_what_may_be_remote_by_the_caller():
    assert gdal_env("a.tif").options["GDAL_NUM_THREADS"] == "ALL_CPUS"
    assert gdal_env("https://host/a.tif").options["GDAL_NUM_THREADS"] == "1"
    assert gdal_env("/vsis3/bucket/a.tif").options["GDAL_NUM_THREADS"] == "1"
    assert gdal_env("mosaic.vrt").options["GDAL_NUM_THREADS"] == "1"


def test_an_environment_variable_wins(monkeypatch):
    monkeypatch.setenv("GDAL_CACHEMAX", "64")
    assert "GDAL_CACHEMAX" not in gdal_env("a.tif").options


def test_no_environment_variable_makes_remote_files_lose_errors(monkeypatch):
    monkeypatch.setenv("GDAL_NUM_THREADS", "ALL_CPUS")
    assert gdal_env("https://host/a.tif").options["GDAL_NUM_THREADS"] == "1"


@pytest.mark.parametrize(("again", "first", "tries", "waited"), [("2", "0.5", 3, [0.5, 1.0]), ("0", "1", 1, [])])
def test_remote_files_are_tried_again_with_growing_delays(monkeypatch, again, first, tries, waited):
    monkeypatch.setenv("GDAL_HTTP_MAX_RETRY", again)
    monkeypatch.setenv("GDAL_HTTP_RETRY_DELAY", first)
    slept: list[float] = []
    monkeypatch.setattr("shipdet.raster.files.time.sleep", slept.append)
    tried = []

    def attempt() -> None:
        tried.append(1)
        raise RasterioIOError("connection reset")

    with pytest.raises(RasterioIOError):
        patiently("https://host/a.tif", attempt)
    assert (len(tried), slept) == (tries, waited)


def test_files_on_disk_are_tried_once():
    tried = []

    def attempt() -> None:
        tried.append(1)
        raise RasterioIOError("damaged")

    with pytest.raises(RasterioIOError):
        patiently("a.tif", attempt)
    assert len(tried) == 1


def test_a_url_is_shown_without_its_signature():
    url = "https://host/folder/port.2021.tif?signature=secret"
    assert shown(url) == "https://host/folder/port.2021.tif"
    assert stem(url) == "port.2021"
    assert shown("odd?name.tif") == "odd?name.tif"


def _threads_of_a_child(answer: Any) -> None:
    answer.put(gdal_env("a.tif").options["GDAL_NUM_THREADS"])


def test_a_child_process_decodes_by_itself(monkeypatch: pytest.MonkeyPatch):
    """Forked after GDAL started threads, it would wait for them forever."""
    monkeypatch.setenv("GDAL_NUM_THREADS", "ALL_CPUS")
    answer = multiprocessing.get_context("fork").SimpleQueue()
    child = multiprocessing.get_context("fork").Process(target=_threads_of_a_child, args=(answer,))
    child.start()
    assert answer.get() == "1"
    child.join()
