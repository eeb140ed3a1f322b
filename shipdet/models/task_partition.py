"""The task-partition network (Lin, Shi and Zou, IEEE GRSL 2017, doi 10.1109/LGRS.2017.2727515).

Deep layers recognise ships but place them badly; shallow layers place ends sharply but
raise false alarms. So a shared shallow trunk forks: a deep branch makes a coarse
segmentation, whose `end` class is the attention map; a shallow branch finds each bow and
stern, and is listened to, and computed, only where the attention map lets it.

The published network joins no ends and tells no bow from a stern; this one predicts, at
each end, the vector to the other end, so that ships moored side by side come apart. Its
one background class is sea and land alike, until there are labels for both.
"""

from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from shipdet.models.mobilenet_v4 import make_stages, make_stem, spread_weights
from shipdet.models.trunk_attention import WIDER, TrunkAttention, trunk_blocks

STRIDE = 32
"""Tiles start and end on multiples of this, in pixels."""
COARSE_STRIDE = 8
FINE_STRIDE = 4
BACKGROUND, HULL, END = range(3)
BOW, STERN = range(2)
END_FIELDS = 6
"""Of each kind of end: heat logit, offset x and y, vector x and y, log half beam."""
OFFSET_SCALE = float(FINE_STRIDE)
VECTOR_SCALE = 32.0
BEAM_SCALE = 8.0


def normalise(stretched: Tensor) -> Tensor:
    """Stretched radiometry, 0 to 1 for nearly all pixels, as the network takes it: about zero mean and unit spread."""
    return (stretched - 0.5) * 4.0


class Coarse(NamedTuple):
    """What the trunk and the deep branch say of a batch of tiles."""

    logits: Tensor
    """(B, 3, H/8, W/8) background, hull, end"""
    shallow: Tensor
    """(B, 32, H/4, W/4) the shared trunk's features"""
    context: Tensor
    """(B, 48, H/8, W/8) what the deep branch tells the shallow one"""
    types: Tensor
    """(B, K, H/8, W/8) logits of the types of ship; K is 0 in a network that knows none"""

    @property
    def probability(self) -> Tensor:
        """(B, 3, H/8, W/8) of background, hull and end, detached."""
        return self.logits.detach().float().softmax(dim=1)

    @property
    def attention(self) -> Tensor:
        """(B, H/8, W/8) probability of an end: the attention map, detached."""
        return self.probability[:, END]


class Output(NamedTuple):
    """All maps, dense, as training needs them."""

    coarse: Coarse
    ends: Tensor
    """(B, 2, 6, H/4, W/4): bow and stern; heat logit, offset x, y, vector x, y, log half beam, see `END_FIELDS`"""


class Sizes(NamedTuple):
    """What may differ between task-partition networks."""

    width: int = 64
    """Channels of both branches"""
    context: int = 48
    """Channels that the deep branch gives the shallow one"""
    blocks: int = 2
    """Residual blocks that refine each branch"""
    types: int = 0
    """Types of ship that it tells apart"""
    bands: int = 3
    """Bands of its input"""
    trunk_attention: TrunkAttention = "none"
    """Blocks after the trunk's stages"""


class ConvNormReLU(nn.Sequential):
    """3x3 convolution, batch norm, ReLU."""

    def __init__(self, channels_in: int, channels_out: int) -> None:
        super().__init__(
            nn.Conv2d(channels_in, channels_out, 3, padding=1, bias=False), nn.BatchNorm2d(channels_out), nn.ReLU()
        )


class Refine(nn.Module):
    """An inverted residual block (Sandler et al., CVPR 2018), nothing at first: it can be added to a trained network.

    Args:
        width: channels in and out.
        kernel: side of its depthwise convolution; 1 keeps the block to its own cell.
    """

    def __init__(self, width: int, kernel: int) -> None:
        super().__init__()
        inner = 3 * width
        self.body = nn.Sequential(
            nn.Conv2d(width, inner, 1, bias=False),
            nn.BatchNorm2d(inner),
            nn.ReLU(),
            *_depthwise(inner, kernel),
            nn.Conv2d(inner, width, 1, bias=False),
            norm := nn.BatchNorm2d(width),
        )
        nn.init.zeros_(norm.weight)

    def forward(self, x: Tensor) -> Tensor:
        """(B, width, H, W) to the same."""
        refined: Tensor = x + self.body(x)
        return refined


def _depthwise(width: int, kernel: int) -> list[nn.Module]:
    if kernel == 1:
        return []
    convolution = nn.Conv2d(width, width, kernel, padding=kernel // 2, groups=width, bias=False)
    return [convolution, nn.BatchNorm2d(width), nn.ReLU()]


class Trunk(nn.Module):
    """MobileNetV4-conv-small (Qin et al., ECCV 2024) cut where its receptive field would outgrow a tile's margin."""

    channels = (32, 64, 96, 128)

    def __init__(self, bands: int = 3, attention: TrunkAttention = "none") -> None:
        super().__init__()
        self.stem = make_stem(bands)
        self.stride4, self.stride8, self.stride16, self.stride32 = make_stages()
        spread_weights(self)
        self.attend = trunk_blocks(attention, self.channels)
        self.wider = WIDER[attention]

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor, Tensor, Tensor]:
        """Features at strides 4, 8, 16 and 32."""
        attend4, attend8, attend16, attend32 = self.attend
        s4 = attend4(self.stride4(self.stem(x)))
        s8 = attend8(self.stride8(s4))
        s16 = attend16(self.stride16(s8))
        return s4, s8, s16, attend32(self.stride32(s16))


class DeepBranch(nn.Module):
    """A feature pyramid down to stride 8, its coarse segmentation, and its word to the shallow branch."""

    def __init__(self, channels: tuple[int, int, int], sizes: Sizes) -> None:
        super().__init__()
        width = sizes.width
        self.lateral = nn.ModuleList([nn.Conv2d(c, width, 1) for c in channels])
        self.smooth = nn.Sequential(
            nn.BatchNorm2d(width),
            nn.ReLU(),
            nn.Conv2d(width, width, 3, padding=1, groups=width, bias=False),
            nn.Conv2d(width, width, 1, bias=False),
            nn.BatchNorm2d(width),
            nn.ReLU(),
        )
        self.refine = nn.Sequential(*(Refine(width, 3) for _ in range(sizes.blocks)))
        self.classes = nn.Conv2d(width, 3, 1)
        self.context = nn.Conv2d(width, sizes.context, 1)
        self.types = nn.Conv2d(width, sizes.types, 1) if sizes.types else None

    def forward(self, s8: Tensor, s16: Tensor, s32: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Class logits (B, 3, H/8, W/8), context (B, context, H/8, W/8), type logits (B, types, H/8, W/8)."""
        fine, middle, deep = (lateral(s) for lateral, s in zip(self.lateral, (s8, s16, s32), strict=True))
        merged = fine + F.interpolate(middle + F.interpolate(deep, scale_factor=2.0), scale_factor=2.0)
        features = self.refine(self.smooth(merged))
        types = features[:, :0] if self.types is None else self.types(features)
        return self.classes(features), self.context(features), types


class ShallowBranch(nn.Module):
    """A few convolutions at stride 4 on the trunk's features, beside the deep branch's context."""

    def __init__(self, channels: int, sizes: Sizes) -> None:
        super().__init__()
        width, context = sizes.width, sizes.context
        self.detail = ConvNormReLU(channels, context)
        self.body = nn.Sequential(ConvNormReLU(2 * context, width), ConvNormReLU(width, width))
        self.refine = nn.Sequential(*(Refine(width, 1) for _ in range(sizes.blocks)))
        self.head = nn.Conv2d(width, 2 * END_FIELDS, 1)
        bias = torch.zeros(2, END_FIELDS)
        bias[:, 0] = -4.6  # heat starts at 0.01, so that focal loss starts small
        self.head.bias = nn.Parameter(bias.flatten())

    def forward(self, shallow: Tensor, context: Tensor) -> Tensor:
        """Fields of ends (B, 2, 6, H/4, W/4)."""
        detail, wide = self.detail(shallow), F.interpolate(context, scale_factor=2.0)
        rim = (wide.shape[-1] - detail.shape[-1]) // 2  # none, but where convolutions do not pad
        features = torch.cat([detail, wide[..., rim : wide.shape[-2] - rim, rim : wide.shape[-1] - rim]], dim=1)
        fields: Tensor = self.head(self.refine(self.body(features)))
        batch, _, height, width = fields.shape
        return fields.reshape(batch, 2, END_FIELDS, height, width)


class TaskPartition(nn.Module):
    """The whole network; input (B, bands, H, W) float, H and W multiples of `STRIDE`."""

    def __init__(self, sizes: Sizes | None = None) -> None:
        super().__init__()
        sizes = sizes or Sizes()
        self.trunk = Trunk(sizes.bands, sizes.trunk_attention)
        c4, c8, c16, c32 = self.trunk.channels
        self.deep = DeepBranch((c8, c16, c32), sizes)
        self.shallow = ShallowBranch(c4, sizes)

    def coarse(self, x: Tensor) -> Coarse:
        """Trunk and deep branch: what is computed everywhere."""
        s4, s8, s16, s32 = self.trunk(x)
        logits, context, types = self.deep(s8, s16, s32)
        return Coarse(logits, s4, context, types)

    def ends(self, coarse: Coarse) -> Tensor:
        """The shallow branch, everywhere; (B, 2, 6, H/4, W/4)."""
        ends: Tensor = self.shallow(coarse.shallow, coarse.context)
        return ends

    def forward(self, x: Tensor) -> Output:
        """Everything everywhere, as training needs it."""
        coarse = self.coarse(x)
        return Output(coarse, self.ends(coarse))
