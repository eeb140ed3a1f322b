"""REINFORCE (Williams, Machine Learning 8, 1992), for attention that chooses by chance: RAM, DRAM, hard captions.

    grad J = E[ sum_t grad log pi(a_t) (R_t - b_t) ]

A choice has no gradient, but the logarithm of its probability has. The baseline b takes
away what was to be expected anyway: the mean stays the same, the noise shrinks.
"""

from math import log, pi
from typing import NamedTuple

import torch
from torch import Tensor, nn


class Reinforced(NamedTuple):
    """Two losses, scalars: a mean over the batch of a sum over steps, and a mean."""

    policy: Tensor
    """teaches what made the choices, and nothing else"""
    baseline: Tensor
    """mean squared error: teaches the baseline, and nothing else"""


def reinforce(log_prob: Tensor, reward: Tensor, baseline: Tensor) -> Reinforced:
    """Losses of choices.

    Args:
        log_prob: (B, T) of the choices that were *used*: one whose outcome nobody saw earned nothing. Each is of the
            choice as drawn, before any clamping, and the draw itself detached.
        reward: (B, T), or (B, 1) where one reward is for all steps.
        baseline: likewise; what a network expected, or a `MovingAverage`.
    """
    reward = reward.detach()
    advantage = (reward - baseline).detach()
    return Reinforced(-(log_prob * advantage).sum(dim=1).mean(), (baseline - reward).square().mean())


def gaussian_log_prob(drawn: Tensor, mean: Tensor, std: float) -> Tensor:
    """Log-density (...,) of draws (..., D) from a Gaussian of fixed spread; the gradient is the mean's alone."""
    distance = (drawn.detach() - mean).square().sum(dim=-1) / (2 * std**2)
    return -distance - mean.shape[-1] * (log(std) + log(2 * pi) / 2)


class MovingAverage(nn.Module):
    """A baseline that follows the rewards of past batches, b = 0.9 b + 0.1 R, as Show, Attend and Tell has it."""

    value: Tensor

    def __init__(self, memory: float = 0.9) -> None:
        super().__init__()
        self.memory = memory
        self.register_buffer("value", torch.zeros(()))

    def forward(self, reward: Tensor) -> Tensor:
        """The baseline, (), before rewards of any shape; in training it learns of them afterwards."""
        before = self.value.clone()
        if self.training:
            self.value.lerp_(reward.detach().mean().to(self.value.dtype), 1 - self.memory)
        return before
