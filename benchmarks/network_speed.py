"""What the task-partition network costs and how fast it is, part by part, without scenes, weights or reading.

Contract: trunk and deep branch, which see every pixel, cost at most 10 GFLOP per megapixel of input and do at
least 15 megapixels a second in bfloat16, channels last, on two cores. Exit code 1 where that is not met, or cannot
be shown because the processor has no bfloat16; 0 with --report-only.

GFLOP are counted by torch's FlopCounterMode: convolutions alone, a multiply-add as 2. A megapixel is 1e6 pixels.
They are those of the network as it is trained; what is timed is its inference form, as the engine runs it.
A plain 3x3 convolution of stride 2 from 3 to 32 channels is timed in the same rounds: speeds relative to this floor
can be compared across machines, speeds themselves cannot. Neither means anything on a busy machine: threads then wait
for each other at the end of each layer, and the network has many.
"""

import argparse
import statistics
import sys
import time
from collections.abc import Callable
from typing import NamedTuple

import torch
from torch import Tensor, nn
from torch.utils.flop_counter import FlopCounterMode

from shipdet.inference.engine import FAINTEST_TIP
from shipdet.labels.types import SHIP_TYPES
from shipdet.models.decode import PATCH, find_tips
from shipdet.models.device import Device, has_fast_bfloat16
from shipdet.models.inference_form import inference_form
from shipdet.models.task_partition import COARSE_STRIDE, Sizes, TaskPartition, normalise

MOST_GFLOP = 10.0
"""Per megapixel of input, of trunk and deep branch"""
LEAST_SPEED = 15.0
"""Megapixels a second of trunk and deep branch in bfloat16"""
THREADS = 2
WARM_UP = 2
"""Rounds that are not counted"""
OPEN_SHARE = 0.05
"""Of the patches that the synthetic gate opens"""

FLOOR = "floor: one 3x3 convolution"
EVERYWHERE = "trunk + deep branch"
GATED = "shallow branch, 5 % of patches"
DENSE = "all of it, dense"


class Speed(NamedTuple):
    """Cost and speed of one part of the network."""

    part: str
    gflop: float
    """per megapixel of input"""
    speed: float
    """megapixels of input a second"""


class Part(NamedTuple):
    """One piece of work on one and the same input."""

    name: str
    run: Callable[[], object]


def make_network(seed: int = 0) -> TaskPartition:
    """The network as it runs at inference, with random weights."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        network = TaskPartition(Sizes(types=len(SHIP_TYPES)))
    return network.eval().to(memory_format=torch.channels_last)


def measure(network: TaskPartition, side: int, dtype: torch.dtype, repeats: int) -> tuple[Speed, ...]:
    """Cost and median speed of each part.

    The parts take turns, so that what else the machine does in the meantime slows all of them alike.

    Args:
        network: on the CPU, in evaluation mode, as trained.
        side: of the square input, in pixels; a multiple of the network's stride.
        dtype: float32 or bfloat16.
        repeats: rounds that count.
    """
    with torch.inference_mode():
        counted = _parts(network, side, torch.float32)
        parts = _parts(inference_form(network, Device(torch.device("cpu"), dtype)), side, dtype)
    megapixels = side * side / 1e6
    costs = [_gflop(part) / megapixels for part in counted]
    rounds = [[_seconds(part) for part in parts] for _ in range(WARM_UP + repeats)]
    medians = [statistics.median(times) for times in zip(*rounds[WARM_UP:], strict=True)]
    return tuple(Speed(p.name, c, megapixels / m) for p, c, m in zip(parts, costs, medians, strict=True))


def unmet(in_bfloat16: tuple[Speed, ...] | None) -> list[str]:
    """What of the contract is not met, a line each.

    Args:
        in_bfloat16: what was measured in bfloat16; None where the processor has none.
    """
    if in_bfloat16 is None:
        return ["this processor has no fast bfloat16, so the contract cannot be shown here"]
    found = next(row for row in in_bfloat16 if row.part == EVERYWHERE)
    lines = []
    if found.gflop > MOST_GFLOP:
        lines.append(f"{EVERYWHERE}: {found.gflop:.2f} GFLOP per megapixel, expected at most {MOST_GFLOP:g}")
    if found.speed < LEAST_SPEED:
        lines.append(f"{EVERYWHERE}: {found.speed:.1f} megapixels a second, expected at least {LEAST_SPEED:g}")
    return lines


def _parts(network: TaskPartition, side: int, dtype: torch.dtype) -> tuple[Part, ...]:
    pixels = torch.rand(1, 3, side, side, generator=torch.Generator().manual_seed(0))
    pixels = normalise(pixels).to(dtype, memory_format=torch.channels_last)
    floor = nn.Conv2d(3, 32, 3, stride=2, padding=1, bias=False).to(dtype).to(memory_format=torch.channels_last)
    coarse, gate = network.coarse(pixels), synthetic_gate(side)
    return (
        Part(FLOOR, lambda: floor(pixels)),
        Part(EVERYWHERE, lambda: network.coarse(pixels)),
        Part(GATED, lambda: find_tips(network, coarse, gate, FAINTEST_TIP)),
        Part(DENSE, lambda: network(pixels)),
    )


def synthetic_gate(side: int) -> Tensor:
    """A gate (side/8, side/8) that is open in whole patches, spread evenly, and shut elsewhere; one at least is open.

    Whole patches, for a single open cell would have all of its patch computed.
    """
    patches = -(-side // (COARSE_STRIDE * PATCH))
    count = max(1, round(OPEN_SHARE * patches**2))
    opened = torch.zeros(patches**2, dtype=torch.bool)
    opened[torch.arange(count) * patches**2 // count] = True
    cells = opened.reshape(patches, patches).repeat_interleave(PATCH, 0).repeat_interleave(PATCH, 1)
    return cells[: side // COARSE_STRIDE, : side // COARSE_STRIDE]


def _gflop(part: Part) -> float:
    counter = FlopCounterMode(display=False)
    with torch.inference_mode(), counter:
        part.run()
    return float(counter.get_total_flops()) / 1e9


def _seconds(part: Part) -> float:
    began = time.perf_counter()
    with torch.inference_mode():
        part.run()
    return time.perf_counter() - began


def _show(dtype: torch.dtype, rows: tuple[Speed, ...]) -> None:
    floor = next(row.speed for row in rows if row.part == FLOOR)
    print(f"\n{str(dtype).removeprefix('torch.'):<32}{'GFLOP/Mpx':>10}{'Mpx/s':>10}{'of floor':>10}")
    for row in rows:
        print(f"{row.part:<32}{row.gflop:>10.2f}{row.speed:>10.1f}{row.speed / floor:>10.3f}")


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="Cost and speed of the task-partition network on two cores.")
    parser.add_argument("--side", type=int, default=1024, help="of the square input in pixels, a multiple of 32")
    parser.add_argument("--repeats", type=int, default=15, help="rounds, of which the median counts")
    parser.add_argument("--report-only", action="store_true", help="exit with 0 even where the contract is not met")
    return parser.parse_args()


def main() -> int:
    """Measures, prints, judges."""
    arguments = _arguments()
    torch.set_num_threads(THREADS)
    network = make_network()
    print(f"torch {torch.__version__}, {THREADS} threads, {arguments.side} x {arguments.side} pixels, channels last,")
    print(f"median of {arguments.repeats} rounds; a multiply-add counts as 2 FLOP")
    _show(torch.float32, measure(network, arguments.side, torch.float32, arguments.repeats))
    in_bfloat16 = None
    if has_fast_bfloat16(torch.device("cpu")):
        in_bfloat16 = measure(network, arguments.side, torch.bfloat16, arguments.repeats)
        _show(torch.bfloat16, in_bfloat16)
    lines = unmet(in_bfloat16)
    print("\ncontract met" if not lines else "\n".join(["\ncontract not met:", *lines]))
    return 1 if lines and not arguments.report_only else 0


if __name__ == "__main__":
    sys.exit(main())
