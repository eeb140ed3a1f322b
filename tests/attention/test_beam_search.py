from itertools import product

import pytest
import torch
from torch import Tensor

from shipdet.attention.beam_search import BeamOptions, beam_search
from shipdet.attention.caption_decoder import CaptionDecoder
from shipdet.attention.show_attend_tell import soft

BEGIN, END, WORDS, LONGEST = 0, 1, 4, 3


@pytest.fixture
def decoder() -> CaptionDecoder:
    torch.manual_seed(3)
    decoder = CaptionDecoder(WORDS, 4, 6, 5)
    with torch.no_grad():
        decoder.speak.weight.mul_(6)
    return decoder


@torch.no_grad()
def log_prob(decoder: CaptionDecoder, annotations: Tensor, sentence: tuple[int, ...]) -> float:
    """Of one sentence, told under teacher forcing."""
    tokens = torch.tensor([[BEGIN, *sentence[:-1]]])
    logits = decoder(annotations[None], tokens, soft).logits.log_softmax(dim=2)[0]
    return float(logits[torch.arange(len(sentence)), torch.tensor(sentence)].sum())


def all_sentences() -> list[tuple[int, ...]]:
    words = [w for w in range(WORDS) if w != END]
    ended = [(*s, END) for length in range(LONGEST) for s in product(words, repeat=length)]
    return ended + list(product(words, repeat=LONGEST))


def test_a_beam_wide_enough_finds_the_likeliest_of_all_sentences(decoder: CaptionDecoder) -> None:
    for seed in range(3):
        annotations = torch.randn(5, 4, generator=torch.Generator().manual_seed(seed))
        found = beam_search(decoder, annotations, soft, BeamOptions(BEGIN, END, beam=64, longest=LONGEST))
        scored = sorted(((log_prob(decoder, annotations, s), s) for s in all_sentences()), reverse=True)
        for caption, (score, sentence) in zip(found[:10], scored, strict=False):
            assert caption.log_prob == pytest.approx(score, abs=1e-4)
            assert caption.tokens == tuple(w for w in sentence if w != END)


def test_a_beam_of_one_is_greedy(decoder: CaptionDecoder) -> None:
    annotations = torch.randn(5, 4)
    state, token, said = decoder.start(annotations[None]), torch.tensor([BEGIN]), []
    for _ in range(LONGEST):
        word = decoder.step(annotations[None], state, token, soft)
        state, token = word.state, word.logits.argmax(dim=1)
        if token.item() == END:
            break
        said.append(int(token))
    (found,) = beam_search(decoder, annotations, soft, BeamOptions(BEGIN, END, beam=1, longest=LONGEST))
    assert found.tokens == tuple(said)


def test_a_wider_beam_is_never_worse_than_greedy(decoder: CaptionDecoder) -> None:
    annotations = torch.randn(5, 4)
    one, many = (beam_search(decoder, annotations, soft, BeamOptions(BEGIN, END, b, 6))[0] for b in (1, 64))
    assert many.log_prob >= one.log_prob - 1e-5


def test_captions_tell_where_each_token_was_looked_at_and_come_in_order(decoder: CaptionDecoder) -> None:
    found = beam_search(decoder, torch.randn(5, 4), soft, BeamOptions(BEGIN, END, beam=4, longest=6))
    assert 1 <= len(found) <= 4
    for caption in found:
        assert caption.weights.shape == (len(caption.tokens), 5)
        assert END not in caption.tokens
        assert torch.allclose(caption.weights.sum(dim=1), torch.ones(len(caption.tokens)))
    scores = [caption.log_prob for caption in found]
    assert scores == sorted(scores, reverse=True)
