"""Sea, bare land and the camera of a synthetic harbour: everything that is noise rather than shape."""

import numpy as np
from numpy.typing import NDArray
from PIL import Image
from scipy.ndimage import gaussian_filter

from shipdet.training.synthetic_canvas import Field, Layers

SEA = np.array(
    [[12, 34, 58], [22, 58, 62], [28, 70, 66], [40, 62, 52], [58, 70, 72], [18, 22, 40], [30, 34, 30], [60, 92, 98]],
    dtype=np.float32,
)
GROUND = np.array(
    [[150, 142, 126], [118, 116, 110], [78, 92, 60], [96, 86, 68], [136, 118, 94], [54, 70, 44], [172, 166, 152]],
    dtype=np.float32,
)


def noise(rng: np.random.Generator, shape: tuple[int, int], scale: float) -> Field:
    """Smooth noise (H, W) of unit variance or a little less, with features of about `scale` pixels."""
    height, width = shape
    rows, columns = int(height / scale) + 3, int(width / scale) + 3
    coarse = Image.fromarray(rng.standard_normal((rows, columns), dtype=np.float32))
    x, y = rng.uniform(0, 1, 2)
    box = (x, y, x + width / scale, y + height / scale)
    return np.array(coarse.resize((width, height), Image.Resampling.BICUBIC, box=box), dtype=np.float32)


def sea(rng: np.random.Generator, shape: tuple[int, int]) -> Field:
    """Open water (H, W, 3): a colour, slow drifts of it, swell, ripples, and at times sun glint."""
    base = SEA[rng.integers(len(SEA))] * rng.uniform(0.6, 1.25) + rng.uniform(-3, 3, 3).astype(np.float32)
    tint = rng.normal(0, 1, 3).astype(np.float32)
    roughness = float(rng.gamma(1.5, 0.9))
    drift = noise(rng, shape, 220.0) + 0.5 * noise(rng, shape, 70.0)
    ripples = 0.6 * noise(rng, shape, 3.0) + 0.5 * noise(rng, shape, 7.0) + 0.4 * _swell(rng, shape)
    patches = np.clip(1 + 0.5 * noise(rng, shape, 110.0), 0, 2)
    level = roughness * (1.6 * ripples * patches + 0.8 * rng.standard_normal(shape, dtype=np.float32))
    if rng.random() < 0.2:
        level += 22 * np.clip(noise(rng, shape, 2.0) - 1.3 + 0.4 * drift, 0, 1)
    return np.asarray(base + drift[..., None] * (2.5 + 0.7 * tint) + level[..., None], dtype=np.float32)


def _swell(rng: np.random.Generator, shape: tuple[int, int]) -> Field:
    """Two wave trains, bent by slow noise so that their crests are not ruled lines."""
    rows, columns = np.ogrid[: shape[0], : shape[1]]
    total = np.zeros(shape, dtype=np.float32)
    direction = rng.uniform(0, 2 * np.pi)
    bend = 2.2 * noise(rng, shape, 60.0)
    for wavelength in rng.uniform(6, 26, 2):
        angle, k = direction + rng.normal(0, 0.4), 2 * np.pi / wavelength
        total += np.sin((columns * (k * np.cos(angle)) + rows * (k * np.sin(angle))).astype(np.float32) + bend)
    return total


def land(rng: np.random.Generator, shape: tuple[int, int]) -> Field:
    """Bare ground (H, W, 3): patches of three materials with grain."""
    a, b, c = GROUND[rng.choice(len(GROUND), 3, replace=False)]
    broad = np.clip(0.5 + 1.6 * noise(rng, shape, 70.0) + 0.3 * noise(rng, shape, 14.0), 0, 1)[..., None]
    spots = np.clip(2 * noise(rng, shape, 24.0) + noise(rng, shape, 6.0) - 1, 0, 1)[..., None]
    ground = (a + (b - a) * broad) * (1 - spots) + c * spots
    return np.asarray(ground * (1 + 0.09 * noise(rng, shape, 2.2) + 0.05 * noise(rng, shape, 9.0))[..., None])


def compose(rng: np.random.Generator, layers: Layers) -> Field:
    """Water, foam, ground and painted things together (H, W, 3), in 0..255 before the camera."""
    shape = layers.cover.shape[:2]
    water = sea(rng, shape)
    shallow = gaussian_filter(layers.ground[::8, ::8, 0], 4.0)
    shore = np.asarray(Image.fromarray(shallow).resize((shape[1], shape[0]), Image.Resampling.BILINEAR))[..., None]
    water += shore * rng.uniform(-6, 22) * np.array([0.7, 1.0, 0.8], dtype=np.float32)
    foam = gaussian_filter(layers.foam[..., 0], 1.3) if layers.foam.any() else layers.foam[..., 0]
    foam = np.clip(foam * (0.8 + 0.3 * noise(rng, shape, 1.7) + 0.35 * noise(rng, shape, 13.0)), 0, 1)[..., None]
    water += foam * (np.array([205, 214, 212], dtype=np.float32) - water) * 0.8
    # Water takes only half of a shadow: much of what is seen of it is sky reflected, which the shadow does not dim.
    water *= 0.45 + 0.55 * layers.light
    solid = (land(rng, shape) * (layers.ground * (1 - layers.cover)) + layers.colour) * layers.light
    solid *= (1 + 0.06 * noise(rng, shape, 1.6) + 0.06 * noise(rng, shape, 5.0))[..., None]
    return np.asarray(water * ((1 - layers.ground) * (1 - layers.cover)) + solid, dtype=np.float32)


def photograph(rng: np.random.Generator, radiance: Field, haze: float) -> NDArray[np.uint8]:
    """What the camera makes of the scene (H, W, 3): blur, haze, colour cast, contrast, noise."""
    shape = radiance.shape[:2]
    sigma = rng.uniform(0.35, 0.85)
    image = gaussian_filter(radiance, (sigma, sigma, 0))
    if rng.random() < haze:
        veil = np.clip(0.5 + 0.5 * noise(rng, shape, 160.0) + 0.2 * noise(rng, shape, 50.0), 0, 1.5)[..., None]
        image += veil * rng.uniform(0.03, 0.3) * (np.array([190, 200, 210], dtype=np.float32) - image)
    image *= rng.uniform(0.75, 1.2) * rng.normal(1, 0.05, 3).astype(np.float32)
    grey = image.mean(axis=2, keepdims=True)
    image = grey + rng.uniform(0.5, 1.1) * (image - grey) + rng.normal(2, 5)
    image += rng.uniform(0.3, 2.5) * rng.standard_normal((*shape, 1), dtype=np.float32)
    return np.asarray(np.clip(image + 0.5, 0, 255), dtype=np.uint8)
