"""Separable resampling whose value at a model pixel depends on absolute coordinates alone, never on the window read.

The kernel is a triangle one source pixel wide when enlarging (bilinear), and as wide as a model pixel when
reducing (antialiased). Invalid pixels have no weight.
"""

from math import ceil, floor
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_matrix

ENOUGH = 0.5001
"""Valid share of the kernel above which a model pixel is valid; off the tie of exactly one half, which rounding
would decide differently from window to window."""


class Span(NamedTuple):
    """Pixels [start, stop) along one axis."""

    start: int
    stop: int


class Resampled(NamedTuple):
    """Pixels (C, H, W) float32, zero where not valid, and valid (H, W)."""

    pixels: NDArray[np.float32]
    valid: NDArray[np.bool_]


def support(span: Span, step: float) -> Span:
    """Source pixels that model pixels depend on, before any clipping; `step` in source pixels per model pixel."""
    reach = max(step, 1.0)
    return Span(floor((span.start + 0.5) * step - reach), ceil((span.stop - 0.5) * step + reach))


def axis_weights(span: Span, step: float, source: Span) -> Any:
    """Weights of source pixels for model pixels along one axis: CSR (model, source), float32.

    A row sums to 1 where its whole kernel lies within `source`, to less elsewhere.

    Args:
        span: model pixels.
        step: source pixels per model pixel.
        source: source pixels at hand.
    """
    reach = max(step, 1.0)
    centre = (np.arange(span.start, span.stop) + 0.5) * step
    first = np.floor(centre - reach - 0.5).astype(np.int64)
    index = first[:, None] + np.arange(ceil(2 * reach) + 2)
    weight = np.maximum(1 - np.abs(index + 0.5 - centre[:, None]) / reach, 0)
    weight /= weight.sum(axis=1, keepdims=True)
    used = (weight > 0) & (index >= source.start) & (index < source.stop)
    starts = np.concatenate([[0], np.cumsum(used.sum(axis=1))])
    shape = (span.stop - span.start, source.stop - source.start)
    return csr_matrix((weight[used].astype(np.float32), index[used] - source.start, starts), shape=shape)


def resample(pixels: NDArray[Any], valid: NDArray[np.bool_], rows: Any, columns: Any) -> Resampled:
    """Resample an image by the weights of its rows and columns.

    Args:
        pixels: (C, H, W), any real type.
        valid: (H, W).
        rows: weights (h, H) of `axis_weights`.
        columns: weights (w, W).
    """
    if valid.all():
        # The weight that is at hand then splits into a row's and a column's: no second pass over the image.
        share = np.outer(np.asarray(rows.sum(axis=1)).ravel(), np.asarray(columns.sum(axis=1)).ravel())
        total = _separable(pixels, rows, columns)
    else:
        share = _separable(valid[None], rows, columns)[0]
        total = _separable(np.where(valid, pixels, 0), rows, columns)
    enough = share > ENOUGH
    total *= np.where(enough, 1 / np.maximum(share, ENOUGH), 0).astype(np.float32)
    return Resampled(total, enough)


def _separable(pixels: NDArray[Any], rows: Any, columns: Any) -> NDArray[np.float32]:
    """Rows first, then columns: (C, H, W) to (C, h, w)."""
    bands, height, width = pixels.shape
    tall = np.ascontiguousarray(pixels.transpose(1, 0, 2), dtype=np.float32).reshape(height, bands * width)
    short = (rows @ tall).reshape(rows.shape[0], bands, width)
    wide = np.ascontiguousarray(short.transpose(2, 1, 0)).reshape(width, bands * rows.shape[0])
    narrow = (columns @ wide).reshape(columns.shape[0], bands, rows.shape[0])
    return np.ascontiguousarray(narrow.transpose(1, 2, 0))
