"""Additive attention (Bahdanau, Cho and Bengio, ICLR 2015, arXiv:1409.0473).

    e_i = v . tanh(W k_i + U q)        a = softmax(e)        c = sum_i a_i k_i

A query asks a sequence of any length which of its items matter now, so that nothing has
to be squeezed into one vector first. Items that are missing get a weight of exactly 0.
"""

from typing import NamedTuple

import torch
from torch import Tensor, nn


class Attended(NamedTuple):
    """What a query got from a sequence."""

    context: Tensor
    """(..., C)"""
    weights: Tensor
    """(..., N), at least 0; their sum is 1, or 0 where every item is missing"""


def masked_softmax(scores: Tensor, present: Tensor | None) -> Tensor:
    """Softmax over the last axis of (..., N) where `present`, bool and of the same shape; 0 elsewhere."""
    if present is None:
        return scores.softmax(dim=-1)
    scores = scores.masked_fill(~present, torch.finfo(scores.dtype).min)
    return scores.softmax(dim=-1).masked_fill(~present, 0)


class AdditiveScore(nn.Module):
    """How well each key answers the query: a small network on both."""

    def __init__(self, keys: int, query: int, width: int) -> None:
        super().__init__()
        self.keys = nn.Linear(keys, width)
        self.query = nn.Linear(query, width, bias=False)
        self.score = nn.Linear(width, 1, bias=False)

    def forward(self, keys: Tensor, query: Tensor) -> Tensor:
        """Scores (..., N) of keys (..., N, C) for queries (..., Q)."""
        both = self.keys(keys) + self.query(query).unsqueeze(-2)
        scores: Tensor = self.score(both.tanh()).squeeze(-1)
        return scores


class AdditiveAttention(nn.Module):
    """A weighted mean of a sequence's items, as a query weighs them.

    Args:
        keys: channels of an item.
        query: channels of the query.
        width: of the scoring network.
    """

    def __init__(self, keys: int, query: int, width: int) -> None:
        super().__init__()
        self.score = AdditiveScore(keys, query, width)

    def forward(self, keys: Tensor, query: Tensor, present: Tensor | None = None) -> Attended:
        """Attend to keys (..., N, C) for queries (..., Q); `present` is bool (..., N), all where None.

        What a missing item holds, NaN included, changes nothing.
        """
        if present is not None:
            keys = keys.masked_fill(~present.unsqueeze(-1), 0)
        weights = masked_softmax(self.score(keys, query), present)
        return Attended((weights.unsqueeze(-1) * keys).sum(dim=-2), weights)
