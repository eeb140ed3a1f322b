"""The resolution level that a scene is read at: full, an overview, or averaged while reading."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from shipdet.raster.raw import Raw, SceneFiles
from shipdet.raster.sampling import Sampling
from shipdet.raster.scene import Scene
from shipdet.raster.tiling import Window

OVERVIEW_SLACK = 1.05
"""An overview may be this much coarser than the model's pixels."""
AVERAGE_FROM = 3.0
RESIDUAL = 1.5
"""From `AVERAGE_FROM` level pixels per model pixel on, square boxes are averaged while reading, down to about
`RESIDUAL`: it bounds memory where a fine scene has no overviews."""
EXACT_BOX = 16
"""So long a side of a box of 8-bit pixels can be summed in 16 bits."""
STRIP_SAMPLES = 16_000_000
"""Samples read at once while averaging."""


@dataclass(frozen=True)
class Level:
    """Files open at one overview level, `box` x `box` of whose pixels make one pixel of the level."""

    files: SceneFiles
    box: int
    width: int
    height: int
    step_x: float
    """Level pixels per model pixel."""
    step_y: float

    @property
    def exact(self) -> bool:
        """Whether the level's pixels are the model's."""
        return self.step_x == self.step_y == 1

    def read(self, window: Window) -> Raw:
        """Pixels of a window that lies within the level.

        Raises:
            ReadError: the file is damaged.
        """
        return self.files.read(window) if self.box == 1 else self._read_averaged(window)

    def _read_averaged(self, window: Window) -> Raw:
        bands = sum(len(source.indexes) for source in self.files.scene.sources)
        rows = max(1, STRIP_SAMPLES // (bands * window.width * self.box**2))
        parts = []
        for y in range(window.y, window.y + window.height, rows):
            height = min(rows, window.y + window.height - y)
            fine = Window(window.x * self.box, y * self.box, window.width * self.box, height * self.box)
            raw = self.files.read(fine.clipped(self.files.width, self.files.height))
            parts.append(box_average(raw, self.box, window.width, height))
        return Raw(np.concatenate([part.pixels for part in parts], axis=1), np.concatenate([p.valid for p in parts]))


def open_level(scene: Scene, sampling: Sampling) -> Level:
    """Open the coarsest level that is still as fine as the model's pixels.

    Raises:
        SceneError: the file is gone.
    """
    reduction = min(1 / sampling.scale_x, 1 / sampling.scale_y)
    fitting = [index for index, factor in enumerate(scene.overviews) if 1 < factor <= reduction * OVERVIEW_SLACK]
    files = SceneFiles(scene, max(fitting, key=lambda index: scene.overviews[index], default=None))
    # Overviews are rounded to whole pixels: the ratio of sizes, not the nominal factor, says where a pixel lies.
    step_x = files.width / scene.grid.width / sampling.scale_x
    step_y = files.height / scene.grid.height / sampling.scale_y
    box = _box(step_x, step_y)
    return Level(files, box, -(-files.width // box), -(-files.height // box), step_x / box, step_y / box)


def _box(step_x: float, step_y: float) -> int:
    """Side of the boxes to average: all that makes a model pixel where that is a whole number, as overviews do."""
    finest = min(step_x, step_y)
    if finest < AVERAGE_FROM:
        return 1
    return int(finest) if step_x == step_y == int(finest) else int(finest / RESIDUAL)


def box_average(raw: Raw, box: int, width: int, height: int) -> Raw:
    """Average boxes of valid pixels to (C, height, width) float32; valid where over half of a box is.

    Args:
        raw: at most `box` * `width` columns and `box` * `height` rows; what is missing is invalid.
        box: side of a box in pixels.
        width: of the result.
        height: of the result.
    """
    if raw.valid.all() and raw.valid.shape == (height * box, width * box):
        total = _box_sums(raw.pixels, box)
        total *= np.float32(1 / box**2)
        return Raw(total, np.ones((height, width), np.bool_))
    gap = ((0, height * box - raw.valid.shape[0]), (0, width * box - raw.valid.shape[1]))
    count = _box_sums(np.pad(raw.valid, gap)[None].view(np.uint8), box)[0]
    clean = np.pad(np.where(raw.valid, raw.pixels, 0), ((0, 0), *gap))
    return Raw(_box_sums(clean, box) / np.maximum(count, 1), count > box * box / 2)


def _box_sums(bands: NDArray[Any], box: int) -> NDArray[np.float32]:
    """Sums of boxes of (C, H * box, W * box): (C, H, W). Columns of rows that are added lie side by side: quick."""
    wide = np.uint16 if bands.dtype == np.uint8 and box <= EXACT_BOX else np.float32
    tall = bands[:, ::box].astype(wide)
    for row in range(1, box):
        np.add(tall, bands[:, row::box], out=tall, dtype=wide, casting="same_kind")
    total = tall[:, :, ::box].astype(np.float32)
    for column in range(1, box):
        np.add(total, tall[:, :, column::box], out=total)
    return np.asarray(total)
