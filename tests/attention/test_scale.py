"""Attention to scale against its limit cases."""

import pytest
import torch
from torch import Tensor

from shipdet.attention.scale import ScaleAttention, average, fuse, maximum, on_common_grid, supervised_losses


def noise(*shape: int, seed: int = 0, dtype: torch.dtype = torch.float32) -> Tensor:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed), dtype=dtype)


def test_equal_logits_give_the_average():
    scores = noise(2, 3, 4, 5, 7)
    fused = fuse(scores, torch.full((2, 3, 5, 7), 1.7))
    torch.testing.assert_close(fused.scores, average(scores))


@pytest.mark.parametrize("size", [(1, 1), (5, 7), (13, 2)])
@pytest.mark.parametrize("batch", [1, 3])
def test_weights_sum_to_one_over_the_scales_at_any_size(size: tuple[int, int], batch: int):
    fused = ScaleAttention(6, 3, 8)(noise(batch, 3, 6, *size), noise(batch, 3, 4, *size, seed=1))
    assert fused.scores.shape == (batch, 4, *size)
    assert fused.weights.shape == (batch, 3, *size)
    torch.testing.assert_close(fused.weights.sum(dim=1), torch.ones(batch, *size))


def test_the_maximum_is_the_hard_limit_of_attention_that_follows_the_scores():
    scores = noise(2, 4, 1, 6, 5, dtype=torch.float64)
    far = [
        (fuse(scores, sharpness * scores[:, :, 0]).scores - maximum(scores)).abs().max() for sharpness in (1, 10, 1e4)
    ]
    assert far[0] > far[1] > far[2]
    assert far[2] < 1e-4


def test_a_scale_that_is_worth_all_is_the_only_one_heard():
    scores, logits = noise(1, 3, 2, 4, 4), torch.zeros(1, 3, 4, 4)
    logits[:, 1] = 100.0
    torch.testing.assert_close(fuse(scores, logits).scores, scores[:, 1])


def test_one_scale_is_left_as_it_is():
    scores = noise(1, 1, 2, 4, 4)
    assert torch.equal(fuse(scores, noise(1, 1, 4, 4, seed=1)).scores, scores[:, 0])


def test_points_are_fused_as_pixels_are():
    scores, logits = noise(1, 3, 2, 4, 5), noise(1, 3, 4, 5, seed=1)
    points = fuse(scores.flatten(3), logits.flatten(2))
    assert torch.equal(points.scores.unflatten(2, (4, 5)), fuse(scores, logits).scores)


def test_attention_differs_from_place_to_place():
    fused = ScaleAttention(6, 2, 8)(noise(1, 2, 6, 9, 9), noise(1, 2, 3, 9, 9, seed=1))
    assert fused.weights.std() > 0.01


def test_maps_of_odd_sizes_come_to_one_grid_and_constants_stay():
    maps = [torch.full((1, 2, *size), value) for size, value in (((3, 5), 1.0), ((7, 9), 2.0), ((20, 31), 3.0))]
    common = on_common_grid(maps, (7, 9))
    assert common.shape == (1, 3, 2, 7, 9)
    torch.testing.assert_close(common.amin(dim=(0, 2, 3, 4)), torch.tensor([1.0, 2.0, 3.0]))
    torch.testing.assert_close(common.amax(dim=(0, 2, 3, 4)), torch.tensor([1.0, 2.0, 3.0]))


def test_every_scale_is_supervised_beside_the_fused_scores():
    scores = noise(2, 3, 4, 5, 5).requires_grad_()
    target = torch.randint(0, 4, (2, 5, 5), generator=torch.Generator().manual_seed(2))
    losses = supervised_losses(fuse(scores, torch.zeros(2, 3, 5, 5)), scores, target)
    assert losses.scales.shape == (3,)
    expected = torch.nn.functional.cross_entropy(scores[:, 1], target)
    torch.testing.assert_close(losses.scales[1], expected)
    (losses.fused + losses.scales.sum()).backward()
    assert (scores.grad.flatten(2).abs().sum(dim=2) > 0).all()


def test_a_target_of_unknown_places_teaches_nothing_but_reaches_the_parameters():
    head = ScaleAttention(6, 2, 8)
    scores = noise(1, 2, 3, 4, 4, seed=1)
    losses = supervised_losses(head(noise(1, 2, 6, 4, 4), scores), scores, torch.full((1, 4, 4), 255))
    assert float(losses.fused.detach()) == 0
    losses.fused.backward()
    assert all(p.grad is not None and not p.grad.any() for p in head.parameters())


def test_gradients_agree_with_finite_differences():
    scores, logits = (
        noise(*s, seed=i, dtype=torch.float64).requires_grad_() for i, s in enumerate([(1, 3, 2, 2, 3), (1, 3, 2, 3)])
    )
    assert torch.autograd.gradcheck(lambda s, h: tuple(fuse(s, h)), (scores, logits))
    head = ScaleAttention(2, 3, 4).double()
    features = noise(1, 3, 2, 3, 3, dtype=torch.float64).requires_grad_()
    assert torch.autograd.gradcheck(
        lambda f: head(f, noise(1, 3, 2, 3, 3, seed=3, dtype=torch.float64)).scores, (features,)
    )


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
@pytest.mark.parametrize("size", [(1, 1), (5, 7)])
def test_precision_stays_what_it_was(dtype: torch.dtype, size: tuple[int, int]):
    head = ScaleAttention(6, 3, 8).to(dtype)
    scores = noise(1, 3, 4, *size, seed=1, dtype=dtype)
    fused = head(noise(1, 3, 6, *size, dtype=dtype), scores)
    losses = supervised_losses(fused, scores, torch.zeros(1, *size, dtype=torch.long))
    common = on_common_grid(list(scores.unbind(dim=1)), (3, 9))
    assert {x.dtype for x in (*fused, *losses, common, average(scores), maximum(scores))} == {dtype}


def test_it_exports():
    head = ScaleAttention(6, 3, 8).eval()
    inputs = (noise(1, 3, 6, 5, 7), noise(1, 3, 2, 5, 7, seed=1))
    exported = torch.export.export(head, inputs).module()
    torch.testing.assert_close(exported(*inputs)[0], head(*inputs).scores)
