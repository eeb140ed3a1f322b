from functools import partial

import pytest
import torch
from torch import Tensor, nn

from shipdet.attention.residual import (
    Hourglass,
    Layout,
    Normalise,
    ResidualAttention,
    channel_mask,
    mixed_mask,
    naive,
    residual,
    spatial_mask,
)

MASKS = (mixed_mask, channel_mask, spatial_mask)


def zero_mask(logits: Tensor) -> Tensor:
    return torch.zeros_like(logits)


def one_mask(logits: Tensor) -> Tensor:
    return torch.ones_like(logits)


def trunk_alone(module: ResidualAttention, x: Tensor) -> Tensor:
    out: Tensor = module.after(module.trunk(module.before(x)))
    return out


@pytest.mark.parametrize("size", [(1, 1), (5, 7), (13, 32)])
@pytest.mark.parametrize("depth", [1, 2, 4])
def test_any_size_goes_through_any_depth(size: tuple[int, int], depth: int) -> None:
    module = ResidualAttention(8, depth).eval()
    out = module(torch.randn(1, 8, *size))
    assert out.features.shape == out.mask.shape == (1, 8, *size)
    assert out.features.dtype == torch.float32


def test_a_mask_of_zeros_gives_the_trunk() -> None:
    module, x = ResidualAttention(8, 2, normalise=zero_mask).eval(), torch.randn(2, 8, 9, 9)
    assert torch.equal(module(x).features, trunk_alone(module, x))


def test_naive_attention_gives_the_trunk_under_a_mask_of_ones_and_nothing_under_zeros() -> None:
    x = torch.randn(2, 8, 9, 9)
    ones = ResidualAttention(8, 1, normalise=one_mask, combine=naive).eval()
    assert torch.equal(ones(x).features, trunk_alone(ones, x))
    zeros = ResidualAttention(8, 1, Layout(p=0), zero_mask, naive).eval()
    assert (zeros(x).features == 0).all()


def test_the_two_ways_to_combine_differ_by_the_trunk() -> None:
    trunk, mask = torch.randn(2, 3, 4, 4), torch.rand(2, 3, 4, 4)
    assert torch.allclose(residual(trunk, mask) - naive(trunk, mask), trunk, atol=1e-6)


def test_the_trunk_is_not_added_into_the_mask() -> None:
    """The mask branch sees what the trunk sees, never what the trunk makes of it."""
    module, x = ResidualAttention(8, 2).eval(), torch.randn(1, 8, 12, 12)
    before = module(x).mask
    with torch.no_grad():
        for parameter in module.trunk.parameters():
            parameter.mul_(3)
    assert torch.equal(module(x).mask, before)


def test_mixed_masks_are_sigmoids_of_each_logit() -> None:
    logits = torch.randn(2, 3, 4, 5)
    assert torch.equal(mixed_mask(logits), logits.sigmoid())


def test_channel_masks_have_unit_length_at_each_position() -> None:
    mask = channel_mask(torch.randn(2, 6, 4, 5))
    assert torch.allclose(mask.norm(dim=1), torch.ones(2, 4, 5))
    assert torch.allclose(channel_mask(torch.ones(1, 4, 2, 2) * 7), torch.full((1, 4, 2, 2), 0.5))


def test_spatial_masks_forget_a_channels_mean_and_spread() -> None:
    logits = torch.randn(2, 3, 8, 8)
    assert torch.allclose(spatial_mask(logits), spatial_mask(logits * 5 + 2), atol=1e-4)
    assert torch.allclose(spatial_mask(torch.full((1, 2, 3, 3), 4.0)), torch.full((1, 2, 3, 3), 0.5))


def test_a_one_pixel_map_has_a_finite_gradient_in_every_mask() -> None:
    for mask in MASKS:
        logits = torch.zeros(1, 2, 1, 1, requires_grad=True)
        mask(logits).sum().backward()
        assert logits.grad is not None
        assert logits.grad.isfinite().all()


@pytest.mark.parametrize("mask", MASKS)
def test_masks_have_true_gradients(mask: Normalise) -> None:
    logits = torch.randn(1, 2, 3, 3, dtype=torch.float64, requires_grad=True)
    assert torch.autograd.gradcheck(mask, logits)


@pytest.mark.parametrize("combine", [residual, naive])
def test_a_module_has_true_gradients(combine: object) -> None:
    torch.manual_seed(0)
    module = ResidualAttention(4, 1, Layout(1, 1, 1), combine=combine).double().eval()  # type: ignore[arg-type]
    x = torch.randn(1, 4, 3, 3, dtype=torch.float64, requires_grad=True)
    assert torch.autograd.gradcheck(lambda t: module(t).features, x)


def test_an_hourglass_halves_the_map_as_often_as_it_is_deep() -> None:
    seen: list[tuple[int, ...]] = []
    glass = Hourglass(4, 3, 1).eval()
    for module in glass.modules():
        if isinstance(module, nn.MaxPool2d):
            module.register_forward_hook(lambda _m, _i, out: seen.append(tuple(out.shape[-2:])))
    glass(torch.randn(1, 4, 32, 24))
    assert seen == [(16, 12), (8, 6), (4, 3)]


def test_a_mask_that_pools_never_is_refused() -> None:
    with pytest.raises(ValueError, match="at least once"):
        ResidualAttention(4, 0)


def test_a_module_exports() -> None:
    module, x = partial(ResidualAttention, 8)(2).eval(), torch.randn(1, 8, 9, 11)
    exported = torch.export.export(module, (x,)).module()
    assert torch.allclose(exported(x)[0], module(x).features, atol=1e-6)
