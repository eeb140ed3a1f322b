"""Pictures of single hulls, for those that look at a ship once more and by itself."""

from collections.abc import Iterator
from contextlib import closing
from itertools import islice

import numpy as np
from numpy.typing import NDArray

from shipdet.geometry import Hulls
from shipdet.models.bow_classifier import BANDS
from shipdet.raster.aligned import along_hull, window_along
from shipdet.raster.reader import prefetch_chips
from shipdet.raster.sampling import Sampling
from shipdet.raster.scene import Scene
from shipdet.raster.stretch import scene_stretch
from shipdet.raster.tiling import Tile

BATCH = 32
READ_AHEAD = 8
"""Windows of ships that are read while others are looked at."""
LEAST_SCORE = 0.25
"""Of ships: what is hardly one need not be looked at again."""
LEAST_LENGTH = 1.0
"""In model pixels: anything shorter has no direction."""


def worth_a_look(hulls: Hulls, sampling: Sampling) -> NDArray[np.bool_]:
    """Which hulls (N,), in scene pixels, are likely and long enough."""
    length = np.hypot(*(sampling.to_model(hulls.bow) - sampling.to_model(hulls.stern)).T)
    return np.asarray((hulls.score >= LEAST_SCORE) & (length > LEAST_LENGTH))


def hull_pictures(
    hulls: Hulls, scene: Scene, sampling: Sampling
) -> Iterator[tuple[NDArray[np.intp], NDArray[np.float32]]]:
    """Rows of hulls and their stretched pictures (N, 3, ROWS, COLUMNS), hulls of one block of the file together.

    Args:
        hulls: in scene pixels, at least one.
        scene: that they lie in.
        sampling: how the model read it.

    Raises:
        ReadError: the file is damaged.
    """
    bow, stern = sampling.to_model(hulls.bow), sampling.to_model(hulls.stern)
    x, y = hulls.bow.T
    order = np.lexsort((x, y // scene.block[0]))
    windows = [window_along(bow[row], stern[row]) for row in order]
    tiles = [Tile(window, window) for window in windows]
    with closing(prefetch_chips(scene, sampling, scene_stretch(scene), tiles, depth=READ_AHEAD)) as chips:
        for rows in np.array_split(order, range(BATCH, len(order), BATCH)):
            some = zip(rows, islice(chips, len(rows)), strict=True)
            shown = [along_hull(c.stretched().pixels[:BANDS], t.window, bow[r], stern[r]) for r, (t, c) in some]
            yield rows, np.stack(shown)
