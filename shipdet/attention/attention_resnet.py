"""A residual network of attention modules, for chips (Wang et al., CVPR 2017, arXiv:1704.06904, table 2).

    stem, (unit, m attention modules) x 3 stages, 3 units, mean over the map, linear

With one convolution as stem and m modules a stage its trunk is 36 m + 20 layers deep:
Attention-56, -92, -128, -164 are m = 1 to 4. The mask branch of a stage pools one time
less than that of the stage before, so that all reach the same smallest map.
"""

from collections.abc import Callable
from typing import NamedTuple

from torch import Tensor, nn

from shipdet.attention.residual import Attended, ResidualAttention, units

Attend = Callable[[int, int], nn.Module]
"""Channels and depth of the mask branch to a module that returns `Attended`."""


class Classified(NamedTuple):
    """Class logits, and the mask of each attention module."""

    logits: Tensor
    """(B, classes)"""
    masks: tuple[Tensor, ...]
    """(B, C, H, W) each, from the first module to the last"""


class Widen(nn.Module):
    """Residual unit that changes the width and, with a stride of 2, halves the map."""

    def __init__(self, channels_in: int, channels_out: int, stride: int) -> None:
        super().__init__()
        inner = channels_out // 4
        self.start = nn.Sequential(nn.BatchNorm2d(channels_in), nn.ReLU())
        self.shortcut = nn.Conv2d(channels_in, channels_out, 1, stride, bias=False)
        self.body = nn.Sequential(
            nn.Conv2d(channels_in, inner, 1, bias=False),
            nn.BatchNorm2d(inner),
            nn.ReLU(),
            nn.Conv2d(inner, inner, 3, stride, 1, bias=False),
            nn.BatchNorm2d(inner),
            nn.ReLU(),
            nn.Conv2d(inner, channels_out, 1, bias=False),
        )

    def forward(self, x: Tensor) -> Tensor:
        """(B, C, H, W) to (B, channels_out, H / stride, W / stride), rounded up."""
        x = self.start(x)
        wide: Tensor = self.shortcut(x)
        change: Tensor = self.body(x)
        return wide + change


class AttentionResNet(nn.Module):
    """Classifies chips of any size.

    Args:
        classes: how many.
        modules: attention modules a stage, the paper's m.
        width: channels of the first stage; each further stage has twice as many. A multiple of 4.
        attend: builds a module from channels and depth; `partial(ResidualAttention, combine=naive)`, say.
        channels: of the input.
    """

    stages = 3

    def __init__(
        self, classes: int, modules: int = 1, width: int = 64, attend: Attend = ResidualAttention, channels: int = 3
    ) -> None:
        super().__init__()
        self.stem = nn.Conv2d(channels, width // 2, 3, padding=1, bias=False)
        widths = [width * 2**stage for stage in range(self.stages)]
        inputs = [width // 2, *widths[:-1]]
        self.widen = nn.ModuleList(Widen(a, b, 1 if b == width else 2) for a, b in zip(inputs, widths, strict=True))
        self.modules_per_stage = modules
        self.attend = nn.ModuleList(
            attend(wide, self.stages - stage) for stage, wide in enumerate(widths) for _ in range(modules)
        )
        last = widths[-1] * 2
        self.head = nn.Sequential(
            Widen(widths[-1], last, 1), units(last, 2), nn.BatchNorm2d(last), nn.ReLU(), nn.AdaptiveAvgPool2d(1),
            nn.Flatten(), nn.Linear(last, classes),
        )  # fmt: skip

    def forward(self, x: Tensor) -> Classified:
        """(B, channels, H, W) to logits and masks."""
        x = self.stem(x)
        masks = []
        for number, attend in enumerate(self.attend):
            if number % self.modules_per_stage == 0:
                x = self.widen[number // self.modules_per_stage](x)
            x, mask = attend(x)
            masks.append(mask)
        return Classified(self.head(x), tuple(masks))


class Unattended(nn.Module):
    """The trunk of an attention module alone, for comparison: as deep, its mask all zeros."""

    def __init__(self, channels: int, depth: int) -> None:
        super().__init__()
        del depth
        self.trunk = units(channels, 4)

    def forward(self, x: Tensor) -> Attended:
        """(B, C, H, W) to the same."""
        features = self.trunk(x)
        return Attended(features, features.new_zeros(features.shape))
