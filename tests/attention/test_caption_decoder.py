import pytest
import torch

from shipdet.attention.caption_decoder import Attend, CaptionDecoder
from shipdet.attention.show_attend_tell import evenly, hard, likeliest, soft


def make() -> CaptionDecoder:
    torch.manual_seed(0)
    return CaptionDecoder(words=7, annotations=4, state=6, embedding=5)


@pytest.mark.parametrize("attend", [soft, hard, likeliest, evenly])
@pytest.mark.parametrize("places", [1, 9])
def test_a_sentence_has_words_looks_and_log_probabilities(attend: Attend, places: int) -> None:
    told = make()(torch.randn(1, places, 4), torch.zeros(1, 3, dtype=torch.long), attend)
    assert told.logits.shape == (1, 3, 7)
    assert told.weights.shape == (1, 3, places)
    assert told.log_prob.shape == (1, 3)
    assert torch.allclose(told.weights.sum(dim=2), torch.ones(1, 3))


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
@pytest.mark.parametrize("attend", [soft, hard, likeliest, evenly])
def test_precision_stays_what_it_was(dtype: torch.dtype, attend: Attend) -> None:
    told = make().to(dtype)(torch.randn(1, 9, 4, dtype=dtype), torch.zeros(1, 3, dtype=torch.long), attend)
    assert {x.dtype for x in told} == {dtype}


def test_told_word_by_word_it_is_the_same() -> None:
    decoder, annotations = make(), torch.randn(2, 3, 4)
    tokens = torch.tensor([[1, 2, 3], [4, 5, 6]])
    told, state = decoder(annotations, tokens, soft), decoder.start(annotations)
    for t in range(3):
        word = decoder.step(annotations, state, tokens[:, t], soft)
        state = word.state
        assert torch.allclose(told.logits[:, t], word.logits)


def test_a_word_knows_nothing_of_those_that_follow() -> None:
    decoder, annotations = make(), torch.randn(1, 3, 4)
    a = decoder(annotations, torch.tensor([[1, 2, 3]]), soft).logits
    b = decoder(annotations, torch.tensor([[1, 2, 5]]), soft).logits
    assert torch.equal(a[:, :2], b[:, :2])
    assert not torch.equal(a[:, 2], b[:, 2])


def test_a_shut_gate_says_what_the_language_says() -> None:
    decoder = make()
    with torch.no_grad():
        decoder.gate.weight.bias.fill_(-1e4)
        for start in (decoder.start_hidden[0], decoder.start_cell[0]):
            start.weight.zero_()
    tokens = torch.tensor([[1, 2, 3]])
    a, b = (decoder(torch.randn(1, 3, 4), tokens, soft).logits for _ in range(2))
    assert torch.equal(a, b)


def test_it_has_true_gradients_through_looks() -> None:
    decoder = make().double()
    annotations = torch.randn(1, 3, 4, dtype=torch.float64, requires_grad=True)
    tokens = torch.tensor([[1, 2]])
    assert torch.autograd.gradcheck(lambda a: decoder(a, tokens, soft).logits, annotations)
