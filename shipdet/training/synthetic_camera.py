"""What lies between a training scene and its file: cloud and its shadow, haze, glint, the sensor, the bit depth."""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import gaussian_filter

from shipdet.training.synthetic_canvas import Array, Field
from shipdet.training.synthetic_texture import noise

SKY = np.array([190, 200, 210], dtype=np.float32)


class Weather(NamedTuple):
    """Probabilities, 0 to 1."""

    haze: float = 0.25
    cloud: float = 0.08
    glint: float = 0.12
    grey: float = 0.12
    """of a panchromatic sensor, or one that hardly tells colours"""


def veil(rng: np.random.Generator, image: Field, weather: Weather, shade: Array) -> Field:
    """Lay glint, clouds with their shadows and haze over a scene (H, W, 3), in place.

    Args:
        rng: Source of randomness.
        image: Radiance in about 0..255.
        weather: How likely is what.
        shade: (2,) where shadows fall, pixels per pixel of height.

    Returns:
        (H, W) what share of the ground clouds hide.
    """
    shape = (image.shape[0], image.shape[1])
    hidden = np.zeros(shape, np.float32)
    if rng.random() < weather.glint:
        patch = np.clip(noise(rng, shape, 300.0) + rng.uniform(-0.6, 0.8), 0, 1.5)
        sparkle = np.clip(0.5 + 0.5 * noise(rng, shape, 2.2), 0, 2)
        dark = np.clip(1.2 - image.mean(axis=2) / 110, 0, 1)
        image += (rng.uniform(8, 60) * patch * sparkle * dark)[..., None]
    if rng.random() < weather.cloud:
        hidden = np.clip(1.6 * (noise(rng, shape, 150.0) + 0.5 * noise(rng, shape, 45.0) - rng.uniform(0.6, 1.5)), 0, 1)
        away = np.round(shade / max(float(np.hypot(*shade)), 1e-9) * rng.uniform(40, 200)).astype(int)
        shadow = np.roll(gaussian_filter(hidden, 3.0), (int(away[1]), int(away[0])), axis=(0, 1))
        image *= (1 - 0.55 * shadow)[..., None]
        image += (hidden * rng.uniform(0.7, 1.0))[..., None] * (np.float32(rng.uniform(200, 250)) - image)
    if rng.random() < weather.haze:
        thin = np.clip(0.5 + 0.5 * noise(rng, shape, 160.0) + 0.2 * noise(rng, shape, 50.0), 0, 1.5)
        image += (thin * rng.uniform(0.03, 0.35))[..., None] * (SKY - image)
    return np.asarray(hidden)


def sense(rng: np.random.Generator, image: Field, weather: Weather) -> Field:
    """What the sensor makes of radiance (H, W, 3): blur, exposure, colours, noise; in about 0..255, unclipped."""
    shape = image.shape[:2]
    sigma = rng.uniform(0.35, 1.1)
    image = gaussian_filter(image, (sigma, sigma, 0))
    image *= rng.uniform(0.55, 1.25) * rng.normal(1, 0.05, 3).astype(np.float32)
    grey = image.mean(axis=2, keepdims=True)
    colourful = rng.uniform(0.0, 0.1) if rng.random() < weather.grey else rng.uniform(0.45, 1.2)
    image = grey + np.float32(colourful) * (image - grey) + np.float32(rng.normal(2, 5))
    if rng.random() < 0.3:
        sharp = np.float32(rng.uniform(0.2, 0.9))
        image += sharp * (image - gaussian_filter(image, (1.2, 1.2, 0)))
    image += np.float32(rng.uniform(0.3, 2.8)) * rng.standard_normal((*shape, 1), dtype=np.float32)
    return np.asarray(image, np.float32)


def as_uint8(image: Field) -> NDArray[np.uint8]:
    """Rounded and clipped; 0 is left for no data."""
    return np.asarray(np.clip(image + 0.5, 1, 255), np.uint8)


def as_uint16(image: Field, gain: float, offset: float) -> NDArray[np.uint16]:
    """Counts of an 11 to 14 bit sensor: `offset` + `gain` times radiance; 0 is left for no data."""
    return np.asarray(np.clip(offset + gain * image + 0.5, 1, 65535), np.uint16)
