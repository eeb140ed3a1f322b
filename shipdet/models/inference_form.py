"""The network as it runs when nothing is learned any more: batch norms folded into convolutions, weights in place.

In evaluation a batch norm is an affine map per channel, so it is a part of the convolution before it. What is left
goes over the maps fewer times, which is what limits a processor here. Trained networks and weights files stay as
they are: this is a copy.
"""

from copy import copy
from typing import NamedTuple, TypeVar

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.nn.utils.fusion import fuse_conv_bn_eval

from shipdet.models.device import Device
from shipdet.models.task_partition import DeepBranch, ShallowBranch, TaskPartition

M = TypeVar("M", bound=nn.Module)


def inference_form(network: TaskPartition, device: Device) -> TaskPartition:
    """A copy that computes the same, faster, where and as precisely as `device` says; it takes pixels of that dtype.

    Its `ends` lack the outermost three cells on each side: it is asked for patches, whose rims are wrong anyway.
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
    form = _frozen(network)
    fold_batch_norms(form)
    whole = isinstance(form.deep, DeepBranch)  # ablations put something else in its place
    if whole:
        _fold_into_laterals(form.deep)
    fuse_activations(form)
    if whole:
        run_in_bands(form)
    leave_no_padding(form.shallow)
    return form.to(device.device, device.dtype).to(memory_format=torch.channels_last)


def _frozen(module: M) -> M:
    """A copy whose parameters are its own and learn nothing, but share the values until they are replaced."""
    frozen = copy(module)
    vars(frozen).pop("forward", None)  # of this very module, as `keep_depthwise_in_float32` puts it: not of the copy
    frozen._parameters = {
        name: None if value is None else nn.Parameter(value.detach(), requires_grad=False)
        for name, value in module._parameters.items()
    }
    frozen._buffers = dict(module._buffers)
    frozen._modules = {name: None if child is None else _frozen(child) for name, child in module._modules.items()}
    return frozen


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


class Bands(NamedTuple):
    """How a map is cut into bands of rows."""

    rows: int
    """of what comes in"""
    overlap: int
    """rows read above and below; no row of the result may depend on more"""
    stride: int
    """rows that come in for each that goes out; it divides the others"""


class InBands(nn.Module):
    """Layers over bands of rows, one after the other: what lies between them is large, what they reach is not.

    A band is read with a few rows more than it answers for, so values are those of the whole map at once, and what
    lies between stays within a processor's caches.

    Args:
        layers: (B, C, H, W) to (B, D, H/stride, W').
        bands: for these layers.
    """

    def __init__(self, layers: nn.Module, bands: Bands) -> None:
        super().__init__()
        self.layers = layers
        self.bands = bands

    def forward(self, x: Tensor) -> Tensor:
        """As the layers; the height is a multiple of the stride."""
        rows, overlap, stride = self.bands
        whole: Tensor | None = None
        height = x.shape[-2]
        for y in range(0, height, rows):
            end, start = min(y + rows, height), max(y - overlap, 0)
            band = self.layers(x[..., start : end + overlap, :])
            if whole is None:
                whole = _empty((*band.shape[:2], height // stride, band.shape[-1]), band)
            place, skipped = slice(y // stride, end // stride), (y - start) // stride
            whole[..., place, :] = band[..., skipped : skipped + place.stop - place.start, :]
        if whole is None:
            raise ValueError("expected a map with rows, got none")
        return whole


def _empty(shape: tuple[int, ...], like: Tensor) -> Tensor:
    return torch.empty(shape, dtype=like.dtype, device=like.device, memory_format=torch.channels_last)


TO_STRIDE_4 = Bands(rows=256, overlap=8, stride=4)
"""Two convolutions of 3x3 and stride 2: they reach 3 rows."""
TO_STRIDE_8 = Bands(rows=64, overlap=2, stride=2)
"""One of 3x3 and stride 2, which reaches one row."""
TO_STRIDE_16 = Bands(rows=32, overlap=4, stride=2)
"""Two depthwise ones of 5x5, the second of stride 2: they reach 4 rows."""


def run_in_bands(network: TaskPartition) -> None:
    """Large maps are made in bands: all of stride 4 and above, and the widest of stride 8."""
    trunk, deep = network.trunk, network.deep
    trunk.stem, trunk.stride4 = nn.Sequential(), InBands(nn.Sequential(trunk.stem, trunk.stride4), TO_STRIDE_4)
    trunk.stride8 = InBands(trunk.stride8, TO_STRIDE_8)
    first, *others = trunk.stride16.children()
    trunk.stride16 = nn.Sequential(InBands(first, TO_STRIDE_16), *others)
    deep.smooth, deep.refine = (
        nn.Sequential(),
        nn.Sequential(InBands(nn.Sequential(deep.smooth, deep.refine), refinement(len(deep.refine)))),
    )


def leave_no_padding(shallow: ShallowBranch) -> None:
    """Each 3x3 convolution of the shallow branch gives a map that is smaller by a cell on each side."""
    for module in shallow.modules():
        if isinstance(module, nn.Conv2d):
            module.padding = (0, 0)


def refinement(blocks: int) -> Bands:
    """Of the deep branch: a depthwise convolution before its blocks and one in each."""
    return Bands(rows=32, overlap=1 + blocks, stride=1)


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
        weight, bias = lateral.get_parameter("weight"), lateral.get_parameter("bias")
        weight.data = weight * scale[:, None, None, None]
        bias.data = bias * scale + (shift if number == 0 else 0)
    deep.smooth[0] = nn.Identity()


def _affine(norm: nn.BatchNorm2d) -> tuple[Tensor, Tensor]:
    """Scale and shift (C,) of a batch norm in evaluation."""
    mean, variance = norm.get_buffer("running_mean"), norm.get_buffer("running_var")
    scale = norm.weight / torch.sqrt(variance + norm.eps)
    return scale, norm.bias - mean * scale
