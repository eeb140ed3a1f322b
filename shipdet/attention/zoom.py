"""A differentiable crop and zoom (Fu, Zheng and Mei, "Look Closer to See Better", CVPR 2017; RA-CNN).

    M(x, y) = [h(x - x_l) - h(x - x_r)] * [h(y - y_t) - h(y - y_b)]        h(x) = 1 / (1 + exp(-k x))
    zoomed = bilinear(M * X)

A hard crop has no gradient with respect to its box; the boxcar mask M has, along its four
edges, and so does bilinear sampling. The smaller k, the wider the edge that learns; as k
grows M becomes the box itself, and once it is steeper than a pixel its gradient vanishes.
So k starts small and is annealed.

Coordinates are shares of half the picture: (-1, -1) is its top-left corner, (1, 1) its
bottom-right one, (x, y) the order, on pictures of any shape. k is in the same unit.
"""

from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor


class Box(NamedTuple):
    """A box of the picture's own shape."""

    centre: Tensor
    """(B, 2) as x, y"""
    half: Tensor
    """(B,) half its side, 1 for the whole picture"""


class Zoomed(NamedTuple):
    """What a box shows, and the mask that cut it out."""

    image: Tensor
    """(B, C, h, w)"""
    mask: Tensor
    """(B, 1, H, W) in (0, 1)"""


def whole(image: Tensor) -> Box:
    """The box of all of (B, C, H, W)."""
    return Box(image.new_zeros(len(image), 2), image.new_ones(len(image)))


def within(outer: Box, inner: Box) -> Box:
    """The box that `inner`, in coordinates of `outer`, is in the picture's."""
    return Box(outer.centre + outer.half[:, None] * inner.centre, outer.half * inner.half)


def pixel_centres(count: int, like: Tensor) -> Tensor:
    """(count,) where the centres of pixels lie between -1 and 1."""
    return (torch.arange(count, device=like.device, dtype=like.dtype) * 2 + 1) / count - 1


def boxcar(box: Box, size: tuple[int, int], sharpness: float) -> Tensor:
    """The mask M, (B, 1, H, W), of a box in a picture of `size` (height, width); `sharpness` is k."""

    def window(axis: int, count: int) -> Tensor:
        at = pixel_centres(count, box.half)[None]
        centre, half = box.centre[:, axis, None], box.half[:, None]
        low, high = at - centre + half, at - centre - half
        return torch.sigmoid(sharpness * low) - torch.sigmoid(sharpness * high)

    height, width = size
    return (window(1, height)[:, :, None] * window(0, width)[:, None, :]).unsqueeze(1)


def zoom(image: Tensor, box: Box, size: tuple[int, int], sharpness: float) -> Zoomed:
    """Show (B, C, H, W) through boxes, at `size` (height, width)."""
    mask = boxcar(box, (image.shape[2], image.shape[3]), sharpness)
    zero = torch.zeros_like(box.half)
    x, y = box.centre.unbind(dim=1)
    theta = torch.stack([box.half, zero, x, zero, box.half, y], dim=1).reshape(-1, 2, 3)
    grid = F.affine_grid(theta, [image.shape[0], image.shape[1], *size], align_corners=False)
    shown = F.grid_sample(image * mask, grid, mode="bilinear", padding_mode="border", align_corners=False)
    return Zoomed(shown, mask)
