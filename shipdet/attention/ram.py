"""Recurrent attention model (Mnih et al., "Recurrent Models of Visual Attention", NIPS 2014, arXiv:1406.6247).

    h_t = ReLU(W h_(t-1) + V g_t)        l_(t+1) ~ N(U h_t, sigma)        class = softmax(Y h_T)

The picture is seen through T glimpses. Where to look next is drawn by chance and taught by
REINFORCE with 1 for a right class and 0 for a wrong one; everything else by cross-entropy.

Three things keep the two apart. Locations are detached before they are looked at and the
locator reads a detached state, so no gradient of the classifier reaches it. The draw is
scored as it fell and clamped only to be looked at, so a draw beyond the border still
teaches. After the last glimpse nothing is drawn, so nothing unused is rewarded.

W starts as the identity (Le, Jaitly and Hinton, arXiv:1504.00941): a ReLU core of usual random
weights more than halves what it knew with every step, and has forgotten the first glimpse at the last.
"""

from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from shipdet.attention.reinforce import gaussian_log_prob, reinforce


class Located(NamedTuple):
    """Where to look next."""

    drawn: Tensor
    """(B, 2) before clamping, detached"""
    log_prob: Tensor
    """(B,)"""


class Seen(NamedTuple):
    """A picture after T glimpses."""

    logits: Tensor
    """(B, classes)"""
    locations: Tensor
    """(B, T, 2) as x, y from -1 to 1: the attention map of a hard glimpse"""
    log_prob: Tensor
    """(B, T - 1) of every location but the first, which nobody chose"""
    baseline: Tensor
    """(B, T - 1) reward that was expected when it was drawn"""


class Locator(nn.Module):
    """A Gaussian of learnt mean and fixed spread."""

    def __init__(self, state: int, std: float) -> None:
        super().__init__()
        self.mean = nn.Linear(state, 2)
        self.std = std

    def forward(self, state: Tensor, generator: torch.Generator | None = None) -> Located:
        """Draw from (B, D); the state is detached, so that REINFORCE teaches the location alone."""
        return self.of_taught(state.detach(), generator)

    def of_taught(self, state: Tensor, generator: torch.Generator | None = None) -> Located:
        """Draw from (B, D) and teach what made it too, where only locations do."""
        mean = self.mean(state)
        noise = torch.randn(mean.shape, generator=generator, device=mean.device, dtype=mean.dtype)
        drawn = (mean + self.std * noise).detach()
        return Located(drawn, gaussian_log_prob(drawn, mean, self.std))


class RandomLocator(nn.Module):
    """Looks anywhere, for comparison: what glimpses are worth without attention."""

    def forward(self, state: Tensor, generator: torch.Generator | None = None) -> Located:
        """Draw (B, 2) from all of the picture, whatever the state."""
        return Located(anywhere(state, generator), state.new_zeros(len(state)))


def anywhere(like: Tensor, generator: torch.Generator | None) -> Tensor:
    """(B, 2) uniform locations."""
    return torch.rand(len(like), 2, generator=generator, device=like.device, dtype=like.dtype) * 2 - 1


class RAM(nn.Module):
    """Classifies a picture by glimpses.

    Args:
        glimpse: picture and location to features (B, state), such as `GlimpseNetwork`.
        locator: what says where to look: `Locator`, or `RandomLocator`.
        classes: how many.
        steps: glimpses, the paper's T.
        state: width of the glimpse's features and of the core.
    """

    def __init__(self, glimpse: nn.Module, locator: nn.Module, classes: int, steps: int, state: int = 256) -> None:
        super().__init__()
        self.glimpse, self.locator, self.steps, self.width = glimpse, locator, steps, state
        self.recur = nn.Linear(state, state)
        nn.init.eye_(self.recur.weight)
        nn.init.zeros_(self.recur.bias)
        self.take = nn.Linear(state, state)
        self.expect = nn.Linear(state, 1)
        self.classify = nn.Linear(state, classes)

    def forward(self, image: Tensor, generator: torch.Generator | None = None) -> Seen:
        """Look at (B, C, H, W) once; the first glimpse falls anywhere, each later one where the locator says."""
        state = image.new_zeros(len(image), self.width)
        at = anywhere(image, generator)
        locations, log_probs, expected = [at], [], []
        state = self._step(state, image, at)
        for _ in range(self.steps - 1):
            located = self.locator(state, generator)
            log_probs.append(located.log_prob)
            expected.append(self.expect(state.detach()).squeeze(1))
            at = located.drawn.clamp(-1, 1)
            locations.append(at)
            state = self._step(state, image, at)
        empty = image.new_zeros(len(image), 0)
        return Seen(
            self.classify(state),
            torch.stack(locations, dim=1),
            torch.stack(log_probs, dim=1) if log_probs else empty,
            torch.stack(expected, dim=1) if expected else empty,
        )

    def _step(self, state: Tensor, image: Tensor, at: Tensor) -> Tensor:
        return F.relu(self.recur(state) + self.take(self.glimpse(image, at)))


def ram_loss(seen: Seen, classes: Tensor) -> Tensor:
    """Cross-entropy, REINFORCE and the baseline's error, for classes (B,), as one scalar.

    Each parameter hears of one of the three alone, so their weights are learning rates and stay 1.
    """
    told = F.cross_entropy(seen.logits, classes)
    if seen.log_prob.shape[1] == 0:
        return told
    reward = (seen.logits.argmax(dim=1) == classes).to(seen.logits.dtype)[:, None]
    taught = reinforce(seen.log_prob, reward, seen.baseline)
    return told + taught.policy + taught.baseline
