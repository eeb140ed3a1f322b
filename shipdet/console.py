"""What the command line shows: progress, ships in a table, complaints in one line."""

import logging
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from itertools import groupby
from typing import TYPE_CHECKING, Any, NamedTuple

import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn
from rich.table import Table

from shipdet.redaction import redact_record, redacted

if TYPE_CHECKING:
    import geopandas as gpd

    from shipdet.models.weights import Card
    from shipdet.models.weights import Scores as CardScores
    from shipdet.raster.info import SceneInfo

ROWS = 20
"""Ships that the table shows."""
STEPS = 10
"""Lines of progress where there is no terminal to draw a bar on."""


class Column(NamedTuple):
    """One column of the table of ships."""

    name: str
    title: str
    form: str


ON_EARTH = (Column("lon", "lon", "{:.5f}"), Column("lat", "lat", "{:.5f}"))
IN_PIXELS = (Column("bow_col", "bow x", "{:.1f}"), Column("bow_row", "bow y", "{:.1f}"))
MEASURED = (
    Column("heading_deg", "heading", "{:.0f}°"),
    Column("length_m", "length", "{:.0f} m"),
    Column("beam_m", "beam", "{:.0f} m"),
    Column("score", "score", "{:.2f}"),
)


def complain(message: str) -> None:
    """Says what is wrong in one line on standard error, however many the message has, and without secrets."""
    typer.echo(f"shipdet: {redacted(' '.join(message.split()))}", err=True)


@contextmanager
def notes() -> Iterator[None]:
    """While it lasts, what the library warns of is told on standard output: standard error is for failures."""
    handler = logging.StreamHandler(sys.stdout)
    handler.setFormatter(logging.Formatter("note: %(message)s"))
    handler.addFilter(redact_record)
    log = logging.getLogger("shipdet")
    log.addHandler(handler)
    try:
        yield
    finally:
        log.removeHandler(handler)


@contextmanager
def progress(label: str) -> Iterator[Callable[[int, int], None]]:
    """How far something is: a bar on a terminal, now and then a line elsewhere. Called with done and total."""
    console = Console()
    if not console.is_terminal:
        yield _lines(label)
        return
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=console, transient=True) as bar:
        task = bar.add_task(label, total=None)
        yield lambda done, total: bar.update(task, completed=done, total=total)


def _lines(label: str) -> Callable[[int, int], None]:
    told, of = 0, 0

    def report(done: int, total: int) -> None:
        nonlocal told, of
        if total != of:  # something else has begun
            told, of = 0, total
        step = STEPS * done // max(total, 1)
        if step > told:
            told = step
            typer.echo(f"{label}: {done} of {total}")

    return report


def share(part: float) -> str:
    """A share as a percentage of about two digits: `31 %`, `3.1 %`."""
    return f"{100 * part:.{0 if part >= 0.1 else 1}f} %"


def show_ships(tables: Sequence["gpd.GeoDataFrame"]) -> None:
    """The best ships of all scenes as a table; which scene is told where there are several."""
    ships = [ship for table in tables for ship in table.nlargest(ROWS, "score").itertuples()]
    count = sum(map(len, tables))
    if not count:
        return
    ships = sorted(ships, key=lambda ship: -ship.score)[:ROWS]
    on_earth = all(table.crs is not None for table in tables)
    columns = (
        Column("id", "id", "{}"),
        *((Column("scene_id", "scene", "{}"),) if len(tables) > 1 else ()),
        *(ON_EARTH if on_earth else IN_PIXELS),
        *MEASURED,
    )
    drawn = Table(box=None, pad_edge=False)
    for column in columns:
        drawn.add_column(column.title, justify="left" if column.name == "scene_id" else "right")
    for ship in ships:
        drawn.add_row(*(_cell(getattr(ship, column.name), column.form) for column in columns))
    Console().print(drawn)
    if count > len(ships):
        typer.echo(f"and {count - len(ships)} more")


def show_models(cards: Sequence["Card"]) -> None:
    """What each model is for, what it learned from, and its scores, a paragraph each."""
    for number, card in enumerate(cards):
        low, high = card.serves_m
        optional = [f"{band} if there" if band in card.optional_bands else band for band in card.bands]
        ends = "bow told from stern" if card.ends == "ordered" else "bow not told from stern: heading modulo 180"
        rows = {
            "serves": f"pixels of {low:g} to {high:g} m, read at {card.gsd_m:g} m",
            "bands": ", ".join(optional),
            "says": f"ends, beam, score; {ends}" + (f"; {len(card.types)} types" if card.types else ""),
            "trained on": "; ".join(card.trained_on),
            "terms": card.terms,
            "threshold": f"{card.score_threshold:.2f}",
        }
        typer.echo(("" if number == 0 else "\n") + card.name)
        for label, value in rows.items():
            typer.echo(f"  {label:<12}{value}")
        for found in card.scores:
            typer.echo(f"  {'scores':<12}{found.split}: {_figures(found, card)}")


def show_model(card: "Card") -> None:
    """What `show_models` tells, of one model; then of each data set AP by overlap, and recall by band."""
    show_models([card])
    for found in card.scores:
        overlaps = {"AP50": found.ap50, "AP75": found.ap75, "AP50:95": found.ap50_95}
        told = ", ".join(f"{label} {value:.3f}" for label, value in overlaps.items() if value is not None)
        typer.echo(f"\n  {found.split}" + (f": {told}" if told else ""))
        if found.recalls:
            typer.echo(f"    {'recall by':<40}{'ships':>6}{'recall':>8}")
        for by, rows in groupby(found.recalls, lambda row: row.by):
            for number, row in enumerate(rows):
                typer.echo(f"    {'' if number else by:<12}{row.name:<28}{row.ships:>6}{row.recall:>8.3f}")


def _figures(scores: "CardScores", card: "Card") -> str:
    heading = f", heading {scores.heading_accuracy:.3f}" if card.ends == "ordered" else ""
    return (
        f"{scores.ships} ships, AP {scores.ap:.3f}, F1 {scores.f1:.3f} (precision {scores.precision:.3f}, "
        f"recall {scores.recall:.3f}){heading}, length error {scores.length_error:.3f}, gate {scores.gate_recall:.3f}"
    )


def show_info(facts: "SceneInfo") -> None:
    """Facts of a scene, one a line."""
    read = facts.model
    nodata = ", ".join("none" if value is None else f"{value:g}" for value in dict.fromkeys(facts.nodata))
    chosen = ", ".join(map(str, facts.chosen))
    rows = {
        "scene": facts.scene_id,
        "files": ", ".join(facts.paths),
        "size": _size(facts.width, facts.height),
        "CRS": (facts.crs_name or "none") + (", by ground control points" if facts.from_gcps else ""),
        "ground pixel": "unknown" if facts.gsd_m is None else f"{facts.gsd_m[0]:.3g} x {facts.gsd_m[1]:.3g} m",
        "bands": ", ".join(f"{band.number} {band.description or band.colour} ({band.dtype})" for band in facts.bands),
        "nodata": nodata,
        "mask": facts.mask,
        "blocks": _size(facts.block[1], facts.block[0]),
        "overviews": ", ".join(map(str, facts.overviews)) or "none",
        "acquired at": facts.acquired_at or "unknown",
        "model reads": ("unknown; pass --gsd" if facts.gsd_m is None else "nothing")
        if read is None
        else f"bands {chosen}, at {read.width} x {read.height} pixels",
    }
    for label, value in rows.items():
        typer.echo(f"{label:<14}{value}")


def _size(width: int, height: int) -> str:
    return f"{width} x {height} pixels"


def _cell(value: Any, form: str) -> str:
    return "-" if value is None or value != value else form.format(value)  # noqa: PLR0124 - NaN differs from itself
