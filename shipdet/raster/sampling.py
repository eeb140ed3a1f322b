"""The grid that a model reads a scene on: the scene's pixels scaled to the model's ground sample distance."""

from dataclasses import dataclass
from math import ceil

import numpy as np
from numpy.typing import NDArray

from shipdet.errors import SceneError
from shipdet.raster.scene import Scene

NEAR_ONE = 0.1
"""A scale this near to 1 is taken as 1: networks are trained over scales, and unresampled pixels are faster."""
SLACK = 1e-3
"""Part of a model pixel that may fall off the right and bottom edge rather than open another one."""


@dataclass(frozen=True)
class Sampling:
    """Model pixels per scene pixel, and the size of the scene in model pixels."""

    scale_x: float
    scale_y: float
    width: int
    height: int

    def to_scene(self, xy: NDArray[np.float64]) -> NDArray[np.float64]:
        """Model coordinates (N, 2) to scene coordinates (N, 2)."""
        return np.asarray(xy / np.array([self.scale_x, self.scale_y]))

    def to_model(self, xy: NDArray[np.float64]) -> NDArray[np.float64]:
        """Scene coordinates (N, 2) to model coordinates (N, 2)."""
        return np.asarray(xy * np.array([self.scale_x, self.scale_y]))


def model_sampling(scene: Scene, model_gsd_m: float) -> Sampling:
    """How a model of `model_gsd_m` metres per pixel reads a scene.

    Raises:
        SceneError: the scene's ground sample distance is not known.
    """
    if scene.gsd_m is None:
        raise SceneError(f"{scene.name} does not say how large its pixels are on the ground; pass --gsd METRES")
    scale_x, scale_y = (gsd / model_gsd_m for gsd in scene.gsd_m)
    if abs(scale_x - 1) <= NEAR_ONE and abs(scale_y - 1) <= NEAR_ONE:
        scale_x = scale_y = 1.0
    width, height = (
        max(1, ceil(n * s - SLACK)) for n, s in ((scene.grid.width, scale_x), (scene.grid.height, scale_y))
    )
    return Sampling(scale_x, scale_y, width, height)
