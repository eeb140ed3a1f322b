"""What the training benchmarks keep of each finished run, and the tables that they print of them.

A finished run is a small JSON file, so that a benchmark that was killed goes on where it was.
"""

import json
import statistics
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import NamedTuple

from shipdet.errors import InputError
from shipdet.files import whole_file

UNKNOWN = "-"


class Outcome(NamedTuple):
    """Figures of one trained detector; None where there was nothing to measure.

    Precision, recall and recall side by side hold at the threshold of the best F1.
    """

    f1: float | None
    ap: float | None
    precision: float | None
    recall: float | None
    side_by_side: float | None
    """recall of ships less than `shipdet.evaluation.strata.SIDE_BY_SIDE` pixels from another"""
    heading: float | None
    ms_per_mpx: float | None
    """milliseconds of detection, reading included, per megapixel of picture"""
    minutes: float
    """wall time of training, reading of its pictures included"""
    seen: int
    """training samples, be they chips or pictures"""


class Column(NamedTuple):
    """One column of a table."""

    heading: str
    field: str
    """of `Outcome`"""
    digits: int = 3


QUALITY = (
    Column("F1", "f1"),
    Column("AP", "ap"),
    Column("precision", "precision"),
    Column("recall", "recall"),
)


class Runs(NamedTuple):
    """A row of a table: the same thing tried several times."""

    name: str
    outcomes: Sequence[Outcome]


class Kept(NamedTuple):
    """A folder of finished runs."""

    folder: Path

    def outcome(self, name: str, settings: str, run: Callable[[], Outcome]) -> Outcome:
        """What an earlier run of this name gave, or what `run` gives now, which is then kept.

        Args:
            name: of the file, without its ending.
            settings: JSON of all that the outcome depends on.
            run: is called where nothing is kept.

        Raises:
            InputError: what is kept was run with other settings, or is no such file.
        """
        path = self.folder / f"{name}.json"
        if path.is_file():
            return _read(path, json.loads(settings))
        outcome = run()
        self.folder.mkdir(parents=True, exist_ok=True)
        with whole_file(path) as temporary:
            values = {"outcome": outcome._asdict(), "settings": json.loads(settings)}
            temporary.write_text(json.dumps(values, indent=2) + "\n", encoding="utf-8")
        return outcome


def _read(path: Path, settings: object) -> Outcome:
    try:
        values = json.loads(path.read_text(encoding="utf-8"))
        outcome = Outcome(**values["outcome"])
        same = values["settings"] == settings
    except (ValueError, KeyError, TypeError) as error:
        raise InputError(f"{path} is no finished run ({error}); delete it to run it again") from None
    if not same:
        raise InputError(f"{path} was run with other settings; give another --output, or delete it to run it again")
    return outcome


def mean(outcomes: Sequence[Outcome], field: str) -> float | None:
    """Of one figure over the runs that have it."""
    known = _known(outcomes, field)
    return statistics.fmean(known) if known else None


def spread(outcomes: Sequence[Outcome], field: str) -> float | None:
    """Sample standard deviation of one figure over the runs that have it; None of fewer than two."""
    known = _known(outcomes, field)
    return statistics.stdev(known) if len(known) > 1 else None


def _known(outcomes: Sequence[Outcome], field: str) -> list[float]:
    values = (getattr(outcome, field) for outcome in outcomes)
    return [float(value) for value in values if value is not None]


def table(rows: Iterable[Runs], columns: Sequence[Column]) -> str:
    """A Markdown table: mean, and +- spread where there are several runs."""
    lines = [["", *(column.heading for column in columns)], ["---"] * (len(columns) + 1)]
    lines += [[row.name, *(_cell(row.outcomes, column) for column in columns)] for row in rows]
    return "\n".join("| " + " | ".join(cells) + " |" for cells in lines)


def _cell(outcomes: Sequence[Outcome], column: Column) -> str:
    middle, around = mean(outcomes, column.field), spread(outcomes, column.field)
    if middle is None:
        return UNKNOWN
    return f"{middle:.{column.digits}f}" + ("" if around is None else f" ± {around:.{column.digits}f}")


def beside(text: str, heading: str, cells: Sequence[str]) -> str:
    """A table with one more column, of a cell for each row."""
    lines = zip(text.splitlines(), [heading, "---", *cells], strict=True)
    return "\n".join(f"{line} {cell} |" for line, cell in lines)


def wins(rows: Sequence[Runs], name: str, field: str = "f1") -> bool:
    """Whether the row of this name has the greatest mean, alone."""
    means = {row.name: mean(row.outcomes, field) or 0.0 for row in rows}
    return all(means[name] > value for other, value in means.items() if other != name)
