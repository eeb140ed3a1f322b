"""MNIST, and pictures made of it on the fly: translated, cluttered, in pairs, overlapping."""

import gzip
from pathlib import Path
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor

SIDE = 28


class Digits(NamedTuple):
    """Pictures (N, 28, 28) in 0..1 and classes (N,)."""

    images: Tensor
    classes: Tensor


def read_digits(folder: Path, part: str, device: torch.device, count: int) -> Digits:
    """The first `count` of "train" or "t10k"."""
    with gzip.open(folder / "mnist" / f"{part}-images-idx3-ubyte.gz") as file:
        pixels = np.frombuffer(file.read(), np.uint8, offset=16).reshape(-1, SIDE, SIDE)[:count]
    with gzip.open(folder / "mnist" / f"{part}-labels-idx1-ubyte.gz") as file:
        classes = np.frombuffer(file.read(), np.uint8, offset=8)[:count]
    images = torch.from_numpy(pixels.copy()).to(device).float() / 255
    return Digits(images, torch.from_numpy(classes.astype(np.int64)).to(device))


def draw(count: int, size: int, generator: torch.Generator) -> Tensor:
    """`size` indices below `count`, on the generator's device."""
    return torch.randint(count, (size,), generator=generator, device=generator.device)


def paste(canvas: Tensor, patches: Tensor, top: Tensor, left: Tensor) -> Tensor:
    """The canvas (B, H, W) with a patch (B, h, w) each, brighter of both, its corner at top and left (B,)."""
    batch, height, width = patches.shape
    at = torch.arange(batch, device=canvas.device)[:, None, None]
    rows = top[:, None, None] + torch.arange(height, device=canvas.device)[None, :, None]
    columns = left[:, None, None] + torch.arange(width, device=canvas.device)[None, None, :]
    pasted = canvas.clone()
    pasted[at, rows, columns] = torch.maximum(canvas[at, rows, columns], patches)
    return pasted


def anywhere(patches: Tensor, side: int, generator: torch.Generator) -> tuple[Tensor, Tensor]:
    """Corners (B,) that keep patches (B, h, w) on a canvas of `side`."""
    return tuple(draw(side - size + 1, len(patches), generator) for size in patches.shape[1:])  # type: ignore[return-value]


def translated(digits: Digits, which: Tensor, side: int, generator: torch.Generator) -> Tensor:
    """Digits anywhere on an empty canvas, (B, 1, side, side)."""
    images = digits.images[which]
    canvas = images.new_zeros(len(which), side, side)
    return paste(canvas, images, *anywhere(images, side, generator)).unsqueeze(1)


def cluttered(digits: Digits, which: Tensor, side: int, generator: torch.Generator, pieces: int = 4) -> Tensor:
    """Likewise, among `pieces` 8 x 8 scraps of other digits."""
    canvas = translated(digits, which, side, generator)[:, 0]
    for _ in range(pieces):
        others = digits.images[draw(len(digits.images), len(which), generator)]
        scraps = others.new_zeros(len(which), 8, 8)
        at = torch.arange(len(which), device=others.device)[:, None, None]
        top, left = anywhere(scraps, SIDE, generator)
        eight = torch.arange(8, device=others.device)
        scraps = others[at, top[:, None, None] + eight[None, :, None], left[:, None, None] + eight[None, None, :]]
        canvas = paste(canvas, scraps, *anywhere(scraps, side, generator))
    return canvas.unsqueeze(1)
