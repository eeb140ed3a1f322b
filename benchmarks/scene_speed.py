"""How fast whole scenes are looked through, against what merely decodes them and against sliced YOLO, in one run.

Contract, on two cores, at the largest size:
- busy harbour, everything looked at: at least 4 times as fast as sliced YOLO;
- open water, with the scout: at least 50 times sliced YOLO and twice decoding where the file has overviews, 0.7 times
  decoding where it has none;
- a pixel of the largest scene takes at most 1.15 times as long as one of the smallest;
- resident memory below 1.5 GB (1e9 bytes) at every size, imports included.
Exit code 1 where that is not met; 0 with --report-only.

Each row of each scene is a process of its own, which does a small scene before its clock starts: imports, weights and
first calls are not timed. Sliced YOLO has slices of 1024 pixels that overlap by a fifth and random weights; it runs
in an environment of its own, see `against_yolo.py`.
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from against_yolo import ARCHITECTURE, offline, ready_python
from speed_scenes import Kind, SpeedScene, write_speed_scene

from shipdet.errors import InputError
from shipdet.models.weights import load_weights

KINDS: tuple[Kind, ...] = ("open water", "busy harbour")
DECODE, YOLO, FLOAT32, DENSE, SCOUT = "decode", "sliced YOLO", "dense float32", "dense", "scout"
OURS = (FLOAT32, DENSE, SCOUT)
WARM_UP_SIZE = 1024
LEAST_BUSY, LEAST_OPEN, LEAST_DECODE, LEAST_DECODE_PLAIN = 4.0, 50.0, 2.0, 0.7
MOST_GROWTH = 1.15
MOST_GB = 1.5
WORKERS = Path(__file__).resolve().parent


class Measured(NamedTuple):
    """One row."""

    scene: SpeedScene
    row: str
    seconds: float
    memory_gb: float
    opened: float

    @property
    def speed(self) -> float:
        """Megapixels a second."""
        return self.scene.megapixels / self.seconds


def rows_of(scene: SpeedScene, scouted: bool) -> tuple[str, ...]:
    """What is measured on a scene; what pays no heed to overviews is measured with them alone, but for decoding."""
    dense = (YOLO, FLOAT32, DENSE) if scene.overviews else ()
    return (DECODE, *dense, *((SCOUT,) if scouted else ()))


def measure(scene: SpeedScene, row: str, warm_up: SpeedScene, arguments: argparse.Namespace) -> Measured:
    """One row of one scene, in a process of its own.

    Raises:
        CalledProcessError: it failed, and has said why.
        InputError: there is no environment for YOLO.
    """
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        job = {"row": row, "scene": str(scene.path), "warm_up": str(warm_up.path), "threads": arguments.threads}
        job |= {"model": arguments.model, "architecture": ARCHITECTURE, "slice": 1024, "overlap": 0.2}
        (folder / "job.json").write_text(json.dumps(job), encoding="utf-8")
        python: Path | str = ready_python(arguments.venv) if row == YOLO else sys.executable
        worker = WORKERS / ("sahi_worker.py" if row == YOLO else "speed_worker.py")
        environment = offline(arguments.threads, folder) if row == YOLO else {**os.environ, **_threads(arguments)}
        command = [python, worker, folder / "job.json", folder / "result.json"]
        subprocess.run(command, env=environment, check=True, stdout=sys.stderr)
        found = json.loads((folder / "result.json").read_text(encoding="utf-8"))
    return Measured(scene, row, found["seconds"], found["memory_gb"], found["opened"])


def _threads(arguments: argparse.Namespace) -> dict[str, str]:
    return {"OMP_NUM_THREADS": str(arguments.threads)}


def measure_all(arguments: argparse.Namespace, folder: Path) -> list[Measured]:
    """All rows of all scenes, told as they come."""
    scouted = load_weights(arguments.model).scout is not None
    warm_up = write_speed_scene(folder, "busy harbour", WARM_UP_SIZE, overviews=True)
    measured = []
    for size in arguments.sizes:
        for kind in KINDS:
            for overviews in (True, False):
                scene = write_speed_scene(folder, kind, size, overviews)
                for row in rows_of(scene, scouted):
                    measured.append(measure(scene, row, warm_up, arguments))
                    print(line(measured[-1]), flush=True)
    return measured


def line(one: Measured) -> str:
    """A row for people."""
    scene = one.scene
    name = f"{scene.kind}, {'overviews' if scene.overviews else 'no overviews'}"
    return (
        f"{scene.size:>6}  {name:<28}{one.row:<15}{one.speed:>9.1f} Mpx/s{one.memory_gb:>8.2f} GB"
        f"{100 * one.opened:>8.1f} % opened"
    )


class Target(NamedTuple):
    """A ratio of two rows, and what it should be at least."""

    kind: Kind
    overviews: bool
    row: str
    against: str
    least: float


TARGETS = (
    Target("busy harbour", True, DENSE, YOLO, LEAST_BUSY),
    Target("open water", True, SCOUT, YOLO, LEAST_OPEN),
    Target("open water", True, SCOUT, DECODE, LEAST_DECODE),
    Target("open water", False, SCOUT, DECODE, LEAST_DECODE_PLAIN),
)


def verdicts(measured: Sequence[Measured]) -> list[tuple[str, bool]]:
    """Each part of the contract in words, and whether it is met."""
    speed = {(m.scene.kind, m.scene.overviews, m.scene.size, m.row): m.speed for m in measured}
    sizes = sorted({m.scene.size for m in measured})
    found = []
    for kind, overviews, row, against, least in TARGETS:
        ours, theirs = (speed.get((kind, overviews, sizes[-1], name)) for name in (row, against))
        name = f"{kind}, {'overviews' if overviews else 'no overviews'}: {row} against {against}"
        if ours is None or theirs is None:
            found.append((f"{name}: not measured, expected at least {least:g}", False))
        else:
            found.append((f"{name}: {ours / theirs:.2f}, expected at least {least:g}", ours / theirs >= least))
    for kind in KINDS:
        small, large = (speed[kind, True, size, DENSE] for size in (sizes[0], sizes[-1]))
        words = f"{kind}: a pixel of {sizes[-1]} takes {small / large:.2f} times one of {sizes[0]}"
        found.append((f"{words}, expected at most {MOST_GROWTH:g}", small / large <= MOST_GROWTH))
    most = max(m.memory_gb for m in measured if m.row in OURS)
    return [*found, (f"peak memory {most:.2f} GB, expected below {MOST_GB:g}", most < MOST_GB)]


def _arguments(words: Sequence[str] | None) -> argparse.Namespace:
    cache = Path(os.environ.get("XDG_CACHE_HOME", Path.home() / ".cache")) / "shipdet"
    parser = argparse.ArgumentParser(description="Speed on whole scenes, against decoding and sliced YOLO.")
    parser.add_argument("--sizes", type=int, nargs="+", default=[4096, 8192, 16384], help="sides in pixels")
    parser.add_argument("--model", default="inshore-vhr", help="the name of a shipped model or a weights file")
    parser.add_argument("--venv", type=Path, default=cache / "yolo-venv", help="the environment of ultralytics")
    parser.add_argument("--scenes", type=Path, help="where scenes are kept for another run; else nowhere")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--report-only", action="store_true", help="exit with 0 even where the contract is not met")
    return parser.parse_args(words)


def main(words: Sequence[str] | None = None) -> int:
    """Writes scenes, measures, prints, judges."""
    arguments = _arguments(words)
    with tempfile.TemporaryDirectory() as name:
        folder = arguments.scenes or Path(name)
        folder.mkdir(parents=True, exist_ok=True)
        try:
            measured = measure_all(arguments, folder)
        except (InputError, subprocess.CalledProcessError) as error:
            print(error, file=sys.stderr)
            return 2
    print()
    found = verdicts(measured)
    for words_, met in found:
        print(f"{'met    ' if met else 'NOT MET'}  {words_}")
    return 0 if arguments.report_only or all(met for _, met in found) else 1


if __name__ == "__main__":
    sys.exit(main())
