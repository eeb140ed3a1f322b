"""Run-length masks of COCO, plain and compressed, read without ever drawing the mask.

Runs go down columns, the first of them outside the mask. The compressed form packs each run, less the
one two before it, into characters of six bits (pycocotools, `maskApi.c`).
"""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import shapely

from shipdet.labels.types import Array, Outline

LARGEST = 2**40
"""Pixels that no mask has."""
LONGEST = 60
"""Bits of a packed run, far more than a mask needs."""


class RunMask(NamedTuple):
    """Vertical strips of pixels that make a mask: column, first row, row after the last, each (K,)."""

    column: Array
    top: Array
    bottom: Array

    @property
    def centres(self) -> Array:
        """(2K, 2) the centres of each strip's first and last pixel."""
        x = self.column + 0.5
        return np.concatenate([np.stack([x, self.top + 0.5], axis=1), np.stack([x, self.bottom - 0.5], axis=1)])

    @property
    def outline(self) -> Outline:
        """The edge of the mask, along pixels."""
        return shapely.union_all(shapely.box(self.column, self.top, self.column + 1, self.bottom))


def read_runs(counts: Sequence[int] | str, height: int, width: int) -> RunMask:
    """A mask from its runs.

    Raises:
        ValueError: runs that are not those of a mask of this size.
    """
    told = decompress(counts) if isinstance(counts, str) else counts
    total = sum(told)  # of Python's integers, which do not overflow
    if min(told, default=0) < 0 or total != height * width:
        got = str(total) if abs(total) < LARGEST else "more than any picture has"
        raise ValueError(f"runs of {height * width} pixels (height {height} x width {width}), got {got}")
    if total >= LARGEST:
        raise ValueError(f"a mask of a picture, got one of {width} x {height} pixels")
    runs = np.array(told, dtype=np.int64)
    stop = np.cumsum(runs)[1::2]
    start = stop - runs[1::2]
    strips = [strip for a, b in zip(start.tolist(), stop.tolist(), strict=True) for strip in _strips(a, b, height)]
    column, top, bottom = np.array(strips, dtype=np.float64).reshape(-1, 3).T
    return RunMask(column, top, bottom)


def _strips(start: int, stop: int, height: int) -> list[tuple[int, int, int]]:
    """A run, cut at the ends of columns."""
    strips = []
    while start < stop:
        column, top = divmod(start, height)
        end = min(stop, (column + 1) * height)
        strips.append((column, top, end - column * height))
        start = end
    return strips


def decompress(text: str) -> list[int]:
    """Runs from their compressed form.

    Raises:
        ValueError: it breaks off, or holds a character that is none of this form.
    """
    runs: list[int] = []
    value = shift = 0
    for letter in text:
        bits = ord(letter) - 48
        if shift > LONGEST:
            raise ValueError("compressed runs, got a run that does not end")
        if not 0 <= bits < 64:
            raise ValueError(f"compressed runs, got the character {letter!r} in them")
        value |= (bits & 31) << shift
        shift += 5
        if bits & 32:
            continue
        if bits & 16:
            value -= 1 << shift
        runs.append(value + (runs[-2] if len(runs) > 2 else 0))
        value = shift = 0
    if shift:
        raise ValueError("compressed runs, got text that breaks off")
    return runs
