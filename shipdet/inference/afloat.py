"""Ships have water around them: what lies on dry land is none, however much a roof may look like one from 10 m.

Near infrared tells water from land, for water swallows it. So this is asked only where a model reads that band and the
scene has it.
"""

import numpy as np
from numpy.typing import NDArray

from shipdet.geometry import Array, Hulls
from shipdet.models.weights import Model
from shipdet.raster.raw import SceneFiles
from shipdet.raster.scene import Scene
from shipdet.raster.stretch import Stretch, scene_stretch
from shipdet.raster.tiling import Window

NEAR, FAR = 1.5, 4.5
"""Pixels off a hull, between which lies what is asked: nearer ones may show some of the ship."""
DARK = 0.15
"""Stretched near infrared below which a pixel is water, in muddy harbours too."""
LEAST_SCORE = 0.05
"""Of ships that are asked at all."""

Mask = NDArray[np.bool_]


def afloat(hulls: Hulls, scene: Scene, model: Model) -> Mask:
    """Which ships (N,) have water around them; all of them where nobody can tell.

    Args:
        hulls: in scene pixels.
        scene: that they lie in.
        model: whose card says how much of what lies around a ship must be water.

    Raises:
        ReadError: the file is damaged.
    """
    least, bands = model.card.least_water, model.card.bands
    kept = np.ones(len(hulls), np.bool_)
    asked = np.flatnonzero(hulls.score >= LEAST_SCORE)
    if least is None or len(scene.channels) < len(bands) or not len(asked):
        return kept
    places = bands.index("green"), bands.index("nir")
    stretch = scene_stretch(scene)
    with SceneFiles(scene) as files:
        for row in asked:
            share = water_around(files, hulls[row : row + 1], places, stretch)
            kept[row] = share is None or share >= least
    return kept


def water_around(files: SceneFiles, hull: Hulls, places: tuple[int, int], stretch: Stretch) -> float | None:
    """Share of the pixels around a hull that are water; None where none of them is valid.

    Args:
        files: of the scene, at full resolution.
        hull: one, in its pixels.
        places: of green and near infrared among its channels.
        stretch: of the scene.
    """
    middle, reach = (hull.bow[0] + hull.stern[0]) / 2, float(hull.length[0] + hull.beam[0]) / 2 + FAR
    (x, y), side = np.floor(middle - reach).astype(int).tolist(), int(np.ceil(2 * reach)) + 1
    window = Window(x, y, side, side).clipped(files.width, files.height)
    if not window.area:
        return None
    raw = files.read(window)
    around = raw.valid & _around(hull, window)
    if not around.any():
        return None
    green, nir = (raw.pixels[files.scene.channels[place]][around].astype(np.float64) for place in places)
    low, high = stretch.low[places[1]], stretch.high[places[1]]
    return float(((green > nir) | ((nir - low) / (high - low) < DARK)).mean())


def _around(hull: Hulls, window: Window) -> Mask:
    """Pixels (H, W) of a window whose centres lie between `NEAR` and `FAR` off the hull's rectangle."""
    y, x = np.mgrid[window.y : window.y + window.height, window.x : window.x + window.width] + 0.5
    ahead = (hull.bow[0] - hull.stern[0]) / max(float(hull.length[0]), 1e-9)
    dx, dy = x - (hull.bow[0, 0] + hull.stern[0, 0]) / 2, y - (hull.bow[0, 1] + hull.stern[0, 1]) / 2
    along: Array = np.abs(dx * ahead[0] + dy * ahead[1]) - hull.length[0] / 2
    across: Array = np.abs(dx * ahead[1] - dy * ahead[0]) - hull.beam[0] / 2
    off = np.hypot(along.clip(0), across.clip(0))
    return np.asarray((off > NEAR) & (off <= FAR))
