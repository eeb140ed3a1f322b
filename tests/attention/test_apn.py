import pytest
import torch

from shipdet.attention.apn import AttentionProposal, rank_loss, start_loss, strongest_response
from shipdet.attention.zoom import Box


@pytest.mark.parametrize("loud", [0.0, 1.0, 1e3])
def test_the_box_never_leaves_the_picture_nor_takes_all_of_it(loud: float) -> None:
    torch.manual_seed(0)
    propose = AttentionProposal(4)
    with torch.no_grad():
        propose.box.weight.normal_(std=max(loud, 1e-3))
    box = propose(torch.randn(64, 4, 5, 9) * 10)
    assert (box.half >= 0.2).all()
    assert (box.half <= 0.8).all()
    assert (box.centre.abs() + box.half[:, None] <= 1 + 1e-6).all()


def test_it_begins_in_the_middle_with_half_the_side() -> None:
    box = AttentionProposal(4)(torch.zeros(1, 4, 7, 7))
    assert torch.allclose(box.half, torch.tensor([0.5]), atol=0.05)
    assert torch.allclose(box.centre, torch.zeros(1, 2), atol=0.1)


def test_features_of_any_size_give_a_box() -> None:
    propose = AttentionProposal(3)
    for size in ((1, 1), (3, 11), (14, 14)):
        assert propose(torch.randn(2, 3, *size)).centre.shape == (2, 2)


def test_impossible_sizes_are_refused() -> None:
    with pytest.raises(ValueError, match="largest < 1"):
        AttentionProposal(3, 0.2, 1.0)


def test_the_strongest_response_is_found_with_x_along_columns() -> None:
    features = torch.zeros(2, 3, 4, 8)
    features[0, :, 1, 5] = 1
    features[1, :, 3, 0] = 1
    box = strongest_response(features)
    assert box.centre.tolist() == [[0.375, -0.25], [-0.5, 0.5]]  # the second held inside the picture
    assert box.half.tolist() == [0.5, 0.5]


def test_a_proposal_can_learn_where_to_start() -> None:
    torch.manual_seed(0)
    features = torch.rand(8, 2, 7, 7)
    features[torch.arange(8), :, torch.arange(8) % 7, 2] += 3
    propose, target = AttentionProposal(2), strongest_response(features)
    optimiser = torch.optim.Adam(propose.parameters(), 1e-3)
    first = start_loss(propose(features), target).item()
    for _ in range(60):
        optimiser.zero_grad()
        loss = start_loss(propose(features), target)
        loss.backward()
        optimiser.step()
    assert loss.item() < 0.1 * first


def test_the_rank_loss_is_zero_once_finer_scales_are_surer_by_the_margin() -> None:
    coarse, fine = torch.tensor([0.5, 0.2]), torch.tensor([0.56, 0.9])
    assert rank_loss([coarse, fine]).item() == 0
    assert rank_loss([fine, coarse]).item() == pytest.approx((0.11 + 0.75) / 2)
    assert rank_loss([coarse, coarse]).item() == pytest.approx(0.05)


def test_the_rank_loss_adds_up_over_scales() -> None:
    p = torch.tensor([0.5])
    assert rank_loss([p, p, p]).item() == pytest.approx(0.1)


def test_making_the_coarser_scale_worse_does_not_pay() -> None:
    coarse, fine = (torch.tensor([0.5], requires_grad=True) for _ in range(2))
    rank_loss([coarse, fine]).backward()
    assert coarse.grad is None
    assert fine.grad is not None
    assert fine.grad.item() == -1


def test_the_rank_loss_has_a_true_gradient() -> None:
    fine = torch.tensor([0.3, 0.6], dtype=torch.float64, requires_grad=True)
    coarse = torch.tensor([0.5, 0.4], dtype=torch.float64)
    assert torch.autograd.gradcheck(lambda f: rank_loss([coarse, f]), fine)


def test_start_loss_is_zero_at_the_target() -> None:
    box = Box(torch.randn(3, 2), torch.rand(3))
    assert start_loss(box, box).item() == 0
