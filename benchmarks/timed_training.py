"""`shipdet train` for some minutes rather than some steps: how the benchmark against YOLO trains ours.

A short trial says how many steps fit, which the learning rate's course needs to know; the clock has the last word.
"""

import time
from collections.abc import Callable, Iterable, Iterator
from itertools import pairwise
from statistics import median
from typing import Any, NamedTuple, cast

from quiet_training import train_quietly
from torch import Tensor
from torch.utils.data import DataLoader

from shipdet.config import TrainConfig
from shipdet.models.task_partition import TaskPartition
from shipdet.training.module import Judge, TaskPartitionTraining
from shipdet.training.run import ChipsOfEpoch, build_training

TRIAL_STEPS, SETTLED = 24, 8
"""Steps of the trial, and how many of them are not counted."""

Now = Callable[[], float]


class Trained(NamedTuple):
    """A network and what it took."""

    network: TaskPartition
    minutes: float
    seen: int
    """chips"""


class Clock:
    """Batches until a deadline, and when each was asked for, in seconds by `now`."""

    def __init__(self, deadline: float, now: Now) -> None:
        self.deadline = deadline
        self.now = now
        self.asked: list[float] = []

    def until(self, batches: Iterable[tuple[Tensor, ...]]) -> Iterator[tuple[Tensor, ...]]:
        """The first batch, without which there is no training, and those that come before the deadline."""
        for batch in batches:
            moment = self.now()
            if self.asked and moment >= self.deadline:
                return
            self.asked.append(moment)
            yield batch


class Timed:
    """A loader that a clock ends."""

    def __init__(self, loader: DataLoader[tuple[Tensor, ...]], clock: Clock) -> None:
        self.loader = loader
        self.clock = clock

    def __iter__(self) -> Iterator[tuple[Tensor, ...]]:
        return self.clock.until(self.loader)


def train_for(minutes: float, config: TrainConfig, now: Now = time.perf_counter) -> Trained:
    """Trains from scratch for so many minutes, reading of the pictures included; the trial is not.

    Args:
        minutes: the limit.
        config: what to learn from and how; its steps and warm-up are chosen here.
        now: seconds from whenever.
    """
    began = now()
    _, trial = _run(_lasting(config, TRIAL_STEPS), Clock(float("inf"), now))
    a_step = median(b - a for a, b in pairwise(trial.asked[SETTLED:]))
    steps = max(1, int((60 * minutes - (trial.asked[0] - began)) / a_step))
    began = now()
    network, clock = _run(_lasting(config, steps), Clock(began + 60 * minutes, now))
    return Trained(network, (now() - began) / 60, len(clock.asked) * config.batch)


def _lasting(config: TrainConfig, steps: int) -> TrainConfig:
    return config.model_copy(update={"steps": steps, "warmup_steps": steps // 10})


def _run(config: TrainConfig, clock: Clock) -> tuple[TaskPartition, Clock]:
    def build(config: TrainConfig, chips: ChipsOfEpoch, judge: Judge) -> TaskPartitionTraining:
        return build_training(config, lambda epoch: cast(Any, Timed(chips(epoch), clock)), judge)

    return train_quietly(config, build=build), clock
