"""Synthetic harbours: pictures like those of a 1 m optical satellite, with every bow and stern known.

They teach a network what is rare in labelled imagery (rafts at any angle, all types of ship, wakes) and stand in for
imagery that may not be passed on.
"""

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from shipdet.training.synthetic_canvas import Array, Canvas
from shipdet.training.synthetic_fittings import draw_ship
from shipdet.training.synthetic_fleet import CLASSES, draw_wake
from shipdet.training.synthetic_mooring import fill_port
from shipdet.training.synthetic_port import open_sea, plan_port
from shipdet.training.synthetic_texture import compose, photograph
from shipdet.training.synthetic_town import build_town, raise_cranes

SAMPLE_SEED = 20170727
"""The seed of the scene in data_samples/. Training must never use it: the sample would not test anything then."""


class Rendered(NamedTuple):
    """A rendered scene of one metre a pixel and its ships, in pixels from the top-left corner."""

    pixels: NDArray[np.uint8]
    """(H, W, 3) RGB"""
    bow: Array
    """(N, 2)"""
    stern: Array
    """(N, 2)"""
    beam: Array
    """(N,)"""
    type: tuple[str, ...]


@dataclass(frozen=True)
class HarbourOptions:
    """What to render; probabilities and shares are 0 to 1."""

    open_sea: float = 0.15
    """probability that there is no land"""
    navy: float = 0.6
    """probability that a harbour's ships are mostly warships"""
    crowding: tuple[float, float] = (0.35, 0.95)
    """how full the berths are, drawn between these"""
    marinas: float = 0.12
    """share of the shore that is left to yachts"""
    haze: float = 0.25
    """probability of haze or thin cloud"""


DEFAULT_OPTIONS = HarbourOptions()


def render_harbour(
    rng: np.random.Generator, size: int | tuple[int, int], options: HarbourOptions = DEFAULT_OPTIONS
) -> Rendered:
    """Render one harbour, or at times open sea. The same generator state gives the same pixels.

    Every ship lies whole within the scene, on water, and touches no other.

    Args:
        rng: Source of all randomness; it is advanced.
        size: (height, width), or one number for a square.
        options: What to render.
    """
    shape = (size, size) if isinstance(size, int) else size
    port = open_sea(shape) if rng.random() < options.open_sea else plan_port(rng, shape, options.marinas)
    ships = fill_port(rng, port, shape, rng.uniform(*options.crowding), options.navy)
    sun = rng.uniform(0, 2 * np.pi)
    shade = np.array([np.cos(sun), np.sin(sun)]) / np.tan(np.radians(rng.uniform(28, 68)))
    canvas = Canvas(*shape, shade)
    build_town(canvas, port, rng)
    # The lowest first, so that the shadow of a high ship falls on the low one beside it.
    for ship in sorted(ships, key=lambda s: CLASSES[s.type].freeboard_m):
        draw_wake(canvas, ship, rng)
        draw_ship(canvas, ship)
    raise_cranes(canvas, port, rng)
    pixels = photograph(rng, compose(rng, canvas.layers()), options.haze)
    bow = np.array([ship.bow for ship in ships]).reshape(-1, 2)
    stern = np.array([ship.stern for ship in ships]).reshape(-1, 2)
    return Rendered(pixels, bow, stern, np.array([ship.beam for ship in ships]), tuple(ship.type for ship in ships))
