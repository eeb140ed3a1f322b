"""A PNG sheet of pictures with their hits, misses and false alarms drawn on them."""

import math
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from numpy.typing import NDArray

from shipdet.evaluation.marks import (
    BOW_WRONG,
    FALSE_MARK,
    HIT_MARK,
    IGNORED_MARK,
    MISS_MARK,
    Verdict,
    draw_ships,
    verdict_of,
)
from shipdet.evaluation.matching import Matched
from shipdet.evaluation.metrics import HEADING_TOLERANCE_DEG
from shipdet.files import whole_file
from shipdet.geometry import Hulls
from shipdet.labels.types import Labels

COLUMNS, ROWS = 3, 4
WIDTH_PX = 2400
DPI = 100
BAND_PX = 110
"""Height of the header and legend above the pictures."""
TITLE_PX = 34
GAP_PX = 12
BACKGROUND = "#15181c"
INK = "#f2f2f2"


class Panel(NamedTuple):
    """One picture of the sheet."""

    pixels: NDArray[np.uint8]
    """(H, W, 3)"""
    hulls: Hulls
    labels: Labels
    matched: Matched
    """of these hulls and labels"""
    title: str


def draw_sheet(panels: Sequence[Panel], path: Path, threshold: float = 0.0) -> tuple[Path, ...]:
    """Draw pictures with what was found, missed and wrongly found in them.

    Args:
        panels: the pictures, in order; twelve a page.
        path: the PNG to write; further pages add -2, -3 and so on to its stem.
        threshold: hulls with a lower score are left out, and what only they found is missed.

    Returns:
        The pages written.

    Raises:
        OutputError: a page cannot be written.
    """
    verdicts = [verdict_of(panel.matched, threshold) for panel in panels]
    size = COLUMNS * ROWS
    pages = max(1, math.ceil(len(panels) / size))
    written = []
    for page in range(pages):
        here = slice(page * size, (page + 1) * size)
        note = f", page {page + 1} of {pages}" if pages > 1 else ""
        figure = _page(panels[here], verdicts[here], f"{_totals(verdicts)}{note}")
        name = path if page == 0 else path.with_name(f"{path.stem}-{page + 1}{path.suffix}")
        with whole_file(name) as temporary:
            figure.savefig(temporary, format="png", dpi=DPI)
        written.append(name)
    return tuple(written)


def _totals(verdicts: Sequence[Verdict]) -> str:
    hits, missed = sum(int(v.hit.sum()) for v in verdicts), sum(int(v.missed.sum()) for v in verdicts)
    false_alarms, ignored = sum(int(v.false_alarm.sum()) for v in verdicts), sum(int(v.ignored.sum()) for v in verdicts)
    pictures = "1 picture" if len(verdicts) == 1 else f"{len(verdicts)} pictures"
    alarms = "1 false alarm" if false_alarms == 1 else f"{false_alarms} false alarms"
    return f"{pictures}: {hits + missed} ships, {hits} hit, {missed} missed, {alarms}, {ignored} ignored"


def _page(panels: Sequence[Panel], verdicts: Sequence[Verdict], header: str) -> Figure:
    """One page, laid out in pixels: a band on top, then rows of pictures as high as their highest."""
    columns = max(1, min(COLUMNS, len(panels)))
    width = (WIDTH_PX - GAP_PX * (columns + 1)) / columns
    rows = [panels[i : i + columns] for i in range(0, len(panels), columns)]
    heights = [max(width * p.pixels.shape[0] / p.pixels.shape[1] for p in row) for row in rows]
    height = math.ceil(BAND_PX + sum(heights) + (TITLE_PX + GAP_PX) * len(rows))
    figure = Figure(figsize=(WIDTH_PX / DPI, height / DPI), dpi=DPI, facecolor=BACKGROUND)
    _draw_band(figure, header, height)
    for number, (panel, verdict) in enumerate(zip(panels, verdicts, strict=True)):
        row, column = divmod(number, columns)
        top = BAND_PX + sum(heights[:row]) + (TITLE_PX + GAP_PX) * row + TITLE_PX
        left, tall = GAP_PX + column * (width + GAP_PX), width * panel.pixels.shape[0] / panel.pixels.shape[1]
        place = (left / WIDTH_PX, 1 - (top + tall) / height, width / WIDTH_PX, tall / height)
        _draw_panel(figure.add_axes(place), panel, verdict)
    return figure


def _draw_band(figure: Figure, header: str, height: int) -> None:
    figure.text(GAP_PX / WIDTH_PX, 1 - 34 / height, header, color=INK, fontsize=22, va="center")
    marks = (HIT_MARK, MISS_MARK, FALSE_MARK, IGNORED_MARK)
    keys = [Line2D([], [], color=m.colour, linestyle=m.style, linewidth=3, label=m.name) for m in marks]
    dot = Line2D([], [], color=BOW_WRONG, marker="o", linestyle="none", markersize=9)
    dot.set_label(f"bow of a hit more than {HEADING_TOLERANCE_DEG:.0f} degrees off")
    figure.legend(
        handles=[*keys, dot],
        loc="center left",
        bbox_to_anchor=(GAP_PX / WIDTH_PX, 1 - 82 / height),
        ncols=5,
        fontsize=16,
        labelcolor=INK,
        frameon=False,
        borderaxespad=0,
        borderpad=0,
    )


def _draw_panel(axes: Axes, panel: Panel, verdict: Verdict) -> None:
    axes.imshow(panel.pixels, extent=(0, panel.pixels.shape[1], panel.pixels.shape[0], 0), aspect="auto")
    axes.set_axis_off()
    counts = f"{verdict.hit.sum()} hit, {verdict.missed.sum()} missed, {verdict.false_alarm.sum()} false"
    axes.set_title(f"{panel.title}   {counts}", color=INK, fontsize=14, loc="left", pad=5)
    draw_ships(axes, panel.hulls, panel.labels, panel.matched, verdict)
    axes.set_xlim(0, panel.pixels.shape[1])
    axes.set_ylim(panel.pixels.shape[0], 0)
