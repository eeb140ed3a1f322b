"""Small rasters with known pixels, written as a test asks."""

import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import rasterio
from affine import Affine
from numpy.typing import NDArray
from rasterio.enums import Resampling
from rasterio.errors import NotGeoreferencedWarning

UTM = {"crs": "EPSG:32631", "transform": Affine(1, 0, 500000, 0, -1, 5700000)}
TILED = {"tiled": True, "blockxsize": 64, "blockysize": 64, "compress": "deflate"}

WriteTif = Callable[..., str]


@pytest.fixture
def write_tif(tmp_path: Path) -> WriteTif:
    """Write (C, H, W) as a GeoTIFF, 1 m in UTM unless told otherwise; returns its path."""

    def write(name: str, pixels: NDArray[Any], after: Callable[[Any], None] | None = None, **options: Any) -> str:
        path = tmp_path / name
        count, height, width = pixels.shape
        profile = {"driver": "GTiff", "count": count, "height": height, "width": width, "dtype": pixels.dtype}
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", NotGeoreferencedWarning)
            with rasterio.open(path, "w", **{**profile, **UTM, **options}) as dataset:
                dataset.write(pixels)
                if after is not None:
                    after(dataset)
        return str(path)

    return write


def noise(shape: tuple[int, ...], dtype: str = "uint8", top: int = 255, seed: int = 0) -> NDArray[Any]:
    """Noise in [1, top]: no pixel is zero, so all are valid."""
    return np.random.default_rng(seed).integers(1, top, shape, endpoint=True).astype(dtype)


def smooth(height: int, width: int, dtype: str = "uint8") -> NDArray[Any]:
    """Three bands of slow waves between 60 and 200."""
    y, x = np.mgrid[:height, :width]
    wave = 130 + 70 * np.sin(x / 23) * np.cos(y / 31)
    return np.stack([wave, wave[::-1], wave[:, ::-1]]).astype(dtype)


def add_overviews(path: str, factors: list[int]) -> None:
    with rasterio.open(path, "r+") as dataset:
        dataset.build_overviews(factors, Resampling.average)


@pytest.fixture
def rasters() -> Any:
    """The helpers of this file, for tests are not a package."""

    class Rasters:
        noise = staticmethod(noise)
        smooth = staticmethod(smooth)
        add_overviews = staticmethod(add_overviews)
        tiled = TILED

    return Rasters
