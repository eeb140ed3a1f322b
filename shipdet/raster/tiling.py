"""Tiles: windows to read, with cores that partition the scene exactly, aligned to the network's stride."""

from dataclasses import dataclass
from itertools import pairwise
from math import lcm

from shipdet.errors import ConfigError
from shipdet.raster.sampling import Sampling
from shipdet.raster.scene import Scene


@dataclass(frozen=True, slots=True)
class Window:
    """A rectangle of pixels; it may stick out of the scene."""

    x: int
    y: int
    width: int
    height: int

    def clipped(self, width: int, height: int) -> "Window":
        """The part inside [0, width) x [0, height); of size zero where there is none."""
        x, y = min(max(self.x, 0), width), min(max(self.y, 0), height)
        right, bottom = min(self.x + self.width, width), min(self.y + self.height, height)
        return Window(x, y, max(right - x, 0), max(bottom - y, 0))

    @property
    def area(self) -> int:
        """Number of pixels."""
        return self.width * self.height


@dataclass(frozen=True, slots=True)
class Tile:
    """Pixels to read (`window`) and the pixels among them that the tile answers for (`core`)."""

    window: Window
    core: Window


def make_tiles(
    width: int, height: int, core: int, margin: int, stride: int, offset: tuple[int, int] = (0, 0)
) -> tuple[Tile, ...]:
    """Tiles of a scene of `width` x `height` model pixels, row by row.

    Each pixel lies in exactly one core. Cores and windows begin at multiples of `stride`; window sizes are
    multiples of it, so that the network's grid is the same for the whole scene.

    Args:
        width: of the scene.
        height: of the scene.
        core: side of a core; the last of a row or column is what remains.
        margin: pixels that a window adds on each side of its core.
        stride: of the network.
        offset: (x, y) of the first inner corner of cores; the first of a row or column is then smaller.

    Raises:
        ConfigError: a size that is not a multiple of the stride.
    """
    if stride < 1 or core < 1 or margin < 0 or any(value % stride for value in (core, margin, *offset)):
        raise ConfigError(
            f"expected a positive core ({core}), a margin ({margin}) and an offset {offset} in multiples of "
            f"the stride ({stride}); round them"
        )
    rows = [_spans(height, core, offset[1]), _spans(width, core, offset[0])]
    return tuple(tile_of(x, y, margin, stride) for y in rows[0] for x in rows[1])


def _spans(size: int, core: int, offset: int) -> list[tuple[int, int]]:
    edges = sorted({0, size, *range(offset % core, size, core)})
    return list(pairwise(edges))


def tile_of(columns: tuple[int, int], rows: tuple[int, int], margin: int, stride: int) -> Tile:
    """The tile that answers for a range of columns and one of rows, whose starts are multiples of the stride."""
    (x, right), (y, bottom) = columns, rows
    width, height = (-(-(end - start) // stride) * stride + 2 * margin for start, end in (columns, rows))
    return Tile(Window(x - margin, y - margin, width, height), Window(x, y, right - x, bottom - y))


def near_scene(tile: Tile, width: int, height: int, beyond: int, stride: int) -> Tile:
    """The tile without what lies further than `beyond` pixels outside a scene, but for its core.

    Args:
        tile: whose core may stick out.
        width: of the scene in model pixels.
        height: likewise.
        beyond: a multiple of the stride.
        stride: of the network.
    """
    window, core = tile.window, tile.core
    x, y = max(window.x, min(-beyond, core.x)), max(window.y, min(-beyond, core.y))
    right, bottom = (
        min(end, -(-max(side + beyond, core_end) // stride) * stride)
        for end, side, core_end in (
            (window.x + window.width, width, core.x + core.width),
            (window.y + window.height, height, core.y + core.height),
        )
    )
    return Tile(Window(x, y, right - x, bottom - y), core)


def core_size(scene: Scene, sampling: Sampling, target: int, stride: int) -> int:
    """The side of cores of at most `target` pixels, but one stride at least, a multiple of the stride.

    Where the model reads the file's own pixels and the file is tiled, also a multiple of its tiles if they
    are no larger, so that as few as possible are decoded twice.
    """
    step = stride
    tiled = scene.block[1] < scene.grid.width
    if tiled and sampling.scale_x == sampling.scale_y == 1:
        aligned = lcm(stride, *scene.block)
        step = aligned if aligned <= target else stride
    return max(1, target // step) * step
