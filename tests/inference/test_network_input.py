import numpy as np
import pytest
import torch

from shipdet.inference.network_input import STRIP_ROWS, network_input
from shipdet.models.device import Device
from shipdet.models.task_partition import normalise
from shipdet.raster.reader import Chip
from shipdet.raster.stretch import Stretch
from shipdet.raster.tiling import Window

CPU = torch.device("cpu")
EXACT = Device(CPU, torch.float32)
STRETCH = Stretch((10.0, 20.0, 5.0), (200.0, 90.0, 250.0))
SIZE = (STRIP_ROWS + 32, 64)


def chip(dtype: type = np.uint8) -> Chip:
    rng = np.random.default_rng(0)
    pixels = rng.integers(0, 256, (3, *SIZE)).astype(dtype)
    return Chip(pixels, rng.random(SIZE) > 0.1, Window(0, 0, SIZE[1], SIZE[0]), STRETCH)


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16, np.int16, np.float32, np.float64])
def test_it_is_the_stretched_chip_normalised(dtype: type) -> None:
    raw = chip(dtype)
    got = network_input(raw, 3, EXACT)
    expected = normalise(torch.from_numpy(raw.stretched().pixels))[None]
    assert torch.equal(got, expected)
    assert got.is_contiguous(memory_format=torch.channels_last)
    assert torch.equal(network_input(raw.stretched(), 3, EXACT), expected)


def test_what_is_not_valid_is_zero_even_where_the_file_holds_no_number() -> None:
    raw = chip(np.float32)
    raw.pixels[:, ~raw.valid] = np.nan
    got = network_input(raw, 3, EXACT)
    assert (got[0][:, torch.from_numpy(~raw.valid)] == 0).all()


def test_optional_bands_that_a_scene_lacks_are_zero() -> None:
    got = network_input(chip(), 4, EXACT)
    assert got.shape == (1, 4, *SIZE)
    assert (got[:, 3] == 0).all()
    assert torch.equal(got[:, :3], network_input(chip(), 3, EXACT))


def test_in_bfloat16_each_value_is_rounded_once() -> None:
    got = network_input(chip(), 3, Device(CPU, torch.bfloat16))
    assert torch.equal(got, network_input(chip(), 3, EXACT).bfloat16())
