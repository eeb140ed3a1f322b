"""Beam search over a caption decoder: free-running, so that scores such as BLEU are those of what is really said.

    score(y_1 .. y_t) = sum_i log p(y_i | y_1 .. y_(i-1))

The score is the plain sum, as in Show, Attend and Tell; there is no bonus for length. With a
beam of 1 this is greedy; with one wide enough for all sentences it finds the likeliest.
"""

from dataclasses import dataclass
from typing import NamedTuple

import torch
from torch import Tensor

from shipdet.attention.caption_decoder import Attend, CaptionDecoder, State


class Caption(NamedTuple):
    """One sentence."""

    tokens: tuple[int, ...]
    """without the symbols that begin and end it"""
    weights: Tensor
    """(T, L) where it looked for each token"""
    log_prob: float


@dataclass(frozen=True)
class BeamOptions:
    """How to search."""

    begin: int
    """token that begins a sentence"""
    end: int
    """token that ends one"""
    beam: int = 5
    longest: int = 20
    """tokens, after which a sentence is cut off"""


class _Beam(NamedTuple):
    """Sentences that are not over: n of them, t tokens each."""

    tokens: Tensor
    """(n, t)"""
    weights: Tensor
    """(n, t, L)"""
    log_prob: Tensor
    """(n,)"""
    state: State


@torch.no_grad()
def beam_search(decoder: CaptionDecoder, annotations: Tensor, attend: Attend, options: BeamOptions) -> list[Caption]:
    """Sentences about one picture's annotations (L, D), the likeliest first; at most `beam` of them."""
    annotations = annotations[None]
    alive = _Beam(
        torch.full((1, 0), options.begin, device=annotations.device),
        annotations.new_zeros(1, 0, annotations.shape[1]),
        annotations.new_zeros(1),
        decoder.start(annotations),
    )
    done: list[Caption] = []
    for _ in range(options.longest):
        alive = _grow(decoder, annotations, attend, alive, options)
        over = alive.tokens[:, -1] == options.end
        done += [_caption(alive, n, 1) for n in over.nonzero().flatten().tolist()]
        alive = _keep(alive, ~over)
        best = sorted((caption.log_prob for caption in done), reverse=True)[: options.beam]
        if len(alive.tokens) == 0 or (len(best) == options.beam and best[-1] >= float(alive.log_prob.max())):
            break
    done += [_caption(alive, n, 0) for n in range(len(alive.tokens))]
    return sorted(done, key=lambda caption: -caption.log_prob)[: options.beam]


def _grow(decoder: CaptionDecoder, annotations: Tensor, attend: Attend, alive: _Beam, options: BeamOptions) -> _Beam:
    count, length = alive.tokens.shape
    last = alive.tokens[:, -1] if length else alive.tokens.new_full((count,), options.begin)
    word = decoder.step(annotations.expand(count, -1, -1), alive.state, last, attend)
    total = alive.log_prob[:, None] + word.logits.log_softmax(dim=1)
    best, place = total.flatten().topk(min(options.beam, total.numel()))
    parent, token = place // total.shape[1], place % total.shape[1]
    return _Beam(
        torch.cat([alive.tokens[parent], token[:, None]], dim=1),
        torch.cat([alive.weights[parent], word.look.weights[parent, None]], dim=1),
        best,
        State(word.state.hidden[parent], word.state.cell[parent]),
    )


def _keep(alive: _Beam, which: Tensor) -> _Beam:
    state = State(alive.state.hidden[which], alive.state.cell[which])
    return _Beam(alive.tokens[which], alive.weights[which], alive.log_prob[which], state)


def _caption(alive: _Beam, which: int, cut: int) -> Caption:
    length = alive.tokens.shape[1] - cut
    tokens = tuple(int(token) for token in alive.tokens[which, :length].tolist())
    return Caption(tokens, alive.weights[which, :length], float(alive.log_prob[which]))
