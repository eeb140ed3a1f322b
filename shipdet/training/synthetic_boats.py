"""Decks of bulk carriers, river ships, lighters, tugs and boats of a synthetic harbour."""

from itertools import pairwise

import numpy as np

from shipdet.training.synthetic_canvas import Colour, darker
from shipdet.training.synthetic_decks import CONTAINERS, DECKS, SIDES, WHITE, after_house, clutter, pick
from shipdet.training.synthetic_fleet import Hull, lay_hull

RUST: tuple[Colour, ...] = ((96, 62, 46), (120, 74, 54), (78, 58, 48), (140, 92, 70), (66, 60, 56), (104, 84, 70))
LOADS: tuple[Colour, ...] = (
    (60, 52, 46), (170, 150, 112), (36, 36, 38), (120, 80, 60), (140, 136, 128), (88, 70, 56), (110, 112, 104),
)  # fmt: skip
BOAT_HULLS: tuple[Colour, ...] = (
    (214, 214, 208), (196, 198, 196), (60, 86, 130), (40, 46, 58), (120, 50, 40), (60, 104, 84), (180, 120, 60),
    (86, 84, 80),
)  # fmt: skip
COVERS: tuple[Colour, ...] = ((40, 74, 140), (190, 186, 170), (120, 96, 70), (60, 64, 70), (44, 96, 110), (150, 60, 50))


def furnish_bulk(hull: Hull, rng: np.random.Generator) -> None:
    """Five to nine broad hatches, each with the seam of its two covers, seldom with cranes."""
    deck = pick(rng, DECKS)
    lay_hull(hull, rng, 7, pick(rng, (*SIDES, *RUST)), deck)
    begin = after_house(hull, rng, rng.uniform(0.04, 0.08))
    cover, cranes = darker(deck, rng.choice([0.7, 0.85, 1.25, 1.5])), rng.random() < 0.4
    for a, b in pairwise(np.linspace(begin + 0.01, 0.9, int(rng.integers(6, 11)))):
        stop = a + (b - a) * 0.78
        hull.box((a, stop), (-0.3, 0.3), cover, 2)
        hull.stripe((a, stop), (0.0, 0.0), darker(cover, 0.65), 0.8)
        if cranes:
            hull.box((stop, stop + 0.012), (-0.06, 0.06), WHITE, 12)
            hull.stripe((stop, stop + 0.1), (0.0, rng.uniform(-0.2, 0.2)), darker(WHITE, 0.9), 1.2)
    hull.mast(0.95, 14, WHITE)


def _river_hull(hull: Hull, rng: np.random.Generator) -> float:
    """Low hull and an after house; returns where the hold begins."""
    side = pick(rng, (*RUST, *SIDES))
    lay_hull(hull, rng, 2, side, darker(side, rng.uniform(0.7, 1.4)))
    house = pick(rng, (WHITE, WHITE, *BOAT_HULLS))
    start = rng.uniform(0.02, 0.07)
    stop = start + rng.uniform(0.07, 0.15)
    hull.box((start, stop), (-0.34, 0.34), house, 4)
    hull.box((stop - 0.05, stop), (-0.28, 0.28), darker(house, rng.uniform(0.8, 1.15)), 7)
    hull.disc(0.94, 0.06 * hull.beam, darker(side, 1.6))
    return stop + 0.03


def furnish_river(hull: Hull, rng: np.random.Generator) -> None:
    """A motor barge: one long hold, open with its load or under grey covers."""
    begin, load, rim = _river_hull(hull, rng), pick(rng, LOADS), rng.uniform(0.34, 0.42)
    hull.box((begin, 0.87), (-rim, rim), pick(rng, RUST), 1)
    hull.box((begin + 0.01, 0.86), (-rim + 0.04, rim - 0.04), load)
    seams = np.linspace(begin, 0.87, int(rng.integers(2, 8)))
    for t, after in pairwise(seams):
        if rng.random() < 0.6:
            hull.box((t + 0.01, after - 0.01), (-rim + 0.08, rim - 0.08), darker(load, rng.uniform(0.7, 1.4)))
        hull.stripe((t, t), (-rim, rim), darker(load, 1.4), 0.5)


def furnish_feeder(hull: Hull, rng: np.random.Generator) -> None:
    """A river ship with containers."""
    begin, across = _river_hull(hull, rng), max(2, int(0.8 * hull.beam / 2.6))
    bay, full = max(13.0, 0.1 * hull.length) / hull.length, rng.uniform(0.4, 1.0)
    hull.box((begin, 0.88), (-0.42, 0.42), pick(rng, RUST))
    for t in np.arange(begin, 0.88 - bay, bay):
        for left, right in pairwise(np.linspace(-0.4, 0.4, across + 1)):
            if rng.random() < full:
                hull.box((t, t + bay * 0.92), (left, right), pick(rng, CONTAINERS), 2.6 * rng.integers(1, 3))


def furnish_lighter(hull: Hull, rng: np.random.Generator) -> None:
    """A box without an engine: a flat deck, an open hold, or a load; sometimes a hut or a crane."""
    side = pick(rng, (*RUST, *RUST, *SIDES))
    lay_hull(hull, rng, rng.uniform(1, 2.5), side, darker(side, rng.uniform(0.75, 1.5)))
    use, low, high = rng.random(), rng.uniform(0.05, 0.14), rng.uniform(0.84, 0.93)
    if use < 0.5:
        hull.box((low, high), (-0.4, 0.4), darker(side, 0.6), 0.8)
        hull.box((low + 0.02, high - 0.02), (-0.36, 0.36), pick(rng, LOADS))
        for t in np.linspace(low, high, int(rng.integers(2, 6)))[1:-1]:
            hull.stripe((t, t), (-0.38, 0.38), darker(side, 1.4), 0.6)
    elif use < 0.8:
        clutter(hull, rng, (0.08, 0.88), int(rng.integers(5, 30)), side)
    else:
        foot = rng.uniform(0.65, 0.85)
        hull.box((foot - 0.1, foot + 0.06), (-0.25, 0.25), pick(rng, CONTAINERS), 5)
        hull.stripe((foot, rng.uniform(0.05, 0.3)), (0.0, rng.uniform(-0.3, 0.3)), pick(rng, CONTAINERS), 1.6)
    if rng.random() < 0.35:
        hull.box((0.03, rng.uniform(0.1, 0.2)), (-0.3, 0.3), pick(rng, (WHITE, *RUST)), 3)


def furnish_workhorse(hull: Hull, rng: np.random.Generator) -> None:
    """A tug of any make: dark sides with fenders, the house forward of the middle, a clear deck aft."""
    side = darker(pick(rng, (*SIDES, *BOAT_HULLS[2:])), rng.uniform(0.45, 1.1))
    lay_hull(hull, rng, 3, side, pick(rng, (*DECKS, *RUST)))
    house, start, stop = pick(rng, (WHITE, WHITE, *BOAT_HULLS)), rng.uniform(0.3, 0.46), rng.uniform(0.68, 0.8)
    hull.box((start, stop), (-0.28, 0.28), house, 4)
    hull.box((stop - 0.17, stop - 0.03), (-0.24, 0.24), darker(house, 1.15), 8)
    hull.box((stop - 0.05, stop - 0.02), (-0.22, 0.22), (46, 52, 60), 8)
    for v in (-0.15, 0.15) if rng.random() < 0.6 else (0.0,):
        hull.disc(start + 0.07, 0.07 * hull.beam, pick(rng, (*CONTAINERS, (40, 40, 40))), v)
    hull.box((0.26, 0.3), (-0.1, 0.1), (50, 50, 50), 2)
    hull.mast(stop - 0.12, 14, WHITE)
    clutter(hull, rng, (0.05, 0.25), 3, side)


def furnish_fishing(hull: Hull, rng: np.random.Generator) -> None:
    """Painted sides, the wheelhouse aft or forward, a working deck with gallows and gear."""
    side = pick(rng, (*BOAT_HULLS, *RUST))
    lay_hull(hull, rng, 3, side, pick(rng, (*DECKS, *RUST, (150, 140, 120))))
    start = rng.uniform(0.08, 0.2) if rng.random() < 0.6 else rng.uniform(0.5, 0.6)
    house = pick(rng, (WHITE, WHITE, *COVERS))
    hull.box((start, start + 0.2), (-0.3, 0.3), house, 4)
    hull.box((start + 0.08, start + 0.17), (-0.25, 0.25), darker(house, 1.2), 6)
    for t in (rng.uniform(0.04, 0.1), rng.uniform(0.75, 0.85)):
        hull.box((t, t + 0.03), (-0.36, 0.36), pick(rng, ((200, 190, 160), (90, 90, 92), (190, 110, 50))), 5)
    hull.mast(rng.uniform(0.45, 0.8), 12, WHITE)
    for at in rng.uniform(0.3, 0.75, 4):
        hull.disc(at, rng.uniform(0.05, 0.12) * hull.beam, pick(rng, COVERS), rng.uniform(-0.2, 0.2))
    clutter(hull, rng, (0.2, 0.8), 8, side)


def furnish_launch(hull: Hull, rng: np.random.Generator) -> None:
    """A motor boat, open or with a cabin, of any colour; an outboard engine or a canopy aft."""
    side = pick(rng, BOAT_HULLS)
    lay_hull(hull, rng, 1.2, side, darker(side, rng.uniform(0.5, 1.2)))
    if rng.random() < 0.7:
        start = rng.uniform(0.2, 0.45)
        stop = start + rng.uniform(0.18, 0.3)
        hull.box((start, stop), (-0.3, 0.3), pick(rng, (WHITE, WHITE, *COVERS)), 2)
        hull.box((stop - 0.06, stop), (-0.28, 0.28), (46, 52, 62))
    else:
        hull.box((0.12, 0.68), (-0.3, 0.3), pick(rng, LOADS))
    if rng.random() < 0.4:
        hull.box((0.04, 0.2), (-0.3, 0.3), pick(rng, COVERS), 1)
    if rng.random() < 0.4:
        hull.box((0.0, 0.04), (-0.14, 0.14), (40, 40, 42))


def furnish_workboat(hull: Hull, rng: np.random.Generator) -> None:
    """A square boat: deck, a hut, a small crane."""
    side = pick(rng, (*RUST, *BOAT_HULLS))
    lay_hull(hull, rng, 1.2, side, darker(side, rng.uniform(0.6, 1.3)))
    start = rng.uniform(0.1, 0.3)
    hull.box((start, start + rng.uniform(0.2, 0.3)), (-0.28, 0.28), pick(rng, (WHITE, *BOAT_HULLS)), 3)
    clutter(hull, rng, (0.5, 0.85), 4, side)


def furnish_sailboat(hull: Hull, rng: np.random.Generator) -> None:
    """White, dark or wooden, with a cabin roof, the boom over the cockpit, the mast's long shadow."""
    side = pick(rng, (WHITE, WHITE, WHITE, (52, 60, 84), (130, 92, 62), (90, 40, 36)))
    deck = pick(rng, (WHITE, (206, 196, 172), (170, 136, 100)))
    lay_hull(hull, rng, 1.2, side, deck)
    mast = rng.uniform(0.54, 0.62)
    hull.box((0.38, mast + 0.1), (-0.2, 0.2), darker(deck, rng.uniform(0.9, 1.15)), 0.7)
    hull.box((0.1, 0.34), (-0.18, 0.18), darker(deck, rng.uniform(0.45, 0.8)))
    hull.stripe((0.16, mast), (rng.uniform(-0.06, 0.06), 0.0), pick(rng, COVERS), rng.uniform(0.3, 0.7))
    half = 0.12 / hull.length, 0.12 / hull.beam
    hull.box((mast - half[0], mast + half[0]), (-half[1], half[1]), WHITE, 1.25 * hull.length)


def furnish_superyacht(hull: Hull, rng: np.random.Generator) -> None:
    """Tiers of white decks, each shorter, a swimming platform aft, dark glass, sometimes a helicopter's spot."""
    side = pick(rng, (WHITE, WHITE, WHITE, (48, 60, 92), (60, 62, 66)))
    lay_hull(hull, rng, 4, side, darker(WHITE, rng.uniform(0.8, 1.05)))
    hull.box((0.01, 0.07), (-0.36, 0.36), pick(rng, ((150, 118, 84), (170, 140, 104))))
    stop = rng.uniform(0.66, 0.74)
    for k, start in enumerate((0.14, 0.24, 0.34)):
        tone = darker(WHITE, rng.uniform(0.9, 1.15))
        hull.box((start, stop - 0.07 * k), (-0.38 + 0.07 * k, 0.38 - 0.07 * k), tone, 5 + 2.5 * k)
        hull.box((stop - 0.07 * k - 0.02, stop - 0.07 * k), (-0.34 + 0.07 * k, 0.34 - 0.07 * k), (44, 50, 60))
    hull.mast(0.45, 18, WHITE)
    if rng.random() < 0.3:
        hull.ring(0.82, 0.2 * hull.beam, darker(WHITE, 0.6))
