"""Runners on this machine: in this process, or in several.

Each of several processes has one scene at a time and a pipe of its own, so that when one dies (out of
memory, say) it is known over which scene, and only that one is given to another.
"""

import multiprocessing
import os
import signal
import threading
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import suppress
from multiprocessing.connection import Connection, wait
from multiprocessing.context import BaseContext
from multiprocessing.process import BaseProcess
from typing import NamedTuple

from shipdet.batch.work import Outcome, Task, do_task, failed

START = "spawn"
"""How processes come to be: clean ones, for torch and GDAL do not outlive a fork once they have worked."""
DEATHS = 2
"""Processes that a scene may cost before it is called failed."""
GRACE_S = 5.0
"""How long a process may take to end."""


Work = Callable[[Task], Outcome]


def in_process(tasks: Iterator[Task], progress: Callable[[int, int], None] | None = None) -> Iterator[Outcome]:
    """Does one task after the other.

    Args:
        tasks: each drawn when the one before is done.
        progress: is told of the tiles of each.
    """
    for task in tasks:
        yield do_task(task, progress)


def processes(tasks: Iterator[Task], count: int, work: Work = do_task) -> Iterator[Outcome]:
    """Does tasks in several processes, which share this machine's cores.

    Args:
        tasks: each drawn when a process is free for it.
        count: of processes, at least one.
        work: what is done with each; a function that other processes can import.
    """
    pool = _Pool(max(1, (os.cpu_count() or 1) // count), work)
    try:
        again: deque[Task] = deque()
        deaths: dict[str, int] = {}
        while True:
            while pool.busy < count and (task := again.popleft() if again else next(tasks, None)) is not None:
                pool.give(task)
            if not pool.busy:
                return
            for task, outcome in pool.ended():
                if outcome is not None:
                    yield outcome
                    continue
                deaths[task.name] = deaths.get(task.name, 0) + 1
                if deaths[task.name] < DEATHS:
                    again.append(task)
                else:
                    yield failed(task, f"{DEATHS} processes died on it, perhaps out of memory; see the system's log")
    finally:
        pool.close()


class _Worker(NamedTuple):
    process: BaseProcess
    pipe: "Connection[Task | None, Outcome]"


class _Pool:
    """Processes, started when there is work for them and replaced when they die."""

    def __init__(self, threads: int, work: Work) -> None:
        self._context: BaseContext = multiprocessing.get_context(START)
        self._threads, self._work = threads, work
        self._idle: list[_Worker] = []
        self._working: dict[_Worker, Task] = {}

    @property
    def busy(self) -> int:
        return len(self._working)

    def give(self, task: Task) -> None:
        worker = self._idle.pop() if self._idle else self._start()
        self._working[worker] = task
        with suppress(OSError):  # it died idle: `ended` will see that
            worker.pipe.send(task)

    def ended(self) -> list[tuple[Task, Outcome | None]]:
        """Waits for outcomes; None of a task whose process died."""
        ready = wait([worker.pipe for worker in self._working])
        ends: list[tuple[Task, Outcome | None]] = []
        for worker in [worker for worker in self._working if worker.pipe in ready]:
            task = self._working.pop(worker)
            try:
                ends.append((task, worker.pipe.recv()))
                self._idle.append(worker)
            except (EOFError, OSError):
                self._end(worker)
                ends.append((task, None))
        return ends

    def close(self) -> None:
        for worker in [*self._idle, *self._working]:
            worker.process.terminate()
            self._end(worker)

    def _start(self) -> _Worker:
        ours, theirs = self._context.Pipe()
        # Every kind of context has it, though not their common type.
        process: BaseProcess = self._context.Process(  # type: ignore[attr-defined]
            target=_serve, args=(theirs, self._threads, self._work), daemon=True
        )
        process.start()
        theirs.close()  # so that the process's death closes the pipe
        return _Worker(process, ours)

    @staticmethod
    def _end(worker: _Worker) -> None:
        worker.pipe.close()
        worker.process.join(GRACE_S)
        if worker.process.is_alive():
            worker.process.kill()
            worker.process.join()


def _serve(pipe: "Connection[Outcome, Task | None]", threads: int, work: Work) -> None:
    """What a process does: tasks, until there are no more or nobody who wants them."""
    import torch  # noqa: PLC0415 - here where it is used, not in the process that only deals tasks out

    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C reaches the whole group; the parent ends this one
    threading.Thread(target=_leave_with_parent, daemon=True).start()
    torch.set_num_threads(threads)
    with suppress(EOFError, OSError):
        while (task := pipe.recv()) is not None:
            pipe.send(work(task))


def _leave_with_parent() -> None:
    """A parent that was killed cannot say so; without it the work here would be for nobody."""
    parent = multiprocessing.parent_process()
    if parent is not None:
        wait([parent.sentinel])
        os._exit(1)
