"""The runner on a Dask cluster: its workers see the same folders under the same names.

Who keeps the ledger is the process that gave the command. A worker that dies has its scene taken over by
another, which goes on with the tiles that the first one finished. Dask sends tasks by pickle: keep its
ports from those you do not trust, or use its tls:// addresses.
"""

import logging
import uuid
from collections.abc import Iterable, Iterator
from itertools import islice
from typing import Any

from shipdet.batch.work import Outcome, Task, do_task, failed
from shipdet.errors import InputError, ShipdetError

log = logging.getLogger(__name__)

CONNECT_S = 20
AHEAD = 2
"""Scenes handed out for each thread of the cluster, so that no worker waits for the next."""
LEAST_AHEAD = 4


def on_cluster(tasks: Iterator[Task], scheduler: str) -> Iterator[Outcome]:
    """Does tasks on the workers of a scheduler.

    Args:
        tasks: drawn as the cluster works them off.
        scheduler: its address, such as tcp://HOST:8786.

    Raises:
        InputError: Dask is not installed, or no scheduler answers there.
        ShipdetError: the scheduler went away.
    """
    try:
        from dask.distributed import Client, as_completed  # noqa: PLC0415 - of the extra `dask`
    except ModuleNotFoundError:
        raise InputError("--scheduler needs Dask; install it with: pip install 'shipdet[dask]'") from None
    try:
        client = Client(scheduler, timeout=CONNECT_S, set_as_default=False)
    except (OSError, ValueError) as error:
        reason = " ".join(str(error).split())[:200]
        raise InputError(f"no Dask scheduler at {scheduler} ({reason}); start one with: dask scheduler") from None
    with client:
        threads = sum(client.nthreads().values())
        if not threads:
            log.warning("no worker has joined %s yet; start one with: dask worker %s", scheduler, scheduler)
        given: dict[str, Task] = {}
        first = _give(client, islice(tasks, max(LEAST_AHEAD, AHEAD * threads)), given)
        working = as_completed(first, loop=client.loop)
        for future in working:
            outcome = _outcome(future, given.pop(future.key), scheduler)
            future.release()  # else, when the worker that keeps the outcome dies, another does the scene once more
            yield outcome
            working.update(_give(client, islice(tasks, 1), given))


def _give(client: Any, tasks: Iterable[Task], given: dict[str, Task]) -> list[Any]:
    """Futures of tasks, which are noted by the futures' keys."""
    futures = []
    for task in tasks:
        key = f"shipdet-{task.name}-{uuid.uuid4().hex}"
        given[key] = task
        futures.append(client.submit(do_task, task, key=key, pure=False))
    return futures


def _outcome(future: Any, task: Task, scheduler: str) -> Outcome:
    if future.status == "finished":
        outcome: Outcome = future.result()
        return outcome
    if future.status != "error":
        raise ShipdetError(f"the scheduler at {scheduler} went away; start it and give the command again to go on")
    error = future.exception()
    if type(error).__name__ == "KilledWorker":
        return failed(task, "several workers died on it, perhaps out of memory; see their logs")
    return failed(task, f"its worker failed with {type(error).__name__}: {error}")
