"""How a batch tells of itself: one bar on a terminal, lines elsewhere, JSON lines where asked for."""

import json
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TaskID, TextColumn

from shipdet.console import complain

if TYPE_CHECKING:
    from shipdet.batch.run import Watch
    from shipdet.batch.work import Outcome

Clock = Callable[[], float]
"""Seconds from whenever."""


class Pace:
    """Scenes per hour and time left, from the scenes of this run."""

    def __init__(self, clock: Clock = time.monotonic) -> None:
        self._clock, self._began = clock, clock()
        self.total = self.done = 0

    @property
    def scenes_per_hour(self) -> float:
        """Mean so far."""
        return 3600 * self.done / max(self._clock() - self._began, 1e-6)

    @property
    def left_s(self) -> float | None:
        """Seconds to go at that pace; None before the first scene is done."""
        return 3600 * (self.total - self.done) / self.scenes_per_hour if self.done else None

    def words(self) -> str:
        """Both, for people."""
        left = self.left_s
        return "" if left is None else f"{self.scenes_per_hour:,.0f} scenes/h, {hours(left)} left"


class Lines:
    """One line a scene; a complaint on standard error for each that failed."""

    def __init__(self, pace: Pace) -> None:
        self._pace = pace

    def planned(self, waiting: int, finished: int) -> None:
        """Says how much there is to do."""
        self._pace.total = waiting
        typer.echo(f"{waiting} scenes to do, {finished} finished before")

    def begun(self, name: str) -> None:
        """Is not worth a line."""

    def ended(self, outcome: "Outcome") -> None:
        """Says what became of a scene."""
        self._pace.done += 1
        if outcome.error is not None:
            complain(f"{outcome.name}: {outcome.error}")
            return
        where = f"[{self._pace.done}/{self._pace.total}]"
        typer.echo(f"{where} {outcome.name}: {outcome.ships} ships in {outcome.seconds:.1f} s; {self._pace.words()}")


class JsonLines:
    """One JSON object a line, for programs."""

    def __init__(self, pace: Pace) -> None:
        self._pace = pace

    def planned(self, waiting: int, finished: int) -> None:
        """`event: planned`."""
        self._pace.total = waiting
        _tell(event="planned", waiting=waiting, finished=finished)

    def begun(self, name: str) -> None:
        """`event: begun`."""
        _tell(event="begun", scene=name)

    def ended(self, outcome: "Outcome") -> None:
        """`event: done` or `failed`, with the pace of the run."""
        self._pace.done += 1
        _tell(
            event="done" if outcome.error is None else "failed",
            scene=outcome.name,
            ships=outcome.ships,
            seconds=round(outcome.seconds, 3),
            error=outcome.error,
            scenes_per_hour=round(self._pace.scenes_per_hour, 1),
            seconds_left=None if self._pace.left_s is None else round(self._pace.left_s, 1),
        )


class Bar:
    """One bar for the whole batch."""

    def __init__(self, pace: Pace, bar: Progress, task: TaskID) -> None:
        self._pace, self._bar, self._task = pace, bar, task

    def planned(self, waiting: int, finished: int) -> None:
        """Draws the bar, with what was finished before in it."""
        self._pace.total = waiting
        self._bar.update(self._task, total=waiting + finished, completed=finished)

    def begun(self, name: str) -> None:
        """Names the scene that was begun last."""
        self._bar.update(self._task, scene=name)

    def tiles(self, done: int, total: int) -> None:
        """How far the scene in this process is, for scenes that take long."""
        self._bar.update(self._task, tiles=f"tile {done} of {total}" if done < total else "")

    def ended(self, outcome: "Outcome") -> None:
        """Moves the bar on."""
        self._pace.done += 1
        self._bar.update(self._task, advance=1, pace=self._pace.words())
        if outcome.error is not None:
            self._bar.console.print(f"{outcome.name}: {outcome.error}", style="red", markup=False)


@contextmanager
def watching(as_json: str) -> Iterator["Watch"]:
    """The way to tell that suits where standard output goes.

    Args:
        as_json: "json", or "text" for a bar or lines.
    """
    console, pace = Console(), Pace()
    if as_json == "json":
        yield JsonLines(pace)
    elif not console.is_terminal:
        yield Lines(pace)
    else:
        columns = [TextColumn("{task.fields[scene]}"), BarColumn(), MofNCompleteColumn()]
        columns += [TextColumn("{task.fields[pace]}"), TextColumn("{task.fields[tiles]}")]
        with Progress(*columns, console=console) as bar:
            yield Bar(pace, bar, bar.add_task("", total=None, scene="", pace="", tiles=""))


def hours(seconds: float) -> str:
    """`1:02:03`."""
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes // 60}:{minutes % 60:02d}:{rest:02d}"


def _tell(**facts: object) -> None:
    typer.echo(json.dumps(facts))
