import pytest
import torch
from torch import nn

from shipdet.attention.additive import AdditiveAttention, AdditiveScore, masked_softmax


def test_weights_sum_to_one_over_any_length() -> None:
    attend = AdditiveAttention(4, 3, 5)
    for length in (1, 2, 17):
        out = attend(torch.randn(1, length, 4), torch.randn(1, 3))
        assert out.weights.shape == (1, length)
        assert out.weights.sum().item() == pytest.approx(1, abs=1e-6)
        assert out.context.shape == (1, 4)


def test_equal_scores_give_the_mean() -> None:
    attend, keys = AdditiveAttention(4, 3, 5), torch.randn(2, 6, 4)
    nn.init.zeros_(attend.score.score.weight)
    out = attend(keys, torch.randn(2, 3))
    assert torch.allclose(out.context, keys.mean(dim=1), atol=1e-6)


def test_equal_scores_give_the_mean_of_those_present() -> None:
    attend, keys = AdditiveAttention(4, 3, 5), torch.randn(1, 6, 4)
    nn.init.zeros_(attend.score.score.weight)
    present = torch.tensor([[True, False, True, False, False, True]])
    assert torch.allclose(attend(keys, torch.randn(1, 3), present).context, keys[:, [0, 2, 5]].mean(dim=1), atol=1e-6)


def test_missing_items_weigh_exactly_nothing_and_all_missing_gives_zeros() -> None:
    attend, keys, query = AdditiveAttention(4, 3, 5), torch.randn(2, 3, 4), torch.randn(2, 3)
    present = torch.tensor([[True, False, True], [False, False, False]])
    out = attend(keys, query, present)
    assert (out.weights[~present] == 0).all()
    assert out.weights.sum(dim=1).tolist() == pytest.approx([1, 0], abs=1e-6)
    assert (out.context[1] == 0).all()


def test_what_a_missing_item_holds_changes_neither_result_nor_gradient() -> None:
    attend, keys, query = AdditiveAttention(4, 3, 5), torch.randn(1, 3, 4), torch.randn(1, 3)
    present = torch.tensor([[True, False, True]])
    spoilt = keys.clone()
    spoilt[:, 1] = torch.nan
    grads = []
    for values in (keys, spoilt):
        attend.zero_grad()
        attend(values, query, present).context.square().sum().backward()
        grads.append([p.grad.clone() for p in attend.parameters() if p.grad is not None])
    assert len(grads[0]) == 4
    assert all(torch.equal(a, b) for a, b in zip(*grads, strict=True))


def test_the_order_of_items_does_not_matter() -> None:
    attend, keys, query = AdditiveAttention(4, 3, 5), torch.randn(1, 6, 4), torch.randn(1, 3)
    order = torch.randperm(6)
    out, shuffled = attend(keys, query), attend(keys[:, order], query)
    assert torch.allclose(out.context, shuffled.context, atol=1e-6)
    assert torch.allclose(out.weights[:, order], shuffled.weights, atol=1e-6)


def test_the_score_is_the_papers() -> None:
    score, keys, query = AdditiveScore(4, 3, 5), torch.randn(2, 6, 4), torch.randn(2, 3)
    by_hand = torch.stack(
        [
            (score.score.weight @ torch.tanh(score.keys(keys[b, i]) + score.query.weight @ query[b])).squeeze()
            for b in range(2)
            for i in range(6)
        ]
    ).reshape(2, 6)
    assert torch.allclose(score(keys, query), by_hand, atol=1e-6)


def test_far_away_scores_overflow_in_no_precision() -> None:
    present = torch.tensor([[True, True, False]])
    for dtype in (torch.float16, torch.bfloat16, torch.float32):
        weights = masked_softmax(torch.tensor([[-6e4, 6e4, 6e4]], dtype=dtype), present)
        assert weights.tolist() == [[0, 1, 0]]
        assert weights.dtype == dtype


def test_it_has_true_gradients() -> None:
    attend = AdditiveAttention(3, 2, 4).double()
    keys = torch.randn(2, 4, 3, dtype=torch.float64, requires_grad=True)
    query = torch.randn(2, 2, dtype=torch.float64, requires_grad=True)
    present = torch.tensor([[True, True, False, True], [False, True, True, True]])
    assert torch.autograd.gradcheck(lambda k, q: tuple(attend(k, q, present)), (keys, query))
