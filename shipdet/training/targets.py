"""What the network should say of a chip: labels drawn as maps at its two strides."""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from shipdet.labels.types import SHIP_TYPES, Labels
from shipdet.models.task_partition import (
    BEAM_SCALE,
    BOW,
    COARSE_STRIDE,
    END,
    FINE_STRIDE,
    HULL,
    OFFSET_SCALE,
    STERN,
    VECTOR_SCALE,
)

Array = NDArray[np.float64]
Float = NDArray[np.float32]
Mask = NDArray[np.bool_]

UNKNOWN = 255
"""Coarse class, or type, of places that teach nothing."""
BEAM_OF_LENGTH = 0.15
"""Beam taken for the masks of a ship whose beam nobody measured, in lengths."""
IGNORE_MARGIN = 6.0
"""Pixels around a difficult ship that teach nothing either."""
FIELD_REACH = 0.3
"""Fields are taught where the peak of an end is at least this high."""


class Targets(NamedTuple):
    """Maps of one chip of H x W pixels."""

    coarse: NDArray[np.uint8]
    """(H/8, W/8) background, hull, end, or `UNKNOWN`"""
    heat: Float
    """(2, H/4, W/4) a peak of 1 at each bow and each stern that is known as such"""
    either: Float
    """(H/4, W/4) a peak of 1 at each end of ships whose bow is not known from the stern"""
    weight: Float
    """(H/4, W/4) 0 where there may be an unlabelled end"""
    fields: Float
    """(2, 5, H/4, W/4) offset x, y, vector x, y, log half beam, in the network's scales"""
    field_weight: Float
    """(2, 5, H/4, W/4) how much each field is taught"""
    types: NDArray[np.uint8]
    """(H/8, W/8) which of `SHIP_TYPES` lies there, or `UNKNOWN`"""


def draw_targets(labels: Labels, known: Mask) -> Targets:
    """Targets of a chip.

    Args:
        labels: ships in the chip's pixels; difficult ones become places that teach nothing.
        known: (H, W) False where labelling is incomplete.
    """
    beam = np.where(np.isnan(labels.beam), BEAM_OF_LENGTH * labels.length, labels.beam)
    height, width = known.shape
    fine = _centres((height, width), FINE_STRIDE)
    weight = known[FINE_STRIDE // 2 :: FINE_STRIDE, FINE_STRIDE // 2 :: FINE_STRIDE].astype(np.float32)
    for i in np.flatnonzero(labels.difficult):
        weight[_in_hull(fine, labels.bow[i], labels.stern[i], beam[i] / 2 + IGNORE_MARGIN)] = 0.0
    either, heat = np.zeros_like(weight), np.zeros((2, *weight.shape), np.float32)
    fields, field_weight = (np.zeros((2, 5, *weight.shape), np.float32) for _ in range(2))
    owner = np.zeros((2, *weight.shape), np.float32)
    for i in np.flatnonzero(~labels.difficult):
        for kind, here, there in ((BOW, labels.bow[i], labels.stern[i]), (STERN, labels.stern[i], labels.bow[i])):
            known_bow = bool(labels.bow_known[i])
            peak = _peak(fine, here, beam[i])
            np.maximum(heat[kind] if known_bow else either, peak, out=heat[kind] if known_bow else either)
            values, trust = _fields(fine, here, there, float(labels.beam[i]), (height, width))
            for k in (kind,) if known_bow else (BOW, STERN):
                mine = (peak > FIELD_REACH) & (peak > owner[k])
                owner[k][mine] = peak[mine]
                fields[k][:, mine] = values[:, mine]
                field_weight[k][:, mine] = trust[:, None] * peak[mine]
    positive = np.maximum(heat.max(axis=0), either) > FIELD_REACH
    coarse, types = _draw_coarse(labels, beam, known), _draw_types(labels, beam, known.shape)
    return Targets(coarse, heat, either, np.maximum(weight, positive), fields, field_weight, types)


def _draw_coarse(labels: Labels, beam: Array, known: Mask) -> NDArray[np.uint8]:
    """Later paint covers earlier: what is unknown, then hulls, then ends."""
    cells = _centres(known.shape, COARSE_STRIDE)
    coarse = np.zeros(cells.shape[1:], np.uint8)
    coarse[~known[COARSE_STRIDE // 2 :: COARSE_STRIDE, COARSE_STRIDE // 2 :: COARSE_STRIDE]] = UNKNOWN
    for i in np.flatnonzero(labels.difficult):
        coarse[_in_hull(cells, labels.bow[i], labels.stern[i], beam[i] / 2 + IGNORE_MARGIN)] = UNKNOWN
    sure = np.flatnonzero(~labels.difficult)
    for i in sure:
        coarse[_in_hull(cells, labels.bow[i], labels.stern[i], max(beam[i] / 2, COARSE_STRIDE / 2))] = HULL
    for i in sure:
        radius = np.clip(0.6 * beam[i], 0.75 * COARSE_STRIDE, 2.5 * COARSE_STRIDE)
        for end in (labels.bow[i], labels.stern[i]):
            coarse[np.hypot(*(cells - end[:, None, None])) < radius] = END
    return coarse


def _draw_types(labels: Labels, beam: Array, shape: tuple[int, ...]) -> NDArray[np.uint8]:
    """Ships of a known type, difficult ones too: they may be hard to delimit, but what they are is known."""
    cells = _centres(shape, COARSE_STRIDE)
    types = np.full(cells.shape[1:], UNKNOWN, np.uint8)
    for i, name in enumerate(labels.type):
        if name in SHIP_TYPES:
            hull = _in_hull(cells, labels.bow[i], labels.stern[i], max(beam[i] / 2, COARSE_STRIDE / 2))
            types[hull] = SHIP_TYPES.index(name)
    return types


def _centres(shape: tuple[int, ...], stride: int) -> Array:
    """(2, H/stride, W/stride) x and y of the cells' centres."""
    y, x = (np.arange(side // stride) * stride + stride / 2 for side in shape)
    return np.stack(np.meshgrid(x, y))


def _in_hull(cells: Array, bow: Array, stern: Array, half_beam: float) -> Mask:
    """Cells nearer than `half_beam` to the axis of a ship."""
    axis = bow - stern
    from_stern = cells - stern[:, None, None]
    along = np.clip(np.tensordot(axis, from_stern, 1) / max(float(axis @ axis), 1e-9), 0, 1)
    return np.asarray(np.hypot(*(from_stern - axis[:, None, None] * along)) <= half_beam)


def _peak(cells: Array, end: Array, beam: float) -> Float:
    """A Gaussian of height 1 at the cell that holds the end, narrower for narrow ships."""
    sigma = np.clip(0.3 * beam, 0.8 * FINE_STRIDE, 1.6 * FINE_STRIDE)
    centre = np.floor(end / FINE_STRIDE) * FINE_STRIDE + FINE_STRIDE / 2
    squared = ((cells - centre[:, None, None]) ** 2).sum(axis=0)
    peak: Float = np.exp(-squared / (2 * sigma**2)).astype(np.float32)
    return peak


def _fields(cells: Array, here: Array, there: Array, beam: float, size: tuple[int, int]) -> tuple[Array, Array]:
    """Values (5, h, w) around one end, and how far to trust each (5,)."""
    offset = (here[:, None, None] - cells) / OFFSET_SCALE
    vector = np.broadcast_to(((there - here) / VECTOR_SCALE)[:, None, None], cells.shape)
    log_beam = np.full((1, *cells.shape[1:]), 0.0 if np.isnan(beam) else np.log(beam / 2 / BEAM_SCALE))
    in_view = bool(np.all(there > -16) and there[0] < size[1] + 16 and there[1] < size[0] + 16)
    trust = np.array([1, 1, in_view, in_view, not np.isnan(beam)], dtype=np.float64)
    return np.concatenate([offset, vector, log_beam]), trust
