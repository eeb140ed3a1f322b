import multiprocessing
from typing import Any

import pytest

from shipdet.raster.files import gdal_env, shown, stem


def test_files_on_disk_are_decoded_by_all_threads_and_remote_ones_by_the_caller():
    assert gdal_env("a.tif").options["GDAL_NUM_THREADS"] == "ALL_CPUS"
    assert "GDAL_NUM_THREADS" not in gdal_env("https://host/a.tif").options
    assert "GDAL_NUM_THREADS" not in gdal_env("/vsis3/bucket/a.tif").options


def test_an_environment_variable_wins(monkeypatch):
    monkeypatch.setenv("GDAL_CACHEMAX", "64")
    assert "GDAL_CACHEMAX" not in gdal_env("a.tif").options


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
