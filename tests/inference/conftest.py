"""A scout whose weights were set by hand, and small scenes for it."""

import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import rasterio
import torch
from affine import Affine
from numpy.typing import NDArray
from rasterio.enums import Resampling

from shipdet.models.scout import Scout
from shipdet.models.weights import Model, ScoutFacts, load_weights
from shipdet.raster.scene import Scene, open_scene

THRESHOLD = 0.5
WriteScene = Callable[..., Scene]


@pytest.fixture(scope="session")
def bright_scout() -> Scout:
    """Takes what is brighter than the middle of the stretch for ships."""
    scout = Scout().eval()
    with torch.no_grad():
        for name, value in scout.state_dict().items():
            if value.ndim == 4:
                value.zero_()
                if name == "stem.0.weight":
                    value[0] = 1 / value[0].numel()
                elif name.startswith("stem"):
                    value[0, 0] = 1 / value[0, 0].numel()
                else:
                    value[0, 0, value.shape[2] // 2, value.shape[3] // 2] = 1
        scout.head.weight[0, 0], scout.head.bias[0] = 40.0, -4.0
    return scout


@pytest.fixture(scope="session")
def scouting(bright_scout: Scout) -> Model:
    """The weights that ship, with that scout."""
    model = load_weights("inshore-vhr")
    facts = ScoutFacts(threshold=THRESHOLD, split="none", ships=0, lost_recall=0.0, opened=1.0)
    return model._replace(card=model.card.model_copy(update={"scout": facts}), scout=bright_scout)


@pytest.fixture
def write_scene(tmp_path: Path) -> WriteScene:
    """Writes (C, H, W) as a tiled GeoTIFF of 1 m, with overviews of such factors, and opens it."""

    def write(name: str, pixels: NDArray[Any], factors: tuple[int, ...] = (), **options: Any) -> Scene:
        path = tmp_path / name
        count, height, width = pixels.shape
        profile = {"driver": "GTiff", "count": count, "height": height, "width": width, "dtype": pixels.dtype}
        profile |= {"crs": "EPSG:32631", "transform": Affine(1, 0, 500000, 0, -1, 5700000), "photometric": "rgb"}
        profile |= {"tiled": True, "blockxsize": 128, "blockysize": 128, "compress": "deflate"}
        with warnings.catch_warnings(), rasterio.open(path, "w", **profile | options) as dataset:
            dataset.write(pixels)
            if factors:
                dataset.build_overviews(list(factors), Resampling.average)
        return open_scene(str(path))

    return write
