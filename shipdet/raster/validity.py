"""Which pixels of an image hold a picture: one rule, for scenes on disk and for images in memory."""

from collections.abc import Sequence
from functools import reduce
from typing import Any

import numpy as np
from numpy.typing import NDArray

FLOAT_LIMIT = 1e30
"""Larger magnitudes are no radiometry but an undeclared nodata value (such as -3.4e38)."""


def valid_pixels(pixels: NDArray[Any], nodata: Sequence[float | None] = ()) -> NDArray[np.bool_]:
    """Where an image (C, H, W) has data: (H, W).

    Without data are pixels that are zero in every band (the black border that many mosaics leave
    undeclared; a truly black pixel among others is lost with it, which does no harm), integers that
    equal `nodata` in every band, and floats that equal it, or are NaN or infinite, in any band.

    Args:
        pixels: (C, H, W), integers or floats.
        nodata: one value per band, None where a band declares none; empty if no band does.
    """
    values = [_in_dtype(value, pixels.dtype) for value in nodata or [None] * len(pixels)]
    if pixels.dtype.kind == "f":
        valid = reduce(np.logical_or, (band != 0 for band in pixels))
        for band, value in zip(pixels, values, strict=True):
            valid &= np.abs(band) < FLOAT_LIMIT
            if value is not None:
                valid &= band != value
        return np.asarray(valid)
    valid = reduce(np.bitwise_or, pixels) != 0
    if all(value is not None for value in values):
        valid &= reduce(np.logical_or, (band != value for band, value in zip(pixels, values, strict=True)))
    return np.asarray(valid)


def _in_dtype(value: float | None, dtype: np.dtype[Any]) -> Any:
    """A nodata value as the file stores it; None where no pixel can equal it."""
    if value is None or (dtype.kind == "f" and np.isnan(value)):
        return None
    if dtype.kind == "f":
        with np.errstate(over="ignore"):
            return dtype.type(value)
    limits = np.iinfo(dtype)
    return dtype.type(int(value)) if value == int(value) and limits.min <= value <= limits.max else None
