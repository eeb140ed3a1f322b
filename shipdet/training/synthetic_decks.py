"""What stands on the decks of a synthetic harbour's ships, so that each type's bow can be told from its stern."""

from itertools import pairwise

import numpy as np

from shipdet.training.synthetic_canvas import Colour, darker
from shipdet.training.synthetic_fleet import Hull, lay_hull

CONTAINERS: tuple[Colour, ...] = (
    (150, 60, 48), (52, 84, 132), (176, 176, 172), (60, 112, 84), (190, 130, 60), (92, 60, 52), (200, 200, 196),
)  # fmt: skip
SIDES: tuple[Colour, ...] = ((44, 48, 58), (110, 48, 40), (36, 60, 96), (150, 150, 148), (40, 84, 66), (70, 70, 70))
DECKS: tuple[Colour, ...] = (
    (128, 70, 56),
    (112, 116, 112),
    (84, 116, 96),
    (150, 100, 76),
    (96, 96, 100),
    (70, 98, 120),
)
WHITE: Colour = (216, 216, 210)


def pick(rng: np.random.Generator, colours: tuple[Colour, ...]) -> Colour:
    """One of some paints, weathered."""
    return darker(colours[rng.integers(len(colours))], rng.uniform(0.8, 1.2))


def grey(rng: np.random.Generator, low: float, high: float) -> Colour:
    """Nearly neutral paint of a brightness between `low` and `high`."""
    level = rng.uniform(low, high)
    return (level * 0.97, level, level * rng.uniform(1.0, 1.05))


def clutter(hull: Hull, rng: np.random.Generator, t: tuple[float, float], count: int, colour: Colour) -> None:
    """Winches, hatches, boats, vents: small bright and dark things where there is deck."""
    for _ in range(count):
        at, v = rng.uniform(*t), rng.uniform(-0.33, 0.33)
        size_t, size_v = rng.uniform(0.7, 2.4, 2) / (hull.length, hull.beam)
        hull.box((at, at + size_t), (v, v + size_v), darker(colour, rng.uniform(0.6, 1.5)), rng.uniform(0, 2.5))


def helipad(hull: Hull, rng: np.random.Generator, t: tuple[float, float], steel: Colour) -> None:
    """Any of the markings that navies paint on a deck for helicopters."""
    paint, middle = darker(WHITE, rng.uniform(0.65, 1.1)), (t[0] + t[1]) / 2
    if rng.random() < 0.65:
        hull.ring(middle, min(0.28 * hull.beam, 0.4 * (t[1] - t[0]) * hull.length), paint)
    if rng.random() < 0.6:
        hull.box((t[0] + 0.01, t[1] - 0.01), (-0.02, 0.02), paint)
    if rng.random() < 0.4:
        hull.box((middle - 0.4 / hull.length, middle + 0.4 / hull.length), (-0.33, 0.33), paint)
    if rng.random() < 0.3:
        for v in (-0.32, 0.32):
            hull.canvas.line(hull.at(np.array(t), np.array([v, -v])), paint, 0.7)
    if rng.random() < 0.15:
        hull.box((middle - 4 / hull.length, middle + 5 / hull.length), (-0.06, 0.06), darker(steel, 0.45), 3)


def furnish_warship(hull: Hull, rng: np.random.Generator) -> None:
    """A gun and long foredeck, the superstructure amidships with masts and funnels, a helicopter deck aft."""
    steel = grey(rng, 95, 175)
    lay_hull(hull, rng, 5, steel, darker(steel, rng.uniform(0.7, 1.0)))
    light = darker(steel, rng.uniform(1.05, 1.3))
    pad, bridge = rng.uniform(0.14, 0.24), rng.uniform(0.6, 0.68)
    if rng.random() < 0.8:
        hull.box((0.02, pad), (-0.34, 0.34), darker(steel, rng.uniform(0.55, 1.0)))
        helipad(hull, rng, (0.02, pad), steel)
    hull.box((pad + 0.005, pad + rng.uniform(0.1, 0.15)), (-0.36, 0.36), light, 6)
    hull.box((pad + 0.17, 0.45), (-0.27, 0.27), darker(light, 0.9), 5)
    hull.box((0.48, bridge), (-0.42, 0.42), light, 8)
    hull.box((bridge - 0.07, bridge - 0.01), (-0.3, 0.3), darker(light, 1.15), 12)
    for funnel in rng.uniform([0.33, 0.47], [0.4, 0.52]):
        hull.box((funnel, funnel + 0.035), (-0.14, 0.14), darker(steel, rng.uniform(0.3, 0.6)), 11)
    hull.mast(bridge - 0.1, rng.uniform(20, 32), light)
    hull.mast(0.42, rng.uniform(14, 24), light)
    hull.disc(bridge + 0.07, 0.16 * hull.beam, darker(light, 1.1))
    hull.box((bridge + 0.07, bridge + 0.12), (-0.03, 0.03), darker(steel, 0.6), 2)
    if rng.random() < 0.6:
        hull.box((bridge + 0.015, bridge + 0.045), (-0.2, 0.2), darker(steel, 0.6))
    clutter(hull, rng, (pad, 0.62), 22, steel)
    clutter(hull, rng, (0.76, 0.86), 4, steel)


def furnish_landing(hull: Hull, rng: np.random.Generator) -> None:
    """A wide flight deck over the after half, a broad superstructure forward of it."""
    steel = grey(rng, 95, 165)
    lay_hull(hull, rng, 8, steel, darker(steel, rng.uniform(0.75, 1.0)))
    end = rng.uniform(0.35, 0.55)
    hull.box((0.02, end), (-0.44, 0.44), darker(steel, rng.uniform(0.5, 0.85)))
    for a, b in pairwise(np.linspace(0.02, end, int(rng.integers(2, 4))).tolist()):
        helipad(hull, rng, (a, b), steel)
    hull.box((end, end + rng.uniform(0.2, 0.27)), (-0.46, 0.46), darker(steel, 1.2), 10)
    hull.box((end + 0.1, end + 0.18), (-0.36, 0.36), darker(steel, 1.35), 16)
    hull.box((end + 0.03, end + 0.07), (0.1, 0.25), darker(steel, 0.45), 18)
    hull.mast(end + 0.09, 30, steel)
    clutter(hull, rng, (end, 0.85), 24, steel)


def furnish_submarine(hull: Hull, rng: np.random.Generator) -> None:
    """A dark cigar with its fin ahead of the middle."""
    black = grey(rng, 22, 48)
    hull.canvas.fill(hull.outline(-0.3), darker(black, 1.5))
    hull.canvas.fill(hull.outline(0.0), black)
    hull.canvas.fill(hull.outline(0.3 * hull.beam, 0.12, 0.9), darker(black, 1.35))
    hull.box((0.58, 0.7), (-0.13, 0.13), darker(black, 1.7), 6)
    hull.box((0.63, 0.65), (-0.45, 0.45), darker(black, 1.4))
    hull.box((0.04, 0.065), (-0.45, 0.45), darker(black, 1.3))


def after_house(hull: Hull, rng: np.random.Generator, start: float) -> float:
    """The white house and funnel near the stern; returns where the cargo deck begins."""
    stop = start + min(max(rng.uniform(11, 18) / hull.length, 0.07), 0.2)
    hull.box((start, stop), (-0.42, 0.42), WHITE, 14)
    hull.box((stop - 0.035, stop - 0.005), (-0.5, 0.5), darker(WHITE, 1.1), 17)
    hull.box((start - 0.03, start + 0.02), (-0.12, 0.12), pick(rng, SIDES), 16)
    hull.mast((start + stop) / 2, 26, WHITE)
    return stop + 0.015


def furnish_container(hull: Hull, rng: np.random.Generator) -> None:
    """Bays of containers from the house to the forecastle."""
    side = pick(rng, SIDES)
    lay_hull(hull, rng, 9, side, pick(rng, DECKS))
    begin = after_house(hull, rng, rng.uniform(0.06, 0.16))
    bay, across = 13.5 / hull.length, max(3, int(0.86 * hull.beam / 2.5))
    for t in np.arange(begin, 0.89 - bay, bay):
        if rng.random() < 0.12:
            continue
        half = 0.43 * min(1.0, float(np.interp(t + bay, [0.8, 1.0], [1.0, 0.45])))
        edges = np.linspace(-half, half, across + 1)
        for left, right in pairwise(edges):
            hull.box((t, t + bay * 0.9), (left, right), pick(rng, CONTAINERS), rng.uniform(3, 9))
    hull.mast(0.94, 14, WHITE)


def furnish_cargo(hull: Hull, rng: np.random.Generator) -> None:
    """Hatches in a row, at times with cranes between them."""
    lay_hull(hull, rng, 7, pick(rng, SIDES), pick(rng, DECKS))
    begin = after_house(hull, rng, rng.uniform(0.05, 0.1))
    hatches, colour = int(rng.integers(2, 7)), pick(rng, DECKS)
    edges = np.linspace(begin + 0.01, 0.87, hatches + 1)
    cranes = rng.random() < 0.5
    for k, (a, b) in enumerate(pairwise(edges)):
        hull.box((a, a + (b - a) * 0.82), (-0.32, 0.32), colour, 2)
        hull.box((a + (b - a) * 0.4, a + (b - a) * 0.42), (-0.32, 0.32), darker(colour, 0.7))
        if cranes and k:
            hull.disc(a - 0.01, 1.6, WHITE)
            hull.box((a - 0.01, a + 0.09), (-0.05, 0.02), darker(WHITE, 0.9), 14)
    hull.box((0.9, 0.93), (-0.2, 0.2), darker(colour, 1.2), 2)
    hull.mast(0.92, 14, WHITE)


def furnish_tanker(hull: Hull, rng: np.random.Generator) -> None:
    """Pipes along the middle, the manifold across it amidships."""
    deck = pick(rng, DECKS)
    lay_hull(hull, rng, 6, pick(rng, SIDES), deck)
    begin = after_house(hull, rng, rng.uniform(0.06, 0.1))
    for v in np.linspace(-0.07, 0.07, 3):
        hull.box((begin, 0.88), (v - 0.015, v + 0.012), darker(deck, 1.5), 1.5)
    middle = rng.uniform(0.5, 0.58)
    hull.box((middle, middle + 4 / hull.length), (-0.42, 0.42), darker(deck, 1.45), 2)
    for t in np.linspace(begin + 0.03, 0.86, 9):
        hull.box((t, t + 0.8 / hull.length), (-0.46, 0.46), darker(deck, 0.8))
    hull.disc(0.92, 0.1 * hull.beam, darker(deck, 1.4))
    hull.mast(0.94, 12, WHITE)
    clutter(hull, rng, (begin, 0.86), 14, deck)


def furnish_ferry(hull: Hull, rng: np.random.Generator) -> None:
    """White decks nearly all over, the bridge across the fore part, the funnel aft of the middle."""
    lay_hull(hull, rng, 9, pick(rng, (WHITE, SIDES[2], SIDES[0])), pick(rng, ((120, 140, 120), (170, 170, 165))))
    hull.box((rng.uniform(0.03, 0.14), 0.78), (-0.44, 0.44), WHITE, 5)
    hull.box((0.2, 0.72), (-0.34, 0.34), darker(WHITE, rng.uniform(0.75, 1.1)), 8)
    hull.box((0.7, 0.76), (-0.49, 0.49), darker(WHITE, 1.15), 11)
    hull.box((0.24, 0.32), (-0.15, 0.15), pick(rng, CONTAINERS), 14)
    for v in (-0.41, 0.41):
        for t in np.linspace(0.3, 0.6, 4):
            hull.box((t, t + 5 / hull.length), (v - 0.04, v + 0.04), (214, 110, 40), 2)
    hull.mast(0.73, 24, WHITE)


def furnish_barge(hull: Hull, rng: np.random.Generator) -> None:
    """An open hold or a flat deck between two small decks."""
    side = pick(rng, SIDES)
    lay_hull(hull, rng, 2, side, pick(rng, DECKS))
    load = pick(rng, ((60, 52, 46), (170, 150, 112), (40, 40, 42), (120, 80, 60), (140, 136, 128)))
    hull.box((0.1, 0.88), (-0.4, 0.4), load, rng.uniform(0, 2))
    for t in np.linspace(0.1, 0.88, int(rng.integers(2, 6)))[1:-1]:
        hull.box((t, t + 0.01), (-0.4, 0.4), darker(side, 1.3))
    if rng.random() < 0.5:
        hull.box((0.02, 0.09), (-0.3, 0.3), WHITE, 3)
    clutter(hull, rng, (0.88, 0.94), 3, side)


def furnish_tug(hull: Hull, rng: np.random.Generator) -> None:
    """The house forward, a clear towing deck aft, a dark fender round the bow."""
    lay_hull(hull, rng, 3, darker(pick(rng, SIDES), 0.7), pick(rng, DECKS))
    hull.box((0.4, 0.78), (-0.3, 0.3), WHITE, 4)
    hull.box((0.56, 0.7), (-0.22, 0.22), darker(WHITE, 1.15), 8)
    hull.disc(0.46, 0.07 * hull.beam, pick(rng, CONTAINERS), 0.18)
    hull.disc(0.46, 0.07 * hull.beam, pick(rng, CONTAINERS), -0.18)
    hull.box((0.3, 0.34), (-0.1, 0.1), (50, 50, 50), 2)


def furnish_yacht(hull: Hull, rng: np.random.Generator) -> None:
    """White, with a long foredeck, dark windscreen, cockpit aft; some carry a mast."""
    lay_hull(hull, rng, 1.5, WHITE, darker(WHITE, rng.uniform(0.85, 1.1)))
    hull.box(
        (0.04, rng.uniform(0.16, 0.28)), (-0.28, 0.28), pick(rng, ((130, 100, 70), (60, 80, 120), (120, 120, 116)))
    )
    hull.box((0.3, 0.6), (-0.32, 0.32), darker(WHITE, rng.uniform(0.8, 1.15)), 2.5)
    hull.box((0.57, 0.64), (-0.28, 0.28), (52, 58, 70))
    if rng.random() < 0.4:
        hull.mast(0.55, 16, WHITE)
