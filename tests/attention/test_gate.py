import torch

from shipdet.attention.gate import open_gate


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


def test_no_gradient_passes_the_gate() -> None:
    attention = torch.rand(1, 4, 4, requires_grad=True)
    gate = open_gate(attention, 0.5)
    assert gate.dtype == torch.bool
    assert not gate.requires_grad
    (gate * attention.detach().clone().requires_grad_()).sum().backward()
    assert attention.grad is None
