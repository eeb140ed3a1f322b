"""Recall where it matters: by length, by type, by how near the next ship lies, by how near the shore lies.

A ship counts in every stratum that is known of it; a stratum without ships is left out, and so is all that is
asked of the shore where no picture tells where land is.
"""

from collections.abc import Sequence
from itertools import pairwise
from typing import Any, Literal, NamedTuple

import numpy as np
import shapely
from numpy.typing import NDArray

from shipdet.evaluation.cases import Judged
from shipdet.evaluation.matching import HIT, footprints
from shipdet.evaluation.metrics import HEADING_TOLERANCE_DEG
from shipdet.labels.types import IGNORED_TYPES, Labels

Array = NDArray[np.float64]
Mask = NDArray[np.bool_]
LengthUnit = Literal["m", "px"]
"""Metres, or pixels of the model."""

LENGTHS = (25.0, 40.0, 80.0, 150.0)
"""Borders of the bands of length, in metres where the GSD of every picture is known, else in pixels of the model."""
SIDE_BY_SIDE = 5.0
"""Gap between footprints, in pixels of the model, below which ships lie side by side."""
NEAR = 1.0
"""Gap, in lengths of the ship, below which another is near."""
INSHORE = 1.0
"""Distance from footprint to land, in lengths of the ship, below which it is inshore."""


class Stratum(NamedTuple):
    """Some of the ships, and how many of them were found."""

    by: str
    """What tells them apart: length, type, neighbour or shore"""
    name: str
    ships: int
    found: int
    heading_accuracy: float | None
    """Share of those found, bow known, whose heading is right"""

    @property
    def recall(self) -> float:
        """Share found."""
        return self.found / self.ships


class _Ships(NamedTuple):
    """Labelled ships that count, of one picture or of all."""

    length: Array
    """(L,) in metres or in pixels of the model"""
    type: NDArray[np.str_]
    """(L,)"""
    gap: Array
    """(L,) between its footprint and the nearest other, in pixels of the model; infinite where it is alone"""
    gap_lengths: Array
    """(L,) likewise in its own lengths"""
    shore_lengths: Array
    """(L,) to land, in its own lengths; NaN where nobody knows"""
    found: Mask
    """(L,) by a prediction at the threshold"""
    heading_error_deg: Array
    """(L,) NaN where the ship was not found or its bow is unknown"""


def strata(judged: Sequence[Judged], threshold: float) -> tuple[Stratum, ...]:
    """Ships, and ships found at a threshold, by length, type, neighbour and shore."""
    if not judged:
        return ()
    unit = length_unit(judged)
    parts = [_ships(picture, threshold, unit) for picture in judged]
    fields: list[Any] = [np.concatenate(field) for field in zip(*parts, strict=True)]
    ships = _Ships(*fields)
    return (*_by_length(ships, unit), *_by_type(ships), *_by_neighbour(ships), *_by_shore(ships))


def length_unit(judged: Sequence[Judged]) -> LengthUnit:
    """What bands of length are counted in."""
    return "m" if all(picture.picture.gsd_m is not None for picture in judged) else "px"


def _ships(judged: Judged, threshold: float, unit: LengthUnit) -> _Ships:
    labels, matched, case = judged.picture.labels, judged.matched, judged.picture
    outlines = shapely.polygons(footprints(labels))
    length = np.maximum(labels.length, 1e-9)
    gap = _gaps(outlines, labels)
    shore = np.full(len(labels), np.nan) if case.land is None else shapely.distance(outlines, case.land)
    hit = np.flatnonzero((matched.status == HIT) & (matched.score >= threshold))
    found, heading = np.zeros(len(labels), dtype=bool), np.full(len(labels), np.nan)
    found[matched.label[hit]], heading[matched.label[hit]] = True, matched.heading_error_deg[hit]
    pixel = judged.scale if unit == "px" or case.gsd_m is None else case.gsd_m
    types = np.array(labels.type, dtype=np.str_)
    ships = _Ships(length * pixel, types, gap * judged.scale, gap / length, shore / length, found, heading)
    return _where(ships, matched.counted)


def _where(ships: _Ships, keep: Mask) -> _Ships:
    fields: list[Any] = [field[keep] for field in ships]
    return _Ships(*fields)


def _gaps(outlines: NDArray[np.object_], labels: Labels) -> Array:
    """Distance (L,) from each outline to the nearest other ship; what is no ship to speak of is no neighbour."""
    ship = np.array([kind not in IGNORED_TYPES for kind in labels.type], dtype=bool)
    gaps = np.full(len(outlines), np.inf)
    near, distance = shapely.STRtree(outlines[ship]).query_nearest(
        outlines, exclusive=True, return_distance=True, all_matches=False
    )
    gaps[near[0]] = distance
    return gaps


def _by_length(ships: _Ships, unit: LengthUnit) -> list[Stratum]:
    edges = (0.0, *LENGTHS, np.inf)
    names = [f"under {LENGTHS[0]:g} {unit}", *(f"{a:g} to {b:g} {unit}" for a, b in pairwise(LENGTHS))]
    names.append(f"{LENGTHS[-1]:g} {unit} and more")
    chosen = [(ships.length >= low) & (ships.length < high) for low, high in pairwise(edges)]
    return _named("length", names, chosen, ships)


def _by_type(ships: _Ships) -> list[Stratum]:
    """Most ships first."""
    names, counts = np.unique(ships.type, return_counts=True)
    order = names[np.lexsort((names, -counts))]
    return _named("type", order.tolist(), [ships.type == name for name in order], ships)


def _by_neighbour(ships: _Ships) -> list[Stratum]:
    beside = ships.gap < SIDE_BY_SIDE
    near = ~beside & (ships.gap_lengths < NEAR)
    names = [f"side by side (gap < {SIDE_BY_SIDE:g} px)", "near (gap < 1 length)", "apart"]
    return _named("neighbour", names, [beside, near, ~beside & ~near], ships)


def _by_shore(ships: _Ships) -> list[Stratum]:
    known = ~np.isnan(ships.shore_lengths)
    inshore = known & (ships.shore_lengths < INSHORE)
    names = ["inshore (land < 1 length off)", "open water"]
    return _named("shore", names, [inshore, known & ~inshore], ships)


def _named(by: str, names: Sequence[str], chosen: Sequence[Mask], ships: _Ships) -> list[Stratum]:
    rows = []
    for name, some in zip(names, chosen, strict=True):
        error = ships.heading_error_deg[some]
        told = error[~np.isnan(error)]
        right = float(np.mean(told <= HEADING_TOLERANCE_DEG)) if len(told) else None
        rows.append(Stratum(by, name, int(some.sum()), int(ships.found[some].sum()), right))
    return [row for row in rows if row.ships]
