"""Chips of single ships by type, split by a fixed hash with near-duplicates kept on one side."""

import hashlib
from pathlib import Path
from typing import NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image
from torch import Tensor

HEIGHT, WIDTH = 256, 64
SAME = 6
"""Two chips whose 64-bit difference hashes differ in no more bits than this are near-duplicates."""
TEST_EVERY = 5


class Chips(NamedTuple):
    """(N, 3, 256, 64) about zero, and classes (N,)."""

    images: Tensor
    classes: Tensor


class Split(NamedTuple):
    """Chips to learn from and to be judged on."""

    learn: Chips
    test: Chips
    groups: int
    """of near-duplicates, single chips counted"""


def read_chips(folder: Path, device: torch.device) -> Split:
    """All chips under `ship_types/`, one folder a type."""
    paths = sorted((folder / "ship_types").glob("*/*.jpg"))
    kinds = sorted({path.parent.name for path in paths})
    pixels = np.stack([_read(path) for path in paths])
    classes = np.array([kinds.index(path.parent.name) for path in paths])
    group = near_duplicates(pixels)
    names = [f"{path.parent.name}/{path.name}" for path in paths]
    test = np.array([_drawn(min(n for n, g in zip(names, group, strict=True) if g == mine)) for mine in group])
    images = torch.from_numpy(pixels).permute(0, 3, 1, 2)

    def part(which: NDArray[np.bool_]) -> Chips:
        chosen = images[torch.from_numpy(which)].to(device).float() / 64 - 2
        return Chips(chosen, torch.from_numpy(classes[which]).to(device))

    return Split(part(~test), part(test), len(set(group.tolist())))


def near_duplicates(pixels: NDArray[np.uint8]) -> NDArray[np.int64]:
    """(N,) number of the group of each picture (N, H, W, 3), also where one is another turned by 180 degrees."""
    upright, turned = _bits(pixels), _bits(pixels[:, ::-1, ::-1])
    same = (_apart(upright, upright) <= SAME) | (_apart(upright, turned) <= SAME)
    group = np.arange(len(pixels))
    while True:
        least = np.where(same | same.T, group[None, :], len(group)).min(axis=1)
        if (least == group).all():
            return group
        group = least


def _read(path: Path) -> NDArray[np.uint8]:
    with Image.open(path) as image:
        return np.asarray(image.convert("RGB").resize((WIDTH, HEIGHT), Image.Resampling.BILINEAR))


def _bits(pixels: NDArray[np.uint8]) -> NDArray[np.float32]:
    """Difference hashes (N, 64) of 0 and 1."""
    small = [np.asarray(Image.fromarray(np.ascontiguousarray(p)).convert("L").resize((8, 9))) for p in pixels]
    grey = np.stack(small).astype(np.int16)
    return (np.diff(grey, axis=1) > 0).reshape(len(pixels), -1).astype(np.float32)


def _apart(a: NDArray[np.float32], b: NDArray[np.float32]) -> NDArray[np.float32]:
    """Bits (N, M) in which hashes differ."""
    return np.asarray(a @ (1 - b).T + (1 - a) @ b.T)


def _drawn(name: str) -> bool:
    return int(hashlib.sha256(name.encode()).hexdigest(), 16) % TEST_EVERY == 0
