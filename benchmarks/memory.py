"""How much memory `shipdet detect` takes for a large scene, and how long.

Contract: on a tiled RGB scene of 12,000 x 12,000 pixels without overviews, and with --sparse on one of 40,000 x 40,000
with a single harbour in its middle, its resident memory peaks below 1.5 GB (1e9 bytes), import of torch included. Exit
code 1 where it does not, or where `shipdet detect` fails.

The scene is written to a temporary folder: the sample harbour, over and over, which is more shore and more ships,
so more of the gate open, than a real scene of this size has. `shipdet detect` runs as a child process and the peak
is the child's alone, as the kernel counts it, shared libraries included. Linux and macOS.
"""

import argparse
import csv
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any, NamedTuple

import rasterio
from affine import Affine
from numpy.typing import NDArray
from rasterio.enums import Resampling
from rasterio.windows import Window

SIZE, SPARSE_SIZE = 12_000, 40_000
LIMIT_GB = 1.5
HARBOUR = Path(__file__).resolve().parents[1] / "data_samples" / "harbour.tif"
BLOCK = 512
PATTERN = Window(BLOCK, 0, 3 * BLOCK, 3 * BLOCK)
"""The part of the sample that is repeated: whole blocks, to the right of its nodata corner."""
FACTORS = [2, 4, 8, 16]
SMALL_CACHE = {"GDAL_CACHEMAX": 64 * 2**20}
"""In bytes. The kernel starts a child's peak at its parent's size, so this process has to stay small."""
SHIPDET = (sys.executable, "-c", "from shipdet.cli import main; main()")
"""The console script, whether or not it is on the path."""


class Peak(NamedTuple):
    """What one run took and gave."""

    memory_gb: float
    seconds: float
    """wall time, start of Python included"""
    ships: int


def write_scene(path: Path, size: int) -> None:
    """A square scene of `size` pixels of 1 m in UTM: RGB, uint8, tiled, deflated, without overviews.

    It is written block by block and never held whole.
    """
    with rasterio.Env(**SMALL_CACHE):
        pattern = read_pattern()
        with rasterio.open(path, "w", **_profile(size)) as file:
            for _, window in file.block_windows(1):
                y, x = window.row_off % pattern.shape[1], window.col_off % pattern.shape[2]
                file.write(pattern[:, y : y + window.height, x : x + window.width], window=window)


def write_sparse_scene(path: Path, size: int) -> None:
    """The same with one harbour in its middle and nothing around it: blocks that are not even in the file."""
    with rasterio.Env(**SMALL_CACHE):
        pattern = read_pattern()
        corner = (size - PATTERN.width) // 2 // BLOCK * BLOCK
        with rasterio.open(path, "w", sparse_ok=True, nodata=0, **_profile(size)) as file:
            file.write(pattern, window=Window(corner, corner, PATTERN.width, PATTERN.height))


def _profile(size: int) -> dict[str, Any]:
    return {
        "driver": "GTiff", "dtype": "uint8", "count": 3, "height": size, "width": size, "photometric": "rgb",
        "crs": "EPSG:32631", "transform": Affine(1, 0, 500_000, 0, -1, 5_700_000), "bigtiff": "if_safer",
        "tiled": True, "blockxsize": BLOCK, "blockysize": BLOCK, "compress": "deflate", "predictor": 2, "zlevel": 1,
    }  # fmt: skip


def read_pattern() -> NDArray[Any]:
    """What the scene repeats: (3, 1536, 1536) uint8, all of it valid."""
    with rasterio.open(HARBOUR) as file:
        pixels: NDArray[Any] = file.read(window=PATTERN)
    return pixels


def add_overviews(path: Path) -> None:
    """Internal overviews, by averaging."""
    with rasterio.Env(**SMALL_CACHE), rasterio.open(path, "r+") as file:
        file.build_overviews(FACTORS, Resampling.average)


def run_detect(scene: Path, options: list[str]) -> Peak:
    """`shipdet detect` on a scene, in a child process; to be called once a process, for the peak is of all children.

    Raises:
        CalledProcessError: it failed; it has said why on standard error.
    """
    output = scene.with_name("ships.csv")
    began = time.perf_counter()
    subprocess.run([*SHIPDET, "detect", str(scene), "-o", str(output), *options], check=True, stdout=subprocess.DEVNULL)
    seconds = time.perf_counter() - began
    with output.open(newline="") as file:
        ships = sum(1 for _ in csv.DictReader(file))
    return Peak(_peak_gb(resource.RUSAGE_CHILDREN), seconds, ships)


def _peak_gb(who: int) -> float:
    unit = 1 if sys.platform == "darwin" else 1024
    return resource.getrusage(who).ru_maxrss * unit / 1e9


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description="Peak memory of `shipdet detect` on a large scene.",
        epilog="Options after -- go to shipdet detect: python benchmarks/memory.py -- --precision float32",
    )
    parser.add_argument("--size", type=int, help=f"side of the scene in pixels, {SIZE}; if sparse, {SPARSE_SIZE}")
    parser.add_argument("--sparse", action="store_true", help="one harbour in the middle of nothing")
    parser.add_argument("--limit-gb", type=float, default=LIMIT_GB, help="above it the exit code is 1")
    parser.add_argument("--overviews", action="store_true", help="give the scene overviews")
    parser.add_argument("options", nargs="*", help="of shipdet detect")
    return parser.parse_args()


def main() -> int:
    """Writes the scene, runs, prints, judges."""
    arguments = _arguments()
    with tempfile.TemporaryDirectory() as folder:
        scene = Path(folder) / "scene.tif"
        size = arguments.size or (SPARSE_SIZE if arguments.sparse else SIZE)
        (write_sparse_scene if arguments.sparse else write_scene)(scene, size)
        if arguments.overviews:
            add_overviews(scene)
        print(f"scene: {size} x {size} pixels, {scene.stat().st_size / 1e6:.0f} MB on disk")
        try:
            peak = run_detect(scene, arguments.options)
        except subprocess.CalledProcessError as error:
            print(f"shipdet detect failed with exit code {error.returncode}", file=sys.stderr)
            return 1
    megapixels = size**2 / 1e6
    print(f"time: {peak.seconds:.1f} s, {megapixels / peak.seconds:.2f} megapixels a second; {peak.ships} ships")
    print(f"peak memory: {peak.memory_gb:.2f} GB (limit {arguments.limit_gb:g} GB; this script itself ", end="")
    print(f"{_peak_gb(resource.RUSAGE_SELF):.2f} GB)")
    return 1 if peak.memory_gb > arguments.limit_gb else 0


if __name__ == "__main__":
    sys.exit(main())
