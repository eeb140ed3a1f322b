"""What the task-partition network is punished for.

Heat: penalty-reduced focal loss (Zhou et al., "Objects as Points", arXiv:1904.07850).
Coarse map: cross-entropy with dearer ships. Fields: L1, the vector's relative to the
ship's length, so that a yacht's matters as much as a carrier's.
"""

from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor

from shipdet.models.task_partition import VECTOR_SCALE, Output

UNKNOWN = 255
CLASS_WEIGHT = (1.0, 2.0, 4.0)
"""Background, hull, end: an end that the gate misses is lost for good."""


class TargetMaps(NamedTuple):
    """Batched targets; fields as in `training.targets.Targets` with a leading (B,)."""

    coarse: Tensor
    heat: Tensor
    either: Tensor
    weight: Tensor
    fields: Tensor
    field_weight: Tensor
    types: Tensor


class Losses(NamedTuple):
    """Scalars, unweighted."""

    coarse: Tensor
    heat: Tensor
    offset: Tensor
    vector: Tensor
    beam: Tensor
    types: Tensor


def task_partition_losses(output: Output, target: TargetMaps, gate: Tensor) -> Losses:
    """Losses of one batch.

    Args:
        output: what the network said.
        target: what it should have said.
        gate: (B, H/4, W/4) bool; only here does the shallow branch hear of its mistakes.
    """
    ends = output.ends.float()
    weight = target.weight * gate
    positives = ((target.heat == 1).sum() + (target.either == 1).sum()).clamp(min=1)
    unordered = target.either > 0.05
    sure = focal(ends[:, :, 0], target.heat, (weight * ~unordered).unsqueeze(1))
    doubtful = focal(ends[:, :, 0].amax(dim=1), target.either, weight * unordered)
    field_weight = target.field_weight * gate[:, None, None]
    error = (ends[:, :, 1:] - target.fields).abs()
    size = target.fields[:, :, 2:4].norm(dim=2, keepdim=True).clamp(min=8 / VECTOR_SCALE)

    def mean(values: Tensor, where: Tensor) -> Tensor:
        return (values * where).sum() / where.sum().clamp(min=1)

    return Losses(
        coarse=coarse_loss(output.coarse.logits, target.coarse),
        heat=(sure + doubtful) / positives,
        offset=mean(error[:, :, :2], field_weight[:, :, :2]),
        vector=mean(error[:, :, 2:4] / size, field_weight[:, :, 2:4]),
        beam=mean(error[:, :, 4:], field_weight[:, :, 4:]),
        types=type_loss(output.coarse.types, target.types),
    )


def coarse_loss(logits: Tensor, classes: Tensor) -> Tensor:
    """Weighted cross-entropy over (B, 3, h, w) where `classes` (B, h, w) is not `UNKNOWN`; 0 where all is."""
    weight = torch.tensor(CLASS_WEIGHT, device=logits.device)
    total = F.cross_entropy(logits.float(), classes.long(), weight=weight, ignore_index=UNKNOWN, reduction="sum")
    return total / weight[classes[classes != UNKNOWN].long()].sum().clamp(min=1)


def type_loss(logits: Tensor, types: Tensor) -> Tensor:
    """Cross-entropy over (B, K, h, w) where `types` (B, h, w) is not `UNKNOWN`; 0 where all is, or K is 0."""
    known = types != UNKNOWN
    if not logits.shape[1] or not known.any():
        return logits.float().sum() * 0.0
    return F.cross_entropy(logits.float().permute(0, 2, 3, 1)[known], types[known].long())


def focal(logits: Tensor, target: Tensor, weight: Tensor) -> Tensor:
    """Summed penalty-reduced focal loss: exponent 2 on the error, 4 on the nearness to a peak."""
    probability = logits.sigmoid()
    hit = -F.logsigmoid(logits) * (1 - probability) ** 2
    miss = -F.logsigmoid(-logits) * probability**2 * (1 - target) ** 4
    return (torch.where(target == 1, hit, miss) * weight).sum()
