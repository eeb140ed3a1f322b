"""Chips as a network in inference form takes them: stretched, normalised, in its precision and memory layout.

One pass over strips that fit a processor's caches, as late as possible: a chip that waits is no larger than in its
file, and no stretched copy of a whole window is ever made.
"""

import torch
from torch import Tensor

from shipdet.models.device import Device
from shipdet.models.task_partition import normalise
from shipdet.raster.reader import Chip
from shipdet.raster.stretch import HIGHEST, LOWEST, Stretch

STRIP_ROWS = 64
"""Rows stretched at once; bounds memory, does not change values."""


def network_input(chip: Chip, bands: int, device: Device) -> Tensor:
    """Pixels (1, bands, H, W) of a chip, channels last, zero where there is nothing to see.

    Args:
        chip: stretched already or not.
        bands: of the network. The last ones, which are optional, may be missing in the chip.
        device: where the network is, and its precision.
    """
    channels, height, width = chip.pixels.shape
    out = torch.empty(
        (1, max(bands, channels), height, width),
        dtype=device.dtype, device=device.device, memory_format=torch.channels_last,
    )  # fmt: skip
    out[:, channels:] = 0
    pixels = torch.from_numpy(chip.pixels)
    unseen = None if chip.valid.all() else torch.from_numpy(~chip.valid)
    for y in range(0, height, STRIP_ROWS):
        rows = slice(y, y + STRIP_ROWS)
        strip = pixels[:, rows].to(device.device, torch.float32)
        if chip.stretch is not None:
            strip = _stretched(strip, chip.stretch)
        strip = normalise(strip)
        out[0, :channels, rows] = strip if unseen is None else strip.masked_fill_(unseen[rows].to(device.device), 0)
    return out


def _stretched(pixels: Tensor, stretch: Stretch) -> Tensor:
    """As `raster.stretch.apply`."""
    low, high = (torch.tensor(v, dtype=torch.float64, device=pixels.device) for v in (stretch.low, stretch.high))
    low, gain = (v.float()[:, None, None] for v in (low, 1 / (high - low)))
    return (pixels - low).mul_(gain).clamp_(LOWEST, HIGHEST)
