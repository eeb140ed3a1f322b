"""What may happen to a picture without the ships in it changing."""

import math
from typing import NamedTuple

import albumentations as A
import cv2
import numpy as np
from numpy.typing import NDArray

from shipdet.raster.stretch import HIGHEST, LOWEST

Array = NDArray[np.float64]

COMPLETE, INCOMPLETE, OUTSIDE = 0, 1, 2
"""Values of the mask that travels with a picture: every ship labelled, unknown, no pixels."""


class Augmented(NamedTuple):
    """A picture, or a chip cut from one, with points in it."""

    pixels: NDArray[np.uint8]
    """(H, W, 3)"""
    mask: NDArray[np.uint8]
    """(H, W)"""
    points: Array
    """(N, 2)"""


def build_augmentation(size: int) -> A.Compose:
    """Rotation by any angle, flips, and what light, lens, sensor and JPEG do; from a square of `padded_size(size)`."""
    return A.Compose(
        [
            A.Rotate((-180, 180), p=1.0, fill=0, fill_mask=OUTSIDE, border_mode=0),
            A.CenterCrop(size, size),
            A.HorizontalFlip(p=0.5),
            A.RandomBrightnessContrast(0.25, 0.3, p=0.7),
            A.HueSaturationValue(12, 30, 0, p=0.4),
            A.RandomGamma((70, 140), p=0.3),
            A.ToGray(p=0.12),
            A.OneOf([A.GaussianBlur((3, 5)), _motion_blur(), _coarser()], p=0.25),
            A.GaussNoise((0.01, 0.05), p=0.25),
            A.ImageCompression(quality_range=(40, 95), p=0.25),
        ],
        keypoint_params=A.KeypointParams(format="xy", remove_invisible=False),
    )


def _motion_blur() -> A.MotionBlur:
    """To both sides alike: by default it moves the picture by up to two pixels, and the points not."""
    return A.MotionBlur((3, 5), allow_shifted=False, direction_range=(0.0, 0.0))


def _coarser() -> A.Downscale:
    """Averaged and interpolated: nearest pixels, the default, move the picture by up to three."""
    return A.Downscale((0.5, 0.9), interpolation_pair={"downscale": cv2.INTER_AREA, "upscale": cv2.INTER_LINEAR})


def padded_size(size: int) -> int:
    """Side of a square that covers a chip of side `size` at any rotation."""
    return math.ceil(size * math.sqrt(2))


def augment(augmentation: A.Compose, square: Augmented, seed: int) -> Augmented:
    """One draw; the same seed gives the same chip.

    Albumentations counts points from the centre of the first pixel, we from its corner.
    """
    augmentation.set_random_seed(seed)
    drawn = augmentation(image=square.pixels, mask=square.mask, keypoints=square.points - 0.5)
    return Augmented(drawn["image"], drawn["mask"], np.asarray(drawn["keypoints"], np.float64).reshape(-1, 2) + 0.5)


def cut_square(picture: Augmented, centre: Array, scale: float, side: int) -> Augmented:
    """A square of a picture around a point, scaled; what lies beyond the picture is black and `OUTSIDE`.

    Args:
        picture: any size.
        centre: (2,) in the picture's pixels.
        scale: chip pixels per picture pixel.
        side: of the result.
    """
    height, width = picture.mask.shape
    span = round(side / scale)
    x0, y0 = (round(float(c) - span / 2) for c in centre)
    pixels, mask = np.zeros((span, span, 3), np.uint8), np.full((span, span), OUTSIDE, np.uint8)
    left, top, right, bottom = max(x0, 0), max(y0, 0), min(x0 + span, width), min(y0 + span, height)
    if left < right and top < bottom:
        there = np.s_[top - y0 : bottom - y0, left - x0 : right - x0]
        pixels[there], mask[there] = picture.pixels[top:bottom, left:right], picture.mask[top:bottom, left:right]
    finer = cv2.INTER_AREA if side < span else cv2.INTER_LINEAR
    return Augmented(
        np.asarray(cv2.resize(pixels, (side, side), interpolation=finer), np.uint8),
        np.asarray(cv2.resize(mask, (side, side), interpolation=cv2.INTER_NEAREST), np.uint8),
        (picture.points - (x0, y0)) * (side / span),
    )


def relit(pixels: NDArray[np.float32], random: np.random.Generator) -> NDArray[np.float32]:
    """Stretched pixels (H, W, 3) in another light, seen by another sensor."""
    if random.random() < 0.15:
        pixels = np.repeat(pixels.mean(axis=2, keepdims=True), 3, axis=2)
    if random.random() < 0.2:
        pixels = np.asarray(cv2.GaussianBlur(pixels, (3, 3), float(random.uniform(0.3, 0.9))), np.float32)
    gain = np.exp(random.normal(0, 0.25)) * np.exp(random.normal(0, 0.05, 3))
    shift = random.normal(0, 0.1) + random.normal(0, 0.03, 3)
    noise = random.standard_normal(pixels.shape, dtype=np.float32) * np.float32(random.uniform(0, 0.03))
    lit = (pixels - pixels.mean()) * gain + pixels.mean() + shift
    return np.asarray(np.clip(lit + noise, LOWEST, HIGHEST), np.float32)
