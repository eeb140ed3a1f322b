import importlib.util
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest
import rasterio

pytest.importorskip("resource", reason="the peak memory of a child process is told on Linux and macOS only")

SCRIPT = Path(__file__).resolve().parents[2] / "benchmarks" / "memory.py"
SIZE = 1024


@pytest.fixture(scope="module")
def bench() -> ModuleType:
    spec = importlib.util.spec_from_file_location("memory", SCRIPT)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture
def scene(bench: ModuleType, tmp_path: Path) -> Path:
    path = tmp_path / "scene.tif"
    bench.write_scene(path, SIZE)
    return path


def test_the_scene_is_a_tiled_deflated_rgb_geotiff_of_one_metre_without_overviews(scene: Path) -> None:
    with rasterio.open(scene) as file:
        assert (file.width, file.height, file.count, file.dtypes[0]) == (SIZE, SIZE, 3, "uint8")
        assert file.block_shapes == [(512, 512)] * 3
        assert file.compression.value == "DEFLATE"
        assert file.crs.to_epsg() == 32631
        assert file.res == (1.0, 1.0)
        assert file.overviews(1) == []


def test_every_pixel_of_the_scene_is_the_samples_repeated(bench: ModuleType, tmp_path: Path) -> None:
    path = tmp_path / "odd.tif"
    bench.write_scene(path, 1600)
    pattern = bench.read_pattern()
    with rasterio.open(path) as file:
        pixels = file.read()
    np.testing.assert_array_equal(pixels, np.pad(pattern, [(0, 0), (0, 64), (0, 64)], mode="wrap"))


def test_the_pattern_is_valid_throughout(bench: ModuleType) -> None:
    with rasterio.open(bench.HARBOUR) as file:
        assert file.dataset_mask(window=bench.PATTERN).all()
    assert bench.read_pattern().shape == (3, 1536, 1536)


def test_overviews_are_there_when_asked_for(bench: ModuleType, scene: Path) -> None:
    bench.add_overviews(scene)
    with rasterio.open(scene) as file:
        assert file.overviews(1) == [2, 4, 8, 16]


def test_a_sparse_scene_is_one_harbour_in_the_middle_of_nothing(bench: ModuleType, tmp_path: Path) -> None:
    path = tmp_path / "sparse.tif"
    bench.write_sparse_scene(path, 4096)
    whole, corner = bench.read_pattern(), 1024
    with rasterio.open(path) as file:
        pixels, seen = file.read(), file.dataset_mask()
    np.testing.assert_array_equal(pixels[:, corner : corner + 1536, corner : corner + 1536], whole)
    assert pixels.sum(dtype=np.int64) == whole.sum(dtype=np.int64)
    assert not seen[:corner].any()
    bench.write_scene(full := tmp_path / "full.tif", 4096)
    assert path.stat().st_size < full.stat().st_size / 4
