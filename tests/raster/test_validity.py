import numpy as np
import pytest

from shipdet.raster.validity import valid_pixels


def pixel(*values, dtype):
    return np.array(values, dtype)[:, None, None]


@pytest.mark.parametrize(
    ("values", "dtype", "nodata", "expected"),
    [
        ((0, 0, 0), np.uint8, (), False),
        ((0, 1, 0), np.uint8, (), True),
        ((0, 0, 0), np.float32, (), False),
        ((255, 255, 255), np.uint8, (255,) * 3, False),
        ((255, 254, 255), np.uint8, (255,) * 3, True),
        ((255, 255, 255), np.uint8, (255, None, 255), True),
        ((-9999, -9999), np.int16, (-9999,) * 2, False),
        ((5, 5), np.uint8, (-9999,) * 2, True),
        ((5, 5), np.uint8, (0.5,) * 2, True),
        ((1.0, np.nan), np.float32, (), False),
        ((1.0, -np.inf), np.float64, (), False),
        ((1.0, -3.4028235e38), np.float32, (), False),
        ((1.0, -9999), np.float32, (-9999,) * 2, False),
        ((1.0, 2.0), np.float32, (np.nan,) * 2, True),
        ((1.0, 2.0), np.float32, (-1.797e308,) * 2, True),
    ],
)
def test_a_pixel_is_valid_or_not(values, dtype, nodata, expected):
    assert valid_pixels(pixel(*values, dtype=dtype), nodata).item() is expected
