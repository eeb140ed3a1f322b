"""Open ground of a scene, in blocks of fixed size and place, covered by few rectangles that share no pixel.

A rectangle costs what the network has to see of it, margins included, so near blocks go together and far ones apart.
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from shipdet.raster.tiling import Tile, Window

BLOCK = 128
"""Model pixels on a side; few sizes of rectangles come of it, and the network is quicker on sizes it has met."""
EACH = 50_000
"""Model pixels that a rectangle costs besides its own."""

Mask = NDArray[np.bool_]


class _Rectangle(NamedTuple):
    """In blocks."""

    x: int
    y: int
    width: int
    height: int


class _Cost(NamedTuple):
    """What rectangles cost, in model pixels."""

    most: int
    """blocks on the side of a tile"""
    margin: int

    def of(self, width: NDArray[np.intp] | int, height: NDArray[np.intp] | int) -> NDArray[np.int64]:
        """Of rectangles of so many blocks, cut into tiles where they are larger than one; 0 for none."""
        wide, tall = np.asarray(width, np.int64), np.asarray(height, np.int64)
        columns, rows = -(-wide // self.most), -(-tall // self.most)
        seen = (wide * BLOCK + 2 * self.margin * columns) * (tall * BLOCK + 2 * self.margin * rows)
        return np.asarray(np.where((wide > 0) & (tall > 0), seen + EACH * columns * rows, 0))


def block_shape(width: int, height: int) -> tuple[int, int]:
    """Rows and columns of blocks of a scene of so many model pixels."""
    return -(-height // BLOCK), -(-width // BLOCK)


def cover(opened: Mask, size: tuple[int, int], core: int, margin: int) -> tuple[Tile, ...]:
    """Tiles whose cores hold each open block once, and closed ones only where leaving them out costs more.

    The same blocks give the same tiles.

    Args:
        opened: (rows, columns) of blocks.
        size: (width, height) of the scene in model pixels, which cores end at.
        core: longest side of a core in model pixels.
        margin: pixels that a window adds on each side of its core.
    """
    cost = _Cost(max(1, core // BLOCK), margin)
    parts = [part for piece in _pieces(opened, cost) for part in _cut(opened, piece, cost.most)]
    return tuple(_tile(part, size, margin) for part in sorted(parts, key=lambda part: (part.y, part.x)))


def _pieces(opened: Mask, cost: _Cost) -> list[_Rectangle]:
    """Rectangles around all that is open, divided for as long as that pays."""
    waiting, done = [_trimmed(opened, _Rectangle(0, 0, opened.shape[1], opened.shape[0]))], []
    while waiting:
        piece = waiting.pop()
        if piece is None:
            continue
        here = opened[piece.y : piece.y + piece.height, piece.x : piece.x + piece.width]
        gain_x, x = _best_cut(here, cost)
        gain_y, y = _best_cut(here.T, cost)
        if max(gain_x, gain_y) <= 0:
            done.append(piece)
        elif gain_x >= gain_y:
            waiting += [
                _trimmed(opened, piece._replace(width=x)),
                _trimmed(opened, piece._replace(x=piece.x + x, width=piece.width - x)),
            ]
        else:
            waiting += [
                _trimmed(opened, piece._replace(height=y)),
                _trimmed(opened, piece._replace(y=piece.y + y, height=piece.height - y)),
            ]
    return done


def _best_cut(here: Mask, cost: _Cost) -> tuple[int, int]:
    """What the best cut between two columns saves, and the column that it lies before."""
    height, width = here.shape
    if width < 2:
        return 0, 0
    left = cost.of(*_grown(here))[:-1]
    right = cost.of(*_grown(here[:, ::-1]))[::-1][1:]
    best = int(np.argmin(left + right))
    return int(cost.of(width, height) - left[best] - right[best]), best + 1


def _grown(here: Mask) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """Width and height of what is open in the first 1, 2, ... columns; the first column has something open."""
    height, width = here.shape
    some, column = here.any(axis=0), np.arange(width)
    top = np.minimum.accumulate(np.where(some, here.argmax(axis=0), height))
    bottom = np.maximum.accumulate(np.where(some, height - here[::-1].argmax(axis=0), 0))
    first = np.minimum.accumulate(np.where(some, column, width))
    last = np.maximum.accumulate(np.where(some, column + 1, 0))
    return np.maximum(last - first, 0), np.maximum(bottom - top, 0)


def _trimmed(opened: Mask, part: _Rectangle) -> _Rectangle | None:
    """The least rectangle around what is open in one; None where nothing is."""
    here = opened[part.y : part.y + part.height, part.x : part.x + part.width]
    rows, columns = np.flatnonzero(here.any(axis=1)), np.flatnonzero(here.any(axis=0))
    if not len(rows):
        return None
    x, y = int(columns[0]), int(rows[0])
    return _Rectangle(part.x + x, part.y + y, int(columns[-1]) + 1 - x, int(rows[-1]) + 1 - y)


def _cut(opened: Mask, piece: _Rectangle, most: int) -> list[_Rectangle]:
    """A rectangle in parts no larger than a tile."""
    parts = [
        _Rectangle(x, y, min(most, piece.x + piece.width - x), min(most, piece.y + piece.height - y))
        for y in range(piece.y, piece.y + piece.height, most)
        for x in range(piece.x, piece.x + piece.width, most)
    ]
    return [part for part in (_trimmed(opened, part) for part in parts) if part is not None]


def _tile(part: _Rectangle, size: tuple[int, int], margin: int) -> Tile:
    x, y, width, height = (value * BLOCK for value in part)
    core = Window(x, y, min(width, size[0] - x), min(height, size[1] - y))
    return Tile(Window(x - margin, y - margin, width + 2 * margin, height + 2 * margin), core)


def are_open(opened: Mask, xy: NDArray[np.float64]) -> Mask:
    """Which places (N, 2), in model pixels within the scene, lie in open blocks: (N,)."""
    x, y = np.floor(xy / BLOCK).astype(np.intp).T
    return np.asarray(opened[y, x])


def open_cells(opened: Mask, core: Window, stride: int) -> Mask:
    """Which cells of `stride` model pixels, a divisor of a block's, of a core lie in open blocks."""
    y = np.arange(core.y, core.y + core.height, stride) // BLOCK
    x = np.arange(core.x, core.x + core.width, stride) // BLOCK
    return np.asarray(opened[np.ix_(y, x)])
