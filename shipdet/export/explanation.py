"""One ship explained in a row of panels: the chip, where the network looked, what it saw, what became of it."""

import warnings
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import geopandas as gpd
import numpy as np
import pandas as pd
from matplotlib import colormaps
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.collections import PolyCollection
from matplotlib.figure import Figure
from matplotlib.patheffects import withStroke
from numpy.typing import NDArray

from shipdet.export.picture import DPI, HALO, INK, PAPER, POINT, check_picture, draw_circles, draw_hulls, draw_scale_bar
from shipdet.files import whole_file
from shipdet.geometry import UNDECIDED, Array, Hulls
from shipdet.inference.explain import Explained, in_window

PANEL = 384
"""Side of a panel, in pixels."""
_GAP, _HEADER, _TITLE, _NOTES = 12, 44, 28, 62
_FAINT = "#9fb0c0"
_HEAT = colormaps["inferno"]
_UNDER_HEAT, _PALE = 0.45, 0.3
"""How much of the chip's light is left below heat, and where the shallow branch was not listened to."""
_NO_DATA = 0.13
_ENDS_RING = 22.0
"""Pixels across of the rings around the joined ends on the heat panels."""


class Facts(NamedTuple):
    """What is said of the ship in words."""

    title: str
    place: str
    size: str
    scores: str


class _Panel(NamedTuple):
    title: str
    notes: tuple[str, str]
    draw: Callable[[Axes], None]


def facts_of(detection: gpd.GeoDataFrame, title: str) -> Facts:
    """What the one row of detections says, in words."""
    row = detection.iloc[0]
    in_order = row["bow_score"] != UNDECIDED
    heading = f"{'heading' if in_order else 'ends in no order,'} {row['heading_deg']:.0f}°"
    bow = f" · bow {row['bow_score']:.2f}" if in_order else ""
    kind = "" if pd.isna(row["type"]) else f" · {row['type']} {row['type_score']:.2f}"
    on_earth = np.isfinite(row["lon"])
    middle = f"{(row['bow_col'] + row['stern_col']) / 2:.0f}, {(row['bow_row'] + row['stern_row']) / 2:.0f}"
    return Facts(
        title=title,
        place=f"ship at {row['lon']:.5f}, {row['lat']:.5f}" if on_earth else f"ship at column, row {middle}",
        size=f"{heading} · {row['length_m']:.0f} x {row['beam_m']:.0f} m",
        scores=f"score {row['score']:.2f}{bow}{kind}",
    )


def draw_explanation(explained: Explained, facts: Facts, north: Array | None, path: Path) -> None:
    """Writes a PNG of six panels, side by side.

    Args:
        explained: a ship and the maps around it.
        facts: of the ship.
        north: direction (2,) of true north on the maps, y down; None leaves the arrow out.
        path: ends in .png.

    Raises:
        OutputError: another ending, or a folder that does not exist or cannot be written.
    """
    check_picture(path)
    panels = _panels(explained, facts, north)
    width, height = len(panels) * (PANEL + _GAP) + _GAP, _HEADER + _TITLE + PANEL + _NOTES
    figure = Figure(figsize=(width / DPI, height / DPI), dpi=DPI, facecolor=PAPER)
    FigureCanvasAgg(figure)
    sheet = figure.add_axes((0, 0, 1, 1))
    sheet.set(xlim=(0, width), ylim=(height, 0))
    sheet.set_axis_off()
    _write(sheet, (_GAP, _HEADER / 2 + 2), f"{facts.title} · {facts.place}", 15)
    for number, panel in enumerate(panels):
        left = _GAP + number * (PANEL + _GAP)
        axes = figure.add_axes((left / width, _NOTES / height, PANEL / width, PANEL / height))
        axes.set_axis_off()
        axes.set(xlim=(0, PANEL), ylim=(PANEL, 0))
        panel.draw(axes)
        axes.set(xlim=(0, PANEL), ylim=(PANEL, 0))
        _write(sheet, (left, _HEADER + _TITLE / 2 - 1), f"{number + 1}  {panel.title}", 14)
        for line, note in enumerate(panel.notes):
            _write(sheet, (left, _HEADER + _TITLE + PANEL + 17 + 20 * line), note, 12.5, INK if line == 0 else _FAINT)
    with whole_file(path) as temporary, warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="Glyph .* missing from font")
        figure.savefig(temporary, format="png", dpi=DPI)


def _panels(explained: Explained, facts: Facts, north: Array | None) -> tuple[_Panel, ...]:
    maps = explained.maps
    ship = _on_panel(explained.ship, explained)
    chip = np.nan_to_num(np.moveaxis(maps.pixels, 0, 2), nan=_NO_DATA)
    gsd_x, gsd_y = explained.gsd_m
    peak = f"deep branch, everywhere; strongest {maps.attention.max():.2f}"
    opened = f"bright: open, {maps.gate.mean():.0%}; beside cells of {explained.gate_threshold:g} or more"
    skipped = f"dark: shallow branch not computed, {1 - maps.computed.mean():.0%}; dim: not heard"
    side, metres = maps.window.width, maps.window.width * gsd_x
    return (
        _Panel(
            "Chip: what the network reads",
            (f"{side} x {side} pixels of {gsd_x:.2g} m, {metres:.0f} m across", _north_note(north)),
            lambda axes: _draw_chip(axes, chip, float(np.sqrt(gsd_x * gsd_y)) * side / PANEL, north),
        ),
        _Panel(
            "Attention map: an end here?",
            (peak, "cells of 8 x 8 pixels"),
            lambda axes: _draw_heat(axes, chip, maps.attention),
        ),
        _Panel("Gate: where to look closely", (opened, skipped), lambda axes: _draw_gate(axes, chip, explained)),
        _heat_panel("Bow heat", chip, maps.bow, ship.bow),
        _heat_panel("Stern heat", chip, maps.stern, ship.stern),
        _Panel("Joined hull", (facts.size, facts.scores), lambda axes: _draw_hull(axes, chip, explained)),
    )


def _heat_panel(title: str, chip: NDArray[np.float32], heat: NDArray[np.float32], end: Array) -> _Panel:
    def draw(axes: Axes) -> None:
        _draw_heat(axes, chip, heat)
        draw_circles(axes, end, np.array([_ENDS_RING]), facecolors="none", edgecolors="white", linewidths=1.4 * POINT)

    told = f"ring: the end that was joined, {_around(heat, end):.2f}; strongest {heat.max():.2f}"
    return _Panel(title, (told, "shallow branch, heard behind the gate; cells of 4 x 4 pixels"), draw)


def _around(heat: NDArray[np.float32], end: Array) -> float:
    """The strongest heat within two cells of an end (1, 2) on the panel."""
    column, row = np.clip(end[0] * len(heat) / PANEL, 0, len(heat) - 1).astype(int).tolist()
    return float(heat[max(row - 2, 0) : row + 3, max(column - 2, 0) : column + 3].max())


def _on_panel(hulls: Hulls, explained: Explained) -> Hulls:
    zoom, placed = PANEL / explained.maps.window.width, in_window(hulls, explained)
    return Hulls(placed.bow * zoom, placed.stern * zoom, placed.beam * zoom, placed.score, placed.bow_score)


def _show(axes: Axes, rgb: NDArray[np.floating], interpolation: str) -> None:
    axes.imshow(rgb, extent=(0, PANEL, PANEL, 0), aspect="auto", interpolation=interpolation)


def _draw_chip(axes: Axes, chip: NDArray[np.float32], metres_per_pixel: float, north: Array | None) -> None:
    _show(axes, chip, "antialiased")
    draw_scale_bar(axes, metres_per_pixel, PANEL, PANEL)
    if north is None:
        return
    middle = np.array([PANEL - 34.0, 38.0])
    draw_circles(axes, middle[None], np.array([56.0]), facecolors=HALO, edgecolors="none", alpha=0.6)
    _arrow(axes, middle - 4 * north, middle + 20 * north)
    _write(axes, tuple(middle - 14 * north), "N", 13, across="center")


def _north_note(north: Array | None) -> str:
    return "no place on Earth: headings count from up" if north is None else "arrow: true north"


def _draw_heat(axes: Axes, chip: NDArray[np.float32], heat: NDArray[np.float32]) -> None:
    """Heat over the chip in grey, the stronger the less of the chip shines through."""
    grey = chip.mean(axis=2, keepdims=True).repeat(3, axis=2) * _UNDER_HEAT
    _show(axes, grey, "antialiased")
    colours = _HEAT(0.25 + 0.75 * heat)
    colours[..., 3] = 0.95 * np.sqrt(heat)
    _show(axes, colours, "nearest")
    _draw_colours(axes)


def _draw_colours(axes: Axes) -> None:
    """The colours of heat from 0 to 1, on a plate at the bottom left."""
    steps = _HEAT(0.25 + 0.75 * np.linspace(0, 1, 64))[None]
    left, right, top = 14, 98, PANEL - 18
    axes.fill([6, 126, 126, 6], [top - 14, top - 14, PANEL - 6, PANEL - 6], facecolor=HALO, alpha=0.6, linewidth=0)
    axes.imshow(steps, extent=(left + 14, right, top + 6, top - 4), aspect="auto", interpolation="nearest", zorder=2)
    for x, label in ((left + 4, "0"), (right + 10, "1")):
        _write(axes, (x, top + 1), label, 11, across="center")


def _draw_gate(axes: Axes, chip: NDArray[np.float32], explained: Explained) -> None:
    """Open cells as they are, cells computed along with them dim, the rest dark."""
    maps = explained.maps
    light = np.where(maps.gate, 1.0, np.where(maps.computed, _PALE, 0.08))
    _show(axes, chip * light.repeat(8, axis=0).repeat(8, axis=1)[..., None], "antialiased")


def _draw_hull(axes: Axes, chip: NDArray[np.float32], explained: Explained) -> None:
    _show(axes, chip, "antialiased")
    others, ship = _on_panel(explained.neighbours, explained), _on_panel(explained.ship, explained)
    outlines = PolyCollection(
        list(others.corners),
        facecolors="none",
        edgecolors="white",
        linewidths=POINT,
        linestyles="dashed",
    )
    axes.add_collection(outlines, autolim=False)
    draw_hulls(axes, ship, 1.0)
    if ship.ordered[0]:
        ahead = (ship.bow - ship.stern)[0] / max(float(ship.length[0]), 1e-9)
        tip = ship.bow[0] + 34 * ahead
        _arrow(axes, ship.bow[0] + 6 * ahead, tip)


def _arrow(axes: Axes, start: Array, end: Array) -> None:
    style = {"arrowstyle": "-|>", "color": INK, "linewidth": 1.4, "shrinkA": 0, "shrinkB": 0}
    axes.annotate("", (end[0], end[1]), (start[0], start[1]), arrowprops=style)


def _write(axes: Axes, place: tuple[float, ...], words: str, size: float, ink: str = INK, across: str = "left") -> None:
    text = axes.text(place[0], place[1], words, color=ink, fontsize=size * POINT, ha=across, va="center_baseline")
    text.set_parse_math(False)
    text.set_path_effects([withStroke(linewidth=1.2, foreground=PAPER)])
