"""A batch from its inputs to its outputs: what is left to do is done, whatever ended the run before.

The output folder holds `scenes/` (one file a scene), `detections/` (all ships, GeoParquet by date),
`summary.csv`, `ledger.sqlite`, and the hidden `.batch/` with what is needed to go on.
"""

import logging
import shutil
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple, Protocol

from shipdet.api import DetectRequest
from shipdet.batch.dataset import write_dataset, write_summary
from shipdet.batch.inputs import Input, expand
from shipdet.batch.ledger import Ledger, Row, only_run
from shipdet.batch.settings import Settings, changes, settings_of
from shipdet.batch.tiles import forget
from shipdet.batch.work import HIDDEN, Outcome, Task, tiles_path
from shipdet.errors import InputError, OutputError
from shipdet.export.vector import check_output
from shipdet.files import SCRATCH
from shipdet.raster.files import is_remote

log = logging.getLogger(__name__)

Runner = Callable[[Iterator[Task]], Iterator[Outcome]]
"""Does tasks, as few ahead as it can keep busy, and gives their outcomes in any order."""


@dataclass(frozen=True)
class BatchRequest:
    """Which scenes, how to look at them, and where the results go."""

    inputs: tuple[str, ...] = field(repr=False)
    """As `shipdet.batch.inputs.expand` takes them."""
    folder: Path
    """Made where there is none."""
    detect: DetectRequest = field(default_factory=DetectRequest)
    ending: str = "gpkg"
    """Of the scenes' own files."""
    assets: tuple[str, ...] = ()
    """Of STAC items."""
    retry_failed: bool = False
    redo: bool = False
    """Whether scenes that were finished with other settings may be done again."""
    merge_window_s: float | None = None
    """Seconds within which overlapping footprints of several scenes are the same ship; None: not looked for."""


class Watch(Protocol):
    """Whom a run tells how it goes."""

    def planned(self, waiting: int, finished: int) -> None:
        """How many scenes are to be done, and how many were before."""

    def begun(self, name: str) -> None:
        """A scene was given to the runner."""

    def ended(self, outcome: Outcome) -> None:
        """A scene is done or has failed, and the ledger says so."""


class Tally(NamedTuple):
    """How the scenes of a batch's inputs stand after a run."""

    done: int
    """in this run"""
    skipped: int
    """finished before"""
    failed: int
    """now or before"""
    ships: int
    """of all finished scenes in the folder"""


def run_batch(request: BatchRequest, runner: Runner, watch: Watch) -> Tally:
    """Detects in all scenes that are not finished, then writes what is for all scenes together.

    Raises:
        InputError: no scenes, an unknown model or device, finished scenes of other settings.
        OutputError: the folder cannot be written, or another run is at work there.
    """
    scenes = expand(request.inputs, request.assets)
    settings = settings_of(request.detect, request.ending)
    folder = request.folder.absolute()
    _make_folders(folder, request.ending)
    with only_run(folder / HIDDEN), Ledger(folder / "ledger.sqlite") as ledger:
        _sweep(folder, ledger)
        tasks = _plan(scenes, request, settings, ledger)
        keys = {scene.key for scene in scenes}
        finished = sum(row.key in keys and row.state == "done" for row in ledger.rows())
        watch.planned(len(tasks), finished)
        by_key = {task.scene.key: task for task in tasks}
        for outcome in runner(_beginning(tasks, ledger, watch)):
            _settle(by_key[outcome.key], outcome, ledger)
            watch.ended(outcome)
        _sweep(folder, ledger)
        current = [row for row in ledger.rows() if row.settings == settings.hash]
        done = [row for row in current if row.state == "done"]
        write_dataset(folder, done, request.merge_window_s)
        write_summary(folder, current)
    mine = [row for row in current if row.key in keys]
    failed = sum(row.state == "failed" for row in mine)
    return Tally(len(mine) - failed - finished, finished, failed, sum(row.ships or 0 for row in done))


def _make_folders(folder: Path, ending: str) -> None:
    try:
        for part in ("scenes", f"{HIDDEN}/parts", f"{HIDDEN}/tiles"):
            (folder / part).mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise OutputError(f"cannot make the folder {folder} ({error.strerror}); give one that you own") from None
    check_output(folder / "scenes" / f"scene.{ending}")


def _sweep(folder: Path, ledger: Ledger) -> None:
    """Removes what processes that were killed left behind: half-written files, and tiles of scenes that are done.

    Only while nobody works: before the first scene, for a run that was killed, and after the last, for a worker.
    """
    parts = folder, folder / "scenes", folder / HIDDEN / "parts"
    scratches = [path for part in parts for path in part.glob(f"{SCRATCH}*")]
    scratches += (folder / HIDDEN / "tiles").rglob(f"{SCRATCH}*")
    for scratch in scratches:
        shutil.rmtree(scratch, ignore_errors=True)
    for row in ledger.rows():
        if row.state == "done":
            forget(tiles_path(folder, row.key))


def _plan(scenes: Sequence[Input], request: BatchRequest, settings: Settings, ledger: Ledger) -> list[Task]:
    """What is left to do, registered; scenes that a run died on come last, so that they cannot stop the rest."""
    known = {row.key: row for row in ledger.rows()}
    _refuse_other_settings(list(known.values()), request, settings, ledger)
    taken = {row.name.casefold() for row in known.values()}
    tasks = []
    for scene in scenes:
        row = known.get(scene.key)
        name = row.name if row is not None else _free_name(scene, taken)
        fingerprint = _fingerprint(scene)
        task = Task(scene, name, request.folder.absolute(), request.detect, request.ending, settings.hash, fingerprint)
        if row is None or _is_due(row, task, request.retry_failed):
            tasks.append(task)
    ledger.register(tasks, settings.content)
    died = {row.key for row in known.values() if row.state == "running"}
    return sorted(tasks, key=lambda task: task.scene.key in died)


def _refuse_other_settings(known: Sequence[Row], request: BatchRequest, settings: Settings, ledger: Ledger) -> None:
    others = [row for row in known if row.state == "done" and row.settings != settings.hash]
    if not others:
        return
    what = changes(ledger.settings(others[0].settings), settings.content)
    if not request.redo:
        raise InputError(
            f"{request.folder} holds {len(others)} scenes that were finished with other settings ({what}); "
            "pass --redo to do them again, or give another folder"
        )
    log.warning("settings changed (%s): scenes that were finished with others are done again", what)


def _is_due(row: Row, task: Task, retry_failed: bool) -> bool:
    if row.settings != task.settings or row.state in ("waiting", "running"):
        return True
    if row.fingerprint != task.fingerprint:
        log.warning("%s has changed since it was detected in; doing it again", task.scene.label)
        return True
    if row.state == "failed":
        return retry_failed
    return not (task.output.is_file() and task.part.is_file())


def _free_name(scene: Input, taken: set[str]) -> str:
    """The scene's own name, or with part of its key where another scene has it."""
    wished = scene.name.lstrip(".") or "scene"
    name = next(
        name for name in (wished, f"{wished}-{scene.key[:8]}", f"{wished}-{scene.key}") if name.casefold() not in taken
    )
    taken.add(name.casefold())
    return name


def _fingerprint(scene: Input) -> str:
    """Size and time of files on this machine; of remote ones nothing is asked."""
    facts = []
    for source in scene.sources:
        if not is_remote(source) and Path(source).is_file():
            facts.append(f"{Path(source).stat().st_size}-{Path(source).stat().st_mtime_ns}")
    return " ".join(facts)


def _beginning(tasks: Sequence[Task], ledger: Ledger, watch: Watch) -> Iterator[Task]:
    for task in tasks:
        ledger.begin(task)
        watch.begun(task.name)
        yield task


def _settle(task: Task, outcome: Outcome, ledger: Ledger) -> None:
    """The ledger first: tiles are only forgotten of scenes that it calls done."""
    if outcome.error is not None:
        for stale in (task.output, task.part):
            stale.unlink(missing_ok=True)
    ledger.finish(outcome)
    if outcome.error is None:
        forget(task.tiles)
