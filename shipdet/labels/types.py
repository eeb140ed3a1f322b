"""Labelled ships in one picture."""

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import NamedTuple, Self, TypeAlias

import numpy as np
import shapely
from numpy.typing import NDArray

Array = NDArray[np.float64]
Mask = NDArray[np.bool_]
Outline: TypeAlias = shapely.Polygon | shapely.MultiPolygon

IGNORED_TYPES = frozenset({"pontoon", "wake boat", "odd"})
"""Labelled things that are no ships to speak of: never taught, neither hits nor misses."""
NO_TYPE = frozenset({"", "ship", "ships", "vessel", "vessels", "boat", "unknown", "none", "null", "nan"})
"""Class names that say no more than that it is a ship."""

SHIP_TYPES = (
    "warship",
    "carrier",
    "submarine",
    "cargo",
    "container",
    "tanker",
    "barge",
    "passenger",
    "tug",
    "fishing",
    "yacht",
    "small",
)
"""Types of ship that labels name and networks learn; any other word is a ship of no known type."""


@dataclass(frozen=True)
class Labels:
    """Ships as people marked them, in pixels of the picture.

    `complete` says whether every ship is labelled: everywhere, or inside `regions` where
    there are any. Where labelling is incomplete, what is unlabelled is unknown, not water.
    """

    bow: Array
    """(N, 2)"""
    stern: Array
    """(N, 2)"""
    beam: Array
    """(N,), NaN where nobody measured it; in mean ground pixels where a pixel is not square on the ground"""
    bow_known: Mask
    """(N,) False where bow and stern may be swapped"""
    difficult: Mask
    """(N,) ships that nobody can be blamed for missing"""
    type: tuple[str, ...]
    regions: Array
    """(M, 4) as x0, y0, x1, y1"""
    complete: bool
    polygon: tuple[Outline | None, ...] = ()
    """(N,) drawn outlines, None for ships without; empty where no ship has one"""
    ignore: tuple[Outline, ...] = ()
    """Places where ships may lie whose ends nobody marked: never taught, and what is found there is no false alarm"""

    def __post_init__(self) -> None:
        if self.polygon and len(self.polygon) != len(self.type):
            raise ValueError(f"expected an outline or None for each of {len(self)} ships, got {len(self.polygon)}")

    def __len__(self) -> int:
        return len(self.type)

    @property
    def length(self) -> Array:
        """(N,) distance from stern to bow."""
        return np.asarray(np.hypot(*(self.bow - self.stern).T))

    def outline(self, ship: int) -> Outline | None:
        """The drawn outline of one ship, None where there is none."""
        return self.polygon[ship] if self.polygon else None

    def select(self, keep: Mask) -> Self:
        """The ships where `keep` (N,) is true; regions stay."""
        kept = np.flatnonzero(keep).tolist()
        return replace(
            self,
            bow=self.bow[kept],
            stern=self.stern[kept],
            beam=self.beam[kept],
            bow_known=self.bow_known[kept],
            difficult=self.difficult[kept],
            type=tuple(self.type[i] for i in kept),
            polygon=tuple(self.polygon[i] for i in kept) if self.polygon else (),
        )

    def rescaled(self, scale: tuple[float, float], origin: tuple[float, float] = (0.0, 0.0)) -> Self:
        """The same labels in pixels of a picture scaled along x and y, whose corner lies at `origin` of the scaled."""

        def move(xy: Array) -> Array:
            return np.asarray(xy * scale - np.array(origin))

        return replace(
            self,
            bow=move(self.bow),
            stern=move(self.stern),
            beam=self.beam * np.sqrt(scale[0] * scale[1]),
            regions=move(self.regions.reshape(-1, 2)).reshape(-1, 4),
            polygon=tuple(None if outline is None else shapely.transform(outline, move) for outline in self.polygon),
            ignore=tuple(shapely.transform(area, move) for area in self.ignore),
        )

    def ignores(self, xy: Array) -> Mask:
        """Which places (N, 2) lie where nobody can be blamed for finding a ship."""
        inside = np.zeros(len(xy), dtype=bool)
        for area in self.ignore:
            inside |= shapely.intersects_xy(area, xy[:, 0], xy[:, 1])
        return inside

    @classmethod
    def of_rows(
        cls,
        rows: Sequence["Ship"],
        regions: Sequence[Sequence[float]],
        *,
        complete: bool,
        ignore: Sequence[Outline] = (),
    ) -> Self:
        """Labels from ships read one by one."""
        return cls(
            bow=np.array([r.bow for r in rows], dtype=np.float64).reshape(-1, 2),
            stern=np.array([r.stern for r in rows], dtype=np.float64).reshape(-1, 2),
            beam=np.array([r.beam for r in rows], dtype=np.float64),
            bow_known=np.array([r.bow_known for r in rows], dtype=bool),
            difficult=np.array([r.difficult for r in rows], dtype=bool),
            type=tuple(r.type for r in rows),
            regions=np.array(regions, dtype=np.float64).reshape(-1, 4),
            complete=complete,
            polygon=tuple(r.polygon for r in rows) if any(r.polygon is not None for r in rows) else (),
            ignore=tuple(ignore),
        )


@dataclass(frozen=True)
class Ship:
    """One labelled ship; fields as in `Labels`."""

    bow: tuple[float, float]
    stern: tuple[float, float]
    beam: float = float("nan")
    bow_known: bool = True
    difficult: bool = False
    type: str = "unknown"
    polygon: Outline | None = None


class Note(NamedTuple):
    """What a reader or a writer left out or had to suppose, and how often."""

    what: str
    times: int

    def __str__(self) -> str:
        return f"{self.what}: {self.times}"


class Reading(NamedTuple):
    """Labels, and what there is to say about how they were read."""

    labels: Labels
    notes: tuple[Note, ...] = ()


def type_of(name: str) -> str:
    """A class name as a ship's type: "Container-Ship" is container, "vessel" no type that is known."""
    known = " ".join(name.lower().replace("-", " ").replace("_", " ").split())
    if known in NO_TYPE:
        return "unknown"
    short = re.sub(r" ?(ship|vessel|boat|carrier)$", "", known)
    return short if short in SHIP_TYPES and known not in IGNORED_TYPES else known
