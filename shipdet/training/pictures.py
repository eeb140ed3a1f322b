"""Pictures to learn from: imagery with its labels, held in memory as the network will see it."""

import warnings
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple

import cv2
import numpy as np
import rasterio
import shapely
from numpy.typing import NDArray
from PIL import Image
from rasterio.errors import NotGeoreferencedWarning

from shipdet.geometry import Hulls
from shipdet.labels.folders import Folder, LabelledPicture, read_folder
from shipdet.labels.types import Labels
from shipdet.raster.reader import FILL
from shipdet.raster.stretch import HIGHEST, LOWEST, apply, stretch_of
from shipdet.raster.validity import valid_pixels
from shipdet.training.augmentation import COMPLETE, INCOMPLETE, Augmented, cut_square
from shipdet.training.self_training import completed
from shipdet.training.synthetic import render_harbour
from shipdet.training.synthetic_scenes import SceneOptions, render_scene
from shipdet.training.targets import BEAM_OF_LENGTH, Array

KNOWN_MARGIN = 12.0
"""Pixels around a labelled ship that count as known in an incompletely labelled picture."""


Find = Callable[[Path], Hulls]
"""Ships in a picture file, by a trained model."""


class Cut(NamedTuple):
    """A square of a picture, and the labels that its points are of."""

    square: Augmented
    """`points` are the bows, then the sterns, in the square's pixels"""
    labels: Labels
    """in the picture's pixels"""


class Picture(NamedTuple):
    """One picture; `pixels` are stretched values coded to 8 bit, see `encode`."""

    name: str
    pixels: NDArray[np.uint8]
    """(H, W, 3)"""
    mask: NDArray[np.uint8]
    """(H, W) `COMPLETE` or `INCOMPLETE`"""
    labels: Labels

    def cut(self, centre: Array, scale: float, side: int) -> Cut:
        """A square around a place in the picture, `scale` square pixels a picture pixel."""
        points = np.concatenate([self.labels.bow, self.labels.stern])
        return Cut(cut_square(Augmented(self.pixels, self.mask, points), centre, scale, side), self.labels)

    def anywhere(self, rng: np.random.Generator) -> Array:
        """A place (2,) in the picture."""
        height, width = self.mask.shape
        return rng.uniform((0, 0), (width, height))


def encode(stretched: NDArray[np.float32]) -> NDArray[np.uint8]:
    """Stretched values, as `raster.stretch` gives them, to 8 bit."""
    return np.asarray(np.round((stretched - LOWEST) * (255 / (HIGHEST - LOWEST))), np.uint8)


def decode(pixels: NDArray[np.uint8]) -> NDArray[np.float32]:
    """The inverse of `encode`."""
    return np.asarray(pixels * np.float32((HIGHEST - LOWEST) / 255) + np.float32(LOWEST), np.float32)


def load_pictures(folder: Folder, find: Find | None = None) -> list[Picture]:
    """The training split of a folder.

    Args:
        folder: of labelled pictures.
        find: the ships that an earlier model sees in a picture; completes what is incompletely labelled.

    Raises:
        LabelsError: as `labels.folders.read_folder`.
    """
    pictures = []
    for path, labels in read_folder(folder, "train"):
        known = labels if find is None or labels.complete else completed(labels, find(path))
        with Image.open(path) as image:
            pictures.append(as_picture(f"{folder.name} {path.stem}", np.asarray(image.convert("RGB")), known))
    return pictures


def render_harbours(count: int, size: int, seed: int) -> list[Picture]:
    """Synthetic scenes with exact labels; every third is a busy harbour close up, some others are of 16 bit."""
    drawn = (_draw(number, size, seed) for number in range(count))
    return [as_picture(f"synthetic {number}", pixels, labels) for number, (pixels, labels) in enumerate(drawn)]


def render_pictures(count: int, size: int, options: SceneOptions, seed: int) -> Iterator[Picture]:
    """Synthetic scenes of one kind with exact labels, drawn as they are asked for."""
    for number in range(count):
        pixels, labels = _drawn(np.random.default_rng([seed, number]), size, options)
        yield as_picture(f"synthetic {number}", pixels, labels)


def save_harbours(folder: Path, count: int, size: int, seed: int) -> list[LabelledPicture]:
    """Synthetic scenes as `render_harbours` draws them, as picture files."""
    saved = []
    for number in range(count):
        pixels, labels = _draw(number, size, seed)
        path = folder / f"{number}.tif"
        profile = {"driver": "GTiff", "width": size, "height": size, "count": 3, "dtype": pixels.dtype}
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", NotGeoreferencedWarning)  # they lie nowhere
            with rasterio.open(path, "w", **profile) as file:
                file.write(pixels.transpose(2, 0, 1))
        saved.append(LabelledPicture(path, labels))
    return saved


def _draw(number: int, size: int, seed: int) -> tuple[NDArray[np.uint8] | NDArray[np.uint16], Labels]:
    rng = np.random.default_rng([seed, number])
    if number % 3 == 2:
        close = render_harbour(rng, size)
        sure = np.ones(len(close.beam), bool)
        ships = (close.bow, close.stern, close.beam, sure, ~sure, close.type)
        return close.pixels, Labels(*ships, np.zeros((0, 4)), complete=True)
    return _drawn(rng, size, SceneOptions(bits=16 if number % 4 == 3 else 8))


def _drawn(
    rng: np.random.Generator, size: int, options: SceneOptions
) -> tuple[NDArray[np.uint8] | NDArray[np.uint16], Labels]:
    drawn = render_scene(rng, size, options)
    ships = (drawn.bow, drawn.stern, drawn.beam, drawn.bow_known, drawn.hidden, drawn.type)
    return drawn.pixels, Labels(*ships, np.zeros((0, 4)), complete=True)


def as_picture(name: str, pixels: NDArray[np.uint8] | NDArray[np.uint16], labels: Labels) -> Picture:
    """A picture (H, W, 3) stretched as a scene would be."""
    bands = np.ascontiguousarray(pixels.transpose(2, 0, 1))
    valid = valid_pixels(bands)
    stretched = apply(stretch_of(bands, valid), bands)
    stretched[:, ~valid] = FILL
    coded = np.ascontiguousarray(encode(stretched).transpose(1, 2, 0))
    return Picture(name, coded, known_mask(labels, pixels.shape[:2]), labels)


def known_mask(labels: Labels, shape: tuple[int, ...]) -> NDArray[np.uint8]:
    """Where every ship is labelled (H, W): everywhere, in the regions, or near what is labelled; never in `ignore`."""
    mask = _complete_mask(labels, shape)
    for area in labels.ignore:
        for part in shapely.get_parts(area):
            rings = [part.exterior, *part.interiors]  # together, so that the holes stay known
            corners = [np.round(shapely.get_coordinates(ring)).astype(np.int32) for ring in rings]
            cv2.fillPoly(mask, corners, INCOMPLETE)
    return mask


def _complete_mask(labels: Labels, shape: tuple[int, ...]) -> NDArray[np.uint8]:
    if labels.complete and not len(labels.regions):
        return np.full(shape, COMPLETE, np.uint8)
    mask = np.full(shape, INCOMPLETE, np.uint8)
    for x0, y0, x1, y1 in np.round(labels.regions).astype(int):
        mask[max(y0, 0) : y1, max(x0, 0) : x1] = COMPLETE
    if labels.complete:
        return mask
    y, x = np.mgrid[: shape[0], : shape[1]] + 0.5
    for bow, stern, length in zip(labels.bow, labels.stern, labels.length, strict=True):
        axis = (bow - stern) / max(length, 1e-9)
        along = np.clip((x - stern[0]) * axis[0] + (y - stern[1]) * axis[1], 0, length)
        away = np.hypot(x - stern[0] - along * axis[0], y - stern[1] - along * axis[1])
        mask[away < BEAM_OF_LENGTH * length / 2 + KNOWN_MARGIN] = COMPLETE
    return mask
