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
        return self.box == 1 and self.step_x == self.step_y == 1

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
    finest = min(step_x, step_y)
    box = int(finest / RESIDUAL) if finest >= AVERAGE_FROM else 1
    return Level(files, box, -(-files.width // box), -(-files.height // box), step_x / box, step_y / box)


def box_average(raw: Raw, box: int, width: int, height: int) -> Raw:
    """Average boxes of valid pixels to (C, height, width) float32; valid where over half of a box is.

    Args:
        raw: at most `box` * `width` columns and `box` * `height` rows; what is missing is invalid.
        box: side of a box in pixels.
        width: of the result.
        height: of the result.
    """
    count = _box_sum(raw.valid.astype(np.float32), box, width, height)
    clean = raw.pixels if raw.valid.all() else np.where(raw.valid, raw.pixels, 0)
    sums = [_box_sum(band.astype(np.float32), box, width, height) for band in clean]
    return Raw(np.stack(sums) / np.maximum(count, 1), count > box * box / 2)


def _box_sum(band: NDArray[Any], box: int, width: int, height: int) -> NDArray[np.float32]:
    padded = np.zeros((height * box, width * box), np.float32)
    padded[: band.shape[0], : band.shape[1]] = band
    return np.asarray(padded.reshape(height, box, width, box).sum(axis=(1, 3)))
