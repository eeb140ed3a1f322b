import pytest
import torch

from shipdet.attention.show_attend_tell import (
    Chosen,
    ScalarGate,
    doubly_stochastic_penalty,
    entropy,
    evenly,
    hard,
    hard_attention_loss,
    likeliest,
    soft,
)


def looked_at(seed: int = 0) -> tuple[torch.Tensor, torch.Tensor]:
    generator = torch.Generator().manual_seed(seed)
    return torch.randn(2, 5, generator=generator), torch.randn(2, 5, 3, generator=generator)


@pytest.mark.parametrize("attend", [soft, hard, likeliest, evenly])
def test_weights_sum_to_one_and_one_context_comes_back(attend: object) -> None:
    look = attend(*looked_at())  # type: ignore[operator]
    assert look.context.shape == (2, 3)
    assert look.log_prob.shape == (2,)
    assert torch.allclose(look.weights.sum(dim=1), torch.ones(2))


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
@pytest.mark.parametrize("attend", [soft, hard, likeliest, evenly])
@pytest.mark.parametrize("places", [1, 7])
def test_precision_stays_what_it_was(attend: object, places: int, dtype: torch.dtype) -> None:
    look = attend(torch.randn(1, places, dtype=dtype), torch.randn(1, places, 3, dtype=dtype))  # type: ignore[operator]
    weights, words = look.weights[:, None], torch.ones(1, 1, dtype=torch.bool)
    chosen = Chosen(look.log_prob[:, None], weights, words)
    loss = hard_attention_loss(chosen, torch.zeros(1, dtype=dtype), torch.zeros((), dtype=dtype))
    others = (ScalarGate(3).to(dtype)(look.context), doubly_stochastic_penalty(weights, words), entropy(weights), loss)
    assert {x.dtype for x in (*look, *others)} == {dtype}


def test_equal_scores_give_the_mean() -> None:
    _, annotations = looked_at()
    assert torch.allclose(soft(torch.full((2, 5), 3.0), annotations).context, annotations.mean(dim=1), atol=1e-6)


def test_looking_evenly_gives_the_mean_whatever_the_scores() -> None:
    scores, annotations = looked_at()
    assert torch.allclose(evenly(scores, annotations).context, annotations.mean(dim=1), atol=1e-6)


def test_the_mean_of_hard_looks_tends_to_the_soft_one() -> None:
    scores, annotations = looked_at()
    draws = 20_000
    generator = torch.Generator().manual_seed(1)
    many = hard(scores[:1].expand(draws, -1), annotations[:1].expand(draws, -1, -1), generator)
    assert torch.allclose(many.context.mean(dim=0), soft(scores, annotations).context[0], atol=0.03)


def test_a_hard_look_sees_one_place_and_tells_how_likely_it_was() -> None:
    scores, annotations = looked_at()
    look = hard(scores, annotations, torch.Generator().manual_seed(0))
    for b in range(2):
        place = (annotations[b] == look.context[b]).all(dim=1).nonzero().item()
        assert look.log_prob[b].item() == pytest.approx(look.weights[b, place].log().item(), abs=1e-6)


def test_the_likeliest_place_is_taken_without_chance() -> None:
    scores, annotations = looked_at()
    look = likeliest(scores, annotations)
    assert torch.equal(look.context, annotations[torch.arange(2), scores.argmax(dim=1)])


def test_hard_attention_that_is_sure_equals_soft() -> None:
    scores, annotations = torch.eye(5)[:2] * 1e4, looked_at()[1]
    assert torch.allclose(hard(scores, annotations).context, soft(scores, annotations).context)


def test_no_gradient_of_the_context_reaches_the_scores_of_a_hard_look() -> None:
    scores, annotations = looked_at()
    scores.requires_grad_()
    annotations.requires_grad_()
    look = hard(scores, annotations)
    look.context.sum().backward(retain_graph=True)
    assert scores.grad is None
    look.log_prob.sum().backward()
    assert scores.grad is not None


def test_soft_attention_has_true_gradients() -> None:
    scores, annotations = (t.double().requires_grad_() for t in looked_at())
    assert torch.autograd.gradcheck(lambda s, a: soft(s, a).context, (scores, annotations))


def test_the_gate_is_one_number_a_picture() -> None:
    beta = ScalarGate(4)(torch.randn(3, 4))
    assert beta.shape == (3, 1)
    assert ((beta > 0) & (beta < 1)).all()


def test_the_penalty_is_zero_when_every_place_was_looked_at_once() -> None:
    assert doubly_stochastic_penalty(torch.eye(4)[None], torch.ones(1, 4, dtype=torch.bool)).item() == 0


def test_the_penalty_sums_over_places_and_averages_over_pictures() -> None:
    weights = torch.zeros(2, 3, 3)
    weights[:, :, 0] = 1
    words = torch.tensor([[True, True, True], [True, False, False]])
    assert doubly_stochastic_penalty(weights, words).item() == pytest.approx(((4 + 1 + 1) + (0 + 1 + 1)) / 2)


def test_entropy_is_that_of_the_distribution() -> None:
    weights = torch.tensor([[0.25, 0.25, 0.25, 0.25], [1.0, 0, 0, 0]])
    assert entropy(weights).tolist() == pytest.approx([1.3862944, 0])


def test_looks_that_led_to_better_sentences_than_expected_become_likelier_and_padding_counts_for_nothing() -> None:
    log_prob = torch.zeros(2, 3, requires_grad=True)
    words = torch.tensor([[True, True, False], [True, True, True]])
    weights = torch.full((2, 3, 4), 0.25)
    chosen, reward = Chosen(log_prob, weights, words), torch.tensor([-1.0, -3.0])
    hard_attention_loss(chosen, reward, torch.tensor(-2.0), entropy_weight=0.0, policy=0.5).backward()
    assert log_prob.grad is not None
    assert log_prob.grad.tolist() == [[-0.25, -0.25, 0], [0.25, 0.25, 0.25]]


def test_an_open_mind_lowers_the_loss() -> None:
    words, log_prob = torch.ones(1, 1, dtype=torch.bool), torch.zeros(1, 1)
    torn, sure = torch.tensor([[[0.5, 0.5]]]), torch.tensor([[[1.0, 0.0]]])
    losses = [hard_attention_loss(Chosen(log_prob, w, words), torch.zeros(1), torch.zeros(())) for w in (torn, sure)]
    assert losses[0].item() == pytest.approx(-0.002 * 0.6931472, rel=1e-4)
    assert losses[1].item() == 0
