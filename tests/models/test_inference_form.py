from copy import deepcopy

import pytest
import torch
from torch import Tensor, nn

from shipdet.models.device import Device
from shipdet.models.inference_form import TO_STRIDE_4, ConvReLU, InBands, fold_batch_norms, inference_form
from shipdet.models.task_partition import STRIDE, Sizes, TaskPartition
from shipdet.models.trunk_attention import TrunkAttention
from shipdet.training.module import keep_depthwise_in_float32

EXACT = Device(torch.device("cpu"), torch.float32)
HALF = Device(torch.device("cpu"), torch.bfloat16)
RIM = 3
"""Cells on each side that the ends in inference form lack: they feel what lies around a map."""


def noise(height: int, width: int) -> Tensor:
    return torch.randn(1, 3, height, width, generator=torch.Generator().manual_seed(1))


def maps_of(network: TaskPartition, pixels: Tensor) -> list[Tensor]:
    with torch.inference_mode():
        out = network(pixels)
    away = out.coarse.shallow.shape[-1] - out.ends.shape[-1]
    ends = out.ends if away else out.ends[..., RIM:-RIM, RIM:-RIM]
    assert away in (0, 2 * RIM)
    return [out.coarse.logits, out.coarse.shallow, out.coarse.context, ends]


def test_it_computes_what_the_network_computes(network: TaskPartition) -> None:
    pixels = noise(2 * TO_STRIDE_4.rows + STRIDE, 96)  # three bands, the last a narrow one
    for expected, got in zip(maps_of(network, pixels), maps_of(inference_form(network, EXACT), pixels), strict=True):
        assert expected.std() > 1e-3
        torch.testing.assert_close(got, expected, rtol=0, atol=1e-4)


def test_types_and_a_fourth_band_come_through() -> None:
    network = TaskPartition(Sizes(types=4, bands=4)).eval()
    pixels = torch.cat([noise(64, 96), noise(64, 96)[:, :1]], dim=1)
    with torch.inference_mode():
        expected, got = network.coarse(pixels), inference_form(network, EXACT).coarse(pixels)
    assert got.types.shape == (1, 4, 8, 12)
    torch.testing.assert_close(got.types, expected.types, rtol=0, atol=1e-4)


@pytest.mark.parametrize("attention", ["residual", "se", "eca", "cbam"])
def test_a_trunk_with_attention_comes_through(attention: TrunkAttention) -> None:
    network = TaskPartition(Sizes(trunk_attention=attention)).eval()
    pixels = noise(TO_STRIDE_4.rows + STRIDE, 96)
    for expected, got in zip(maps_of(network, pixels), maps_of(inference_form(network, EXACT), pixels), strict=True):
        torch.testing.assert_close(got, expected, rtol=0, atol=1e-4)


def test_in_bfloat16_it_is_no_further_from_float32_than_autocast_is(network: TaskPartition) -> None:
    pixels = noise(256, 256)
    exact, got = maps_of(network, pixels), maps_of(inference_form(network, HALF), pixels.bfloat16())
    with torch.autocast("cpu", torch.bfloat16):
        cast = maps_of(network, pixels)
    for expected, autocast, ours in zip(exact, cast, got, strict=True):
        assert ours.dtype == torch.bfloat16
        assert (ours.float() - expected).abs().mean() < 1.2 * (autocast.float() - expected).abs().mean()


def test_no_batch_norm_is_left_and_the_network_stays_as_it_was(network: TaskPartition) -> None:
    before = {name: value.clone() for name, value in network.state_dict().items()}
    form = inference_form(network, HALF)
    assert not [module for module in form.modules() if isinstance(module, nn.BatchNorm2d)]
    assert not [value for value in form.parameters() if value.requires_grad or value.dtype != torch.bfloat16]
    after = network.state_dict()
    assert list(after) == list(before)
    assert all(torch.equal(value, after[name]) for name, value in before.items())
    assert all(value.requires_grad for value in network.parameters())


def test_a_network_patched_for_training_comes_through(network: TaskPartition) -> None:
    pixels = noise(64, 96)
    expected = maps_of(inference_form(network, EXACT), pixels)
    patched = deepcopy(network)
    keep_depthwise_in_float32(patched)
    for one, other in zip(expected, maps_of(inference_form(patched, EXACT), pixels), strict=True):
        torch.testing.assert_close(other, one, rtol=0, atol=0)


def test_a_network_that_is_training_is_refused() -> None:
    with pytest.raises(ValueError, match="eval"):
        inference_form(TaskPartition(), EXACT)


def test_bands_are_the_whole_map_at_every_height(network: TaskPartition) -> None:
    layers = nn.Sequential(network.trunk.stem, network.trunk.stride4)
    with torch.inference_mode():
        for height in (STRIDE, TO_STRIDE_4.rows, TO_STRIDE_4.rows + STRIDE):
            pixels = noise(height, 64).contiguous(memory_format=torch.channels_last)
            torch.testing.assert_close(InBands(layers, TO_STRIDE_4)(pixels), layers(pixels), rtol=0, atol=1e-5)


def test_a_batch_norm_without_a_convolution_before_it_is_left_alone() -> None:
    block = nn.Sequential(nn.BatchNorm2d(3), nn.ReLU(), nn.Sequential(nn.Conv2d(3, 4, 1), nn.BatchNorm2d(4))).eval()
    fold_batch_norms(block)
    assert isinstance(block[0], nn.BatchNorm2d)
    assert isinstance(block[2][1], nn.Identity)


@pytest.mark.parametrize("groups", [1, 4])
def test_a_convolution_with_its_relu_is_both(groups: int) -> None:
    convolution = nn.Conv2d(4, 8, 3, stride=2, padding=1, groups=groups)
    pixels = torch.randn(1, 4, 16, 24, generator=torch.Generator().manual_seed(0))
    with torch.inference_mode():
        got, expected = ConvReLU(convolution)(pixels), convolution(pixels).relu()
    assert (expected == 0).any()
    torch.testing.assert_close(got, expected, rtol=0, atol=1e-6)
