"""From maps to points: the shallow branch on open patches only, and its peaks."""

from typing import NamedTuple

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from torch import Tensor

from shipdet.models.task_partition import (
    BEAM_SCALE,
    BOW,
    COARSE_STRIDE,
    FINE_STRIDE,
    OFFSET_SCALE,
    STERN,
    VECTOR_SCALE,
    Coarse,
    TaskPartition,
)

Array = NDArray[np.float64]

PATCH = 4
"""Side, in coarse cells, of the patches that the shallow branch is computed on."""
HALO = 2
"""Coarse cells around a patch: its three 3x3 convolutions reach three fine cells, finding peaks one more."""
AT_ONCE = 256
"""Patches computed together; bounds memory, does not change values."""
INBOARD, INBOARD_MOST = 0.25, 12.0
"""Where along a ship its type is read: this share of its length from an end, but no more pixels than a margin has."""
MAX_OFFSET = 2.0 * FINE_STRIDE
"""Pixels that an end may lie from the centre of its peak's cell."""


class Tips(NamedTuple):
    """Ends of ships, bow or stern, as the network sees them one by one."""

    xy: Array
    """(N, 2)"""
    bow: Array
    """(N,) probability that the end is a bow and not a stern"""
    to_other_end: Array
    """(N, 2)"""
    half_beam: Array
    """(N,)"""
    score: Array
    """(N,)"""
    cell: Array
    """(N, 2) centre of the cell that holds the peak; it says which tile the end belongs to"""
    types: Array
    """(N, K) probabilities of the types of ship; K is 0 where the network knows none"""

    def where(self, keep: NDArray[np.bool_] | NDArray[np.intp]) -> "Tips":
        """Some of the tips, in the order asked for."""
        return Tips(*(field[keep] for field in self))

    def moved(self, x: float, y: float) -> "Tips":
        """The same tips in a frame whose origin lies at (-x, -y) of this one."""
        shift = np.array([x, y])
        return self._replace(xy=self.xy + shift, cell=self.cell + shift)


def no_tips(types: int = 0) -> Tips:
    """None at all."""
    points, values = np.zeros((0, 2)), np.zeros(0)
    return Tips(points, values, points, values, values, points, np.zeros((0, types)))


def join_tips(parts: list[Tips], types: int = 0) -> Tips:
    """All tips of several tiles; of none, no tip of so many types of ship."""
    return Tips(*(np.concatenate(fields) for fields in zip(*parts, strict=True))) if parts else no_tips(types)


def find_tips(network: TaskPartition, coarse: Coarse, gate: Tensor, least_score: float) -> Tips:
    """Ends within the gate, in pixels of the tile.

    Args:
        network: whose shallow branch is computed, on open patches only.
        coarse: of one tile.
        gate: (H/8, W/8) bool, the coarse cells to look into.
        least_score: heat of the faintest peak that counts.
    """
    cells = gate[None, None].float()
    patches = (F.max_pool2d(cells, PATCH, ceil_mode=True)[0, 0] > 0).nonzero()
    windows = _Windows(_windows(cells, 1), _windows(coarse.shallow, 2), _windows(coarse.context, 1))
    parts = [_find_in(network, coarse, windows, some, least_score) for some in patches.split(AT_ONCE)]
    return join_tips(parts)


class _Windows(NamedTuple):
    """Views (C, rows, columns, s, s) of maps: a patch with its halo for each place of the patch grid."""

    gate: Tensor
    shallow: Tensor
    context: Tensor

    def at(self, where: Tensor) -> "_Windows":
        """The patches (P, C, s, s) at (P, 2) places."""
        picked = (view[:, where[:, 0], where[:, 1]].transpose(0, 1) for view in self)
        return _Windows(*(patch.contiguous(memory_format=torch.channels_last) for patch in picked))


def _windows(maps: Tensor, per_cell: int) -> Tensor:
    """The patch grid of (1, C, h, w) maps that have `per_cell` cells a coarse cell."""
    size, halo = PATCH * per_cell, HALO * per_cell
    height, width = maps.shape[-2:]
    padded = F.pad(maps, (halo, halo + -width % size, halo, halo + -height % size))
    return padded[0].unfold(1, size + 2 * halo, size).unfold(2, size + 2 * halo, size)


def _find_in(network: TaskPartition, coarse: Coarse, windows: _Windows, where: Tensor, least_score: float) -> Tips:
    """Ends in some patches; nothing outside a patch's halo matters to it."""
    if not len(where):
        return no_tips(coarse.types.shape[1])
    patches = windows.at(where)
    ends = network.ends(coarse._replace(shallow=patches.shallow, context=patches.context)).float()
    ring = (ends.shape[-1] - 2 * PATCH) // 2
    rim = 2 * HALO - ring  # what a network in inference form leaves out
    gate = F.interpolate(patches.gate, scale_factor=2.0)
    heat = ends[:, :, 0].sigmoid() * gate[..., rim : gate.shape[-2] - rim, rim : gate.shape[-1] - rim]
    peak = (heat == F.max_pool2d(heat, 3, stride=1, padding=1)) & (heat >= least_score)
    patch, kind, row, column = peak[:, :, ring:-ring, ring:-ring].nonzero().T
    fields = ends[patch, kind, :, row + ring, column + ring]
    both = heat[patch, :, row + ring, column + ring]
    corner = where[patch] * PATCH * 2
    cells = torch.stack([corner[:, 1] + column, corner[:, 0] + row], dim=1)
    score = torch.where(kind == BOW, both[:, BOW], both[:, STERN])
    tips = _tips(cells, fields, both[:, BOW] / both.sum(dim=1), score)
    return tips._replace(types=_types_inboard(coarse.types, tips))


def _types_inboard(logits: Tensor, tips: Tips) -> Array:
    """Type probabilities (N, K) some way from each end to the other, where it is all ship; logits (1, K, h, w)."""
    if not logits.shape[1]:
        return np.zeros((len(tips.score), 0))
    share = np.minimum(INBOARD, INBOARD_MOST / np.maximum(np.hypot(*tips.to_other_end.T), 1e-9))
    places = torch.from_numpy(tips.xy + share[:, None] * tips.to_other_end).to(logits.device, torch.float32)
    height, width = logits.shape[-2:]
    grid = places * 2 / torch.tensor([width, height], device=places.device) / COARSE_STRIDE - 1
    sampled = F.grid_sample(logits.float(), grid[None, None], padding_mode="border", align_corners=False)
    types: Array = sampled[0, :, 0].T.double().softmax(dim=1).cpu().numpy()
    return types


def _tips(cells: Tensor, fields: Tensor, bow: Tensor, score: Tensor) -> Tips:
    centre = (cells.double() + 0.5) * FINE_STRIDE
    offset = (fields[:, 1:3].double() * OFFSET_SCALE).clamp(-MAX_OFFSET, MAX_OFFSET)
    half_beam = fields[:, 5].double().clamp(-4.0, 4.0).exp() * BEAM_SCALE
    xy, vector = centre + offset, fields[:, 3:5].double() * VECTOR_SCALE
    none = torch.zeros(len(cells), 0)
    return Tips(*(t.double().cpu().numpy() for t in (xy, bow, vector, half_beam, score, centre, none)))
