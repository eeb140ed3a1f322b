import pytest
import torch
from torch import nn

from shipdet.attention.dram import (
    DRAM,
    Context,
    ConvGlimpse,
    NoContext,
    Objects,
    Read,
    Reading,
    counted,
    dram_loss,
    read_bottom,
    read_top,
    sequences_right,
)
from shipdet.attention.glimpse import take_glimpse

READING = Reading(objects=3, glimpses=2, std=0.1)


def make(context: nn.Module | None = None, read: Read = read_bottom) -> DRAM:
    torch.manual_seed(0)
    return DRAM(context or Context(1, 16, 24), ConvGlimpse(1, 6, 24), 10, READING, 24, read)


def has_gradient(module: nn.Module) -> bool:
    return any(p.grad is not None and bool((p.grad != 0).any()) for p in module.parameters())


@pytest.mark.parametrize("size", [(40, 40), (33, 71)])
def test_every_object_has_logits_and_places(size: tuple[int, int]) -> None:
    seen = make()(torch.randn(1, 1, *size))
    assert seen.logits.shape == (1, 3, 11)
    assert seen.locations.shape == (1, 3, 2, 2)
    assert seen.log_prob.shape == seen.baseline.shape == (1, 3, 2)
    assert seen.locations.abs().max() <= 1


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
@pytest.mark.parametrize("context", [Context(1, 16, 24), NoContext(24)])
def test_precision_stays_what_it_was(dtype: torch.dtype, context: nn.Module) -> None:
    seen = make(context).to(dtype)(torch.randn(1, 1, 33, 41, dtype=dtype))
    assert {x.dtype for x in (*seen, dram_loss(seen, torch.tensor([[3, 4, 10]])))} == {dtype}


def test_what_is_named_comes_from_glimpses_and_not_from_the_small_picture() -> None:
    dram = make()
    dram(torch.randn(2, 1, 40, 40)).logits.square().sum().backward()
    assert not has_gradient(dram.context)
    assert not has_gradient(dram.top)
    assert has_gradient(dram.glimpse)
    assert has_gradient(dram.bottom)


def test_what_searches_is_what_reinforce_alone_teaches() -> None:
    dram = make()
    seen = dram(torch.randn(4, 1, 40, 40))
    seen.logits.square().sum().backward(retain_graph=True)
    assert all(parameter.grad is None for parameter in dram.searching())
    seen.log_prob.sum().backward()
    assert all(parameter.grad is not None for parameter in dram.searching())
    kept = {id(parameter) for parameter in dram.searching()}
    assert {id(p) for m in (dram.context, dram.top, dram.locator) for p in m.parameters()} == kept


def test_the_cheat_reads_the_small_picture() -> None:
    dram = make(read=read_top)
    dram(torch.randn(2, 1, 40, 40)).logits.square().sum().backward()
    assert has_gradient(dram.context)


def test_reinforce_reaches_the_context_which_says_where_to_begin() -> None:
    dram = make()
    dram(torch.randn(2, 1, 40, 40)).log_prob[:, 0, 0].sum().backward()
    assert has_gradient(dram.context)
    assert has_gradient(dram.locator)
    assert not has_gradient(dram.bottom)


def test_without_context_the_first_place_is_the_same_for_every_picture() -> None:
    dram = make(NoContext(24))
    dram.locator.std = 1e-9
    first = dram(torch.randn(4, 1, 40, 40)).locations[:, 0, 0]
    assert torch.allclose(first, first[:1].expand_as(first), atol=1e-6)


def objects_of(said: list[list[int]], log_prob: torch.Tensor | None = None) -> Objects:
    logits = torch.nn.functional.one_hot(torch.tensor(said), 11) * 20.0
    shape = (*logits.shape[:2], 2)
    log_prob = torch.zeros(shape) if log_prob is None else log_prob
    return Objects(logits, torch.zeros(*shape, 2), log_prob, torch.zeros(shape))


def test_objects_count_up_to_the_first_end_symbol() -> None:
    classes = torch.tensor([[3, 10, 10], [1, 2, 10], [10, 4, 10], [1, 2, 3]])
    expected = [[True, True, False], [True] * 3, [True, False, False], [True] * 3]
    assert counted(classes, 10).tolist() == expected


def test_what_is_said_after_the_end_does_not_matter() -> None:
    classes = torch.tensor([[3, 10, 10]])
    right, babble, wrong = objects_of([[3, 10, 10]]), objects_of([[3, 10, 7]]), objects_of([[3, 7, 10]])
    assert sequences_right(right, classes).all()
    assert sequences_right(babble, classes).all()
    assert not sequences_right(wrong, classes).any()
    assert dram_loss(right, classes) == dram_loss(babble, classes)
    assert dram_loss(right, classes).item() < dram_loss(wrong, classes).item()


def test_glimpses_are_rewarded_for_their_object_and_those_to_come() -> None:
    log_prob = torch.zeros(1, 3, 2, requires_grad=True)
    dram_loss(objects_of([[3, 5, 10]], log_prob), torch.tensor([[3, 4, 10]]), policy=1).backward()
    assert log_prob.grad is not None
    torch.testing.assert_close(log_prob.grad, torch.tensor([[[-2.0, -2], [-1, -1], [-1, -1]]]))


def test_the_reward_is_the_probability_of_the_right_name() -> None:
    log_prob = torch.zeros(1, 1, 2, requires_grad=True)
    logits = torch.tensor([[[0.2, 0.5, 0.3]]]).log()
    seen = Objects(logits, torch.zeros(1, 1, 2, 2), log_prob, torch.full((1, 1, 2), 0.1))
    dram_loss(seen, torch.tensor([[2]]), policy=1).backward()
    assert log_prob.grad is not None
    torch.testing.assert_close(log_prob.grad, torch.tensor([[[-0.2, -0.2]]]))


def test_policy_weighs_what_chance_teaches_and_nothing_else() -> None:
    grads = []
    for policy in (0.5, 0.25):
        log_prob = torch.zeros(1, 3, 2, requires_grad=True)
        seen = objects_of([[3, 5, 10]], log_prob)
        logits = seen.logits.clone().requires_grad_()
        dram_loss(seen._replace(logits=logits), torch.tensor([[3, 4, 10]]), policy=policy).backward()
        grads.append((log_prob.grad, logits.grad))
    (louder, told), (quieter, told_too) = grads
    assert louder.any()
    torch.testing.assert_close(louder, 2 * quieter)
    torch.testing.assert_close(told, told_too)


def test_glimpses_after_the_end_are_not_rewarded() -> None:
    log_prob = torch.zeros(1, 3, 2, requires_grad=True)
    dram_loss(objects_of([[10, 10, 10]], log_prob), torch.tensor([[10, 10, 10]]), policy=1).backward()
    assert log_prob.grad is not None
    torch.testing.assert_close(log_prob.grad, torch.tensor([[[-1.0, -1], [0, 0], [0, 0]]]))


def test_what_stands_after_the_end_may_be_no_class_at_all() -> None:
    seen = objects_of([[3, 10, 7]])
    assert dram_loss(seen, torch.tensor([[3, 10, -100]])) == dram_loss(seen, torch.tensor([[3, 10, 7]]))


def test_in_the_middle_the_glimpse_begins_as_what_is_seen_there() -> None:
    glimpse, image = ConvGlimpse(1, 6, 8).eval(), torch.randn(2, 1, 20, 20)
    at = torch.zeros(2, 2)
    torch.testing.assert_close(glimpse(image, at), glimpse.what(take_glimpse(image, at, 6, 2).flatten(1, 2)))


def test_layers_begin_with_an_open_forget_gate() -> None:
    dram = make()
    for cell in (dram.bottom, dram.top):
        with torch.no_grad():
            for bias in (cell.bias_hh, cell.weight_hh, cell.weight_ih):
                bias.zero_()
            _, kept = cell(torch.zeros(1, 24), (torch.zeros(1, 24), torch.ones(1, 24)))
        assert kept.mean().item() > 0.6


def test_the_glimpse_is_a_product_of_what_and_where() -> None:
    glimpse, image, at = ConvGlimpse(1, 6, 8), torch.randn(1, 1, 20, 20), torch.zeros(1, 2)
    nn.init.zeros_(glimpse.where.bias)
    assert (glimpse(image, at) == 0).all()


def test_it_has_true_gradients_where_chance_is_held() -> None:
    dram = DRAM(Context(1, 8, 6), ConvGlimpse(1, 2, 6), 3, Reading(1, 2, 0.1), 6).double().eval()
    image = torch.randn(1, 1, 9, 9, dtype=torch.float64)
    nn.init.zeros_(dram.locator.mean.weight)  # places do not follow the state, so draws are constants
    assert torch.autograd.gradcheck(
        lambda v: (
            torch.func.functional_call(dram, {"bottom.bias_ih": v}, (image, torch.Generator().manual_seed(0))).logits
        ),
        dram.bottom.bias_ih.detach().clone().requires_grad_(),
    )
