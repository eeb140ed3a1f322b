import pytest
import torch
from torch import nn

from shipdet.attention.temporal import DateAttention


def stack(seed: int = 0) -> tuple[torch.Tensor, torch.Tensor]:
    generator = torch.Generator().manual_seed(seed)
    return torch.randn(1, 4, 5, 7, generator=generator), torch.randn(1, 3, 4, 5, 7, generator=generator)


def test_each_pixel_has_weights_over_dates_that_sum_to_one() -> None:
    now, dates = stack()
    out = DateAttention(4, 8)(now, dates)
    assert out.features.shape == (1, 4, 5, 7)
    assert out.weights.shape == (1, 3, 5, 7)
    assert torch.allclose(out.weights.sum(dim=1), torch.ones(1, 5, 7), atol=1e-6)


def test_equal_scores_give_the_mean_over_dates() -> None:
    now, dates = stack()
    attend = DateAttention(4, 8)
    nn.init.zeros_(attend.attend.score.score.weight)
    assert torch.allclose(attend(now, dates).features, dates.mean(dim=1), atol=1e-6)


def test_missing_dates_weigh_nothing_whatever_they_hold() -> None:
    now, dates = stack()
    attend = DateAttention(4, 8)
    present = torch.tensor([[True, False, True]])
    out = attend(now, dates, present)
    dates[:, 1] = torch.nan
    spoilt = attend(now, dates, present)
    assert (out.weights[:, 1] == 0).all()
    assert torch.equal(out.features, spoilt.features)
    assert torch.allclose(out.features, attend(now, dates[:, [0, 2]]).features, atol=1e-6)


def test_clouds_hide_single_pixels_of_a_date() -> None:
    now, dates = stack()
    present = torch.ones(1, 3, 5, 7, dtype=torch.bool)
    present[0, 1, 2, 3] = False
    present[0, :, 4, 6] = False
    out = DateAttention(4, 8)(now, dates, present)
    assert (out.weights == 0).nonzero().tolist() == [[0, 0, 4, 6], [0, 1, 2, 3], [0, 1, 4, 6], [0, 2, 4, 6]]
    assert (out.features[0, :, 4, 6] == 0).all()


def test_pixels_do_not_hear_of_each_other() -> None:
    now, dates = stack()
    attend = DateAttention(4, 8)
    before = attend(now, dates).features
    dates[:, :, :, 1, 1] += 1
    changed = (attend(now, dates).features != before).any(dim=1)[0]
    assert changed.nonzero().tolist() == [[1, 1]]


@pytest.mark.parametrize("count", [1, 6])
def test_any_number_of_dates_and_any_precision(count: int) -> None:
    attend = DateAttention(4, 8).bfloat16()
    now = torch.randn(2, 4, 3, 3, dtype=torch.bfloat16)
    out = attend(now, now[:, None].expand(-1, count, -1, -1, -1))
    assert out.features.dtype == torch.bfloat16
    assert torch.allclose(out.features, now, atol=0.1)


def test_it_has_true_gradients_and_exports() -> None:
    now, dates = (t.double()[..., :2, :2].requires_grad_() for t in stack())
    attend = DateAttention(4, 3).double()
    present = torch.tensor([[True, False, True]])
    assert torch.autograd.gradcheck(lambda n, d: attend(n, d, present).features, (now, dates))
    args = (now.detach(), dates.detach(), present)
    exported = torch.export.export(attend, args).module()
    assert torch.allclose(exported(*args)[0], attend(*args).features)
