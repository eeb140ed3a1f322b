import pytest
import torch
from torch import nn

from shipdet.attention.rcan import RCAN, Block, ChannelWeights, EqualWeights, Layout, enlarge

SMALL = Layout(groups=2, blocks=2, width=8)


@pytest.mark.parametrize("scale", [2, 4])
@pytest.mark.parametrize("size", [(1, 1), (7, 10)])
def test_pictures_of_any_size_grow_by_the_scale(scale: int, size: tuple[int, int]) -> None:
    out = RCAN(scale, SMALL)(torch.randn(1, 3, *size))
    assert out.image.shape == (1, 3, size[0] * scale, size[1] * scale)
    assert out.weights.shape == (1, 4, 8)
    assert ((out.weights > 0) & (out.weights < 1)).all()


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
@pytest.mark.parametrize("weigh", [ChannelWeights, EqualWeights])
def test_precision_stays_what_it_was(dtype: torch.dtype, weigh: type[ChannelWeights] | type[EqualWeights]) -> None:
    out = RCAN(2, SMALL, weigh).to(dtype)(torch.rand(1, 3, 5, 7, dtype=dtype))
    assert {x.dtype for x in out} == {dtype}
    assert enlarge(torch.rand(1, 3, 5, 7, dtype=dtype), 2).dtype == dtype


@pytest.mark.parametrize("scale", [2, 4])
def test_an_untrained_network_is_bicubic(scale: int) -> None:
    image = torch.rand(2, 3, 6, 9)
    assert torch.equal(RCAN(scale, SMALL)(image).image, enlarge(image, scale))


def test_it_learns_at_once_although_its_tail_starts_at_zero() -> None:
    torch.manual_seed(0)
    network, image = RCAN(2, SMALL), torch.rand(2, 3, 8, 8)
    optimiser = torch.optim.Adam(network.parameters(), 1e-3)
    losses = []
    for _ in range(20):
        optimiser.zero_grad()
        loss = (network(image).image - 0.5).abs().mean()
        loss.backward()
        optimiser.step()
        losses.append(loss.item())
    assert losses[-1] < 0.9 * losses[0]
    assert all(p.grad is not None for p in network.parameters())


def test_weights_are_what_timms_block_multiplies_with() -> None:
    weigh, x = ChannelWeights(32), torch.randn(2, 32, 5, 5)
    assert torch.allclose(weigh(x) * x, weigh.excite(x))


def test_equal_weights_leave_a_plain_residual_block() -> None:
    block, x = Block(EqualWeights(8), 8), torch.randn(1, 8, 5, 5)
    assert torch.allclose(block(x).features, x + block.body(x))
    assert (block(x).weights[0] == 1).all()


def test_without_channel_attention_the_map_is_all_ones() -> None:
    assert (RCAN(2, SMALL, EqualWeights)(torch.randn(1, 3, 4, 4)).weights == 1).all()


def test_channel_attention_costs_few_parameters() -> None:
    with_it, without = (
        sum(p.numel() for p in RCAN(2, Layout(), w).parameters()) for w in (ChannelWeights, EqualWeights)
    )
    assert without < with_it < 1.05 * without


def test_scales_that_are_no_power_of_two_are_refused() -> None:
    for scale in (0, 1, 3, 6):
        with pytest.raises(ValueError, match="scale of 2"):
            RCAN(scale)


def test_it_has_true_gradients() -> None:
    torch.manual_seed(0)
    network = RCAN(2, Layout(1, 1, 4), channels=1).double()
    nn.init.normal_(network.tail[-1].weight)
    image = torch.rand(1, 1, 3, 3, dtype=torch.float64, requires_grad=True)
    assert torch.autograd.gradcheck(lambda x: network(x).image, image)


def test_it_exports() -> None:
    network, x = RCAN(2, SMALL).eval(), torch.rand(1, 3, 6, 7)
    exported = torch.export.export(network, (x,)).module()
    assert torch.allclose(exported(x)[0], network(x).image, atol=1e-5)
