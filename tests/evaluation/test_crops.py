from io import BytesIO

import numpy as np
import pytest
from PIL import Image

from shipdet.evaluation.cases import Judged
from shipdet.evaluation.crops import worst_false_alarms, worst_misses
from shipdet.evaluation.marks import FALSE_MARK, MISS_MARK


def close_to(jpeg: bytes, colour: str) -> int:
    pixels = np.asarray(Image.open(BytesIO(jpeg)).convert("RGB")).astype(int)
    wanted = [int(colour[k : k + 2], 16) for k in (1, 3, 5)]
    return int((np.abs(pixels - wanted).max(axis=2) < 60).sum())


def test_the_worst_misses_are_the_longest_and_drawn_in_their_colour(judged: list[Judged]):
    crops = worst_misses(judged, 0.0, 1.0)
    assert [(crop.picture, crop.note) for crop in crops] == [("1", "warship, 100 px"), ("2", "unknown, 30 px")]
    assert all(close_to(crop.jpeg, MISS_MARK.colour) > 100 for crop in crops)


def test_the_worst_false_alarms_are_the_surest(judged: list[Judged]):
    (crop,) = worst_false_alarms(judged, 0.0, 1.0)
    assert (crop.picture, crop.note) == ("1", "score 0.70")
    assert close_to(crop.jpeg, FALSE_MARK.colour) > 100
    assert worst_false_alarms(judged, 0.75, 1.0) == []


def test_a_crop_lies_within_the_picture(judged: list[Judged]):
    """The ships lie 20 pixels below the edge and the crop is 170 wide: moved down, it shows nothing dark."""
    crop = worst_misses(judged, 0.0, 1.0)[0]
    pixels = np.asarray(Image.open(BytesIO(crop.jpeg)).convert("L"))
    outside = np.asarray(Image.open(BytesIO(crop.jpeg)).convert("RGB")).astype(int) - (0x15, 0x18, 0x1C)
    dark_rows = (np.abs(outside).max(axis=2) < 6).mean(axis=1) > 0.9
    assert pixels.shape == (340, 340)
    assert dark_rows.mean() == pytest.approx(20 / 170, abs=0.03)  # the picture is 150 high
