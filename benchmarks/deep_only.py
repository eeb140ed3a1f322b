"""Ships out of the coarse map alone: what the ablation's row without a shallow branch does at inference.

Cells where hull or end is likelier than background are joined to components (touching corners count), and the
smallest rectangle around a component is a ship, its score the component's mean probability. In training, an end is
painted as a disc about as wide as the rectangle's short side, so the ship's ends lie half a short side inside it.
Which end is the bow is not known.
"""

import cv2
import numpy as np
import scipy.ndimage
from numpy.typing import NDArray

from shipdet.geometry import Hulls
from shipdet.inference.engine import in_scene_pixels, see
from shipdet.inference.evidence import CoarseMap
from shipdet.models.device import Device
from shipdet.models.task_partition import COARSE_STRIDE
from shipdet.models.weights import Model
from shipdet.raster.sampling import Sampling
from shipdet.raster.scene import Scene

Array = NDArray[np.float64]

LIKELY = 128
"""Probability of ship, 255 is 1, of the cells that count"""


def coarse_ships(scene: Scene, model: Model, device: Device) -> Hulls:
    """Ships of a scene, in its pixels, best first."""
    seen = see(scene, model, device)
    return ships_of_coarse_map(seen.coarse, seen.sampling)


def ships_of_coarse_map(coarse: CoarseMap, sampling: Sampling) -> Hulls:
    """Ships in scene pixels, best first."""
    labelled, count = scipy.ndimage.label(coarse.ship >= LIKELY, structure=np.ones((3, 3)))
    if count == 0:
        return Hulls.empty()
    rectangles = [_rectangle(np.argwhere(labelled == n)) for n in range(1, count + 1)]
    bow, stern, beam = (np.array(part, np.float64) for part in zip(*rectangles, strict=True))
    score = np.asarray(scipy.ndimage.mean(coarse.ship, labelled, np.arange(1, count + 1)), np.float64) / 255
    hulls = Hulls(bow, stern, beam, score, np.full(count, 0.5))
    return in_scene_pixels(hulls[np.argsort(-score, kind="stable")], sampling)


def _rectangle(cells: NDArray[np.intp]) -> tuple[Array, Array, float]:
    """Both ends (2,) and beam, in model pixels, of one component's cells (N, 2), row and column."""
    centres = cells[:, ::-1] + 0.5
    middle, sides, angle_deg = cv2.minAreaRect(centres.astype(np.float32))
    wide, high = (side + 1.0 for side in sides)  # from centre to centre it is a cell less
    turn = np.radians(angle_deg if wide >= high else angle_deg + 90)
    long, short = max(wide, high), min(wide, high)
    half = max(long - short, 0.5 * long) / 2 * np.array([np.cos(turn), np.sin(turn)])
    ends = np.array([middle + half, middle - half]) * COARSE_STRIDE
    return ends[0], ends[1], short * COARSE_STRIDE
