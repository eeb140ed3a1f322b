"""One row of `scene_speed.py` on one scene, in a process of its own: `python speed_worker.py JOB.json RESULT.json`."""

import json
import resource
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import rasterio
import torch

from shipdet.inference.views import find_ships
from shipdet.models.device import Device, choose_device
from shipdet.models.weights import Model, load_weights
from shipdet.raster.scene import open_scene


def decode(path: str) -> float:
    """Every block once, as rasterio does it by default."""
    with rasterio.open(path) as file:
        for _, window in file.block_windows(1):
            file.read(window=window)
    return 1.0


def find(path: str, model: Model, device: Device) -> float:
    """The share of a scene that was looked at to find its ships."""
    return find_ships(open_scene(path), model, device).opened


def work_of(job: dict[str, Any]) -> Callable[[str], float]:
    """What is timed."""
    if job["row"] == "decode":
        return decode
    model = load_weights(job["model"])
    model = model if job["row"] == "scout" else model._replace(scout=None)
    device = choose_device("cpu", "float32" if job["row"] == "dense float32" else "auto")
    return lambda path: find(path, model, device)


def peak_gb() -> float:
    """Of this process alone: the kernel's count since the program was loaded, where it tells it."""
    status = Path("/proc/self/status")
    if status.exists():
        line = next(line for line in status.read_text().splitlines() if line.startswith("VmHWM"))
        return float(line.split()[1]) * 1024 / 1e9
    unit = 1 if sys.platform == "darwin" else 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit / 1e9


def main() -> int:
    """Does the job: once on a small scene, which is not timed, and once on that which is."""
    job = json.loads(Path(sys.argv[1]).read_text(encoding="utf-8"))
    torch.set_num_threads(job["threads"])
    work = work_of(job)
    work(job["warm_up"])
    began = time.perf_counter()
    opened = work(job["scene"])
    seconds = time.perf_counter() - began
    result = {"seconds": seconds, "memory_gb": peak_gb(), "opened": opened}
    Path(sys.argv[2]).write_text(json.dumps(result), encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
