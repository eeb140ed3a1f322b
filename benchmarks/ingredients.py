"""What each ingredient of training is worth for other places and other ships: scores on `civil/` validation.

The rows add up: each is trained from scratch with what the rows above have and one thing more, the same steps and the
same seeds. All but the last see no picture of `civil/`. Pictures, whose scale nobody knows, are taken to have 1 m a
pixel and looked at once, and all ships of 12 pixels and more count. `shipdet evaluate configs/evaluate_civil.yaml` asks
something else: there the scale is looked for (`gsd_m: unknown`), and of ships only those of 25 pixels and more count
whose bow is known. Nothing is picked on validation but the threshold of the best F1.

Contract: none; a gain may be negative, and the table says so. The exit code is 0 where every row was run, 1 where this
version's config lacks a key that a row needs, 2 where the data are not as expected.
"""

import argparse
import sys
import time
from collections.abc import Mapping, Sequence
from functools import partial
from itertools import pairwise
from pathlib import Path
from types import MappingProxyType
from typing import NamedTuple

import torch
from outcomes import QUALITY, Column, Kept, Outcome, Runs, beside, mean, table
from quiet_training import train_quietly
from scoring import look_at, model_of, outcome_of

from shipdet.config import TrainConfig
from shipdet.errors import ShipdetError
from shipdet.inference.engine import detect_hulls
from shipdet.labels.folders import civil, inshore, read_folder
from shipdet.models.device import choose_device
from shipdet.models.weights import load_weights, save_weights
from shipdet.raster.scene import open_scene
from shipdet.training.pictures import Find
from shipdet.training.run import GATE_THRESHOLD

COLUMNS = (*QUALITY, Column("heading", "heading"))
WEIGHTS_BEFORE = "the weights of the row before"
"""Stands for the path of what the row before has learnt, with the same seed."""

Overrides = Mapping[str, object]


class Row(NamedTuple):
    """One ingredient: what it changes in the config of the row before."""

    name: str
    overrides: Overrides
    without: Overrides = MappingProxyType({})
    """what the rows before it have in its place, where that is not the config's default"""


def rows_of(arguments: argparse.Namespace) -> tuple[Row, ...]:
    """The table's rows; a new ingredient is a new line here."""
    return (
        Row("makers' labels", {"inshore": arguments.output / "makers"}),
        Row("+ complete labels", {"inshore": arguments.inshore}),
        Row("+ rendered harbours", {"synthetic_share": 0.25}),
        Row("+ copy-paste", {"copy_paste": 0.5}),
        Row("+ self-training", {"teacher": WEIGHTS_BEFORE}),
        Row("+ scale range", {"scale": (0.5, 2.0)}, without={"scale": (0.9, 1.1)}),
        Row("+ civil pictures", {"civil": arguments.civil}),
    )


def unknown_keys(row: Row) -> list[str]:
    """Keys that configs of this version do not have."""
    return [key for key in row.overrides if key not in TrainConfig.model_fields]


class Step(NamedTuple):
    """A row to run: its name, and its whole config."""

    name: str
    config: TrainConfig
    weights: Path
    """where what it learns is kept"""


def plan(rows: Sequence[Row], base: TrainConfig, folder: Path) -> list[Step]:
    """Configs that add up; each row's weights get a name of their own.

    Args:
        rows: with known keys only.
        base: what all rows have in common.
        folder: for the weights.
    """
    steps: list[Step] = []
    values: dict[str, object] = base.model_dump()
    for row in rows:
        values.update(row.without)
    for row in rows:
        for key, value in row.overrides.items():
            values[key] = str(steps[-1].weights) if value == WEIGHTS_BEFORE else value
        config = TrainConfig.model_validate(values)
        steps.append(Step(row.name, config, folder / f"{slug(row.name)}-{config.seed}.safetensors"))
    return steps


def slug(name: str) -> str:
    """A row's name as part of a file's."""
    return "-".join("".join(c if c.isalnum() else " " for c in name).split())


def link_makers_labels(data: Path, folder: Path) -> None:
    """A folder with the training pictures and the makers' `N.txt` alone, linked."""
    folder.mkdir(parents=True, exist_ok=True)
    for picture in read_folder(inshore(data), "train"):
        for path in (picture.path, picture.path.with_suffix(".txt")):
            link = folder / path.name
            if not link.is_symlink():
                link.symlink_to(path.resolve())


def finder(config: TrainConfig) -> Find | None:
    """What completes incomplete labels, where there is a teacher."""
    if config.teacher is None:
        return None
    model, device = load_weights(config.teacher), choose_device("cpu", config.precision)
    return lambda path: detect_hulls(open_scene(str(path), gsd_m=model.card.gsd_m), model, device).hulls


def run_step(step: Step, data: Path) -> Outcome:
    """Trains one row with one seed, keeps its weights, and judges it."""
    began = time.perf_counter()
    network = train_quietly(step.config, finder(step.config))
    minutes = (time.perf_counter() - began) / 60
    model = model_of(network, GATE_THRESHOLD)
    step.weights.parent.mkdir(parents=True, exist_ok=True)
    save_weights(step.weights, model)
    pictures = read_folder(civil(data), "validation")
    looked = look_at(pictures, model, choose_device("cpu", step.config.precision))
    seen = step.config.steps * step.config.batch
    return outcome_of(pictures, looked.hulls)._replace(ms_per_mpx=looked.ms_per_mpx, minutes=minutes, seen=seen)


def base_of(arguments: argparse.Namespace, seed: int) -> TrainConfig:
    """What all rows have in common."""
    return TrainConfig(
        name="ingredients",
        inshore=arguments.inshore,
        output=arguments.output,
        steps=arguments.steps,
        batch=arguments.batch,
        crop=arguments.crop,
        learning_rate=2e-3,
        weight_decay=2e-2,
        warmup_steps=arguments.steps // 10,
        seed=seed,
        workers=arguments.workers,
        precision=arguments.precision,
    )


def run_all(arguments: argparse.Namespace, rows: Sequence[Row]) -> list[Runs]:
    """Every row with every seed, seed by seed."""
    kept = Kept(arguments.output)
    outcomes: dict[str, list[Outcome]] = {row.name: [] for row in rows}
    for seed in arguments.seeds:
        for step in plan(rows, base_of(arguments, seed), arguments.output):
            settings = step.config.model_dump_json(exclude={"output"})
            outcome = kept.outcome(step.weights.stem, settings, partial(run_step, step, arguments.civil))
            outcomes[step.name].append(outcome)
            print(f"seed {seed}, {step.name}: F1 {outcome.f1 or 0:.3f} after {outcome.minutes:.1f} min", flush=True)
    return [Runs(name, found) for name, found in outcomes.items()]


def gains(rows: Sequence[Runs]) -> list[str]:
    """Of mean F1 over the row before."""
    f1 = [mean(row.outcomes, "f1") or 0.0 for row in rows]
    return ["", *(f"{after - before:+.3f}" for before, after in pairwise(f1))]


def _arguments(words: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="The gain of each ingredient of training on civil validation.")
    parser.add_argument("--inshore", type=Path, default=Path("data/inshore"), help="N.jpg with N.json and N.txt")
    parser.add_argument("--civil", type=Path, default=Path("data/civil"), help="N.jpg with N.json")
    parser.add_argument("--output", type=Path, default=Path("runs/ingredients"), help="where finished runs are kept")
    parser.add_argument("--seeds", type=int, nargs="+", default=[1, 2, 3])
    parser.add_argument("--steps", type=int, default=700, help="of each run")
    parser.add_argument("--batch", type=int, default=8)
    parser.add_argument("--crop", type=int, default=256, help="side of a training crop in pixels")
    parser.add_argument("--workers", type=int, default=1, help="processes that prepare crops")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--precision", choices=["auto", "float32", "bfloat16"], default="auto")
    return parser.parse_args(words)


def main(words: Sequence[str] | None = None) -> int:
    """Runs what is not yet run and prints."""
    arguments = _arguments(words)
    torch.set_num_threads(arguments.threads)
    rows = rows_of(arguments)
    possible = [row for row in rows if not unknown_keys(row)]
    try:
        link_makers_labels(arguments.inshore, arguments.output / "makers")
        runs = run_all(arguments, possible)
    except ShipdetError as error:
        print(error, file=sys.stderr)
        return 2
    print(f"\n{beside(table(runs, COLUMNS), 'gain in F1', gains(runs))}\n")
    for row in rows:
        if row not in possible:
            print(f"left out: {row.name}; configs of this version have no key {', '.join(unknown_keys(row))}")
    return 0 if len(possible) == len(rows) else 1


if __name__ == "__main__":
    sys.exit(main())
