"""Is task partitioning worth it? The same network, data and steps, with and without its parts.

Contract: over all seeds, `full` has the greatest mean F1 on the validation split. Exit code 1 where it has not.

deep only               ships out of the coarse map alone, trained with the coarse loss alone; the shallow branch is
                        never computed at inference
shallow only            ends out of the shared trunk's first stages (stride 4) alone: nothing deeper is computed, the
                        shallow branch hears no context, and it is trained and listened to everywhere
gate at test only       the whole network, its shallow branch trained everywhere, but computed only where the gate is
                        open
full                    the gate in the loss and at inference: `shipdet train` as it is

Further rows, chosen by name with `--rows`, have attention blocks after the stages of the trunk (`trunk_attention` of
`shipdet train`): residual trunk, se trunk, eca trunk, cbam trunk; or a mask head beside the network in training
(`mask_weight`): masks; or a shallow branch that hears nothing of the deep branch but its gate: full without context,
gate at test only without context. The contract is about the four above alone, and is not judged where one of them was
left out.

All rows of a seed start from the same weights and see the same chips in the same order. The weights judged are the
running average after the last step; nothing is picked on validation but the threshold of the best F1. Milliseconds
are of the engine on the validation pictures, from the file to the ships, measured right after training.
"""

import argparse
import sys
import time
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import NamedTuple

import torch
from deep_only import coarse_ships
from outcomes import QUALITY, Column, Kept, Outcome, Runs, table, wins
from quiet_training import train_quietly
from scoring import Detect, joined_ends, look_at, model_of, outcome_of
from torch import Tensor, nn

from shipdet.config import TrainConfig
from shipdet.errors import ShipdetError
from shipdet.labels.folders import LabelledPicture, inshore, read_folder
from shipdet.models.device import choose_device
from shipdet.models.task_partition import END, TaskPartition
from shipdet.models.trunk_attention import TrunkAttention
from shipdet.training.module import Judge, LossWeights, TaskPartitionTraining
from shipdet.training.run import GATE_THRESHOLD, SIZES, Build, ChipsOfEpoch, build_training, first_network

COLUMNS = (*QUALITY, Column("side by side", "side_by_side"), Column("ms / Mpx", "ms_per_mpx", 0))
ALWAYS_OPEN, NEVER_OPEN = 0.0, 2.0
"""Thresholds of the gate."""
FULL = "full"
MASK_WEIGHT = 0.5
WARM_UP = 400
"""Steps until the coarse map opens the gate by itself, as in configs/train_inshore.yaml: before, it knows no ends."""


class Row(NamedTuple):
    """One way to train and to look."""

    name: str
    build: Build
    gate_threshold: float
    """at inference"""
    detect: Detect


class KnowsNothing(nn.Module):
    """Stands in for the deep branch: an end may be anywhere, and there is nothing more to say."""

    def __init__(self, context: int, types: int) -> None:
        super().__init__()
        self.context = context
        self.types = types

    def forward(self, s8: Tensor, *_deeper: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Logits (B, 3, h, w), context (B, context, h, w) and types (B, types, h, w), everywhere the same."""
        batch, _, height, width = s8.shape
        logits, context, types = (s8.new_zeros(batch, n, height, width) for n in (3, self.context, self.types))
        logits[:, END] = 20.0
        return logits, context, types


class Halve(nn.Module):
    """Stands in for a stage of the trunk: half the size at no cost."""

    def forward(self, x: Tensor) -> Tensor:
        """Every other pixel of (B, C, H, W)."""
        return x[:, :, ::2, ::2]


class Mute(nn.Module):
    """A deep branch that opens the gate and tells the shallow branch nothing."""

    def __init__(self, deep: nn.Module) -> None:
        super().__init__()
        self.deep = deep

    def forward(self, *features: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """As the deep branch, its context empty."""
        logits, context, types = self.deep(*features)
        return logits, torch.zeros_like(context), types


def without_deep_layers(network: TaskPartition) -> TaskPartition:
    """The network with all that lies deeper than stride 4 taken out."""
    network.add_module("deep", KnowsNothing(SIZES.context, SIZES.types))
    for stage in ("stride8", "stride16", "stride32"):
        network.trunk.add_module(stage, Halve())
    return network


def deep_only(config: TrainConfig, chips: ChipsOfEpoch, judge: Judge) -> TaskPartitionTraining:
    """The coarse loss alone."""
    training = build_training(config, chips, judge)
    training.weights = LossWeights(*[0.0] * len(LossWeights._fields))._replace(coarse=training.weights.coarse)
    return training


def shallow_only(config: TrainConfig, chips: ChipsOfEpoch, judge: Judge) -> TaskPartitionTraining:
    """No deep layers; what stands in for them opens the gate everywhere."""
    network = without_deep_layers(first_network(config))
    usual = build_training(config, chips, judge)
    return TaskPartitionTraining(network, usual.schedule, usual.weights, chips, judge)


def gate_at_test_only(config: TrainConfig, chips: ChipsOfEpoch, judge: Judge) -> TaskPartitionTraining:
    """The shallow branch hears of its mistakes everywhere."""
    training = build_training(config, chips, judge)
    training.schedule = training.schedule._replace(gate_threshold=ALWAYS_OPEN)
    return training


def with_trunk(attention: TrunkAttention) -> Row:
    """The full network with attention blocks after its trunk's stages."""

    def build(config: TrainConfig, chips: ChipsOfEpoch, judge: Judge) -> TaskPartitionTraining:
        return build_training(config.model_copy(update={"trunk_attention": attention}), chips, judge)

    return Row(f"{attention} trunk", build, GATE_THRESHOLD, joined_ends)


def with_masks(config: TrainConfig, chips: ChipsOfEpoch, judge: Judge) -> TaskPartitionTraining:
    """The full network, taught to draw hulls too."""
    return build_training(config.model_copy(update={"mask_weight": MASK_WEIGHT}), chips, judge)


def without_context(config: TrainConfig, chips: ChipsOfEpoch, judge: Judge) -> TaskPartitionTraining:
    """The gate alone ties the branches."""
    network = first_network(config)
    network.add_module("deep", Mute(network.deep))
    usual = build_training(config, chips, judge)
    return TaskPartitionTraining(network, usual.schedule, usual.weights, chips, judge)


def gate_at_test_only_without_context(config: TrainConfig, chips: ChipsOfEpoch, judge: Judge) -> TaskPartitionTraining:
    """Likewise, and not in training."""
    training = without_context(config, chips, judge)
    training.schedule = training.schedule._replace(gate_threshold=ALWAYS_OPEN)
    return training


ROWS = (
    Row("deep only", deep_only, NEVER_OPEN, coarse_ships),
    Row("shallow only", shallow_only, ALWAYS_OPEN, joined_ends),
    Row("gate at test only", gate_at_test_only, GATE_THRESHOLD, joined_ends),
    Row(FULL, build_training, GATE_THRESHOLD, joined_ends),
)
FURTHER_ROWS = (
    *(with_trunk(kind) for kind in ("residual", "se", "eca", "cbam")),
    Row("masks", with_masks, GATE_THRESHOLD, joined_ends),
    Row("full without context", without_context, GATE_THRESHOLD, joined_ends),
    Row("gate at test only without context", gate_at_test_only_without_context, GATE_THRESHOLD, joined_ends),
)
"""What is tried beside the contract."""


def run_row(row: Row, config: TrainConfig, pictures: Sequence[LabelledPicture]) -> Outcome:
    """Trains one row with one seed and judges it."""
    began = time.perf_counter()
    network = train_quietly(config, build=row.build)
    minutes = (time.perf_counter() - began) / 60
    device = choose_device("cpu", config.precision)
    looked = look_at(pictures, model_of(network, row.gate_threshold), device, row.detect)
    seen = config.steps * config.batch
    return outcome_of(pictures, looked.hulls)._replace(ms_per_mpx=looked.ms_per_mpx, minutes=minutes, seen=seen)


def config_of(arguments: argparse.Namespace, seed: int) -> TrainConfig:
    """Training of every row with one seed."""
    return TrainConfig(
        name="ablation",
        inshore=arguments.data,
        output=arguments.output,
        steps=arguments.steps,
        batch=arguments.batch,
        crop=arguments.crop,
        learning_rate=arguments.learning_rate,
        weight_decay=2e-2,
        warmup_steps=min(WARM_UP, arguments.steps // 4),
        seed=seed,
        workers=arguments.workers,
        precision=arguments.precision,
    )


def run_all(arguments: argparse.Namespace) -> list[Runs]:
    """Every row asked for with every seed, seed by seed, so that a benchmark cut short has whole seeds."""
    rows = [row for row in (*ROWS, *FURTHER_ROWS) if row.name in arguments.rows]
    pictures = read_folder(inshore(arguments.data), "validation")
    kept = Kept(arguments.output)
    outcomes: dict[str, list[Outcome]] = {row.name: [] for row in rows}
    for seed in arguments.seeds:
        config = config_of(arguments, seed)
        settings = config.model_dump_json(exclude={"output"})
        for row in rows:
            name = f"{row.name.replace(' ', '-')}-{seed}"
            outcome = kept.outcome(name, settings, partial(run_row, row, config, pictures))
            outcomes[row.name].append(outcome)
            print(f"seed {seed}, {row.name}: F1 {outcome.f1 or 0:.3f} after {outcome.minutes:.1f} minutes", flush=True)
    return [Runs(name, found) for name, found in outcomes.items()]


def _arguments(words: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="Task partitioning against its parts.")
    parser.add_argument("--data", type=Path, default=Path("data/inshore"), help="N.jpg with N.json or N.txt")
    parser.add_argument("--output", type=Path, default=Path("runs/ablation"), help="where finished runs are kept")
    names = [row.name for row in ROWS]
    parser.add_argument("--rows", nargs="+", default=names, choices=[*names, *(row.name for row in FURTHER_ROWS)])
    parser.add_argument("--seeds", type=int, nargs="+", default=[1, 2, 3])
    parser.add_argument("--steps", type=int, default=1500, help="of each run")
    parser.add_argument("--batch", type=int, default=8)
    parser.add_argument("--crop", type=int, default=256, help="side of a training crop in pixels")
    parser.add_argument("--learning-rate", type=float, default=2e-3)
    parser.add_argument("--workers", type=int, default=1, help="processes that prepare crops")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--precision", choices=["auto", "float32", "bfloat16"], default="auto")
    return parser.parse_args(words)


def main(words: Sequence[str] | None = None) -> int:
    """Runs what is not yet run, prints, judges."""
    arguments = _arguments(words)
    torch.set_num_threads(arguments.threads)
    try:
        rows = run_all(arguments)
    except ShipdetError as error:
        print(error, file=sys.stderr)
        return 2
    print(f"\n{table(rows, COLUMNS)}\n")
    judged = [row for row in rows if row.name in {row.name for row in ROWS}]
    if len(judged) < len(ROWS):
        print("contract not judged: it takes all of its four rows")
        return 0
    met = wins(judged, FULL)
    print(f"contract {'met' if met else 'not met'}: mean F1 of {FULL!r} against the other rows")
    return 0 if met else 1


if __name__ == "__main__":
    sys.exit(main())
