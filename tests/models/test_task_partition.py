import pytest
import torch
from torch import Tensor

from shipdet.models.task_partition import (
    COARSE_STRIDE,
    END,
    END_FIELDS,
    FINE_STRIDE,
    STRIDE,
    TaskPartition,
    normalise,
)

MARGIN = 352
"""What no pixel is felt beyond, and a cell for peaks and gate"""
REACH = MARGIN - COARSE_STRIDE - FINE_STRIDE
"""The rest of the margin is for the gate's dilation and for comparing peaks with their neighbours."""
PHASES = (0, 9, 17, 31)


def noise(*shape: int) -> Tensor:
    return torch.randn(shape, generator=torch.Generator().manual_seed(0))


def maps_of(network: TaskPartition, pixels: Tensor) -> list[tuple[int, Tensor]]:
    """The coarse map and the ends (B, C, h, w), each with its stride."""
    with torch.inference_mode():
        output = network(pixels.contiguous(memory_format=torch.channels_last))
    return [(COARSE_STRIDE, output.coarse.logits), (FINE_STRIDE, output.ends.flatten(1, 2))]


@pytest.mark.parametrize(("height", "width"), [(64, 96), (32, 32)])
def test_maps_have_the_strides_that_they_promise(network: TaskPartition, height: int, width: int) -> None:
    output = network(noise(2, 3, height, width))
    assert output.coarse.logits.shape == (2, 3, height // 8, width // 8)
    assert output.coarse.context.shape == (2, 48, height // 8, width // 8)
    assert output.coarse.shallow.shape == (2, 32, height // 4, width // 4)
    assert output.ends.shape == (2, 2, END_FIELDS, height // 4, width // 4)


def test_forward_is_the_coarse_map_and_then_the_ends(network: TaskPartition) -> None:
    pixels = noise(1, 3, 64, 64)
    output, coarse = network(pixels), network.coarse(pixels)
    assert torch.equal(output.coarse.logits, coarse.logits)
    assert torch.equal(output.ends, network.ends(coarse))


@pytest.mark.parametrize("phase", PHASES)
def test_no_pixel_is_felt_beyond_the_margin_of_a_tile(network: TaskPartition, phase: int) -> None:
    """Strips suffice: what a pixel reaches is a box, so its width does not depend on the height of the picture."""
    at = 384 + phase
    strip = noise(1, 3, STRIDE, 832)
    strip[0, 1, 7, at] = torch.nan
    for pixels, axis in ((strip, 1), (strip.transpose(2, 3), 0)):
        for stride, found in maps_of(network, pixels):
            touched = found.isnan().any(dim=1)[0].any(dim=1 - axis)
            cells = touched.nonzero()[:, 0] * stride
            before, after = at - (int(cells.min()) + stride), int(cells.max()) - (at + 1)
            assert not touched.all()
            assert min(before, after) > 200
            assert max(before, after) <= REACH


def test_no_pixel_is_felt_beyond_the_margin_in_a_square(network: TaskPartition) -> None:
    at = 416 + 9
    pixels = noise(1, 3, 832, 832)
    pixels[0, 0, at, at] = torch.nan
    for stride, found in maps_of(network, pixels):
        cells = found.isnan().any(dim=1)[0].nonzero() * stride
        assert len(cells)
        assert (at - (cells + stride)).max() <= REACH
        assert (cells - (at + 1)).max() <= REACH


def test_a_shift_by_the_stride_shifts_the_maps(network: TaskPartition) -> None:
    pixels = noise(1, 3, STRIDE, 2 * MARGIN + 4 * STRIDE)
    for turned in (False, True):
        first, second = (p.transpose(2, 3) if turned else p for p in (pixels[..., :-STRIDE], pixels[..., STRIDE:]))
        for (stride, a), (_, b) in zip(maps_of(network, first), maps_of(network, second), strict=True):
            if turned:
                a, b = a.transpose(2, 3), b.transpose(2, 3)  # noqa: PLW2901 - back to lying strips
            edge, step = MARGIN // stride, STRIDE // stride
            inner = a[..., edge + step : -edge]
            assert inner.shape[-1] == 2 * STRIDE // stride
            assert (inner.std(dim=3) > 1e-3).all()
            torch.testing.assert_close(inner, b[..., edge : -edge - step], rtol=0, atol=1e-5)


def test_pictures_of_a_batch_do_not_see_each_other(network: TaskPartition) -> None:
    pixels = noise(2, 3, 64, 64)
    for (_, both), (_, alone) in zip(maps_of(network, pixels), maps_of(network, pixels[1:]), strict=True):
        torch.testing.assert_close(both[1:], alone, rtol=0, atol=1e-5)


def test_attention_is_the_probability_of_an_end_and_carries_no_gradient(network: TaskPartition) -> None:
    coarse = network.coarse(noise(1, 3, 64, 64))
    assert coarse.logits.requires_grad
    assert not coarse.attention.requires_grad
    assert torch.equal(coarse.attention, coarse.logits.detach().softmax(dim=1)[:, END])


def test_heat_starts_rare_so_that_focal_loss_starts_small() -> None:
    with torch.random.fork_rng():
        torch.manual_seed(0)
        ends = TaskPartition().eval()(noise(1, 3, 64, 64)).ends
    assert ends[:, :, 0].sigmoid().mean() < 0.05


def test_normalised_pixels_are_zero_in_the_middle_and_about_two_at_the_ends() -> None:
    assert normalise(torch.tensor([0.0, 0.5, 1.0])).tolist() == [-2, 0, 2]
