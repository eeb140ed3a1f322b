"""MobileNetV4-conv-small (Qin et al., ECCV 2024), as far as stride 32, in plain torch.

Its modules are named as timm's are, so that weights are at home in both. timm itself is not imported: with all its
models, and torchvision, it takes as much memory as a large tile does.
"""

import math

from torch import Tensor, nn


class ConvNorm(nn.Module):
    """Convolution, batch norm, and ReLU where `activation` is one.

    Args:
        conv: with its padding, without bias.
        activation: what follows.
    """

    def __init__(self, conv: nn.Conv2d, activation: nn.Module) -> None:
        super().__init__()
        self.conv = conv
        self.bn = nn.BatchNorm2d(conv.out_channels)
        self.act = activation

    def forward(self, x: Tensor) -> Tensor:
        """(B, C, H, W) to the convolution's size."""
        y: Tensor = self.act(self.bn(self.conv(x)))
        return y


class EarlyConvNorm(nn.Module):
    """The same with ReLU, its batch norm named as in timm's first stages."""

    def __init__(self, conv: nn.Conv2d) -> None:
        super().__init__()
        self.conv = conv
        self.bn1 = nn.BatchNorm2d(conv.out_channels)
        self.act = nn.ReLU(inplace=True)

    def forward(self, x: Tensor) -> Tensor:
        """(B, C, H, W) to the convolution's size."""
        y: Tensor = self.act(self.bn1(self.conv(x)))
        return y


class UniversalInvertedBottleneck(nn.Module):
    """Depthwise, expansion, depthwise, projection; either depthwise convolution may be missing (kernel 0).

    Args:
        channels: in and out.
        expansion: channels between, in those that come in.
        kernels: of the first and the second depthwise convolution.
        stride: of the second one.
    """

    def __init__(self, channels: tuple[int, int], expansion: float, kernels: tuple[int, int], stride: int = 1) -> None:
        super().__init__()
        c_in, c_out = channels
        inner, (first, second) = int(c_in * expansion), kernels
        self.dw_start = ConvNorm(conv(c_in, c_in, first, groups=c_in), nn.Identity()) if first else nn.Identity()
        self.pw_exp = ConvNorm(conv(c_in, inner, 1), nn.ReLU(inplace=True))
        depthwise = conv(inner, inner, second, stride, inner) if second else None
        self.dw_mid = nn.Identity() if depthwise is None else ConvNorm(depthwise, nn.ReLU(inplace=True))
        self.pw_proj = ConvNorm(conv(inner, c_out, 1), nn.Identity())
        self.has_skip = stride == 1 and c_in == c_out

    def forward(self, x: Tensor) -> Tensor:
        """(B, C, H, W) to (B, D, H/stride, W/stride)."""
        y: Tensor = self.pw_proj(self.dw_mid(self.pw_exp(self.dw_start(x))))
        return x + y if self.has_skip else y


def conv(c_in: int, c_out: int, kernel: int, stride: int = 1, groups: int = 1) -> nn.Conv2d:
    """A convolution without bias that keeps the size but for its stride."""
    return nn.Conv2d(c_in, c_out, kernel, stride, kernel // 2, groups=groups, bias=False)


def make_stem(bands: int) -> nn.Sequential:
    """(B, bands, H, W) to (B, 32, H/2, W/2)."""
    return nn.Sequential(conv(bands, 32, 3, 2), nn.BatchNorm2d(32), nn.ReLU(inplace=True))


def make_stages() -> tuple[nn.Module, nn.Module, nn.Module, nn.Module]:
    """What makes features of strides 4 (32 channels), 8 (64), 16 (96) and 32 (128) of those before, the last one cut.

    The whole network has further blocks of stride 32.
    """
    block = UniversalInvertedBottleneck
    stride4 = nn.Sequential(EarlyConvNorm(conv(32, 32, 3, 2)), EarlyConvNorm(conv(32, 32, 1)))
    stride8 = nn.Sequential(EarlyConvNorm(conv(32, 96, 3, 2)), EarlyConvNorm(conv(96, 64, 1)))
    middle = [block((96, 96), 2, (0, 3)) for _ in range(4)]
    stride16 = nn.Sequential(block((64, 96), 3, (5, 5), stride=2), *middle, block((96, 96), 4, (3, 0)))
    stride32 = nn.Sequential(block((96, 128), 6, (3, 3), stride=2), block((128, 128), 4, (5, 5)))
    return stride4, stride8, stride16, stride32


def spread_weights(module: nn.Module) -> None:
    """Random weights that keep the spread of gradients, as MobileNets start: normal, of variance 2 / fan-out."""
    for part in module.modules():
        if isinstance(part, nn.Conv2d):
            fan_out = part.kernel_size[0] * part.kernel_size[1] * part.out_channels // part.groups
            nn.init.normal_(part.weight, 0.0, math.sqrt(2.0 / fan_out))
