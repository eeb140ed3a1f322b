"""The worst mistakes as pictures: the largest ships that were missed, the surest false alarms."""

import math
from collections.abc import Sequence
from io import BytesIO
from typing import NamedTuple

import numpy as np
from matplotlib.figure import Figure
from numpy.typing import NDArray

from shipdet.evaluation.cases import Judged, rgb, size_of
from shipdet.evaluation.marks import draw_ships, verdict_of
from shipdet.raster.tiling import Window

Array = NDArray[np.float64]

MOST = 12
"""Mistakes of a kind that are shown."""
SIDE_PX = 340
DPI = 100
ROOM = 1.7
"""Side of a crop in lengths of the ship."""
LEAST_SIDE = 90.0
"""Pixels of the picture that a crop shows at least, so that there are surroundings."""


class Crop(NamedTuple):
    """One mistake to look at."""

    jpeg: bytes
    picture: str
    note: str


class _Place(NamedTuple):
    """A ship to look at in one of several pictures."""

    weight: float
    """The more, the worse"""
    number: int
    """of the picture"""
    middle: Array
    length: float
    note: str


def worst_misses(judged: Sequence[Judged], threshold: float, gsd_m: float) -> list[Crop]:
    """The longest ships that no hull at or above a threshold found.

    Args:
        judged: pictures.
        threshold: lowest score that counts.
        gsd_m: of the model, for pictures that do not know theirs.
    """
    places = []
    for number, one in enumerate(judged):
        labels = one.picture.labels
        for ship in np.flatnonzero(verdict_of(one.matched, threshold).missed).tolist():
            length = float(labels.length[ship])
            middle = (labels.bow[ship] + labels.stern[ship]) / 2
            size = f"{length * one.picture.gsd_m:.0f} m" if one.picture.gsd_m else f"{length:.0f} px"
            places.append(_Place(length * one.scale, number, middle, length, f"{labels.type[ship]}, {size}"))
    return _crops(judged, places, threshold, gsd_m)


def worst_false_alarms(judged: Sequence[Judged], threshold: float, gsd_m: float) -> list[Crop]:
    """The hulls of the highest score that are no labelled ship; arguments as `worst_misses`."""
    places = []
    for number, one in enumerate(judged):
        hulls = one.hulls
        for hull in np.flatnonzero(verdict_of(one.matched, threshold).false_alarm).tolist():
            middle = (hulls.bow[hull] + hulls.stern[hull]) / 2
            score = float(hulls.score[hull])
            places.append(_Place(score, number, middle, float(hulls.length[hull]), f"score {score:.2f}"))
    return _crops(judged, places, threshold, gsd_m)


def _crops(judged: Sequence[Judged], places: list[_Place], threshold: float, gsd_m: float) -> list[Crop]:
    worst = sorted(places, key=lambda place: (-place.weight, place.number, *place.middle.tolist()))[:MOST]
    return [
        Crop(_jpeg(judged[place.number], place, threshold, gsd_m), judged[place.number].picture.name, place.note)
        for place in worst
    ]


def _jpeg(judged: Judged, place: _Place, threshold: float, gsd_m: float) -> bytes:
    """A square around the place, moved into the picture where it can; what lies outside is dark."""
    case = judged.picture
    scene = case.open(gsd_m)
    side = math.ceil(max(ROOM * place.length, LEAST_SIDE))
    window = _within(place.middle, side, size_of(case, scene))
    figure = Figure(figsize=(SIDE_PX / DPI, SIDE_PX / DPI), dpi=DPI, facecolor="#15181c")
    axes = figure.add_axes((0, 0, 1, 1))
    axes.set_axis_off()
    right, bottom = window.x + window.width, window.y + window.height
    pixels = rgb(case, gsd_m, window)
    axes.imshow(pixels, extent=(window.x, right, bottom, window.y), aspect="auto", interpolation="lanczos")
    draw_ships(axes, judged.hulls, judged.picture.labels, judged.matched, verdict_of(judged.matched, threshold))
    axes.set_xlim((window.x + right - side) / 2, (window.x + right + side) / 2)
    axes.set_ylim((window.y + bottom + side) / 2, (window.y + bottom - side) / 2)
    file = BytesIO()
    figure.savefig(file, format="jpeg", dpi=DPI, pil_kwargs={"quality": 85})
    return file.getvalue()


def _within(middle: Array, side: int, size: tuple[int, int]) -> Window:
    """The window of a side around a place that lies within the picture, or as much of it as there is."""
    width, height = min(side, size[0]), min(side, size[1])
    x, y = (
        int(np.clip(round(float(at) - part / 2), 0, whole - part))
        for at, part, whole in zip(middle, (width, height), size, strict=True)
    )
    return Window(x, y, width, height)
