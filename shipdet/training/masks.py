"""A mask of each hull as a further lesson: Mask R-CNN's head beside the network, in training alone.

A branch that draws masks makes the features that it shares with the others better (He et al., ICCV 2017, on boxes that
are learnt beside masks). It is thrown away afterwards: it costs nothing at inference.

There is one mask, not one a class: what the boxes hold are hulls, and few ships of a harbour have a known type.
"""

from typing import NamedTuple

import torch
from torch import Tensor, nn

from shipdet.attention.mask_head import MaskHead, sigmoid_loss
from shipdet.models.losses import TargetMaps
from shipdet.models.task_partition import (
    BEAM_SCALE,
    BOW,
    COARSE_STRIDE,
    FINE_STRIDE,
    OFFSET_SCALE,
    STERN,
    VECTOR_SCALE,
    Coarse,
)

BORDER = 0.1
"""Of a ship's length, that a box is wider than the hull on each side."""
MOST = 64
"""Ships of a batch that are drawn, where there are more: so many, evenly over its chips."""


class Ships(NamedTuple):
    """Ships of a batch, in pixels of their chips."""

    chip: Tensor
    """(N,) which chip each lies in"""
    end: Tensor
    """(N, 2) x and y of one end: the bow where it is known"""
    other: Tensor
    """(N, 2) likewise of the other"""
    half_beam: Tensor
    """(N,)"""


class HullMasks(nn.Module):
    """The mask head on what the deep branch tells the shallow one.

    Args:
        context: channels of that.
        weight: of its loss, beside those of the network.
    """

    def __init__(self, context: int, weight: float) -> None:
        super().__init__()
        self.weight = weight
        self.head = MaskHead(context, 1, COARSE_STRIDE)

    def forward(self, coarse: Coarse, target: TargetMaps) -> Tensor:
        """Mean binary cross-entropy of the masks of the batch's ships; 0 where none has a known beam."""
        ships = ships_of(target)
        boxes = boxes_of(ships)
        masks = self.head(coarse.context.float(), torch.cat([ships.chip[:, None].float(), boxes], dim=1))
        return sigmoid_loss(masks, hulls_in(boxes, ships, 2 * self.head.side), torch.zeros_like(ships.chip))


def ships_of(target: TargetMaps) -> Ships:
    """The ships whose ends and beam are known, read off the targets: one for each bow, or end that may be one.

    Ships whose bow is not known from the stern come twice, once from each end.
    """
    fields = torch.where((target.heat[:, BOW] == 1)[:, None], target.fields[:, BOW], target.fields[:, STERN])
    trust = torch.where((target.heat[:, BOW] == 1)[:, None], target.field_weight[:, BOW], target.field_weight[:, STERN])
    here = ((target.heat[:, BOW] == 1) | (target.either == 1)) & (trust > 0).all(dim=1)
    places = here.nonzero()
    count = min(len(places), MOST)
    chip, row, column = places[torch.arange(count, device=places.device) * len(places) // max(count, 1)].T
    offset_x, offset_y, vector_x, vector_y, beam = fields[chip, :, row, column].T
    cell = (torch.stack([column, row], dim=1) + 0.5) * FINE_STRIDE
    end = cell + torch.stack([offset_x, offset_y], dim=1) * OFFSET_SCALE
    return Ships(chip, end, end + torch.stack([vector_x, vector_y], dim=1) * VECTOR_SCALE, beam.exp() * BEAM_SCALE)


def boxes_of(ships: Ships) -> Tensor:
    """Upright boxes (N, 4) around hulls: x0, y0, x1, y1."""
    length = (ships.end - ships.other).norm(dim=1)
    wider = (ships.half_beam + BORDER * length)[:, None]
    low, high = torch.minimum(ships.end, ships.other), torch.maximum(ships.end, ships.other)
    return torch.cat([low - wider, high + wider], dim=1)


def hulls_in(boxes: Tensor, ships: Ships, side: int) -> Tensor:
    """Each hull in its box: (N, side, side), 1 in the rectangle from end to end that is as wide as the beam."""
    steps = (torch.arange(side, device=boxes.device) + 0.5) / side
    x = boxes[:, :1] + (boxes[:, 2:3] - boxes[:, :1]) * steps
    y = boxes[:, 1:2] + (boxes[:, 3:] - boxes[:, 1:2]) * steps
    axis = ships.other - ships.end
    length = axis.norm(dim=1).clamp(min=1e-6)[:, None, None]
    along_x, along_y = (axis / length[:, 0])[:, :, None, None].unbind(dim=1)
    from_x, from_y = (x - ships.end[:, :1])[:, None, :], (y - ships.end[:, 1:])[:, :, None]
    along, across = from_x * along_x + from_y * along_y, from_x * along_y - from_y * along_x
    inside: Tensor = (along >= 0) & (along <= length) & (across.abs() <= ships.half_beam[:, None, None])
    return inside.float()
