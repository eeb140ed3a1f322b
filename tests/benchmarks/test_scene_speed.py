"""What the benchmark of whole scenes measures and demands."""

from pathlib import Path

import numpy as np
import pytest
import rasterio
from scene_speed import DECODE, DENSE, FLOAT32, SCOUT, YOLO, Measured, rows_of, verdicts
from speed_scenes import SpeedScene, write_speed_scene


def measured(factor: float = 1.0, memory_gb: float = 1.0) -> list[Measured]:
    """Every row as quick as the contract asks, times a factor."""
    speeds = {YOLO: 5.0, DECODE: 100.0, FLOAT32: 10.0, DENSE: 20.0 * factor, SCOUT: 250.0 * factor}
    scenes = [
        SpeedScene(kind, size, overviews, Path("a.tif"))
        for kind in ("open water", "busy harbour")
        for size in (4096, 16384)
        for overviews in (True, False)
    ]
    return [
        Measured(scene, row, scene.megapixels / speeds[row], memory_gb, 1.0)
        for scene in scenes
        for row in rows_of(scene, scouted=True)
    ]


def test_the_contract_is_met_from_its_own_figures_on():
    assert all(met for _, met in verdicts(measured(1.001)))
    slow = [words for words, met in verdicts(measured(0.99)) if not met]
    assert [words.rpartition(":")[0] for words in slow] == [
        "busy harbour, overviews: dense against sliced YOLO",
        "open water, overviews: scout against sliced YOLO",
    ]


def test_too_much_memory_or_a_cost_that_grows_is_told():
    assert [words for words, met in verdicts(measured(1.1, 1.6)) if not met] == [
        "peak memory 1.60 GB, expected below 1.5"
    ]
    growing = [m._replace(seconds=m.seconds * 1.2) if m.scene.size == 16384 else m for m in measured(2.0)]
    assert sum(not met for _, met in verdicts(growing)) == 2


def test_what_was_not_measured_is_not_met():
    found = verdicts([m for m in measured(2.0) if m.row != SCOUT])
    assert sum("not measured" in words for words, met in found if not met) == 3


@pytest.mark.parametrize("overviews", [True, False])
def test_open_water_is_99_percent_sea(tmp_path: Path, overviews: bool):
    scene = write_speed_scene(tmp_path, "open water", 1024, overviews)
    with rasterio.open(scene.path) as file:
        assert bool(file.overviews(1)) == overviews
        assert file.block_shapes[0] == (512, 512)
        pixels = file.read().astype(float)
    off = np.abs(pixels - np.array([52.0, 74.0, 78.0])[:, None, None]).max(axis=0) > 35
    rows, columns = np.nonzero(off)
    assert 0.002 < off.mean() < 0.011
    assert min(rows.min(), columns.min()) >= 460
    assert max(rows.max(), columns.max()) < 565
