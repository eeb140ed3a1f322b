"""The picture that labels belong to: its file's name, its size, and where its pixels lie on Earth."""

from dataclasses import dataclass

import numpy as np
import shapely

from shipdet.geometry import Grid
from shipdet.labels.types import Array


@dataclass(frozen=True)
class Frame:
    """A picture without its pixels."""

    name: str
    """of the file, without folders"""
    grid: Grid

    @property
    def outline(self) -> shapely.Polygon:
        """The picture's edge, in pixels."""
        return shapely.box(0, 0, self.grid.width, self.grid.height)

    def to_pixels(self, xy: Array) -> Array:
        """Coordinates of the picture's CRS (N, 2) to pixels (N, 2)."""
        return Grid(None, ~self.grid.transform, 0, 0).to_crs(xy)


def mean_gsd_m(frame: Frame, xy: Array) -> Array:
    """Metres (N,) of the mean ground pixel, sqrt(x * y), at pixel coordinates (N, 2)."""
    return np.asarray(np.sqrt(frame.grid.gsd_m(xy).prod(axis=1)))


def pixel_shape(frame: Frame | None, xy: Array) -> Array:
    """Width and height (N, 2) of a pixel on the ground in units of the mean ground pixel, at pixels (N, 2).

    Ones where pixels are square, or where nothing is known of the ground.
    """
    if frame is None or frame.grid.crs is None:
        return np.ones_like(xy)
    gsd_m = frame.grid.gsd_m(xy)
    return np.asarray(gsd_m / np.sqrt(gsd_m.prod(axis=1, keepdims=True)))
