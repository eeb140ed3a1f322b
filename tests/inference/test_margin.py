"""The margin around cores on a harbour that it was not chosen with."""

import numpy as np
import pytest
import rasterio
from affine import Affine

from shipdet.inference.engine import MARGIN, Tiling, detect_hulls
from shipdet.models.device import choose_device
from shipdet.models.weights import load_weights
from shipdet.raster.scene import Scene, open_scene
from shipdet.training.synthetic import HarbourOptions, render_harbour

HEIGHT, WIDTH = 896, 1152
TO_SPARE = 3
"""Times less than what is allowed"""


@pytest.fixture(scope="module")
def harbour(tmp_path_factory: pytest.TempPathFactory) -> Scene:
    options = HarbourOptions(open_sea=0, crowding=(0.6, 0.9), haze=0)
    pixels = render_harbour(np.random.default_rng(4711), (HEIGHT, WIDTH), options).pixels.transpose(2, 0, 1)
    path = tmp_path_factory.mktemp("scene") / "harbour.tif"
    profile = {"driver": "GTiff", "dtype": "uint8", "count": 3, "height": HEIGHT, "width": WIDTH}
    profile |= {"crs": "EPSG:32631", "transform": Affine(1, 0, 500_000, 0, -1, 5_700_000)}
    with rasterio.open(path, "w", **profile) as file:
        file.write(pixels)
    return open_scene(path)


def test_what_lies_beyond_the_margin_moves_no_end_and_no_score(harbour: Scene):
    model, exact = load_weights("inshore-vhr")._replace(scout=None), choose_device("cpu", "float32")
    assert min(HEIGHT, WIDTH) > 256 + 2 * MARGIN  # inner tiles do not see all
    whole, cut = (detect_hulls(harbour, model, exact, Tiling(*how)).hulls for how in ((1152,), (256, (96, 160))))
    assert len(cut) == len(whole)
    assert (whole.score > model.card.score_threshold).sum() >= 10
    rows = [np.column_stack([hulls.bow, hulls.stern, hulls.score]) for hulls in (whole, cut)]
    a, b = (table[np.lexsort(np.round(table[:, :4]).T)] for table in rows)
    assert np.abs(a[:, :4] - b[:, :4]).max() < 0.1 / TO_SPARE
    assert np.abs(a[:, 4] - b[:, 4]).max() < 1e-3 / TO_SPARE
