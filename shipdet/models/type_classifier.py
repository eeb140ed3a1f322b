"""What type of ship a hull is, from a picture of that hull alone, by RA-CNN (Fu et al., CVPR 2017).

The network that finds ships names their types on the way, from coarse features. Where that is in doubt this one looks
at a whole ship in a frame of its own, upright and scaled to its length, first at all of it, then twice closer at what
it chooses itself.
"""

from functools import partial

from torch import Tensor, nn

from shipdet.attention.ra_cnn import RACNN
from shipdet.models.bow_classifier import BANDS
from shipdet.models.scout import MIDDLE
from shipdet.raster.aligned import COLUMNS, ROWS

SCALES = 3
SHOWN = (ROWS // 2, COLUMNS // 2)
"""Pixels that each scale sees of a hull's picture; what is finer is seen closer."""
SPREAD = 3.0
"""What pixels are multiplied by, so that theirs is about 1."""


class TypeClassifier(nn.Module):
    """RA-CNN of three scales with four convolutions each, 2 million parameters.

    Args:
        types: how many are told apart.
        width: channels after the first convolution.
    """

    def __init__(self, types: int, width: int = 16) -> None:
        super().__init__()
        self.types, self.width = types, width
        self.zooming = RACNN(partial(_backbone, width), 4 * width, types, SCALES, SHOWN)

    def forward(self, hulls: Tensor) -> Tensor:
        """Stretched pictures (N, 3, ROWS, COLUMNS) of `raster.aligned` to logits (N, types), of all scales together."""
        logits: Tensor = self.zooming(centred(hulls)).fused[-1]
        return logits


def centred(hulls: Tensor) -> Tensor:
    """Pictures (N, 3, H, W) about zero."""
    return (hulls - MIDDLE) * SPREAD


def _backbone(width: int) -> nn.Module:
    layers: list[nn.Module] = []
    channels, strides = (BANDS, width, 2 * width, 4 * width, 4 * width), (1, 2, 2, 1)
    for inputs, outputs, stride in zip(channels[:-1], channels[1:], strides, strict=True):
        layers += [nn.Conv2d(inputs, outputs, 3, stride, 1, bias=False), nn.BatchNorm2d(outputs), nn.ReLU()]
    return nn.Sequential(*layers)
