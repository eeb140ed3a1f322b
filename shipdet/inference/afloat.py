"""Ships have water around them: what lies on dry land is none, however much a roof may look like one from 10 m.

Near infrared tells water from land, for water swallows it. So this is asked only where a model reads that band and the
scene has it, and where enough of the scene is water by that rule: without land, or in mud alone, it would say nothing.
"""

import logging
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from shipdet.geometry import Array, Hulls
from shipdet.models.weights import Model
from shipdet.raster.raw import SceneFiles
from shipdet.raster.sampling import Sampling
from shipdet.raster.scene import Scene
from shipdet.raster.stretch import sample_pixels, stretch_of
from shipdet.raster.tiling import Window

log = logging.getLogger(__name__)

NEAR, FAR = 6.0, 18.0
"""Model pixels off a hull, between which lies what is asked: nearer ones may show some of the ship."""
DARK = 0.15
"""Stretched near infrared below which a pixel is water, in muddy harbours too."""
LEAST_WATER_IN_SCENE = 0.2
"""Share of a scene that must be water: the stretch spans what there is, so in any scene some of it is `DARK`."""
LEAST_SCORE = 0.05
"""Of ships that are asked at all."""
DROPPED = "%s: %d that score %.2f or more have no water around them and are dropped"

Mask = NDArray[np.bool_]


class _Water(NamedTuple):
    """What tells water in a scene."""

    green: int
    """its place among the bands that are read"""
    nir: int
    """likewise"""
    dark: float
    """near infrared below which all is water, in the scene's own numbers"""

    def of(self, pixels: NDArray[Any]) -> Mask:
        """Which pixels (C, ...) are water."""
        green, nir = (pixels[place].astype(np.float64) for place in (self.green, self.nir))
        return np.asarray((green > nir) | (nir < self.dark))


def afloat(hulls: Hulls, scene: Scene, sampling: Sampling, model: Model) -> Mask:
    """Which ships (N,) have water around them; all of them where nobody can tell.

    Args:
        hulls: in scene pixels.
        scene: that they lie in.
        sampling: how the model read it.
        model: whose card says how much of what lies around a ship must be water.

    Raises:
        ReadError: the file is damaged.
    """
    least, bands = model.card.least_water, model.card.bands
    kept = np.ones(len(hulls), np.bool_)
    asked = np.flatnonzero(hulls.score >= LEAST_SCORE)
    if least is None or len(scene.channels) < len(bands) or not len(asked):
        return kept
    if (water := _water_in(scene, model)) is None:
        return kept
    x, y = hulls.bow[asked].T
    with SceneFiles(scene) as files:
        for row in asked[np.lexsort((x, y // scene.block[0]))]:  # those of one block of the file together
            share = _share_around(files, hulls[row : row + 1], sampling, water)
            kept[row] = share is None or share >= least
    if dropped := int((~kept & (hulls.score >= model.card.score_threshold)).sum()):
        log.warning(DROPPED, scene.name, dropped, model.card.score_threshold)
    return kept


def _water_in(scene: Scene, model: Model) -> _Water | None:
    """What tells water in a scene; None where too little of it is water for that to be believed."""
    bands, raw = model.card.bands, sample_pixels(scene)
    green, nir = (scene.channels[bands.index(name)] for name in ("green", "nir"))
    stretch = stretch_of(raw.pixels[[nir]], raw.valid)
    water = _Water(green, nir, stretch.low[0] + DARK * (stretch.high[0] - stretch.low[0]))
    return water if water.of(raw.pixels[:, raw.valid]).mean() >= LEAST_WATER_IN_SCENE else None


def _share_around(files: SceneFiles, hull: Hulls, sampling: Sampling, water: _Water) -> float | None:
    """Share of the pixels around a hull that are water; None where none of them is valid."""
    scale = np.array([sampling.scale_x, sampling.scale_y])
    middle = (hull.bow[0] + hull.stern[0]) / 2
    length, beam = _size(hull, scale)
    reach = ((length + beam) / 2 + FAR) / scale
    (x, y), (width, height) = np.floor(middle - reach).astype(int).tolist(), np.ceil(2 * reach).astype(int).tolist()
    window = Window(x, y, width + 1, height + 1).clipped(files.width, files.height)
    if not window.area:
        return None
    raw = files.read(window)
    around = raw.valid & _around(hull, window, scale)
    return float(water.of(raw.pixels[:, around]).mean()) if around.any() else None


def _size(hull: Hulls, scale: Array) -> tuple[float, float]:
    """Length and beam in model pixels."""
    return float(np.hypot(*((hull.bow[0] - hull.stern[0]) * scale))), float(hull.beam[0] * np.sqrt(scale.prod()))


def _around(hull: Hulls, window: Window, scale: Array) -> Mask:
    """Pixels (H, W) of a window whose centres lie between `NEAR` and `FAR` off the hull's rectangle."""
    length, beam = _size(hull, scale)
    y, x = np.mgrid[window.y : window.y + window.height, window.x : window.x + window.width] + 0.5
    middle = (hull.bow[0] + hull.stern[0]) / 2
    dx, dy = (x - middle[0]) * scale[0], (y - middle[1]) * scale[1]
    ahead = (hull.bow[0] - hull.stern[0]) * scale / max(length, 1e-9)
    along: Array = np.abs(dx * ahead[0] + dy * ahead[1]) - length / 2
    across: Array = np.abs(dx * ahead[1] - dy * ahead[0]) - beam / 2
    off = np.hypot(along.clip(0), across.clip(0))
    return np.asarray((off > NEAR) & (off <= FAR))
