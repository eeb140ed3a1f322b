"""Soft and hard attention over space (Xu et al., "Show, Attend and Tell", ICML 2015, arXiv:1502.03044).

    e_i = v . tanh(W a_i + U h)      alpha = softmax(e)
    soft:  z = sum_i alpha_i a_i     hard:  z = a_s,  s ~ alpha

Each word is said while looking at a part of the picture. Soft attention looks everywhere at
once, weighted, and learns by the gradient; hard attention looks at one place, drawn by
chance, and learns by REINFORCE. In expectation both see the same.
"""

from typing import NamedTuple

import torch
from torch import Tensor, nn

from shipdet.attention.reinforce import Reinforced, reinforce


class Look(NamedTuple):
    """One look at a picture."""

    context: Tensor
    """(B, D)"""
    weights: Tensor
    """(B, L), their sum 1: the attention map, and for a hard look its probabilities"""
    log_prob: Tensor
    """(B,) of what was chosen, 0 where nothing was"""


def soft(scores: Tensor, annotations: Tensor) -> Look:
    """The expectation over places, of scores (B, L) and annotations (B, L, D)."""
    weights = scores.softmax(dim=1)
    return Look(torch.einsum("bl,bld->bd", weights, annotations), weights, scores.new_zeros(len(scores)))


def hard(scores: Tensor, annotations: Tensor, generator: torch.Generator | None = None) -> Look:
    """One place, drawn; no gradient of the scores passes through the context."""
    log_weights = scores.log_softmax(dim=1)
    weights = log_weights.exp()
    chosen = torch.multinomial(weights.detach(), 1, generator=generator)
    return Look(_take(annotations, chosen), weights, log_weights.gather(1, chosen).squeeze(1))


def likeliest(scores: Tensor, annotations: Tensor) -> Look:
    """The one place that is likeliest: hard attention after training, without chance."""
    log_weights = scores.log_softmax(dim=1)
    best, chosen = log_weights.max(dim=1, keepdim=True)
    return Look(_take(annotations, chosen), log_weights.exp(), best.squeeze(1))


def evenly(scores: Tensor, annotations: Tensor) -> Look:
    """The mean over places, whatever the scores: no attention, for comparison."""
    return soft(torch.zeros_like(scores), annotations)


def _take(annotations: Tensor, chosen: Tensor) -> Tensor:
    return annotations.gather(1, chosen[:, :, None].expand(-1, -1, annotations.shape[2])).squeeze(1)


class ScalarGate(nn.Module):
    """beta = sigmoid(f(h)): how much the next word owes to the picture at all."""

    def __init__(self, state: int) -> None:
        super().__init__()
        self.weight = nn.Linear(state, 1)

    def forward(self, state: Tensor) -> Tensor:
        """(B, 1) in (0, 1) of (B, D)."""
        logit: Tensor = self.weight(state)
        return logit.sigmoid()


def doubly_stochastic_penalty(weights: Tensor, words: Tensor) -> Tensor:
    """sum_i (1 - sum_t alpha_ti)^2: over a sentence, every place is to be looked at about once.

    Normalisation, in which implementations differ: summed over the L places as the paper writes it, then averaged
    over the batch; so it grows with L for the same unevenness. With far fewer words than places (T << L) no place can
    be looked at once, and the penalty is least for even looks: give it a small weight there, or it undoes attention.

    Args:
        weights: (B, T, L).
        words: (B, T) bool, False for padding, whose looks do not count.
    """
    looked = (weights * words[:, :, None]).sum(dim=1)
    return (1 - looked).square().sum(dim=1).mean()


def entropy(weights: Tensor) -> Tensor:
    """Entropy (...,) of distributions (..., L), in nats."""
    nats: Tensor = torch.special.entr(weights).sum(dim=-1)
    return nats


class Chosen(NamedTuple):
    """Hard looks of whole sentences."""

    log_prob: Tensor
    """(B, T)"""
    weights: Tensor
    """(B, T, L)"""
    words: Tensor
    """(B, T) bool, False for padding"""


def hard_attention_loss(
    chosen: Chosen, log_likelihood: Tensor, baseline: Tensor, entropy_weight: float = 0.002, policy: float = 0.1
) -> Tensor:
    """What teaches hard looks, beside the cross-entropy of the words, as one scalar.

    Args:
        chosen: the looks.
        log_likelihood: (B,) mean log-probability of a sentence's words: the reward. The paper takes the sum; a mean
            keeps the advantage of long sentences from drowning that of short ones.
        baseline: () or (B,), such as `MovingAverage`'s of past rewards.
        entropy_weight: of the bonus that keeps the choice open; the paper's code has 0.002.
        policy: weight of REINFORCE, the paper's lambda_r. The decoder and the annotations hear of it and of the
            cross-entropy; at a weight of 1 its noise drowns what the words teach them.
    """
    log_prob = chosen.log_prob.masked_fill(~chosen.words, 0)
    expected = baseline.expand_as(log_likelihood)[:, None]
    taught: Reinforced = reinforce(log_prob, log_likelihood[:, None], expected)
    open_mind = entropy(chosen.weights)[chosen.words].mean()
    return policy * taught.policy - entropy_weight * open_mind
