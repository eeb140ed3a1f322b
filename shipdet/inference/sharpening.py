"""A sharper copy of a coarse scene, for detectors that know finer pixels.

The copy is made block by block on a lattice that is anchored at the scene's corner, so memory does not grow with the
scene. The lattice is part of the result: channel attention weighs a block's channels by their means over all that it
is shown, so another lattice would give, a little, another copy, and seams of that little lie where blocks meet. Tile
size, tile order and batches come after and have no say.
"""

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from affine import Affine
from numpy.typing import NDArray
from scipy.ndimage import distance_transform_edt
from torch import Tensor

from shipdet.errors import OutputError, SceneError
from shipdet.geometry import Grid
from shipdet.inference.engine import Found, Progress, in_scene_pixels
from shipdet.models.device import Device, autocast
from shipdet.models.sharpener import MOST_REACH, Factor, Sharpener, load_sharpener, sharpened
from shipdet.raster.raw import Raw, SceneFiles
from shipdet.raster.sampling import Sampling
from shipdet.raster.scene import Scene, open_scene
from shipdet.raster.stretch import Stretch, scene_stretch
from shipdet.raster.tiling import Window
from shipdet.raster.written import Block, Content, write_blocks

CORE = 256
"""Side of a block in coarse pixels; the last of a row or column is what remains."""
MARGIN = MOST_REACH
"""Coarse pixels around a block that its network sees with it, all that convolutions reach. Beyond the scene's edges
its outermost pixels are repeated."""
COLOURS = 3
"""Red, green and blue are sharpened."""


@contextmanager
def sharper_scene(scene: Scene, factor: Factor, device: Device, progress: Progress | None = None) -> Iterator[Scene]:
    """The scene in pixels `factor` times as fine, red, green and blue only, for as long as the block lasts.

    Its file lies in a temporary folder, which TMPDIR decides on. It takes less than 3 * factor**2 samples a pixel of
    the scene: 12 or 48 bytes in 8 bit, before lossless compression.

    Args:
        scene: whose ground pixel asks for it.
        factor: as of `models.sharpener.factor_for`.
        device: where it is made, and how precisely.
        progress: is told of each block of the copy.

    Raises:
        WeightsError: there are no weights for the factor.
        SceneError: the scene has less than three bands, or no valid pixel.
        ReadError: the scene's file is damaged.
        OutputError: there is no room for the copy.
    """
    sharpener = load_sharpener(factor)
    try:
        folder = tempfile.TemporaryDirectory(prefix="shipdet-sharpen-")
    except OSError as error:
        raise OutputError(f"cannot make a temporary folder ({error.strerror}); set TMPDIR to one with room") from error
    with folder as name:
        path = Path(name) / "sharpened.tif"
        write_sharpened(scene, sharpener, device, path, progress)
        gsd_m = None if scene.gsd_m is None else (scene.gsd_m[0] / factor, scene.gsd_m[1] / factor)
        yield replace(open_scene(path, (1, 2, 3)), gsd_m=gsd_m, scene_id=scene.scene_id)


def in_coarse_pixels(found: Found, factor: int) -> Found:
    """What was found in a sharper scene, as it lies in the coarse one."""
    fine = found.sampling
    hulls = in_scene_pixels(found.hulls, Sampling(factor, factor, fine.width, fine.height))
    return found._replace(
        hulls=hulls, sampling=replace(fine, scale_x=fine.scale_x * factor, scale_y=fine.scale_y * factor)
    )


def write_sharpened(
    scene: Scene, sharpener: Sharpener, device: Device, path: Path, progress: Progress | None = None
) -> None:
    """Writes a scene's red, green and blue sharpened to a GeoTIFF of the same data type and radiometry.

    A pixel of it is valid where the coarse one that it lies in is; a mask says which. Every place has the coordinates
    that it has in the scene.

    Args:
        scene: any; its first three channels are read.
        sharpener: of any factor.
        device: where it computes, and how precisely.
        path: of the copy, in a folder that exists.
        progress: is told of each block.

    Raises:
        SceneError, ReadError, OutputError: as `sharper_scene`.
    """
    if len(scene.channels) < COLOURS:
        raise SceneError(
            f"{scene.name}: red, green and blue are sharpened, got {len(scene.channels)} bands; "
            "choose three with --bands, or leave --sharpen out"
        )
    stretch, factor = scene_stretch(scene), sharpener.card.factor
    sharpener.network.to(device.device)
    content = Content(sharper_grid(scene.grid, factor), scene.dtype, scene.acquired_at)
    with SceneFiles(scene) as files:
        write_blocks(path, content, _sharpened_blocks(files, sharpener, stretch, device, progress))


def _sharpened_blocks(
    files: SceneFiles, sharpener: Sharpener, stretch: Stretch, device: Device, progress: Progress | None
) -> Iterator[Block]:
    """The blocks of the copy that hold something valid."""
    cores = tuple(blocks(files.width, files.height))
    for done, core in enumerate(cores, start=1):
        block = _sharpened_block(files, core, sharpener, stretch, device)
        if block is not None:
            yield block
        if progress is not None:
            progress(done, len(cores))


def blocks(width: int, height: int) -> Iterator[Window]:
    """Cores of the blocks of a scene, row by row."""
    for y in range(0, height, CORE):
        for x in range(0, width, CORE):
            yield Window(x, y, min(CORE, width - x), min(CORE, height - y))


def _sharpened_block(
    files: SceneFiles, core: Window, sharpener: Sharpener, stretch: Stretch, device: Device
) -> Block | None:
    """A block of the copy; None where nothing is valid."""
    scene, factor = files.scene, sharpener.card.factor
    around = Window(core.x - MARGIN, core.y - MARGIN, core.width + 2 * MARGIN, core.height + 2 * MARGIN)
    inner = around.clipped(scene.grid.width, scene.grid.height)
    raw = files.read(inner)
    y, x = core.y - inner.y, core.x - inner.x
    valid = raw.valid[y : y + core.height, x : x + core.width]
    if not valid.any():
        return None
    low, high = (np.array(ends[:COLOURS])[:, None, None] for ends in (stretch.low, stretch.high))
    shown = (_filled(Raw(raw.pixels[list(scene.channels[:COLOURS])], raw.valid)) - low) / (high - low)
    missing = [(inner.y - around.y, around.y + around.height - inner.y - inner.height)]
    missing += [(inner.x - around.x, around.x + around.width - inner.x - inner.width)]
    image = _through(sharpener, np.pad(shown, [(0, 0), *missing], mode="edge"), device)
    top = factor * MARGIN
    cut = image[:, top : top + factor * core.height, top : top + factor * core.width]
    fine = valid.repeat(factor, axis=0).repeat(factor, axis=1)
    return Block(core.x * factor, core.y * factor, _in_dtype(cut * (high - low) + low, fine, scene.dtype), fine)


def _filled(raw: Raw) -> NDArray[np.float64]:
    """Pixels, the nearest valid one in place of each that is not, so that no edge rings into what is valid."""
    if raw.valid.all():
        return raw.pixels.astype(np.float64)
    nearest = distance_transform_edt(~raw.valid, return_distances=False, return_indices=True)
    return np.asarray(raw.pixels[:, *nearest], np.float64)


def _through(sharpener: Sharpener, stretched: NDArray[np.float64], device: Device) -> NDArray[np.float64]:
    """(3, H, W) through the network."""
    pixels = torch.from_numpy(stretched.astype(np.float32))[None].to(device.device)
    with torch.inference_mode(), autocast(device):
        image: Tensor = sharpened(sharpener.network, pixels.contiguous(memory_format=torch.channels_last))
    return np.asarray(image[0].float().cpu().numpy(), np.float64)


def _in_dtype(values: NDArray[np.float64], valid: NDArray[np.bool_], dtype: str) -> NDArray[Any]:
    """Values in a data type, 0 where invalid. All black counts as that, so what is valid keeps the faintest light."""
    kind = np.dtype(dtype)
    if kind.kind == "f":
        faintest = float(np.finfo(kind).tiny)
    else:
        faintest, limits = 1.0, np.iinfo(kind)
        values = np.clip(np.rint(values), limits.min, limits.max)
    pixels = values.astype(kind)
    pixels[:, (pixels == 0).all(axis=0)] = faintest
    pixels[:, ~valid] = 0
    return pixels


def sharper_grid(grid: Grid, factor: int) -> Grid:
    """The same place in finer pixels; the corners of the coarse ones are corners of fine ones."""
    t = grid.transform
    finer = Affine(t.a / factor, t.b / factor, t.c, t.d / factor, t.e / factor, t.f)
    transform = t if grid.crs is None else finer
    return Grid(grid.crs, transform, grid.width * factor, grid.height * factor)
