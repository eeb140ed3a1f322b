"""The network as it runs when nothing is learned any more: batch norms folded into convolutions, weights in place.

In evaluation a batch norm is an affine map per channel, so it is a part of the convolution before it. What is left
goes over the maps fewer times, which is what limits a processor here. Trained networks and weights files stay as
they are: this is a copy.
"""

from copy import deepcopy

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.nn.utils.fusion import fuse_conv_bn_eval

from shipdet.models.device import Device
from shipdet.models.task_partition import FINE_STRIDE, DeepBranch, TaskPartition

BAND_ROWS, BAND_OVERLAP = 256, 8
"""Of the input, multiples of the fine stride; the layers down to stride 4 reach 3 pixels."""


def inference_form(network: TaskPartition, device: Device) -> TaskPartition:
    """A copy that computes the same, faster, where and as precisely as `device` says; it takes pixels of that dtype.

    In float32 its maps equal the network's but for rounding, 1e-4 at most. In bfloat16 weights and biases are
    rounded once; nothing is left to autocast.

    Args:
        network: in evaluation mode.
        device: where the copy goes.

    Raises:
        ValueError: the network is in training mode, where batch norms are no affine maps.
    """
    if network.training:
        raise ValueError("expected a network in evaluation mode, got one that is training; call eval() first")
    copy = deepcopy(network).requires_grad_(False)
    fold_batch_norms(copy)
    _fold_into_laterals(copy.deep)
    fuse_activations(copy)
    trunk = copy.trunk
    trunk.stem, trunk.stride4 = nn.Sequential(), InBands(nn.Sequential(trunk.stem, trunk.stride4))
    return copy.to(device.device, device.dtype).to(memory_format=torch.channels_last)


def fold_batch_norms(module: nn.Module) -> None:
    """Each batch norm that follows a convolution among a module's children becomes a part of it, at every depth.

    It is meant for modules whose children run in the order in which they are told.
    """
    before: tuple[str, nn.Module] | None = None
    for name, child in list(module.named_children()):
        if before is not None and isinstance(before[1], nn.Conv2d) and isinstance(child, nn.BatchNorm2d):
            setattr(module, before[0], fuse_conv_bn_eval(before[1], child))
            setattr(module, name, nn.Identity())
        else:
            fold_batch_norms(child)
        before = (name, child)


class ConvReLU(nn.Module):
    """A convolution that leaves no negative value, in one pass over the map where oneDNN runs it."""

    def __init__(self, convolution: nn.Conv2d) -> None:
        super().__init__()
        self.convolution = convolution

    def forward(self, x: Tensor) -> Tensor:
        """As the convolution, then ReLU; inference only."""
        c = self.convolution
        if not _has_fused_relu(x):
            return F.relu_(c(x))
        how = (c.padding, c.stride, c.dilation, c.groups)
        fused: Tensor = torch.ops.mkldnn._convolution_pointwise(x, c.weight, c.bias, *how, "relu", [], "")
        return fused


class InBands(nn.Module):
    """The first layers of a trunk, down to stride 4, over bands of rows: their maps are large, what they reach is not.

    A band is read with a few rows more than it answers for, so values are those of the whole map at once.

    Args:
        layers: (B, C, H, W) to (B, D, H/4, W/4); no value may depend on pixels more than `BAND_OVERLAP` away.
    """

    def __init__(self, layers: nn.Module) -> None:
        super().__init__()
        self.layers = layers

    def forward(self, x: Tensor) -> Tensor:
        """All bands together; the height is a multiple of 4."""
        height, whole = x.shape[-2], None
        for y in range(0, height, BAND_ROWS):
            end, start = min(y + BAND_ROWS, height), max(y - BAND_OVERLAP, 0)
            band = self.layers(x[..., start : end + BAND_OVERLAP, :])
            if whole is None:
                shape = (*band.shape[:2], height // FINE_STRIDE, band.shape[-1])
                whole = torch.empty(shape, dtype=band.dtype, device=band.device, memory_format=torch.channels_last)
            skipped = (y - start) // FINE_STRIDE
            rows = slice(y // FINE_STRIDE, end // FINE_STRIDE)
            whole[..., rows, :] = band[..., skipped : skipped + rows.stop - rows.start, :]
        if whole is None:
            raise ValueError("expected a map with rows, got none")
        return whole


def _has_fused_relu(x: Tensor) -> bool:
    """Whether torch runs a convolution and its ReLU as one: the operation that its own compiler puts there."""
    there = torch.backends.mkldnn.is_available() and hasattr(torch.ops.mkldnn, "_convolution_pointwise")
    return x.device.type == "cpu" and there


def fuse_activations(module: nn.Module) -> None:
    """Each ReLU that follows a convolution among a module's children, identities aside, becomes a part of it."""
    before: tuple[str, nn.Module] | None = None
    for name, child in list(module.named_children()):
        if isinstance(child, nn.Identity):
            continue
        if before is not None and isinstance(before[1], nn.Conv2d) and isinstance(child, nn.ReLU):
            setattr(module, before[0], ConvReLU(before[1]))
            setattr(module, name, nn.Identity())
        else:
            fuse_activations(child)
        before = (name, child)


def _fold_into_laterals(deep: DeepBranch) -> None:
    """The batch norm of the pyramid's sum, which becomes a part of what is summed: nearest neighbours commute with it.

    The scale goes to all summands, the shift to the first alone.
    """
    norm = deep.smooth[0]
    if not isinstance(norm, nn.BatchNorm2d):
        return
    scale, shift = _affine(norm)
    for number, lateral in enumerate(deep.lateral):
        for name, value in lateral.named_parameters():
            value.mul_(scale[:, None, None, None] if name == "weight" else scale)
        if number == 0:
            lateral.get_parameter("bias").add_(shift)
    deep.smooth[0] = nn.Identity()


def _affine(norm: nn.BatchNorm2d) -> tuple[Tensor, Tensor]:
    """Scale and shift (C,) of a batch norm in evaluation."""
    mean, variance = norm.get_buffer("running_mean"), norm.get_buffer("running_var")
    scale = norm.weight / torch.sqrt(variance + norm.eps)
    return scale, norm.bias - mean * scale
