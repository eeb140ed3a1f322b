from functools import partial

import pytest
import torch
from torch import nn

from shipdet.attention.attention_resnet import AttentionResNet, Unattended
from shipdet.attention.residual import ResidualAttention, ResidualUnit, channel_mask, naive


def trunk_depth(network: AttentionResNet) -> int:
    """Convolutions and linear layers on the way from the picture to the logits, masks and shortcuts aside."""
    layers = [
        name
        for name, module in network.named_modules()
        if isinstance(module, nn.Conv2d | nn.Linear) and ".mask." not in name and "shortcut" not in name
    ]
    return len(layers)


@pytest.mark.parametrize("modules", [1, 2, 3, 4])
def test_the_trunk_is_36_m_plus_20_deep_as_the_papers(modules: int) -> None:
    assert trunk_depth(AttentionResNet(10, modules, width=4)) == 36 * modules + 20


def test_without_attention_the_trunk_is_as_deep() -> None:
    assert trunk_depth(AttentionResNet(10, 2, width=4, attend=Unattended)) == 36 * 2 + 20


@pytest.mark.parametrize("size", [(32, 32), (9, 31)])
@pytest.mark.parametrize(
    "attend", [ResidualAttention, partial(ResidualAttention, combine=naive, normalise=channel_mask), Unattended]
)
def test_chips_of_any_size_are_classified_with_a_mask_a_module(size: tuple[int, int], attend: type) -> None:
    network = AttentionResNet(5, modules=2, width=8, attend=attend).eval()
    out = network(torch.randn(1, 3, *size))
    assert out.logits.shape == (1, 5)
    assert [mask.shape[1] for mask in out.masks] == [8, 8, 16, 16, 32, 32]
    assert out.masks[0].shape[-2:] == size


def test_the_masks_of_all_stages_reach_the_same_smallest_map() -> None:
    seen: list[tuple[int, ...]] = []
    network = AttentionResNet(5, width=8).eval()
    for module in network.modules():
        if isinstance(module, nn.MaxPool2d):
            module.register_forward_hook(lambda _m, _i, out: seen.append(tuple(out.shape[-2:])))
    network(torch.randn(1, 3, 32, 32))
    assert seen == [(16, 16), (8, 8), (4, 4), (8, 8), (4, 4), (4, 4)]


def test_no_attention_has_a_mask_of_zeros_and_the_trunk() -> None:
    module, x = Unattended(8, 3).eval(), torch.randn(2, 8, 5, 5)
    out = module(x)
    assert (out.mask == 0).all()
    assert torch.equal(out.features, module.trunk(x))
    assert sum(isinstance(m, ResidualUnit) for m in module.modules()) == 4
