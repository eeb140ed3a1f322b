"""What a synthetic harbour is painted on: flat shapes, and blocks that cast their shadow where the sun is not.

Shapes are drawn at `SUPERSAMPLING` times the resolution and averaged down, so that edges at any angle are smooth and
a shape's place is exact to a fraction of a pixel.
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw

Array = NDArray[np.float64]
Field = NDArray[np.float32]
Colour = tuple[float, float, float]

SUPERSAMPLING = 3
SHADOW = 0.42
"""Light that is left in a shadow: the sky's share."""


class Layers(NamedTuple):
    """A painted canvas at the scene's resolution; colours in 0..255, the rest in 0..1."""

    colour: Field
    """(H, W, 3), premultiplied by `cover`"""
    cover: Field
    """(H, W, 1) share of a pixel that painted things hide"""
    light: Field
    """(H, W, 1)"""
    ground: Field
    """(H, W, 1) share of a pixel that is land"""
    foam: Field
    """(H, W, 1)"""


def darker(colour: Colour, factor: float) -> Colour:
    """A colour times a factor (above 1: brighter)."""
    return (colour[0] * factor, colour[1] * factor, colour[2] * factor)


class Canvas:
    """Layers under construction. Coordinates are metres from the top-left corner; polygons are (K, 2).

    Args:
        height: Rows.
        width: Columns.
        shade: (2,) where a point one metre high casts its shadow, in metres from its foot.
        gsd_m: Metres a pixel.
    """

    def __init__(self, height: int, width: int, shade: Array, gsd_m: float = 1.0) -> None:
        big = (width * SUPERSAMPLING, height * SUPERSAMPLING)
        self.height, self.width, self.shade, self.gsd_m = height * gsd_m, width * gsd_m, shade, gsd_m
        self._fine = SUPERSAMPLING / gsd_m
        self._images = (Image.new("RGB", big), Image.new("L", big), Image.new("L", big, 255), Image.new("L", big))
        self._colour, self._cover, self._light, self._ground = (ImageDraw.Draw(image) for image in self._images)
        self._foam_image = Image.new("L", (width, height))
        self._foam = ImageDraw.Draw(self._foam_image)

    def fill(self, polygon: Array, colour: Colour) -> None:
        """Paint a sunlit flat shape over whatever is there."""
        points = _flat(polygon * self._fine)
        self._colour.polygon(points, fill=_bytes(colour))
        self._cover.polygon(points, fill=255)
        self._light.polygon(points, fill=255)

    def disc(self, centre: Array, radius: float, colour: Colour) -> None:
        """Paint a sunlit disc."""
        (x, y), r = centre * self._fine, radius * self._fine
        box = (float(x - r), float(y - r), float(x + r), float(y + r))
        self._colour.ellipse(box, fill=_bytes(colour))
        self._cover.ellipse(box, fill=255)
        self._light.ellipse(box, fill=255)

    def line(self, points: Array, colour: Colour, width: float) -> None:
        """Paint a sunlit polyline, `width` metres wide."""
        flat, thick = _flat(points * self._fine), max(1, round(width * self._fine))
        self._colour.line(flat, fill=_bytes(colour), width=thick)
        self._cover.line(flat, fill=255, width=thick)

    def cast(self, polygon: Array, height_m: float) -> None:
        """Darken what an upright prism over `polygon` keeps from the sun (its own top is to be painted after)."""
        level = round(255 * SHADOW)
        near, far = polygon * self._fine, (polygon + self.shade * height_m) * self._fine
        self._light.polygon(_flat(far), fill=level)
        after = [*range(1, len(near)), 0]
        for side in np.stack([near, near[after], far[after], far], axis=1):
            self._light.polygon(_flat(side), fill=level)

    def block(self, polygon: Array, colour: Colour, height_m: float) -> None:
        """Paint the top of a prism and its shadow."""
        self.cast(polygon, height_m)
        self.fill(polygon, colour)

    def lay_ground(self, polygon: Array) -> None:
        """Make sunlit land."""
        self._ground.polygon(_flat(polygon * self._fine), fill=255)
        self._light.polygon(_flat(polygon * self._fine), fill=255)

    def add_foam(self, polygon: Array, strength: float) -> None:
        """Whiten the sea; `strength` in 0..1."""
        self._foam.polygon(_flat(polygon / self.gsd_m), fill=round(255 * strength))

    def layers(self) -> Layers:
        """Average everything down to scene pixels."""
        colour, cover, light, ground = (np.asarray(i.reduce(SUPERSAMPLING), dtype=np.float32) for i in self._images)
        foam = np.asarray(self._foam_image, dtype=np.float32)
        return Layers(colour, *(layer[..., None] / np.float32(255) for layer in (cover, light, ground, foam)))


def _flat(points: Array) -> list[float]:
    """Points for PIL, which rounds down and includes the edge: true in place, half a small pixel too wide a side."""
    flat: list[float] = points.ravel().tolist()
    return flat


def _bytes(colour: Colour) -> tuple[int, int, int]:
    red, green, blue = (min(255, max(0, round(value))) for value in colour)
    return red, green, blue
