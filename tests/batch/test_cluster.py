"""A Dask cluster, started for real on loopback: a scheduler and two workers, one of which is killed in the middle."""

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from functools import partial
from pathlib import Path

import pytest

from shipdet.batch.cluster import on_cluster
from shipdet.batch.processes import in_process
from shipdet.batch.run import run_batch
from shipdet.batch.work import Outcome, Task
from shipdet.errors import InputError

START_S = 300
"""A process may take this long to start on a machine that is busy."""


class Cluster:
    """Processes as the command line `dask` starts them."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._started = ExitStack()
        self.workers: dict[str, subprocess.Popen[bytes]] = {}

    def start(self) -> str:
        """The scheduler's address; workers join it."""
        told = self._folder / "scheduler.json"
        self._run("scheduler", "--scheduler-file", str(told), "--host", "127.0.0.1", "--port", "0", "--no-dashboard")
        wait_for(told.exists)
        joined = ["--scheduler-file", str(told), "--host", "127.0.0.1", "--nthreads", "1", "--no-nanny"]
        for name in ("one", "two"):
            self.workers[name] = self._run("worker", *joined, "--name", name, "--no-dashboard")
        return str(_json(told)["address"])

    def _run(self, what: str, *options: str) -> subprocess.Popen[bytes]:
        command = [sys.executable, "-m", "dask", what, *options, "--local-directory", str(self._folder)]
        if what == "scheduler":
            command = command[:-2]
        log = self._started.enter_context((self._folder / f"{what}{len(self.workers)}.log").open("wb"))
        process = subprocess.Popen(command, stdout=log, stderr=log, env={**os.environ, "OMP_NUM_THREADS": "1"})  # noqa: S603
        self._started.callback(process.wait)
        self._started.callback(process.kill)
        return process

    @property
    def logs(self) -> str:
        return "".join(path.read_text() for path in self._folder.glob("*.log"))

    def close(self) -> None:
        self._started.close()


def _json(path: Path) -> dict[str, object]:
    return dict(json.loads(path.read_text()))


def wait_for(condition: Callable[[], object]) -> None:
    until = time.monotonic() + START_S
    while not condition():
        assert time.monotonic() < until
        time.sleep(0.05)


@pytest.fixture
def cluster(tmp_path: Path) -> Iterator[Cluster]:
    (tmp_path / "dask").mkdir()
    running = Cluster(tmp_path / "dask")
    yield running
    running.close()


def working(client: object) -> dict[str, list[str]]:
    """The scenes in each worker's hands, by the worker's name."""
    info = client.scheduler_info(n_workers=-1)["workers"]  # type: ignore[attr-defined]
    tasks = client.processing()  # type: ignore[attr-defined]
    return {facts["name"]: [str(key) for key in tasks.get(address, ())] for address, facts in info.items()}


def kept(client: object, name: str) -> list[str]:
    """What workers keep of a scene's outcome."""
    return [str(key) for key in client.who_has() if f"-{name}-" in str(key)]  # type: ignore[attr-defined]


def released(outcomes: Iterator[Outcome], client: object) -> Iterator[Outcome]:
    """Each outcome, once no worker keeps it."""
    for outcome in outcomes:
        wait_for(partial(lambda name: not kept(client, name), outcome.name))
        yield outcome


def do_nothing(task: Task) -> Outcome:
    return Outcome(task.scene.key, task.name, 0, None, None, 0.0, None)


@pytest.mark.filterwarnings("default")  # Dask's own
def test_a_cluster_that_loses_a_worker_leaves_what_one_leaves(cluster, scenes, serve, kit, watch, tmp_path: Path):
    from dask.distributed import Client  # noqa: PLC0415

    address = cluster.start()
    for name, x in (("a", 1000), ("b", 1050), ("c", 1100)):
        scenes.write(f"{name}.tif", x=x)
    giants = [scenes.write(f"giant{n}.tif", x=900 + n, size=(192, 192)) for n in (1, 2)]
    remote = serve.url("in/broken.tif", user="alice:hunter2@", query="?sig=SECRET")
    scenes.broken("broken.tif")
    given = [*giants, *(scenes.folder / f"{name}.tif" for name in "abc"), remote]
    alone = run_batch(kit.detect(*given, folder=tmp_path / "alone"), in_process, watch)

    together = kit.watched()
    with Client(address, set_as_default=False) as client:
        client.wait_for_workers(2, timeout=START_S)
        killed: list[str] = []

        def kill_one(outcome: Outcome) -> None:
            wait_for(lambda: not kept(client, outcome.name))
            busy = [name for name, tasks in working(client).items() if tasks]
            if busy and not killed:
                killed.append(busy[0])
                cluster.workers[busy[0]].kill()

        together.on_end = kill_one
        shared = run_batch(kit.detect(*given), lambda tasks: on_cluster(tasks, address), together)

    assert killed
    assert cluster.workers[killed[0]].wait() != 0
    assert shared == alone
    assert (alone.done, alone.failed) == (5, 1)
    assert together.errors == watch.errors
    assert not list((tmp_path / "out").rglob(".shipdet-*"))
    assert not list((tmp_path / "out" / ".batch" / "tiles").iterdir())
    assert kit.contents(tmp_path / "out") == kit.contents(tmp_path / "alone")
    told = cluster.logs + (tmp_path / "out" / "ledger.sqlite").read_bytes().decode(errors="replace")
    assert not [secret for secret in ("alice:", "hunter2", "SECRET") if secret in told]


@pytest.mark.filterwarnings("default")  # Dask's own
def test_an_outcome_that_was_told_is_not_kept_on_the_cluster(kit, scenes, monkeypatch):
    """Where it is, the death of the worker that keeps it has the scene done again, over what is finished."""
    from dask.distributed import Client, LocalCluster  # noqa: PLC0415

    monkeypatch.setattr("shipdet.batch.cluster.do_task", do_nothing)
    tasks = [kit.task(scenes.write(f"{name}.tif"), name) for name in ("one", "two", "three")]
    options = {"n_workers": 1, "threads_per_worker": 1, "processes": False, "dashboard_address": None}
    with LocalCluster(**options) as here, Client(here, set_as_default=False) as client:
        told = [outcome.name for outcome in released(on_cluster(iter(tasks), here.scheduler_address), client)]
    assert sorted(told) == ["one", "three", "two"]


@pytest.mark.filterwarnings("default")  # Dask's own
def test_a_scheduler_that_is_not_there_is_told(kit, scenes, watch, monkeypatch):
    monkeypatch.setattr("shipdet.batch.cluster.CONNECT_S", 0.5)
    scenes.write("a.tif")
    with pytest.raises(InputError, match=r"no Dask scheduler at tcp://127.0.0.1:1 .*dask scheduler"):
        run_batch(kit.detect(scenes.folder), lambda tasks: on_cluster(tasks, "tcp://127.0.0.1:1"), watch)


def test_without_dask_there_is_advice(kit, scenes, watch, monkeypatch):
    monkeypatch.setitem(sys.modules, "dask.distributed", None)
    scenes.write("a.tif")
    with pytest.raises(InputError, match=r"pip install 'shipdet\[dask\]'"):
        run_batch(kit.detect(scenes.folder), lambda tasks: on_cluster(tasks, "tcp://127.0.0.1:1"), watch)
