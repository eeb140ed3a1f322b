"""A GeoTIFF written block by block."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import rasterio
from affine import Affine
from pyproj import CRS

from shipdet.errors import OutputError
from shipdet.geometry import Grid
from shipdet.raster import written as module
from shipdet.raster.written import TILE, Block, Content, write_blocks

GRID = Grid(CRS.from_epsg(32631), Affine(0.5, 0, 5e5, 0, -0.5, 5e6), 300, 280)
CONTENT = Content(GRID, "uint16", "2024-05-01T10:00:00")


@pytest.fixture
def two() -> list[Block]:
    """The corner with a hole in it, and a part far from it."""
    random = np.random.default_rng(0)
    parts = ((0, 0, 256, 256), (256, 256, 44, 24))
    made = [
        Block(x, y, random.integers(1, 9999, (3, h, w)).astype(np.uint16), np.ones((h, w), bool))
        for x, y, w, h in parts
    ]
    made[0].valid[3:20, 5:9] = False
    return made


def test_blocks_lie_where_they_belong_and_elsewhere_nothing_is_valid(tmp_path: Path, two: list[Block]):
    write_blocks(tmp_path / "a.tif", CONTENT, iter(two))
    with rasterio.open(tmp_path / "a.tif") as file:
        assert (file.width, file.height, file.count, file.dtypes[0]) == (300, 280, 3, "uint16")
        assert (file.crs, file.transform) == (rasterio.CRS.from_epsg(32631), GRID.transform)
        assert file.block_shapes == [(TILE, TILE)] * 3
        assert [colour.name for colour in file.colorinterp] == ["red", "green", "blue"]
        assert file.tags()["ACQUISITIONDATETIME"] == CONTENT.acquired_at
        pixels, mask = file.read(), file.dataset_mask()
    expected, valid = np.zeros((3, 280, 300), np.uint16), np.zeros((280, 300), bool)
    for block in two:
        place = np.s_[block.y : block.y + block.pixels.shape[1], block.x : block.x + block.pixels.shape[2]]
        expected[:, *place], valid[place] = block.pixels, block.valid
    assert np.array_equal(pixels, expected)
    assert np.array_equal(mask > 0, valid)
    assert [path.name for path in tmp_path.iterdir()] == ["a.tif"]


def test_a_picture_that_lies_nowhere_is_written_without_a_warning(tmp_path: Path, two: list[Block]):
    nowhere = Grid(None, Affine.identity(), 300, 280)
    write_blocks(tmp_path / "a.tif", Content(nowhere, "uint16", None), two)
    assert (tmp_path / "a.tif").exists()


@pytest.mark.parametrize("lost", ["write", "write_mask"])
def test_a_block_that_did_not_reach_the_disk_is_noticed(tmp_path: Path, two: list[Block], monkeypatch, lost: str):
    """As where GDAL meets a full disk while it closes the file."""

    class Full:
        def __init__(self, file: Any) -> None:
            self.write, self.write_mask = file.write, file.write_mask
            setattr(self, lost, lambda *_, **__: None)

    real = module._write
    monkeypatch.setattr(module, "_write", lambda file, block: real(Full(file) if block.x else file, block))
    with pytest.raises(OutputError, match="came out torn"):
        write_blocks(tmp_path / "a.tif", CONTENT, two)
    assert not list(tmp_path.iterdir())


def test_a_failure_half_way_leaves_nothing(tmp_path: Path, two: list[Block]):
    def failing():
        yield two[0]
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        write_blocks(tmp_path / "a.tif", CONTENT, failing())
    assert not list(tmp_path.iterdir())
