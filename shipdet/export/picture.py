"""A scene's picture with its ships drawn on: outlines coloured by score, a dot at each bow."""

import math
import warnings
from pathlib import Path
from typing import NamedTuple

import numpy as np
from matplotlib import colormaps
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.cm import ScalarMappable
from matplotlib.collections import EllipseCollection, PolyCollection
from matplotlib.colors import ListedColormap, Normalize
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle
from numpy.typing import NDArray

from shipdet.errors import OutputError
from shipdet.files import scratch_beside, whole_file
from shipdet.geometry import Array, Hulls

HEADER = 40
"""Height in pixels of the strip above the scene that holds title and colour scale."""
_MIN_WIDTH = 420
"""Narrower scenes get a margin on the right, so that the header has room."""
DPI = 100
POINT = 72 / DPI
"""One pixel, in the points that matplotlib counts lines in."""
INK, PAPER, HALO = "#e8edf2", "#11161c", "#05080b"
_SCORES = ListedColormap(colormaps["plasma"](np.linspace(0.3, 1.0, 256)), "score")
"""Plasma without its dark end: seen on blue water, grey quays and green land alike, and ordered in print too."""
_SMALL = 10.0
"""Ships shorter than this many picture pixels are ringed, or nobody would see them."""


class Picture(NamedTuple):
    """What ships are drawn on."""

    pixels: NDArray[np.floating]
    """(3, H, W) red, green, blue in 0..1; NaN where there is no data."""
    scale: float
    """Picture pixels per scene pixel, at most 1 where the scene was decimated."""
    title: str
    """Scene and model; the number of ships is added."""
    gsd_m: float | None
    """Metres of one scene pixel, for the scale bar; None leaves it out."""


def draw_scene(picture: Picture, hulls: Hulls, path: Path) -> None:
    """Writes a PNG: the picture pixel by pixel below a header of `HEADER` pixels, ships drawn over it.

    Args:
        picture: the scene, decimated as it should appear.
        hulls: ships in scene pixels.
        path: ends in .png.

    Raises:
        OutputError: another ending, or a folder that does not exist or cannot be written.
    """
    _require_png(path)
    _, height, width = picture.pixels.shape
    full = max(width, _MIN_WIDTH), height + HEADER
    figure = Figure(figsize=(full[0] / DPI, full[1] / DPI), dpi=DPI, facecolor=PAPER)
    FigureCanvasAgg(figure)
    axes = figure.add_axes((0.0, 0.0, width / full[0], height / full[1]))
    axes.set_axis_off()
    shown = np.nan_to_num(np.clip(np.moveaxis(picture.pixels, 0, 2), 0, 1), nan=0.13)
    axes.imshow(shown, interpolation="none", extent=(0, width, height, 0), aspect="auto")
    axes.set(xlim=(0, width), ylim=(height, 0))
    draw_hulls(axes, hulls, picture.scale)
    if picture.gsd_m is not None:
        draw_scale_bar(axes, picture.gsd_m / picture.scale, width, height)
    _draw_header(figure, f"{picture.title} · {_count(len(hulls))}", full)
    with whole_file(path) as temporary, warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="Glyph .* missing from font")
        figure.savefig(temporary, format="png", dpi=DPI)


def check_picture(path: Path) -> None:
    """Raises what `draw_scene` would raise for this path, before the long work starts.

    Raises:
        OutputError: an ending other than .png, or a folder that does not exist or cannot be written.
    """
    _require_png(path)
    with scratch_beside(path):
        pass


def _require_png(path: Path) -> None:
    if path.suffix.lower() != ".png":
        raise OutputError(f"{path} should end in .png, the one format that pictures are written in")


def _count(ships: int) -> str:
    return "1 ship" if ships == 1 else f"{ships:,} ships"


def draw_hulls(axes: Axes, hulls: Hulls, scale: float) -> None:
    """Worst score first, so that the best lies on top; every line has a dark halo, to show on any water or quay.

    A dot marks the bow, where it is known.
    """
    hulls = hulls[np.argsort(hulls.score, kind="stable")]
    colours = _SCORES(hulls.score)
    corners, known = hulls.corners * scale, hulls.ordered
    for width, edge in ((2.8, HALO), (1.3, colours)):
        outlines = PolyCollection(list(corners), facecolors="none", edgecolors=edge, linewidths=width * POINT)
        outlines.set(joinstyle="round", alpha=0.6 if width > 2 else 1.0)
        axes.add_collection(outlines, autolim=False)
    dots = np.clip(hulls.beam[known] * scale * 0.45, 3.4, 6.0)
    looks = {"facecolors": colours[known], "edgecolors": HALO, "linewidths": 0.7 * POINT}
    draw_circles(axes, hulls.bow[known] * scale, dots, **looks)
    small = hulls.length * scale < _SMALL
    rings = np.full(int(small.sum()), 2 * _SMALL)
    middle = (hulls.bow + hulls.stern)[small] * scale / 2
    draw_circles(axes, middle, rings, facecolors="none", edgecolors=colours[small], linewidths=1.0 * POINT)


def draw_circles(axes: Axes, centres: Array, diameters: Array, **looks: object) -> None:
    """Circles at places (N, 2), of diameters (N,) in picture pixels."""
    circles = EllipseCollection(
        diameters, diameters, np.zeros(len(diameters)), units="xy", offsets=centres, transOffset=axes.transData, **looks
    )
    axes.add_collection(circles, autolim=False)


def draw_scale_bar(axes: Axes, metres_per_pixel: float, width: int, height: int) -> None:
    """A round length, about a fifth of the picture, on a dark plate at the bottom left; none where there is no room."""
    if width < 120 or height < 60:
        return
    length_m = _round_length(max(width, 300) / 5 * metres_per_pixel)
    pixels = length_m / metres_per_pixel
    left, bottom = 14.0, height - 14.0
    plate = Rectangle((left - 7, bottom - 21), pixels + 14, 28, facecolor=HALO, alpha=0.6, linewidth=0)
    axes.add_patch(plate)
    for x, long, tall in ((left, pixels, 2), (left, 1, 6), (left + pixels - 1, 1, 6)):
        axes.add_patch(Rectangle((x, bottom - tall), long, tall, facecolor=INK, linewidth=0, antialiased=False))
    label = f"{length_m / 1000:g} km" if length_m >= 1000 else f"{length_m:g} m"
    axes.text(left + pixels / 2, bottom - 5, label, color=INK, fontsize=11 * POINT, ha="center", va="bottom")


def _round_length(at_most_m: float) -> float:
    """The longest of 1, 2, 5, 10, 20, 50... metres (or decimetres...) that is not longer."""
    decade = 10.0 ** math.floor(math.log10(at_most_m))
    return decade * max(step for step in (1, 2, 5) if step * decade <= at_most_m)


def _draw_header(figure: Figure, title: str, full: tuple[int, int]) -> None:
    """Title on the left, shortened where it would run into the colour scale on the right."""
    width, height = full
    room = int((width - 175) / 7.2)
    shortened = title if len(title) <= room else f"{title[: room // 2 - 1]}…{title[-(room - room // 2) :]}"
    middle = 1 - HEADER / 2 / height
    text = figure.text(12 / width, middle, shortened, color=INK, fontsize=12.5 * POINT, va="center_baseline")
    text.set_parse_math(False)
    bar = figure.add_axes(((width - 118) / width, 1 - 19 / height, 96 / width, 7 / height))
    scale = figure.colorbar(ScalarMappable(Normalize(0, 1), _SCORES), cax=bar, orientation="horizontal")
    scale.outline.set_visible(False)
    scale.set_ticks([0, 0.5, 1], labels=["0", "0.5", "1"])
    bar.tick_params(colors=INK, labelsize=9.5 * POINT, length=2, width=0.7, pad=1.5)
    bar.text(-0.08, 0.5, "score", color=INK, fontsize=10 * POINT, ha="right", va="center", transform=bar.transAxes)
