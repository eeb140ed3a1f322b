"""The Lightning module that trains the task-partition network."""

import math
from collections.abc import Callable, Sequence
from types import MethodType
from typing import NamedTuple

import lightning as L
import torch
import torch.nn.functional as F
from lightning.pytorch.utilities.types import OptimizerLRSchedulerConfig
from torch import Tensor, nn
from torch.optim.swa_utils import AveragedModel
from torch.utils.data import DataLoader

from shipdet.attention.gate import open_gate
from shipdet.models.losses import Losses, TargetMaps, task_partition_losses
from shipdet.models.task_partition import END, TaskPartition
from shipdet.training.masks import HullMasks

AVERAGE_DECAY = 0.998
"""Of the running average of the weights, which is what is judged and kept."""


class Judged(NamedTuple):
    """What validation says of a network."""

    score: float
    """the best is kept by this"""
    gate_recall: float
    heading_accuracy: float


Judge = Callable[[TaskPartition], Judged]


class Schedule(NamedTuple):
    """How training goes, in optimiser steps."""

    steps: int
    warmup_steps: int
    """learning rate rises, and the truth opens the gate too"""
    learning_rate: float
    weight_decay: float
    gate_threshold: float


class LossWeights(NamedTuple):
    """Of the parts of the loss."""

    coarse: float = 1.0
    heat: float = 1.0
    offset: float = 0.5
    vector: float = 1.0
    beam: float = 0.3
    types: float = 0.3


def _follow(averaged: Sequence[Tensor], current: Sequence[Tensor], count: Tensor | int) -> None:
    """An exponential average whose memory grows from a few steps to `AVERAGE_DECAY`'s, so that it forgets the start."""
    steps = float(count)
    decay = min(AVERAGE_DECAY, (1 + steps) / (10 + steps))
    for mean, value in zip(averaged, current, strict=True):
        if mean.is_floating_point():
            mean.lerp_(value.to(mean.dtype), 1 - decay)
        else:
            mean.copy_(value)


def keep_depthwise_in_float32(network: nn.Module) -> None:
    """Depthwise convolutions stay out of autocast: on CPUs their gradient is up to 18 times slower in bfloat16."""
    for module in network.modules():
        if isinstance(module, nn.Conv2d) and module.groups > 1:
            module.forward = MethodType(_convolve_in_float32, module)  # type: ignore[method-assign]


def _convolve_in_float32(convolution: nn.Conv2d, x: Tensor) -> Tensor:
    with torch.autocast(x.device.type, enabled=False):
        return nn.Conv2d.forward(convolution, x.float()).to(x.dtype)


class TaskPartitionTraining(L.LightningModule):
    """Trains `network`; `average` is its running average over steps.

    Args:
        network: as it starts.
        schedule: how training goes.
        weights: of the parts of the loss.
        chips: of an epoch.
        judge: scores a network on validation.
        masks: a further lesson, or none.
    """

    def __init__(
        self,
        network: TaskPartition,
        schedule: Schedule,
        weights: LossWeights,
        chips: Callable[[int], DataLoader[tuple[Tensor, ...]]],
        judge: Judge,
        masks: HullMasks | None = None,
    ) -> None:
        super().__init__()
        self.network = network
        self.average = AveragedModel(network, multi_avg_fn=_follow, use_buffers=True)
        keep_depthwise_in_float32(network)
        self.schedule = schedule
        self.weights = weights
        self.chips = chips
        self.judge = judge
        self.masks = masks

    def train_dataloader(self) -> DataLoader[tuple[Tensor, ...]]:
        """The chips of the current epoch; the n-th chip is the same whenever training was killed."""
        return self.chips(self.trainer.current_epoch)

    def val_dataloader(self) -> list[int]:
        """One turn: `validation_step` judges whole pictures itself."""
        return [0]

    def training_step(self, batch: list[Tensor], _: int) -> Tensor:
        """One step of the loss, behind the gate."""
        pixels, *maps = batch
        target = TargetMaps(*maps)
        output = self.network(pixels.contiguous(memory_format=torch.channels_last))
        warm = self.global_step < self.schedule.warmup_steps
        truth = target.coarse == END if warm else None
        gate = open_gate(output.coarse.attention, self.schedule.gate_threshold, truth)
        fine = F.interpolate(gate.float().unsqueeze(1), scale_factor=2.0).squeeze(1) > 0
        losses = task_partition_losses(output, target, fine)
        for name, value in losses._asdict().items():
            self.log(f"loss/{name}", value, prog_bar=True)
        self.log("gate/open", gate.float().mean())
        if self.masks is None:
            return self._total(losses)
        masks: Tensor = self.masks(output.coarse, target)
        self.log("loss/masks", masks, prog_bar=True)
        return self._total(losses).add(masks, alpha=self.masks.weight)

    def _total(self, losses: Losses) -> Tensor:
        return torch.stack([w * v for w, v in zip(self.weights, losses, strict=True)]).sum()

    def on_train_batch_end(self, *_: object) -> None:
        """Follows the weights, closely while they still move fast."""
        self.average.update_parameters(self.network)

    def validation_step(self, _: int) -> None:
        """Judges the averaged network on whole pictures."""
        judged = self.judge(self.averaged())
        for name, value in judged._asdict().items():
            self.log(f"val/{name}", value, prog_bar=True, batch_size=1)

    def averaged(self) -> TaskPartition:
        """The running average, ready to look."""
        network = self.average.module
        if not isinstance(network, TaskPartition):
            raise TypeError(f"expected an average of a task-partition network, got {type(network).__name__}")
        return network.eval()

    def configure_optimizers(self) -> OptimizerLRSchedulerConfig:
        """AdamW; the learning rate rises linearly, then falls as a cosine."""
        s = self.schedule
        learnt = [*self.network.parameters(), *(self.masks.parameters() if self.masks is not None else ())]
        optimiser = torch.optim.AdamW(learnt, s.learning_rate, weight_decay=s.weight_decay)

        def factor(step: int) -> float:
            if step < s.warmup_steps:
                return (step + 1) / s.warmup_steps
            done = min((step - s.warmup_steps) / max(s.steps - s.warmup_steps, 1), 1.0)
            return 0.01 + 0.99 * 0.5 * (1 + math.cos(math.pi * done))

        schedule = torch.optim.lr_scheduler.LambdaLR(optimiser, factor)
        return {"optimizer": optimiser, "lr_scheduler": {"scheduler": schedule, "interval": "step"}}
