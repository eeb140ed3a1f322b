"""Render the sample scene: a synthetic harbour as a georeferenced GeoTIFF, with its ships as a GeoPackage.

    python data_samples/make_samples.py [--out DIR]

No pixel comes from real imagery, and the place, in the open North Sea, is none where such a harbour is. JPEG inside
the TIFF keeps it small; since lossy pixels cannot hold a nodata value, an internal mask says where there is no data.
"""

import argparse
import tempfile
from pathlib import Path

import geopandas as gpd
import numpy as np
import pyogrio
import rasterio
import shapely
from affine import Affine
from numpy.typing import NDArray
from pyproj import CRS
from rasterio.enums import Resampling

from shipdet.geometry import Array, Grid, hull_corners
from shipdet.training.synthetic import SAMPLE_SEED, HarbourOptions, Rendered, render_harbour

HEIGHT, WIDTH = 1536, 2048
EASTING_M, NORTHING_M = 534_200.0, 5_817_600.0
ACQUIRED = "2017:07:27 10:42:00"
OPTIONS = HarbourOptions(open_sea=0.0, navy=1.0, crowding=(0.5, 0.5), marinas=0.0, haze=0.0)
"""Marinas are left out: a yacht of a dozen pixels is for benchmarks, not for a first look."""
WEDGE = 0.3
"""How far the nodata corner reaches along the top and, three times as far, down the side, as a share of the height."""


def sample_grid(height: int = HEIGHT, width: int = WIDTH) -> Grid:
    """Where the sample lies: UTM zone 31 north, one metre a pixel."""
    return Grid(CRS.from_epsg(32631), Affine(1, 0, EASTING_M, 0, -1, NORTHING_M), width, height)


def footprint(height: int, width: int) -> NDArray[np.bool_]:
    """Where there is data (H, W): all but a slanted wedge, as a turned swath leaves it."""
    rows, columns = np.ogrid[:height, :width]
    return _past_wedge(columns + 0.5, rows + 0.5, height) >= 0


def _past_wedge(x: Array, y: Array, height: int) -> Array:
    """How far points lie to the right of the nodata corner's edge, in pixels."""
    return np.asarray(x + y / 3 - WEDGE * height)


def render_sample(height: int = HEIGHT, width: int = WIDTH) -> Rendered:
    """The harbour without the ships that the nodata corner hides, wholly or in part."""
    scene = render_harbour(np.random.default_rng(SAMPLE_SEED), (height, width), OPTIONS)
    corners = hull_corners(scene.bow, scene.stern, scene.beam)
    seen = np.asarray((_past_wedge(corners[..., 0], corners[..., 1], height) > 2).all(axis=1))
    kinds = tuple(kind for kind, keep in zip(scene.type, seen, strict=True) if keep)
    return Rendered(scene.pixels, scene.bow[seen], scene.stern[seen], scene.beam[seen], kinds)


def write_scene(scene: Rendered, grid: Grid, path: Path) -> None:
    """Tiled, JPEG-compressed, masked, with overviews."""
    profile = {
        "driver": "GTiff", "dtype": "uint8", "count": 3, "height": grid.height, "width": grid.width,
        "crs": grid.crs, "transform": grid.transform, "tiled": True, "blockxsize": 256, "blockysize": 256,
        "compress": "jpeg", "jpeg_quality": 92, "photometric": "ycbcr",
    }  # fmt: skip
    valid = footprint(grid.height, grid.width)
    pixels = np.where(valid[..., None], scene.pixels, 0).transpose(2, 0, 1)
    with rasterio.Env(GDAL_TIFF_INTERNAL_MASK=True, JPEG_QUALITY_OVERVIEW=85):
        with rasterio.open(path, "w", **profile) as file:
            file.write(pixels)
            file.write_mask(valid)
            file.update_tags(TIFFTAG_DATETIME=ACQUIRED, TIFFTAG_IMAGEDESCRIPTION="synthetic harbour, no real imagery")
        with rasterio.open(path, "r+") as file:
            file.build_overviews([2, 4, 8], Resampling.average)


def label_table(scene: Rendered, grid: Grid) -> gpd.GeoDataFrame:
    """One row a ship: footprint, ends in pixels, true sizes and heading."""
    corners = hull_corners(scene.bow, scene.stern, scene.beam)
    outlines = grid.to_crs(corners.reshape(-1, 2)).reshape(corners.shape)
    bow, stern = grid.to_lonlat(scene.bow), grid.to_lonlat(scene.stern)
    azimuth, _, length = grid.geod.inv(stern[:, 0], stern[:, 1], bow[:, 0], bow[:, 1])
    middle: Array = (scene.bow + scene.stern) / 2
    columns = {
        "bow_col": scene.bow[:, 0], "bow_row": scene.bow[:, 1],
        "stern_col": scene.stern[:, 0], "stern_row": scene.stern[:, 1],
        "beam_m": scene.beam * grid.gsd_m(middle).mean(axis=1), "length_m": np.asarray(length),
        "heading_deg": np.asarray(azimuth) % 360.0, "type": list(scene.type),
    }  # fmt: skip
    return gpd.GeoDataFrame(columns, geometry=shapely.polygons(outlines), crs=grid.crs)


def write_labels(table: gpd.GeoDataFrame, path: Path) -> None:
    """A GeoPackage with one layer, `ships`, dated as the scene is, so that a second run writes the same."""
    pyogrio.set_gdal_config_options({"OGR_CURRENT_DATE": "2017-07-27T10:42:00.000Z"})
    try:
        table.to_file(path, layer="ships", driver="GPKG")
    finally:
        pyogrio.set_gdal_config_options({"OGR_CURRENT_DATE": None})


def make_samples(out: Path, height: int = HEIGHT, width: int = WIDTH) -> None:
    """Write harbour.tif and harbour_labels.gpkg into `out`; files of these names are replaced."""
    scene, grid = render_sample(height, width), sample_grid(height, width)
    out.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=out) as folder:
        write_scene(scene, grid, Path(folder) / "harbour.tif")
        write_labels(label_table(scene, grid), Path(folder) / "harbour_labels.gpkg")
        for file in sorted(Path(folder).iterdir()):
            file.replace(out / file.name)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description="Render the synthetic sample harbour and its labels.")
    parser.add_argument("--out", type=Path, default=Path(__file__).parent, help="folder to write to")
    folder = parser.parse_args().out
    make_samples(folder)
    for name in ("harbour.tif", "harbour_labels.gpkg"):
        print(f"{folder / name}: {(folder / name).stat().st_size / 1e6:.2f} MB")
