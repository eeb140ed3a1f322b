"""Labelled ships in one picture."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Self

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]
Mask = NDArray[np.bool_]

IGNORED_TYPES = frozenset({"pontoon", "wake boat", "odd"})
"""Labelled things that are no ships to speak of: never taught, neither hits nor misses."""

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
    """(N,), NaN where nobody measured it"""
    bow_known: Mask
    """(N,) False where bow and stern may be swapped"""
    difficult: Mask
    """(N,) ships that nobody can be blamed for missing"""
    type: tuple[str, ...]
    regions: Array
    """(M, 4) as x0, y0, x1, y1"""
    complete: bool

    def __len__(self) -> int:
        return len(self.type)

    @property
    def length(self) -> Array:
        """(N,) distance from stern to bow."""
        return np.asarray(np.hypot(*(self.bow - self.stern).T))

    @classmethod
    def of_rows(cls, rows: Sequence["Ship"], regions: Sequence[Sequence[float]], *, complete: bool) -> Self:
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
