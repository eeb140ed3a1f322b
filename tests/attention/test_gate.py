import pytest
import torch
from torch import nn

from shipdet.attention.gate import Gate, open_gate


def test_an_open_cell_opens_its_eight_neighbours_and_no_more() -> None:
    attention = torch.zeros(1, 7, 9)
    attention[0, 3, 4] = 0.9
    expected = torch.zeros(1, 7, 9, dtype=torch.bool)
    expected[0, 2:5, 3:6] = True
    assert torch.equal(open_gate(attention, 0.5), expected)


def test_a_cell_on_the_border_opens_what_lies_within() -> None:
    attention = torch.zeros(1, 4, 4)
    attention[0, 0, 3] = 1.0
    gate = open_gate(attention, 0.5)
    assert gate.nonzero()[:, 1:].tolist() == [[0, 2], [0, 3], [1, 2], [1, 3]]


def test_attention_at_the_threshold_opens_and_just_below_does_not() -> None:
    attention = torch.full((1, 3, 3), 0.25)
    assert open_gate(attention, 0.25).all()
    assert not open_gate(torch.nextafter(attention, torch.zeros(())), 0.25).any()


def test_the_least_and_greatest_threshold_open_all_and_only_certainty() -> None:
    attention = torch.zeros(1, 5, 5)
    assert open_gate(attention, 0.0).all()
    attention[0, 0, 0] = 1.0
    assert open_gate(attention, 1.0).sum() == 4


def test_truth_opens_the_gate_too_and_is_dilated() -> None:
    attention, truth = torch.zeros(1, 8, 8), torch.zeros(1, 8, 8, dtype=torch.bool)
    attention[0, 1, 1], truth[0, 6, 6] = 1.0, True
    alone, both = open_gate(attention, 0.5), open_gate(attention, 0.5, truth)
    assert torch.equal(both, alone | open_gate(truth.float(), 0.5))
    assert both.sum() == 18


def test_pictures_of_a_batch_do_not_open_each_other() -> None:
    attention = torch.zeros(3, 4, 4)
    attention[1] = 1.0
    assert open_gate(attention, 0.5).flatten(1).any(dim=1).tolist() == [False, True, False]


def test_a_loss_behind_the_gate_teaches_nothing_to_what_made_the_attention_map() -> None:
    torch.manual_seed(0)
    deep, shallow = nn.Conv2d(3, 1, 3, padding=1), nn.Conv2d(3, 4, 3, padding=1)
    image = torch.randn(2, 3, 8, 8, requires_grad=True)
    attention = deep(image).sigmoid().squeeze(1)
    gated = Gate(float(attention.detach().quantile(0.95)))(shallow(image), attention)
    assert attention.requires_grad
    assert 0 < gated.gate.sum() < gated.gate.numel()
    gated.features.square().sum().backward()
    assert all(p.grad is None for p in deep.parameters())
    assert all(p.grad is not None and p.grad.any() for p in shallow.parameters())


def test_the_gate_is_yes_or_no() -> None:
    gate = open_gate(torch.rand(1, 4, 4, requires_grad=True), 0.5)
    assert gate.dtype == torch.bool
    assert not gate.requires_grad


def test_the_gate_lets_features_through_where_it_is_open_and_only_there() -> None:
    attention, features = torch.zeros(1, 5, 5), torch.randn(1, 3, 10, 10)
    attention[0, 0, 0] = 1.0
    gated = Gate(0.5)(features, attention)
    assert torch.equal(gated.features[:, :, :4, :4], features[:, :, :4, :4])
    assert gated.gate.sum() == 16
    assert (gated.features != 0).sum() == 3 * 16


def test_no_loss_comes_back_from_behind_a_shut_gate_nor_to_the_map() -> None:
    attention = torch.zeros(1, 4, 4, requires_grad=True)
    features = torch.randn(1, 2, 4, 4, requires_grad=True)
    truth = torch.zeros(1, 4, 4, dtype=torch.bool)
    truth[0, 0, 0] = True
    Gate(0.5)(features, attention, truth).features.square().sum().backward()
    assert attention.grad is None
    assert features.grad is not None
    assert (features.grad != 0).any(dim=1).nonzero()[:, 1:].tolist() == [[0, 0], [0, 1], [1, 0], [1, 1]]


def test_what_is_not_a_number_behind_a_shut_gate_stays_there() -> None:
    features = torch.full((1, 1, 4, 4), torch.nan)
    assert (Gate(0.5)(features, torch.zeros(1, 4, 4)).features == 0).all()


@pytest.mark.parametrize("size", [(7, 9), (14, 18), (15, 20)])
def test_the_gate_takes_features_of_any_size(size: tuple[int, int]) -> None:
    gated = Gate(0.5)(torch.ones(2, 3, *size, dtype=torch.bfloat16), torch.rand(2, 7, 9))
    assert gated.features.shape == (2, 3, *size)
    assert gated.features.dtype == torch.bfloat16
    assert gated.gate.shape == (2, *size)


def test_the_gate_exports() -> None:
    args = (torch.randn(2, 3, 8, 8), torch.rand(2, 4, 4))
    exported = torch.export.export(Gate(0.5), args).module()
    for mine, theirs in zip(Gate(0.5)(*args), exported(*args), strict=True):
        assert torch.equal(mine, theirs)
