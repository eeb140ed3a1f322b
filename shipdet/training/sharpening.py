"""Training of the sharpener: harbours averaged down as a coarser sensor would see them, and as they were.

The network is shown what it will be shown at inference, pictures stretched by the percentiles of their coarse version
and clipped, and is taught in that radiometry, by L1 as in its paper; what it is worth is told in the pictures' own.
"""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
import torch
import torch.nn.functional as F
from PIL import Image
from torch import Tensor, nn

from shipdet.attention.rcan import RCAN, Layout, enlarge
from shipdet.errors import LabelsError
from shipdet.labels.folders import Folder, Split, read_folder
from shipdet.models.device import Device, autocast
from shipdet.models.sharpener import sharpened
from shipdet.raster.stretch import stretch_of
from shipdet.raster.validity import valid_pixels

LEVELS = 255
TOLD_EVERY = 100
STEEPEST = 5.0
"""Norm that gradients are cut to."""


class SharpenSchedule(NamedTuple):
    """How a sharpener is trained."""

    factor: int = 2
    layout: Layout = Layout()
    steps: int = 3000
    batch: int = 16
    crop: int = 96
    """side in fine pixels, a multiple of the factor"""
    learning_rate: float = 1e-3
    weight_decay: float = 1e-4
    seed: int = 0


class Photograph(NamedTuple):
    """A fine picture, and the stretch of its coarse version."""

    pixels: Tensor
    """(3, H, W) uint8, H and W multiples of the factor"""
    low: Tensor
    """(3, 1, 1) of 0..1, what becomes 0"""
    high: Tensor
    """(3, 1, 1) likewise, what becomes 1"""


class Worth(NamedTuple):
    """PSNR in dB, mean over pictures."""

    psnr_db: float
    bicubic_db: float


def read_rgb(path: Path, multiple: int) -> Tensor:
    """A picture file as (3, H, W) uint8, cut to sides that are multiples."""
    with Image.open(path) as image:
        pixels = torch.from_numpy(np.array(image.convert("RGB"))).permute(2, 0, 1)
    height, width = (side // multiple * multiple for side in pixels.shape[1:])
    return pixels[:, :height, :width].contiguous()


def coarser(fine: Tensor, factor: int) -> Tensor:
    """(B, 3, H, W) in 0..1 as a sensor of `factor` times the GSD would average it, in 8 bit."""
    return (F.avg_pool2d(fine, factor) * LEVELS).round() / LEVELS


def psnr(a: Tensor, b: Tensor) -> float:
    """Peak signal-to-noise ratio in dB of pictures in 0..1, over all channels."""
    return float(-10 * torch.log10((a.clamp(0, 1) - b).square().mean()))


def random_crop(fine: Tensor, side: int, generator: torch.Generator) -> Tensor:
    """A square of (C, H, W) somewhere, turned by some right angle."""
    y, x = (int(torch.randint(size - side + 1, (1,), generator=generator)) for size in fine.shape[1:])
    turns = int(torch.randint(4, (1,), generator=generator))
    return fine[:, y : y + side, x : x + side].rot90(turns, (1, 2))


def photographs(folder: Folder, split: Split, factor: int) -> list[Photograph]:
    """The pictures of a folder's split, for a factor.

    Raises:
        LabelsError: as `labels.folders.read_folder`.
    """
    return [photograph(picture.path, factor) for picture in read_folder(folder, split)]


def photograph(path: Path, factor: int) -> Photograph:
    """Reads a picture for a factor.

    Raises:
        SceneError: it is all black.
    """
    fine = read_rgb(path, factor)
    coarse = (coarser(fine[None] / LEVELS, factor)[0] * LEVELS).round().byte().numpy()
    stretch = stretch_of(coarse, valid_pixels(coarse))
    low, high = (torch.tensor(ends)[:, None, None] / LEVELS for ends in (stretch.low, stretch.high))
    return Photograph(fine, low, high)


def train_sharpener(
    pictures: Sequence[Photograph], schedule: SharpenSchedule, device: Device, report: Callable[[str], None]
) -> RCAN:
    """A network taught by pictures.

    Args:
        pictures: at least one.
        schedule: how.
        device: where, and how precisely.
        report: is told the loss now and then.

    Raises:
        LabelsError: a picture is smaller than a crop.
    """
    least = min(min(picture.pixels.shape[1:]) for picture in pictures)
    if least < schedule.crop:
        raise LabelsError(f"a picture measures {least} pixels, expected the {schedule.crop} of a crop: lower `crop`")
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(schedule.seed)
        network = RCAN(schedule.factor, schedule.layout)
    network.to(device.device).to(memory_format=torch.channels_last)
    optimiser = torch.optim.AdamW(network.parameters(), schedule.learning_rate, weight_decay=schedule.weight_decay)
    rate = torch.optim.lr_scheduler.OneCycleLR(
        optimiser, schedule.learning_rate, total_steps=schedule.steps + 1, pct_start=0.1
    )
    random = torch.Generator().manual_seed(schedule.seed)
    losses: list[float] = []
    for step in range(1, schedule.steps + 1):
        optimiser.zero_grad()
        loss = _loss(network, _batch(pictures, schedule, random), device)
        loss.backward()
        nn.utils.clip_grad_norm_(network.parameters(), STEEPEST)
        optimiser.step()
        rate.step()
        losses.append(float(loss.detach()))
        if step % TOLD_EVERY == 0 or step == schedule.steps:
            mean = np.mean(losses[-TOLD_EVERY:])
            report(f"sharpen x{schedule.factor}, step {step} of {schedule.steps}: loss {mean:.5f}")
    network.eval()
    return network


def judge(network: RCAN, pictures: Sequence[Photograph], device: Device) -> Worth:
    """What a network's pictures are worth beside bicubic ones, in the pictures' own radiometry."""
    found, plain = [], []
    for pixels, low, high in pictures:
        fine = (pixels / LEVELS)[None]
        coarse = coarser(fine, network.scale)
        with torch.inference_mode(), autocast(device):
            image = sharpened(network, _channels_last((coarse - low) / (high - low), device)).float().cpu()
        found.append(psnr(image * (high - low) + low, fine))
        plain.append(psnr(enlarge(coarse, network.scale), fine))
    return Worth(float(np.mean(found)), float(np.mean(plain)))


def _batch(pictures: Sequence[Photograph], schedule: SharpenSchedule, random: torch.Generator) -> tuple[Tensor, Tensor]:
    """Coarse crops and fine ones, both stretched."""
    crops, lows, highs = [], [], []
    for _ in range(schedule.batch):
        pixels, low, high = pictures[int(torch.randint(len(pictures), (1,), generator=random))]
        crops.append(random_crop(pixels, schedule.crop, random))
        lows.append(low)
        highs.append(high)
    fine, low, high = torch.stack(crops) / LEVELS, torch.stack(lows), torch.stack(highs)
    return (coarser(fine, schedule.factor) - low) / (high - low), (fine - low) / (high - low)


def _loss(network: RCAN, batch: tuple[Tensor, Tensor], device: Device) -> Tensor:
    coarse, fine = (_channels_last(part, device) for part in batch)
    with autocast(device):
        image = sharpened(network, coarse)
    return (image.float() - fine).abs().mean()


def _channels_last(pixels: Tensor, device: Device) -> Tensor:
    return pixels.to(device.device, memory_format=torch.channels_last)
