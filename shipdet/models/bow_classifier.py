"""Which end of a hull is its bow, from a picture of that hull alone.

The network that finds ships sees ends one at a time and at one scale. This one takes a second look at a whole ship, in
a frame of its own: turned upright and scaled to its length, as zooming attention does (RA-CNN, Fu et al., CVPR 2017),
but where to look is known and need not be learnt. Seen upside down a hull is told the opposite, exactly, by design:

    logit(x) = f(x) - f(x turned by 180 degrees)
"""

import torch
from torch import Tensor, nn

from shipdet.models.scout import MIDDLE

BANDS = 3
"""It reads red, green and blue, which every model has first."""
PIECES = 4
"""Parts of the hull, from one end to the other, that are told apart."""
DROPPED = 0.3


class BowClassifier(nn.Module):
    """Seven convolutions, then a word about each quarter of the hull and one about all: 0.2 million parameters."""

    def __init__(self, width: int = 24) -> None:
        super().__init__()
        self.width = width
        self.features = nn.Sequential(
            *_unit(BANDS, width, 2), *_unit(width, 2 * width, 2), *_unit(2 * width, 2 * width, 1),
            *_unit(2 * width, 3 * width, 2), *_unit(3 * width, 3 * width, 1),
            *_unit(3 * width, 4 * width, 2), *_unit(4 * width, 4 * width, 1),
        )  # fmt: skip
        self.head = nn.Sequential(
            nn.Conv2d(4 * width, 64, (3, 1), padding=(1, 0)), nn.ReLU(),
            nn.AdaptiveAvgPool2d((PIECES, 1)), nn.Flatten(), nn.Dropout(DROPPED), nn.Linear(64 * PIECES, 1),
        )  # fmt: skip

    def forward(self, hulls: Tensor) -> Tensor:
        """Stretched pictures (N, 3, ROWS, COLUMNS) of `raster.aligned` to logits (N,): the bow is up."""
        centred = (hulls - MIDDLE) * 2
        both: Tensor = self.head(self.features(torch.cat([centred, centred.flip(2, 3)])))
        upright, turned = both.squeeze(1).chunk(2)
        return upright - turned


def _unit(inputs: int, outputs: int, stride: int) -> tuple[nn.Module, ...]:
    return nn.Conv2d(inputs, outputs, 3, stride, 1, bias=False), nn.BatchNorm2d(outputs), nn.ReLU()
