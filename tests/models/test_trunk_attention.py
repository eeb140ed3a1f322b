import pytest
import torch
from torch import Tensor, nn

from shipdet.models.task_partition import (
    COARSE_STRIDE,
    FINE_STRIDE,
    STRIDE,
    Output,
    Sizes,
    TaskPartition,
)
from shipdet.models.trunk_attention import WIDER, ResidualBlock, TrunkAttention, trunk_blocks

KINDS: tuple[TrunkAttention, ...] = ("residual", "se", "eca", "cbam")
CHANNELS = (32, 64, 96, 128)
MARGIN = 352
"""What no pixel is felt beyond in a network without blocks, and a cell for peaks and gate"""


def network(kind: TrunkAttention) -> TaskPartition:
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        made = TaskPartition(Sizes(width=16, context=8, trunk_attention=kind))
        for module in made.modules():
            if isinstance(module, nn.BatchNorm2d):
                module.momentum = None
        with torch.no_grad():
            made.train()(noise(4, 3, 128, 128))
    return made.eval()


def noise(*shape: int) -> Tensor:
    return torch.randn(shape, generator=torch.Generator().manual_seed(0))


def seen(made: TaskPartition, pixels: Tensor) -> Output:
    with torch.inference_mode():
        found: Output = made(pixels)
    return found


def test_without_attention_the_trunk_has_no_further_tensor() -> None:
    assert not [name for name in TaskPartition().state_dict() if "attend" in name]


@pytest.mark.parametrize("kind", KINDS)
def test_networks_of_one_seed_start_alike_but_for_their_blocks(kind: TrunkAttention) -> None:
    torch.manual_seed(3)
    plain = TaskPartition(Sizes(width=16)).state_dict()
    torch.manual_seed(3)
    state = TaskPartition(Sizes(width=16, trunk_attention=kind)).state_dict()
    more = set(state) - set(plain)
    assert more
    assert all(name.startswith("trunk.attend.") for name in more)
    for name, value in plain.items():
        torch.testing.assert_close(state[name], value, rtol=0, atol=0)


@pytest.mark.parametrize("kind", KINDS)
def test_every_stage_has_its_block_but_the_deepest_of_residual_attention(kind: TrunkAttention) -> None:
    blocks = trunk_blocks(kind, CHANNELS)
    bare = [isinstance(block, nn.Identity) for block in blocks]
    assert bare == [False, False, False, kind == "residual"]


@pytest.mark.parametrize("kind", KINDS)
def test_blocks_keep_odd_sizes_and_change_features(kind: TrunkAttention) -> None:
    for block, channels in zip(trunk_blocks(kind, CHANNELS).eval(), CHANNELS, strict=True):
        features = noise(1, channels, 7, 5)
        found = block(features)
        assert found.shape == features.shape
        assert torch.equal(found, features) == isinstance(block, nn.Identity)


def test_with_masks_of_zero_residual_attention_is_the_plain_trunk() -> None:
    attended, pixels = network("residual"), noise(1, 3, 96, 64)
    plain = TaskPartition(Sizes(width=16, context=8)).eval()
    plain.load_state_dict({k: v for k, v in attended.state_dict().items() if "attend" not in k})
    assert not torch.equal(seen(attended, pixels).ends, seen(plain, pixels).ends)
    for module in attended.modules():
        if isinstance(module, ResidualBlock):
            module.attention.normalise = torch.zeros_like
    found, expected = seen(attended, pixels), seen(plain, pixels)
    torch.testing.assert_close(found.ends, expected.ends, rtol=0, atol=0)
    torch.testing.assert_close(found.coarse.logits, expected.coarse.logits, rtol=0, atol=0)


@pytest.mark.parametrize("kind", KINDS)
def test_blocks_learn(kind: TrunkAttention) -> None:
    made = network(kind).train()
    made(noise(2, 3, 64, 64)).ends.square().mean().backward()
    weights = list(made.trunk.attend.parameters())
    assert weights
    assert all(weight.grad is not None and weight.grad.isfinite().all() for weight in weights)
    assert any(weight.grad.abs().sum() > 0 for weight in weights if weight.grad is not None)


@pytest.mark.parametrize("phase", [0, 9, 31])
def test_residual_attention_feels_no_pixel_beyond_its_wider_margin(phase: int) -> None:
    made, at = network("residual"), 640 + phase
    strip = noise(1, 3, STRIDE, 1344)
    strip[0, 1, 7, at] = torch.nan
    reach = MARGIN + WIDER["residual"] - COARSE_STRIDE - FINE_STRIDE
    for pixels, axis in ((strip, 3), (strip.transpose(2, 3).contiguous(), 2)):
        found = seen(made, pixels)
        for stride, maps in ((COARSE_STRIDE, found.coarse.logits), (FINE_STRIDE, found.ends.flatten(1, 2))):
            touched = maps.isnan().any(dim=1)[0].any(dim=3 - axis)
            cells = touched.nonzero()[:, 0] * stride
            assert at - (int(cells.min()) + stride) <= reach
            assert int(cells.max()) - (at + 1) <= reach
            assert int(cells.max()) - int(cells.min()) > 2 * MARGIN


def test_a_shift_by_the_stride_shifts_the_maps_of_residual_attention() -> None:
    made, margin = network("residual"), MARGIN + WIDER["residual"]
    pixels = noise(1, 3, STRIDE, 2 * margin + 4 * STRIDE)
    first, second = seen(made, pixels[..., :-STRIDE]), seen(made, pixels[..., STRIDE:])
    edge, step = margin // FINE_STRIDE, STRIDE // FINE_STRIDE
    inner = first.ends[..., edge + step : -edge]
    assert (inner.std(dim=-1) > 1e-4).all()
    torch.testing.assert_close(inner, second.ends[..., edge : -edge - step], rtol=0, atol=1e-5)
