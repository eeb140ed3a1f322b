"""A batch that is killed at random moments ends with the same outputs as one that is not."""

import multiprocessing
import random
import sqlite3
import time
from multiprocessing.process import BaseProcess
from pathlib import Path

import pytest

from shipdet.cli import main

KILLS = 6
FAILED = 1


class Runs:
    """`shipdet batch` in processes of its own, forked from one that has imported everything already."""

    def __init__(self, folder: Path) -> None:
        self._context = multiprocessing.get_context("forkserver")
        self._context.set_forkserver_preload(["shipdet.batch.run", "shipdet.batch.processes"])
        self._folder = folder

    def start(self, out: Path, *options: str) -> BaseProcess:
        fixed = ["--format", "parquet", "--core", "64", "--threshold", "0"]
        arguments = ["batch", str(self._folder), "-o", str(out), *fixed, *options]
        process = self._context.Process(target=main, args=(arguments,))
        process.start()
        return process


def told(out: Path) -> list[tuple[object, ...]]:
    """The ledger without its times."""
    connection = sqlite3.connect(out / "ledger.sqlite")
    columns = "key, name, source, state, settings, fingerprint, model, acquired_at, ships, error"
    rows = connection.execute(f"SELECT {columns} FROM scenes ORDER BY key").fetchall()  # noqa: S608 - our own names
    connection.close()
    return rows


def tiles(out: Path) -> dict[Path, int]:
    return {path: path.stat().st_mtime_ns for path in (out / ".batch" / "tiles").rglob("*.safetensors")}


@pytest.fixture(autouse=True)
def one_thread(monkeypatch: pytest.MonkeyPatch) -> None:
    """What is forked had better have no threads."""
    for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
        monkeypatch.setenv(name, "1")


def test_kill_dash_nine_at_any_moment_changes_nothing(scenes, kit, tmp_path: Path):
    scenes.write("a.tif", taken="2024:05:01 10:00:00")
    scenes.write("giant.tif", size=(128, 192), taken="2024:05:02 10:00:00")
    scenes.broken("broken.tif")
    runs = Runs(scenes.folder)

    runs.start(tmp_path / "warm", "--threshold", "1").join()
    began = time.monotonic()
    undisturbed = runs.start(tmp_path / "whole")
    undisturbed.join()
    whole_s = time.monotonic() - began
    assert undisturbed.exitcode == FAILED

    seed = random.randrange(10**6)  # noqa: S311 - no secret
    moments, killed = random.Random(seed), 0  # noqa: S311 - likewise
    kept: dict[Path, int] = {}
    for _ in range(KILLS):
        process = runs.start(tmp_path / "killed")
        process.join(moments.uniform(0, whole_s))
        killed += process.is_alive()
        process.kill()
        process.join()
        now = tiles(tmp_path / "killed")
        assert all(now.get(path, when) == when for path, when in kept.items()), f"a tile was done twice, seed {seed}"
        kept |= now
    last = runs.start(tmp_path / "killed")
    last.join()

    assert killed, f"no kill came in time, seed {seed}"
    assert last.exitcode == FAILED
    assert kit.contents(tmp_path / "killed") == kit.contents(tmp_path / "whole"), f"seed {seed}"
    assert told(tmp_path / "killed") == told(tmp_path / "whole"), f"seed {seed}"
    assert not tiles(tmp_path / "killed")
    assert not list((tmp_path / "killed").rglob(".shipdet-*"))
