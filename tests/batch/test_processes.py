"""Several processes on this machine, started for real; what they do is a stand-in but for one test."""

import importlib
import multiprocessing
import os
import sys
import time
from pathlib import Path
from types import ModuleType

import pytest

from shipdet.batch.processes import in_process, processes
from shipdet.batch.run import run_batch
from shipdet.batch.work import Task


def test_several_processes_leave_what_one_leaves(scenes, kit, watch, tmp_path: Path):
    for name, x in (("a", 1000), ("b", 1100), ("c", 1200)):
        scenes.write(f"{name}.tif", x=x)
    scenes.broken("broken.tif")
    together = kit.watched()
    alone = run_batch(kit.detect(scenes.folder), in_process, watch)
    shared = run_batch(kit.detect(scenes.folder, folder=tmp_path / "shared"), lambda t: processes(t, 2), together)
    assert alone == shared
    assert shared.done == 3
    assert together.errors == watch.errors
    assert kit.contents(tmp_path / "shared") == kit.contents(tmp_path / "out")


STAND_IN = """
import os, signal, time
from shipdet.batch.processes import processes
from shipdet.batch.work import Outcome

def work(task):
    pids = task.folder / "pids"
    pids.mkdir(exist_ok=True)
    (pids / f"{task.name}-{os.getpid()}").touch()
    deaths = len(list(pids.glob(f"{task.name}-*")))
    if task.name == "poison" or (task.name == "unlucky" and deaths == 1):
        os.kill(os.getpid(), signal.SIGKILL)
    if task.name == "endless":
        time.sleep(600)
    return Outcome(task.scene.key, task.name, 1, None, "stand-in", 0.0, None)

def run(tasks):
    list(processes(iter(tasks), 2, work))
"""


@pytest.fixture
def stand_in(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    """Another work than detecting, in a module that other processes find."""
    (tmp_path / "site").mkdir()
    (tmp_path / "site" / "stand_in_work.py").write_text(STAND_IN)
    (tmp_path / "out").mkdir()
    monkeypatch.syspath_prepend(tmp_path / "site")
    monkeypatch.delitem(sys.modules, "stand_in_work", raising=False)
    return importlib.import_module("stand_in_work")


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """Processes are forked from one that has imported everything and done nothing."""
    multiprocessing.set_forkserver_preload(["shipdet.batch.run", "shipdet.batch.processes"])
    monkeypatch.setattr("shipdet.batch.processes.START", "forkserver")


def tasks(kit, tmp_path: Path, *names: str) -> list[Task]:
    return [kit.task(tmp_path / f"{name}.tif", name) for name in names]


def workers(tmp_path: Path) -> list[int]:
    return [int(path.name.split("-")[1]) for path in tmp_path.glob("out/pids/*")]


def test_a_process_that_dies_costs_no_other_scene(stand_in, quick, kit, tmp_path: Path):
    given = tasks(kit, tmp_path, "a", "poison", "b", "unlucky", "c")
    errors = {outcome.name: outcome.error for outcome in processes(iter(given), 2, stand_in.work)}
    assert set(errors) == {"a", "b", "c", "poison", "unlucky"}
    assert [name for name, error in errors.items() if error] == ["poison"]
    assert "2 processes died on it" in str(errors["poison"])


def test_processes_end_with_the_run(stand_in, quick, kit, tmp_path: Path):
    running = processes(iter(tasks(kit, tmp_path, "a", "endless")), 2, stand_in.work)
    next(running)
    wait_for(lambda: len(workers(tmp_path)) == 2)
    running.close()
    assert not [pid for pid in workers(tmp_path) if alive(pid)]


def test_processes_do_not_outlive_a_parent_that_was_killed(stand_in, quick, kit, tmp_path: Path):
    context = multiprocessing.get_context("forkserver")
    parent = context.Process(target=stand_in.run, args=(tasks(kit, tmp_path, "endless"),))
    parent.start()
    wait_for(lambda: workers(tmp_path))
    parent.kill()
    parent.join()
    (worker,) = workers(tmp_path)
    wait_for(lambda: not alive(worker))


def alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    state = Path(f"/proc/{pid}/stat")
    return not state.exists() or state.read_text().rpartition(")")[2].split()[0] != "Z"


def wait_for(condition) -> None:
    until = time.monotonic() + 300
    while not condition():
        assert time.monotonic() < until
        time.sleep(0.05)
