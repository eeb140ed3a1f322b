"""The decoupled mask head of Mask R-CNN (He et al., ICCV 2017, arXiv:1703.06870).

    masks = sigmoid(head(RoIAlign(features, box)))        L = BCE(masks[true class], truth)

One mask a class, each pixel a yes or no of its own, and only the true class's mask is
taught: masks of different classes do not compete, naming is left to the classifier. In a
per-pixel softmax they do compete, which costs accuracy; it and a mask for all classes
alike are here for comparison.
"""

from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torchvision.ops import roi_align


class Masks(NamedTuple):
    """Masks in boxes, before a sigmoid or softmax."""

    logits: Tensor
    """(N, masks, 2 side, 2 side)"""


class MaskHead(nn.Module):
    """Masks of what is in boxes.

    Args:
        channels: of the features.
        masks: K for one a class, K + 1 for a softmax with background last, 1 for all classes alike.
        stride: of the features, in pixels of the picture.
        side: of the features that a box is given; its mask has twice that.
        width: of the head's layers.
        depth: 3x3 convolutions; the paper has 4 at a width of 256.
    """

    def __init__(
        self, channels: int, masks: int, stride: float, side: int = 14, width: int = 64, depth: int = 2
    ) -> None:
        super().__init__()
        self.stride, self.side = stride, side
        layers: list[nn.Module] = []
        for number in range(depth):
            layers += [nn.Conv2d(width if number else channels, width, 3, padding=1), nn.ReLU()]
        self.body = nn.Sequential(
            *layers, nn.ConvTranspose2d(width, width, 2, 2), nn.ReLU(), nn.Conv2d(width, masks, 1)
        )

    def forward(self, features: Tensor, boxes: Tensor) -> Masks:
        """Masks in N boxes.

        Args:
            features: (B, C, H, W).
            boxes: (N, 5) as number in the batch, x0, y0, x1, y1 in pixels of the picture; N may be 0.
        """
        inside: Tensor = roi_align(features, boxes, self.side, 1 / self.stride, sampling_ratio=2, aligned=True)
        return Masks(self.body(inside))


def mask_targets(truth: Tensor, boxes: Tensor, side: int) -> Tensor:
    """What the masks in boxes should be, (N, side, side) of 0 and 1.

    Args:
        truth: (N, H, W), each box's object alone, in the picture.
        boxes: (N, 4) as x0, y0, x1, y1.
        side: of a mask, twice the head's.
    """
    number = torch.arange(len(boxes), device=boxes.device, dtype=boxes.dtype)
    numbered = torch.cat([number[:, None], boxes], dim=1)
    inside: Tensor = roi_align(truth[:, None].to(boxes.dtype), numbered, side, aligned=True, sampling_ratio=2)
    return (inside[:, 0] >= 0.5).to(boxes.dtype)


def of_class(values: Tensor, classes: Tensor) -> Tensor:
    """(N, h, w) of (N, K, h, w), each of its own class (N,)."""
    return values[torch.arange(len(classes), device=classes.device), classes]


def sigmoid_loss(masks: Masks, truth: Tensor, classes: Tensor) -> Tensor:
    """Mean binary cross-entropy of the true class's mask, for truth (N, h, w) in 0..1 and classes (N,).

    Without a box it is 0, and still of the parameters, so that a distributed step does not wait for them.
    """
    if len(classes) == 0:
        return masks.logits.sum()
    return F.binary_cross_entropy_with_logits(of_class(masks.logits, classes), truth)


def softmax_loss(masks: Masks, truth: Tensor, classes: Tensor) -> Tensor:
    """Mean cross-entropy over K classes and the background, the last: what the paper compares with."""
    if len(classes) == 0:
        return masks.logits.sum()
    background = masks.logits.shape[1] - 1
    wanted = torch.where(truth >= 0.5, classes[:, None, None], background)
    return F.cross_entropy(masks.logits, wanted)


def agnostic_loss(masks: Masks, truth: Tensor) -> Tensor:
    """Mean binary cross-entropy of one mask for all classes alike, (N, 1, h, w)."""
    if len(truth) == 0:
        return masks.logits.sum()
    return F.binary_cross_entropy_with_logits(masks.logits[:, 0], truth)
