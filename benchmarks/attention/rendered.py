"""Rendered scenes of a few ships whose type, place, heading and state are known, from the synthetic harbours' parts."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw

from shipdet.training.synthetic_canvas import Array, Canvas
from shipdet.training.synthetic_fittings import draw_ship
from shipdet.training.synthetic_fleet import CLASSES, Hull, Ship, draw_wake
from shipdet.training.synthetic_texture import compose, photograph

HAZE = 0.25


def make_ship(rng: np.random.Generator, kind: str, middle: Array, heading_deg: float, length: float) -> Ship:
    """A ship at rest; headings clockwise from up."""
    angle = np.radians(heading_deg)
    half = np.array([np.sin(angle), -np.cos(angle)]) * length / 2
    beam = length / rng.uniform(*CLASSES[kind].slenderness)
    return Ship(middle + half, middle - half, beam, kind, style=int(rng.integers(2**31)))


def render(
    rng: np.random.Generator, side: int, ships: Sequence[Ship], land: Sequence[Array], reduce: int
) -> NDArray[np.uint8]:
    """A square scene of `side` metres at `reduce` metres a pixel, (side / reduce, side / reduce, 3)."""
    sun = rng.uniform(0, 2 * np.pi)
    canvas = Canvas(side, side, np.array([np.cos(sun), np.sin(sun)]) / np.tan(np.radians(rng.uniform(30, 65))))
    for polygon in land:
        canvas.lay_ground(polygon)
    for ship in ships:
        draw_wake(canvas, ship, rng)
        draw_ship(canvas, ship)
    pixels = photograph(rng, compose(rng, canvas.layers()), HAZE)
    return np.asarray(Image.fromarray(pixels).reduce(reduce))


def hull_mask(ship: Ship, side: int, reduce: int) -> NDArray[np.bool_]:
    """(side / reduce, side / reduce) pixels that are at least half hull."""
    image = Image.new("L", (side, side))
    outline = Hull(Canvas(8, 8, np.zeros(2)), ship).outline(0.0)
    ImageDraw.Draw(image).polygon([(float(x), float(y)) for x, y in outline], fill=255)
    return np.asarray(image.reduce(reduce)) >= 128
