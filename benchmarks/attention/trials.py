"""What the experiments share: options, a training loop, and tables of mean and spread over seeds.

Each script here says its claim in its first lines, trains every variant once for each seed, prints a table and
whether the claim held. A claim that does not hold is a result as well: the exit code is 0.
"""

import argparse
import statistics
import sys
import time
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import torch
from torch import Tensor, nn

Place = tuple[str, str]
"""Where in a table: variant and measure."""

QUICK_STEPS = 2
QUICK = "QUICK: a few steps on a few examples, to see that the script runs. These figures prove nothing."


@dataclass(frozen=True)
class Options:
    """What every experiment is told."""

    data: Path
    """folder with mnist/, cifar10/, inshore/ ..."""
    seeds: tuple[int, ...]
    steps: int
    """of training, for each variant and seed"""
    device: torch.device
    quick: bool
    picture: Path | None
    """where to draw, for the experiments that draw"""

    def few(self, count: int) -> int:
        """A number of examples, or few of them where it is to be quick."""
        return min(count, 64) if self.quick else count


def parser(description: str | None, steps: int) -> argparse.ArgumentParser:
    """Options of every experiment; one may add its own."""
    made = argparse.ArgumentParser(description=description, formatter_class=argparse.RawDescriptionHelpFormatter)
    made.add_argument("--data", type=Path, required=True, help="folder of the data sets")
    made.add_argument("--seeds", type=int, nargs="+", default=[0, 1, 2])
    made.add_argument("--steps", type=int, default=steps, help=f"for each variant and seed (default {steps})")
    made.add_argument("--device", default="cuda" if torch.cuda.is_available() else "cpu")
    made.add_argument("--picture", type=Path, help="draw what was attended to here, where the experiment draws")
    made.add_argument("--quick", action="store_true", help="see that it runs; proves nothing")
    return made


def options_of(args: argparse.Namespace) -> Options:
    """What the arguments say."""
    seeds = tuple(args.seeds[:1] if args.quick else args.seeds)
    steps = QUICK_STEPS if args.quick else args.steps
    return Options(args.data, seeds, steps, torch.device(args.device), args.quick, args.picture)


def seed_everything(seed: int) -> None:
    """Weights and batches of a run follow from its seed."""
    torch.manual_seed(seed)


def train(
    parameters: Iterable[nn.Parameter],
    loss_of: Callable[[int], Tensor],
    steps: int,
    rate: float = 1e-3,
    slow: Collection[nn.Parameter] = (),
) -> None:
    """AdamW under one cosine; `loss_of` takes the step; those that are `slow` learn at a tenth of the rate."""
    parameters = list(parameters)
    slowed = {id(parameter) for parameter in slow}
    rates = [rate, rate / 10]
    quick = [parameter for parameter in parameters if id(parameter) not in slowed]
    optimiser = torch.optim.AdamW([{"params": quick}, {"params": list(slow)}], rate, weight_decay=1e-4)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimiser, rates, total_steps=steps + 1, pct_start=0.1)
    for step in range(steps):
        optimiser.zero_grad()
        loss_of(step).backward()
        nn.utils.clip_grad_norm_(parameters, 5.0)
        optimiser.step()
        schedule.step()


def batches(count: int, size: int) -> Iterator[slice]:
    """Slices of `size` that cover `count`."""
    return (slice(start, start + size) for start in range(0, count, size))


@dataclass
class Table:
    """Values by variant and measure, one a seed."""

    title: str
    options: Options
    values: dict[str, dict[str, list[float]]] = field(default_factory=dict)
    started: float = field(default_factory=time.monotonic)

    def add(self, variant: str, measure: str, value: float) -> None:
        """One seed's value, told at once."""
        minutes = (time.monotonic() - self.started) / 60
        print(f"{variant}, {measure}: {value:.2f} ({minutes:.1f} minutes so far)", file=sys.stderr, flush=True)
        self.values.setdefault(variant, {}).setdefault(measure, []).append(value)

    def get(self, variant: str, measure: str) -> list[float]:
        """All seeds' values."""
        return self.values[variant][measure]

    def show(self) -> None:
        """Print mean and standard deviation over seeds."""
        measures = list(dict.fromkeys(m for row in self.values.values() for m in row))
        minutes = (time.monotonic() - self.started) / 60
        o = self.options
        print(f"\n{self.title}: mean ± standard deviation over {len(o.seeds)} seed(s), {o.steps} steps each", end="")
        print(f", {minutes:.1f} minutes on {o.device}, {torch.get_num_threads()} thread(s)\n")
        print("| variant | " + " | ".join(measures) + " |")
        print("|---" * (len(measures) + 1) + "|")
        for variant, row in self.values.items():
            print(f"| {variant} | " + " | ".join(_cell(row.get(m, [])) for m in measures) + " |")
        if o.quick:
            print(f"\n{QUICK}")

    def claim(self, text: str, less: Place, more: Place, by: float = 0.0) -> None:
        """Print whether one variant's measure lies below another's, paired by seed, by at least so much."""
        self._judge(text, self._gaps((less, more)), by)

    def claim_of_gaps(self, text: str, less: tuple[Place, Place], more: tuple[Place, Place]) -> None:
        """Print whether one gap lies below another, paired by seed; a gap is the second place less the first."""
        pairs = zip(self._gaps(less), self._gaps(more), strict=True)
        self._judge(text, [large - small for small, large in pairs], 0.0)

    def _gaps(self, places: tuple[Place, Place]) -> list[float]:
        low, high = (self.get(*place) for place in places)
        return [b - a for a, b in zip(low, high, strict=True)]

    def _judge(self, text: str, gaps: Sequence[float], by: float) -> None:
        held = "not judged (quick)" if self.options.quick else "holds" if min(gaps) >= by and min(gaps) > 0 else ""
        mean = statistics.fmean(gaps)
        held = held or ("holds on average, not for every seed" if mean >= by and mean > 0 else "does NOT hold")
        print(f"- {text}: {held}; gap {_cell(gaps)}" + (f", asked for {by:g}" if by else ""))


def _cell(values: Sequence[float]) -> str:
    if not values:
        return ""
    spread = f" ± {statistics.stdev(values):.2f}" if len(values) > 1 else ""
    return f"{statistics.fmean(values):.2f}{spread}"


@contextmanager
def evaluating(*modules: nn.Module) -> Iterator[None]:
    """Modules in evaluation mode, without gradients."""
    for module in modules:
        module.eval()
    with torch.no_grad():
        yield
    for module in modules:
        module.train()


def parameters_of(*modules: nn.Module) -> list[nn.Parameter]:
    """All parameters of several modules."""
    return [parameter for module in modules for parameter in module.parameters()]
