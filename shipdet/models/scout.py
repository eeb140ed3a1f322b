"""The scout: a light network that says, from pixels four times coarser, where a closer look is worth while.

Look twice (Uzkent & Ermon, CVPR 2020, "Learning when and where to zoom", https://arxiv.org/abs/2003.00425): a coarse
picture decides where a fine one is bought. There a policy is rewarded for it; here cells that ships touch are labelled,
so it is plain classification, and a threshold from validation says how sure "nothing here" has to be.
"""

import torch
from torch import Tensor, nn
from torch.nn.utils.fusion import fuse_conv_bn_eval

SCOUT_STRIDE = 4
"""Model pixels per scout pixel, along each axis."""
SCOUT_CELL = 8
"""Scout pixels per cell, which it says one word about."""
SCOUT_BANDS = 3
"""It reads red, green and blue, which every model has first."""
SCOUT_REACH = 48
"""Scout pixels around a cell that may change what is said of it, in whole cells; the network's reach is 40."""
CHANNELS = 32
MIDDLE = 0.5
"""Stretched value that becomes 0: that of pixels without data, so that these look like padding."""


class Scout(nn.Module):
    """Three strided convolutions to a cell, then a look around: 18 k parameters, 0.8 GFLOP per scout megapixel."""

    def __init__(self) -> None:
        super().__init__()
        self.stem = nn.Sequential(*_unit(SCOUT_BANDS, 8, 2), *_unit(8, 16, 2), *_unit(16, CHANNELS, 2))
        self.body = nn.Sequential(*_unit(CHANNELS, CHANNELS, 1), *_separable(2), *_separable(1))
        self.head = nn.Conv2d(CHANNELS, 1, 1)

    def forward(self, pixels: Tensor) -> Tensor:
        """Stretched pixels (B, 3, H, W) to logits (B, ceil(H/8), ceil(W/8)): an end or a hull of a ship is here."""
        logits: Tensor = self.head(self.body(self.stem((pixels - MIDDLE) * 2)))
        return logits.squeeze(1)


def fused(scout: Scout) -> Scout:
    """A copy for inference, its normalisations folded into the convolutions before them."""
    copy = Scout()
    copy.load_state_dict(scout.state_dict())
    copy.eval()
    with torch.no_grad():
        copy.stem, copy.body = _folded(copy.stem), _folded(copy.body)
    return copy.to(memory_format=torch.channels_last)


def _folded(layers: nn.Sequential) -> nn.Sequential:
    kept: list[nn.Module] = []
    for layer in layers:
        if isinstance(layer, nn.BatchNorm2d) and isinstance(before := kept[-1], nn.Conv2d):
            kept[-1] = fuse_conv_bn_eval(before, layer)
        else:
            kept.append(layer)
    return nn.Sequential(*kept)


def _unit(inputs: int, outputs: int, stride: int) -> tuple[nn.Module, ...]:
    convolution = nn.Conv2d(inputs, outputs, 3, stride, padding=1, bias=False)
    return convolution, nn.BatchNorm2d(outputs), nn.ReLU(inplace=True)


def _separable(dilation: int) -> tuple[nn.Module, ...]:
    around = nn.Conv2d(CHANNELS, CHANNELS, 3, padding=dilation, dilation=dilation, groups=CHANNELS, bias=False)
    across = nn.Conv2d(CHANNELS, CHANNELS, 1, bias=False)
    return around, nn.BatchNorm2d(CHANNELS), across, nn.BatchNorm2d(CHANNELS), nn.ReLU(inplace=True)
