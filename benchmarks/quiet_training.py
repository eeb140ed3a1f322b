"""`shipdet train` as the benchmarks call it: nothing is told, picked on validation or left on disk."""

import tempfile
from pathlib import Path

from shipdet.config import TrainConfig
from shipdet.models.task_partition import TaskPartition
from shipdet.training.module import Judged
from shipdet.training.pictures import Find
from shipdet.training.run import Build, build_training, train


def train_quietly(config: TrainConfig, find: Find | None = None, build: Build = build_training) -> TaskPartition:
    """The running average of the weights after the last step.

    Args:
        config: what to learn from and how; its output is not written to. One epoch: `validate_every` is `steps`.
        find: as `shipdet.training.run.train`.
        build: likewise.
    """
    whole = config.model_copy(update={"validate_every": config.steps})
    with tempfile.TemporaryDirectory() as folder:
        return train(whole.model_copy(update={"output": Path(folder)}), _unjudged, _unreported, find, build)


def _unjudged(_: TaskPartition) -> Judged:
    return Judged(0.0, 0.0, 0.0)


def _unreported(_: str) -> None:
    pass
