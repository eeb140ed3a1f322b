"""Ours against what a user would pick instead: an oriented YOLO of nano size, from scratch, for the same minutes.

Contract: our F1 on the validation split is ahead of YOLO's at each of its input sizes. Exit code 1 where it is not.

Both learn from the same pictures, those of the training split that are labelled completely, on the same processor and
as many threads; no weights are given to either, and nothing else is rendered or downloaded. Both are scored by the
matching of `shipdet evaluate`, a YOLO box's ends being the middles of its short sides, each at the threshold of its
best F1; headings are left out, for boxes have none. YOLO's clock starts when its pictures are in memory, ours before.
Ultralytics trains on processors in float32 and without loader processes; ours takes bfloat16 where the processor has
it (--precision float32: not) and one loader process.

ultralytics is AGPL-3.0 and no dependency of shipdet: it is installed into an environment of the benchmark's own, where
`yolo_worker.py` runs as another program. It is told to stay offline.
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
import venv
from collections.abc import Sequence
from functools import partial
from pathlib import Path

import torch
from outcomes import QUALITY, Column, Kept, Outcome, Runs, mean, table
from scoring import look_at, model_of, outcome_of
from timed_training import train_for
from yolo_boxes import complete, read_answer, write_dataset

from shipdet.config import TrainConfig
from shipdet.errors import InputError, ShipdetError
from shipdet.labels.folders import LabelledPicture, inshore, read_folder
from shipdet.models.device import choose_device
from shipdet.training.run import GATE_THRESHOLD

ULTRALYTICS = "ultralytics==8.4.190"
VERSION = "from importlib.metadata import version; print(version('ultralytics'))"
ARCHITECTURE = "yolo11n-obb.yaml"
WORKER = Path(__file__).resolve().with_name("yolo_worker.py")
OPTIONS = {
    "optimizer": "AdamW", "lr0": 0.002, "momentum": 0.9,  # what its own choice is for one class and a short training
    "nbs": 8, "warmup_epochs": 1.0, "warmup_bias_lr": 0.0,  # a step each batch, else there would be a few dozen steps
    "degrees": 180.0, "flipud": 0.5, "close_mosaic": 1,  # ships lie in any direction
}  # fmt: skip
"""Ultralytics' defaults suit long trainings; these are in favour of a short one."""
BATCH = 8
OURS = "shipdet"
COLUMNS = (*QUALITY, Column("minutes", "minutes", 1), Column("training samples", "seen", 0))


def ready_python(folder: Path) -> Path:
    """The interpreter of an environment with ultralytics, made now if it is not there.

    Raises:
        InputError: it could not be installed.
    """
    python = folder / ("Scripts" if os.name == "nt" else "bin") / "python"
    if not python.is_file():
        print(f"installing {ULTRALYTICS} into {folder}", flush=True)
        venv.create(folder, with_pip=True)
    found = subprocess.run([python, "-c", VERSION], capture_output=True, text=True, check=False)
    if found.stdout.strip() != ULTRALYTICS.partition("==")[2]:
        try:
            subprocess.run([python, "-m", "pip", "install", "--quiet", ULTRALYTICS], check=True)
        except subprocess.CalledProcessError:
            raise InputError(f"{ULTRALYTICS} could not be installed in {folder}; see above, or name another") from None
    return python


def offline(threads: int, folder: Path) -> dict[str, str]:
    """Environment variables for ultralytics: nothing is sent or fetched, its settings lie in a folder of ours."""
    told = {"YOLO_OFFLINE": "true", "YOLO_AUTOINSTALL": "false", "YOLO_CONFIG_DIR": str(folder / "settings")}
    return {**os.environ, **told, "OMP_NUM_THREADS": str(threads)}


def run_yolo(arguments: argparse.Namespace, imgsz: int, seed: int) -> Outcome:
    """Trains and judges YOLO at one input size."""
    python = ready_python(arguments.venv)
    pictures = read_folder(inshore(arguments.data), "validation")
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        learnt = complete(read_folder(inshore(arguments.data), "train"))
        job = {
            "architecture": ARCHITECTURE,
            "data": str(write_dataset(learnt, folder / "data")),
            "pictures": [str(picture.path.resolve()) for picture in pictures],
            "folder": str(folder),
            "minutes": arguments.minutes,
            "imgsz": imgsz,
            "batch": BATCH,
            "seed": seed,
            "threads": arguments.threads,
            "options": OPTIONS,
        }
        (folder / "job.json").write_text(json.dumps(job), encoding="utf-8")
        command = [python, WORKER, folder / "job.json", folder / "answer.json"]
        subprocess.run(command, env=offline(arguments.threads, folder), check=True, stdout=sys.stderr)
        answer = read_answer(folder / "answer.json")
    return outcome_of(pictures, answer.hulls)._replace(minutes=answer.minutes, seen=answer.seen, heading=None)


def run_ours(arguments: argparse.Namespace, seed: int) -> Outcome:
    """Trains and judges ours, on the same pictures."""
    pictures = read_folder(inshore(arguments.data), "validation")
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        link(complete(read_folder(inshore(arguments.data), "train")), folder)
        trained = train_for(arguments.minutes, config_of(arguments, folder, seed))
    model = model_of(trained.network, GATE_THRESHOLD)
    looked = look_at(pictures, model, choose_device("cpu", arguments.precision))
    return outcome_of(pictures, looked.hulls)._replace(minutes=trained.minutes, seen=trained.seen)


def config_of(arguments: argparse.Namespace, data: Path, seed: int) -> TrainConfig:
    """As configs/train_inshore.yaml, less the drawn harbours and the other folder."""
    return TrainConfig(
        name="ours",
        inshore=data,
        output=data,
        steps=1,
        batch=BATCH,
        crop=arguments.crop,
        learning_rate=2e-3,
        weight_decay=2e-2,
        seed=seed,
        workers=1,
        precision=arguments.precision,
    )


def link(pictures: Sequence[LabelledPicture], folder: Path) -> None:
    """Puts pictures and their labels into a folder, without copying them."""
    for picture in pictures:
        for path in (picture.path, picture.path.with_suffix(".json")):
            (folder / path.name).symlink_to(path.resolve())


def run_all(arguments: argparse.Namespace) -> list[Runs]:
    """Ours, and YOLO at each input size, with each seed."""
    kept = Kept(arguments.output)
    runs = {OURS: partial(run_ours, arguments)}
    for imgsz in arguments.imgsz:
        runs[f"YOLO11n-OBB {imgsz}"] = partial(run_yolo, arguments, imgsz)
    asked = {"data": str(arguments.data), "minutes": arguments.minutes, "threads": arguments.threads}
    settings = {**asked, "crop": arguments.crop, "precision": arguments.precision, "yolo": OPTIONS}
    rows = []
    for name, run in runs.items():
        outcomes = []
        for seed in arguments.seeds:
            file = f"{name.replace(' ', '-')}-{seed}"
            outcomes.append(kept.outcome(file, json.dumps(settings), partial(run, seed)))
            print(f"{name}, seed {seed}: F1 {outcomes[-1].f1 or 0:.3f}", flush=True)
        rows.append(Runs(name, outcomes))
    return rows


def _arguments(words: Sequence[str] | None) -> argparse.Namespace:
    cache = Path(os.environ.get("XDG_CACHE_HOME", Path.home() / ".cache")) / "shipdet"
    parser = argparse.ArgumentParser(description="Ours against an oriented YOLO, trained for the same minutes.")
    parser.add_argument("--data", type=Path, default=Path("data/inshore"), help="N.jpg with N.json")
    parser.add_argument("--output", type=Path, default=Path("runs/against_yolo"), help="where finished runs are kept")
    parser.add_argument("--venv", type=Path, default=cache / "yolo-venv", help="the environment of ultralytics")
    parser.add_argument("--minutes", type=float, default=10.0, help="of training, each")
    parser.add_argument("--seeds", type=int, nargs="+", default=[1])
    parser.add_argument("--imgsz", type=int, nargs="+", default=[640, 1024], help="input sizes of YOLO")
    parser.add_argument("--crop", type=int, default=256, help="side of our training crops in pixels")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--precision", choices=["auto", "float32", "bfloat16"], default="auto", help="of ours")
    return parser.parse_args(words)


def main(words: Sequence[str] | None = None) -> int:
    """Runs what is not yet run, prints, judges."""
    arguments = _arguments(words)
    torch.set_num_threads(arguments.threads)
    try:
        rows = run_all(arguments)
    except (ShipdetError, subprocess.CalledProcessError) as error:
        print(error, file=sys.stderr)
        return 2
    print(f"\n{table(rows, COLUMNS)}\n")
    ours, *others = (mean(row.outcomes, "f1") or 0.0 for row in rows)
    met = ours > max(others)
    print(f"contract {'met' if met else 'not met'}: our F1 {ours:.3f}, YOLO's at best {max(others):.3f}")
    return 0 if met else 1


if __name__ == "__main__":
    sys.exit(main())
