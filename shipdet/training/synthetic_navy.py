"""Decks of carriers, small warships and black submarines of a synthetic harbour."""

import numpy as np

from shipdet.training.synthetic_canvas import Colour, darker
from shipdet.training.synthetic_decks import WHITE, clutter, grey, helipad
from shipdet.training.synthetic_fleet import Hull, lay_hull

FLIGHT_DECK = np.array([
    [0.0, -0.28], [0.1, -0.4], [0.15, -0.5], [0.56, -0.5], [0.68, -0.3], [0.97, -0.2], [1.0, -0.1],
    [1.0, 0.1], [0.97, 0.22], [0.78, 0.3], [0.7, 0.46], [0.6, 0.5], [0.25, 0.5], [0.12, 0.4], [0.0, 0.3],
])  # fmt: skip
"""Corners (t, v): the angled deck to port, the sponsons and the island's side to starboard."""


def _aircraft(hull: Hull, rng: np.random.Generator, t: tuple[float, float], v: tuple[float, float]) -> None:
    """A parked row, all at the same slant."""
    tone, slant = grey(rng, 120, 200), rng.uniform(-0.6, 0.6)
    size = np.array([16 / hull.length, 12 / hull.beam])
    for at in np.arange(t[0], t[1], 1.15 * size[0] * rng.uniform(0.8, 1.4)):
        if rng.random() < 0.25:
            continue
        body = np.array([[-0.5, -0.08], [0.5, 0.0], [-0.5, 0.08]])
        wing = np.array([[-0.25, -0.5], [0.2, 0.0], [-0.25, 0.5]])
        where = np.array([at, rng.uniform(*v)])
        for part in (body, wing):
            turned = part + slant * part[:, ::-1] * (1, -1)
            hull.shape(where + turned * size, tone, 1.5)


def _island(hull: Hull, rng: np.random.Generator, steel: Colour, v: float) -> None:
    start = rng.uniform(0.3, 0.52)
    stop = start + rng.uniform(0.07, 0.2)
    hull.box((start, stop), (v - 0.06, v + 0.08), darker(steel, rng.uniform(0.9, 1.4)), 16)
    hull.box((start + 0.02, stop - 0.03), (v - 0.03, v + 0.05), darker(steel, 1.5), 24)
    hull.mast((start + stop) / 2, 40, steel, v)


def furnish_carrier(hull: Hull, rng: np.random.Generator) -> None:
    """A flight deck with its angled part to port, the island to starboard, aircraft along the edges."""
    steel = grey(rng, 70, 150)
    hull.canvas.cast(hull.at(FLIGHT_DECK[:, 0], FLIGHT_DECK[:, 1] * 0.9), 16)
    hull.shape(FLIGHT_DECK, darker(steel, rng.uniform(0.55, 0.9)))
    hull.shape(FLIGHT_DECK * (0.985, 0.95) + (0.008, 0), steel)
    paint = darker(WHITE, rng.uniform(0.6, 1.05))
    for off in (-0.1, 0.0, 0.1) if rng.random() < 0.8 else (0.0,):
        hull.stripe((0.02, 0.66), (0.1 + off, -0.38 + off), paint, 1.0)
    for v in (-0.1, 0.08):
        hull.stripe((0.66, 0.97), (v, v * 0.9), darker(steel, rng.uniform(0.6, 1.4)), 1.5)
    for t in rng.uniform(0.15, 0.75, 3):
        hull.box((t, t + 18 / hull.length), (0.33, 0.45) if t < 0.62 else (0.15, 0.26), darker(steel, 0.75))
    _island(hull, rng, steel, 0.38)
    if rng.random() < 0.75:
        _aircraft(hull, rng, (0.05, 0.3), (0.2, 0.34))
        _aircraft(hull, rng, (0.66, 0.9), (0.08, 0.2))
    clutter(hull, rng, (0.05, 0.95), 12, steel)


def furnish_assault(hull: Hull, rng: np.random.Generator) -> None:
    """A straight flight deck from stem to stern, the island to starboard, spots for helicopters to port."""
    steel = grey(rng, 70, 150)
    lay_hull(hull, rng, 14, darker(steel, rng.uniform(0.7, 1.1)), steel)
    for t in np.linspace(0.06, 0.86, int(rng.integers(5, 10))):
        if rng.random() < 0.8:
            helipad(hull, rng, (t, t + 0.07), steel)
    hull.stripe((0.03, 0.95), (-0.2, -0.2), darker(WHITE, rng.uniform(0.6, 1.0)), 0.8)
    hull.box((0.1, 0.1 + 16 / hull.length), (0.28, 0.44), darker(steel, 0.75))
    _island(hull, rng, steel, 0.33)
    if rng.random() < 0.5:
        _aircraft(hull, rng, (0.1, 0.4), (-0.05, 0.15))
    clutter(hull, rng, (0.05, 0.9), 10, steel)


def furnish_corvette(hull: Hull, rng: np.random.Generator) -> None:
    """A small warship: a gun forward, one deckhouse with a mast, missiles, a rope deck or boat ramp aft."""
    steel = grey(rng, 70, 190)
    lay_hull(hull, rng, 4, steel, darker(steel, rng.uniform(0.6, 1.05)))
    light, start, stop = darker(steel, rng.uniform(1.0, 1.4)), rng.uniform(0.2, 0.38), rng.uniform(0.58, 0.7)
    hull.box((start, stop), (-0.33, 0.33), light, 4)
    hull.box((stop - 0.16, stop - 0.02), (-0.4, 0.4), darker(light, 1.12), 7)
    hull.box((stop - 0.03, stop - 0.005), (-0.36, 0.36), darker(steel, 0.45), 7)
    funnel = rng.uniform(start + 0.03, start + 0.12)
    hull.box((funnel, funnel + 0.06), (-0.16, 0.16), darker(steel, rng.uniform(0.35, 0.8)), 7)
    hull.mast(stop - 0.18, rng.uniform(12, 22), light)
    hull.disc(rng.uniform(0.74, 0.8), 0.15 * hull.beam, darker(light, 1.1))
    if rng.random() < 0.5:
        for v in (-0.26, 0.26):
            hull.box((start - 0.12, start - 0.03), (v - 0.1, v + 0.1), darker(steel, rng.uniform(0.5, 0.9)), 2)
    clutter(hull, rng, (0.05, 0.85), 10, steel)


def furnish_attack(hull: Hull, rng: np.random.Generator) -> None:
    """A black boat, round forward and fine aft, awash at both ends, with its fin ahead of the middle."""
    black = grey(rng, 8, 40)
    hull.canvas.fill(hull.outline(0.0), darker(black, rng.uniform(0.7, 1.3)))
    hull.canvas.fill(hull.outline(0.16 * hull.beam, 0.1, 0.95), black)
    hull.canvas.fill(hull.outline(0.36 * hull.beam, 0.16, 0.9), darker(black, rng.uniform(1.1, 1.9)))
    fin = rng.uniform(0.54, 0.7)
    hull.box((fin, fin + rng.uniform(0.06, 0.11)), (-0.12, 0.12), darker(black, rng.uniform(0.8, 2.2)), 6)
    if rng.random() < 0.5:
        hull.box((fin + 0.03, fin + 0.05), (-0.42, 0.42), darker(black, 1.5))
    hull.box((0.05, 0.07), (-0.34, 0.34), darker(black, 1.4))
    if rng.random() < 0.4:
        hull.disc(0.03, 0.05 * hull.beam, darker(WHITE, 0.7))
    for t in rng.uniform(0.2, 0.9, int(rng.integers(0, 5))):
        hull.disc(t, 0.05 * hull.beam, darker(black, rng.uniform(0.5, 2.5)))
