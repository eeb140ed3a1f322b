"""Chips of single ships, whose type alone is known, laid side by side as pictures to learn types from."""

from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from shipdet.errors import LabelsError
from shipdet.labels.types import SHIP_TYPES, Labels, Ship
from shipdet.training.augmentation import INCOMPLETE, OUTSIDE
from shipdet.training.pictures import Picture, as_picture

SIDE = 768
MOST_WIDTH, MOST_HEIGHT = 128, 384
"""Larger chips are shrunk."""


def load_type_mosaics(folder: Path, seed: int) -> list[Picture]:
    """Mosaics of the chips in `folder/TYPE/*`, TYPE being one of `SHIP_TYPES`.

    A ship is taken to lie along its chip's middle, bow up or down. It teaches its type and
    nothing else: its ends are known to no pixel and its surroundings not at all.

    Raises:
        LabelsError: no such chips.
    """
    chips = [(kind, path) for kind in SHIP_TYPES for path in sorted((folder / kind).glob("*.jpg"))]
    if not chips:
        raise LabelsError(f"no chips in {folder}: expected JPEGs in folders named {', '.join(SHIP_TYPES)}")
    order = np.random.default_rng(seed).permutation(len(chips))
    mosaics, open_one = [], _Mosaic()
    for number in order:
        kind, path = chips[number]
        with Image.open(path) as image:
            image.thumbnail((MOST_WIDTH, MOST_HEIGHT))
            pixels = np.asarray(image.convert("RGB"))
        if not open_one.takes(pixels):
            mosaics.append(open_one)
            open_one = _Mosaic()
        open_one.add(pixels, kind)
    return [mosaic.picture(f"types {number}") for number, mosaic in enumerate([*mosaics, open_one])]


class _Mosaic:
    """Chips in rows, from the top left."""

    def __init__(self) -> None:
        self.pixels: NDArray[np.uint8] = np.zeros((SIDE, SIDE, 3), np.uint8)
        self.mask: NDArray[np.uint8] = np.full((SIDE, SIDE), OUTSIDE, np.uint8)
        self.ships: list[Ship] = []
        self.x = self.y = self.row = 0

    def takes(self, chip: NDArray[np.uint8]) -> bool:
        """Whether a chip still fits, in this row or the next."""
        height, width = chip.shape[:2]
        if self.x + width > SIDE:
            self.x, self.y, self.row = 0, self.y + self.row, 0
        return bool(self.y + height <= SIDE)

    def add(self, chip: NDArray[np.uint8], kind: str) -> None:
        """Lays down a chip that fits."""
        height, width = chip.shape[:2]
        here = np.s_[self.y : self.y + height, self.x : self.x + width]
        self.pixels[here], self.mask[here] = chip, INCOMPLETE
        middle, beam = self.x + width / 2, 0.5 * width
        top, bottom = self.y + 0.1 * height, self.y + 0.9 * height
        self.ships.append(Ship((middle, top), (middle, bottom), beam, bow_known=False, difficult=True, type=kind))
        self.x, self.row = self.x + width, max(self.row, height)

    def picture(self, name: str) -> Picture:
        """The mosaic as a picture: it teaches nothing but types."""
        labels = Labels.of_rows(self.ships, [], complete=True)
        return as_picture(name, self.pixels, labels)._replace(mask=self.mask)
