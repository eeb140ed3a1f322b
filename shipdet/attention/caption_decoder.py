"""The decoder of Show, Attend and Tell (Xu et al., ICML 2015, arXiv:1502.03044), for any of its kinds of attention.

    h_0, c_0 = f(mean_i a_i)        z_t = beta(h_(t-1)) * attend(a, h_(t-1))
    h_t = LSTM(E y_(t-1), z_t; h_(t-1))        p(y_t) = softmax(L_o(E y_(t-1) + L_h h_t + L_z z_t))

One network, looked through softly or hard: the kind of attention is given with each call,
so that training can mix them, half the time soft, as the paper does for its hard one.
"""

from collections.abc import Callable
from typing import NamedTuple

import torch
from torch import Tensor, nn

from shipdet.attention.additive import AdditiveScore
from shipdet.attention.show_attend_tell import Look, ScalarGate

Attend = Callable[[Tensor, Tensor], Look]
"""Scores (B, L) and annotations (B, L, D) to a look: `soft`, `hard`, `likeliest` or `evenly`."""


class State(NamedTuple):
    """Of the recurrent layer, (B, H) each."""

    hidden: Tensor
    cell: Tensor


class Word(NamedTuple):
    """What is said next."""

    logits: Tensor
    """(B, V)"""
    state: State
    look: Look


class Captioned(NamedTuple):
    """Whole sentences, as told word by word."""

    logits: Tensor
    """(B, T, V)"""
    weights: Tensor
    """(B, T, L), where it looked for each word"""
    log_prob: Tensor
    """(B, T) of hard looks"""


class CaptionDecoder(nn.Module):
    """Says what annotations show.

    Args:
        words: V, the vocabulary's size.
        annotations: D, channels of an annotation.
        state: H, width of the recurrent layer.
        embedding: width of a word's vector.
    """

    def __init__(self, words: int, annotations: int, state: int, embedding: int) -> None:
        super().__init__()
        self.embed = nn.Embedding(words, embedding)
        self.start_hidden = nn.Sequential(nn.Linear(annotations, state), nn.Tanh())
        self.start_cell = nn.Sequential(nn.Linear(annotations, state), nn.Tanh())
        self.score = AdditiveScore(annotations, state, state)
        self.gate = ScalarGate(state)
        self.recur = nn.LSTMCell(embedding + annotations, state)
        self.of_hidden = nn.Linear(state, embedding)
        self.of_look = nn.Linear(annotations, embedding, bias=False)
        self.speak = nn.Linear(embedding, words)

    def start(self, annotations: Tensor) -> State:
        """The state before the first word, of (B, L, D)."""
        mean = annotations.mean(dim=1)
        return State(self.start_hidden(mean), self.start_cell(mean))

    def step(self, annotations: Tensor, state: State, token: Tensor, attend: Attend) -> Word:
        """One more word after `token` (B,), about annotations (B, L, D)."""
        look = attend(self.score(annotations, state.hidden), annotations)
        seen = self.gate(state.hidden) * look.context
        embedded = self.embed(token)
        state = State(*self.recur(torch.cat([embedded, seen], dim=1), state))
        logits: Tensor = self.speak(embedded + self.of_hidden(state.hidden) + self.of_look(seen))
        return Word(logits, state, look)

    def forward(self, annotations: Tensor, tokens: Tensor, attend: Attend) -> Captioned:
        """Teacher forcing: what follows each of tokens (B, T), the first of which begins the sentence."""
        state = self.start(annotations)
        said = []
        for token in tokens.unbind(dim=1):
            said.append(self.step(annotations, state, token, attend))
            state = said[-1].state
        return Captioned(
            torch.stack([word.logits for word in said], dim=1),
            torch.stack([word.look.weights for word in said], dim=1),
            torch.stack([word.look.log_prob for word in said], dim=1),
        )
