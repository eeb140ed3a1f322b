"""What is mistaken for ships: jetties, floats, sheds and stacks at the edge, breakwaters, booms, buoys, cranes."""

from typing import NamedTuple

import numpy as np

from shipdet.training.synthetic_canvas import Array, Canvas, Colour, darker
from shipdet.training.synthetic_decks import CONTAINERS, pick
from shipdet.training.synthetic_mooring import Waters
from shipdet.training.synthetic_port import Face, Frame, Port
from shipdet.training.synthetic_town import PAVING, ROOFS

PLANKS: tuple[Colour, ...] = (
    (150, 146, 136), (118, 108, 94), (98, 84, 70), (178, 172, 158), (86, 88, 88), (134, 118, 96), (196, 196, 190),
)  # fmt: skip
STONES: tuple[Colour, ...] = ((120, 116, 108), (96, 92, 86), (142, 136, 124), (78, 76, 72), (160, 152, 138))
PAINTS: tuple[Colour, ...] = ((60, 90, 140), (190, 70, 50), (210, 170, 60), (170, 170, 166), (80, 110, 90))


class Obstacle(NamedTuple):
    """Something solid on the water that is no ship."""

    outline: Array
    """(4, 2) in metres"""
    kind: str
    """jetty, float, dolphin or mole"""
    colour: Colour


def plan_obstacles(rng: np.random.Generator, port: Port) -> list[Obstacle]:
    """What stands or floats along a port's shore."""
    found: list[Obstacle] = []
    for face in port.faces:
        if (face.use == "bare" and rng.random() < 0.7) or rng.random() < 0.2:
            found += _jetties(rng, port.frame, face)
        if rng.random() < 0.35:
            found += _floats(rng, port.frame, face)
        if rng.random() < 0.12:
            found += _mole(rng, port.frame, face)
    return found


def _jetties(rng: np.random.Generator, frame: Frame, face: Face) -> list[Obstacle]:
    """Narrow walks on piles, at times with a head across, and a row of dolphins beyond."""
    found, s, planks = [], face.s[0] + rng.uniform(10, 40), pick(rng, PLANKS)
    width, reach = rng.uniform(1.8, 7), rng.uniform(20, 150)
    while s < face.s[1] - 15:
        found.append(Obstacle(frame.box((s, s + width), (face.d - 1, face.d + reach)), "jetty", planks))
        if rng.random() < 0.5:
            head = (s - rng.uniform(0, 40), s + width + rng.uniform(0, 40))
            found.append(Obstacle(frame.box(head, (face.d + reach, face.d + reach + 1.4 * width)), "jetty", planks))
        if rng.random() < 0.4:
            for d in np.arange(reach + 12, reach + 12 + rng.uniform(0, 60), 18.0):
                side = rng.uniform(3, 7)
                found.append(Obstacle(frame.box((s, s + side), (face.d + d, face.d + d + side)), "dolphin", planks))
        s += rng.uniform(45, 200)
    return found


def _floats(rng: np.random.Generator, frame: Frame, face: Face) -> list[Obstacle]:
    """Floating boxes along the shore: as long and broad as barges, but bare."""
    found, s = [], face.s[0] + rng.uniform(5, 60)
    while s < face.s[1] - 30:
        long, wide, off = rng.uniform(8, 55), rng.uniform(3, 12), rng.uniform(0.5, 9)
        box = frame.box((s, s + long), (face.d + off, face.d + off + wide))
        found.append(Obstacle(box, "float", darker(pick(rng, PLANKS), rng.uniform(0.7, 1.2))))
        if off > 2:
            walk = frame.box((s + long / 2, s + long / 2 + 1.5), (face.d, face.d + off))
            found.append(Obstacle(walk, "float", pick(rng, PLANKS)))
        s += long + rng.uniform(20, 160)
    return found


def _mole(rng: np.random.Generator, frame: Frame, face: Face) -> list[Obstacle]:
    """A breakwater of rubble: out from the shore, then along it."""
    s, out, wide, stone = rng.uniform(*face.s), rng.uniform(50, 220), rng.uniform(8, 20), pick(rng, STONES)
    along = s + rng.choice([-1, 1]) * rng.uniform(0, 260)
    arm = frame.box((min(s, along), max(s, along) + wide), (face.d + out, face.d + out + wide))
    root = frame.box((s, s + wide), (face.d - 3, face.d + out + wide))
    return [Obstacle(root, "mole", stone), Obstacle(arm, "mole", stone)]


def draw_obstacles(canvas: Canvas, obstacles: list[Obstacle], rng: np.random.Generator) -> None:
    """Paint them; ships come after."""
    for thing in obstacles:
        if _beyond(canvas, thing.outline):
            continue
        if thing.kind == "mole":
            _rubble(canvas, thing, rng)
            continue
        canvas.block(thing.outline, thing.colour, 0.7 if thing.kind == "float" else 3.0)
        if thing.kind in ("float", "jetty"):
            _litter(canvas, thing, rng)


def _beyond(canvas: Canvas, outline: Array) -> bool:
    low, high = outline.min(axis=0), outline.max(axis=0)
    return bool((high < 0).any() or low[0] > canvas.width or low[1] > canvas.height)


def _inside(outline: Array, t: float, v: float, size: tuple[float, float]) -> Array:
    """A small box within a quadrilateral, its corner at shares (t, v) of the sides."""
    a, b = outline[1] - outline[0], outline[3] - outline[0]
    corner = outline[0] + t * a + v * b
    a, b = a / max(np.hypot(*a), 1e-9) * size[0], b / max(np.hypot(*b), 1e-9) * size[1]
    return np.stack([corner, corner + a, corner + a + b, corner + b])


def _litter(canvas: Canvas, thing: Obstacle, rng: np.random.Generator) -> None:
    """Seams across, a stripe, a hut or a few boxes."""
    sides = np.hypot(*(thing.outline[[1, 3]] - thing.outline[0]).T)
    middle = (thing.outline[[0, 1]] + thing.outline[[3, 2]]) / 2
    if rng.random() < 0.3:
        canvas.line(middle, darker(thing.colour, rng.choice([0.75, 1.2])), 0.6)
    for _ in range(int(rng.poisson(min(sides[0] * sides[1] / 120, 6)))):
        size = (min(rng.uniform(1, 4), 0.5 * sides[0]), min(rng.uniform(1, 4), 0.5 * sides[1]))
        box = _inside(thing.outline, rng.uniform(0, 0.5), rng.uniform(0, 0.5), size)
        canvas.block(box, pick(rng, (*ROOFS, *CONTAINERS)), rng.uniform(0.5, 3))


def _rubble(canvas: Canvas, mole: Obstacle, rng: np.random.Generator) -> None:
    canvas.block(mole.outline, darker(mole.colour, 0.8), 2.5)
    a, b = mole.outline[1] - mole.outline[0], mole.outline[3] - mole.outline[0]
    area = float(np.hypot(*a) * np.hypot(*b))
    count = min(int(area / max(12.0, 10 * canvas.gsd_m**2)), 350)
    for t, v, radius, tone in zip(*rng.uniform(0, 1, (3, count)), rng.uniform(0.6, 1.4, count), strict=True):
        canvas.disc(mole.outline[0] + t * a + v * b, 1.0 + 1.4 * radius, darker(mole.colour, tone))


def line_quays(canvas: Canvas, port: Port, rng: np.random.Generator) -> None:
    """Long low sheds, rows of containers and bare slabs close to the water, of ships' sizes and shapes."""
    for face in port.faces:
        if face.use == "bare" or rng.random() < 0.45:
            continue
        s = face.s[0] + rng.uniform(0, 60)
        while s < face.s[1] - 15:
            long, deep, off = rng.uniform(12, 110), rng.uniform(3, 16), rng.uniform(1.5, 14)
            box = ((s, min(s + long, face.s[1] - 2)), (face.d - off - deep, face.d - off))
            if not _beyond(canvas, port.frame.box(*box)):
                _quay_thing(canvas, port.frame, box, rng)
            s += long + rng.uniform(15, 150)


def _quay_thing(
    canvas: Canvas, frame: Frame, box: tuple[tuple[float, float], tuple[float, float]], rng: np.random.Generator
) -> None:
    (s0, s1), (d0, d1) = box
    if rng.random() < 0.4:
        for s in np.arange(s0, s1 - 12, 12.6):
            for d in np.arange(d0, d1 - 2.4, 2.6):
                if rng.random() < 0.85:
                    canvas.block(
                        frame.box((s, s + 12.2), (d, d + 2.4)), pick(rng, CONTAINERS), 2.6 * rng.integers(1, 5)
                    )
        return
    roof = pick(rng, (*ROOFS, *PAVING))
    canvas.block(frame.box(*box), roof, rng.uniform(0.5, 8))
    if rng.random() < 0.6:
        canvas.fill(frame.box((s0, s1), (d0, (d0 + d1) / 2)), darker(roof, rng.uniform(0.75, 0.95)))
    for at in rng.uniform(s0, s1, int(rng.integers(0, 5))):
        canvas.block(frame.box((at, at + 2.5), (d0 + 0.5, d0 + 2.5)), darker(roof, rng.uniform(0.6, 1.3)), 2)


def strew(canvas: Canvas, waters: Waters, rng: np.random.Generator) -> None:
    """Buoys, floating booms and log rafts where there is no ship."""
    for _ in range(int(rng.poisson(3))):
        centre = rng.uniform(0, 1, 2) * (waters.width, waters.height)
        if waters.is_free(centre, 4.0):
            canvas.disc(centre, rng.uniform(0.5, 1.6), pick(rng, ((210, 110, 50), (200, 60, 50), (210, 205, 190))))
    if rng.random() < 0.2:
        here, angle = rng.uniform(0, 1, 2) * (waters.width, waters.height), rng.uniform(0, 2 * np.pi)
        paint = pick(rng, ((200, 196, 180), (200, 130, 60), (120, 116, 108)))
        for _ in range(int(rng.integers(8, 40))):
            angle += rng.normal(0, 0.18)
            there = here + 12 * np.array([np.cos(angle), np.sin(angle)])
            if waters.is_free(here, 13.0):
                canvas.line(np.stack([here, there]), paint, max(0.8, 0.35 * canvas.gsd_m))
            here = there
    if rng.random() < 0.12:
        _logs(canvas, waters, rng)


def _logs(canvas: Canvas, waters: Waters, rng: np.random.Generator) -> None:
    centre, angle = rng.uniform(0.1, 0.9, 2) * (waters.width, waters.height), rng.uniform(0, np.pi)
    axis = np.array([np.cos(angle), np.sin(angle)])
    if not waters.is_free(centre, 45.0):
        return
    for _ in range(int(rng.integers(20, 120))):
        middle = centre + rng.normal(0, 12) * axis + rng.normal(0, 5) * np.array([-axis[1], axis[0]])
        half = rng.uniform(3, 8) * (axis + rng.normal(0, 0.08, 2))
        canvas.line(np.stack([middle - half, middle + half]), pick(rng, ((140, 104, 72), (170, 130, 90))), 0.7)


def raise_jibs(canvas: Canvas, port: Port, rng: np.random.Generator) -> None:
    """Slewing yard cranes: a small portal on the quay, a long thin jib over quay or ship, at any angle."""
    paint = pick(rng, PAINTS)
    for berth in port.berths:
        span = float(np.hypot(*(berth.end - berth.start)))
        if rng.random() > 0.3 or span < 30:
            continue
        step = (berth.end - berth.start) / span
        for s in rng.uniform(5, span - 5, int(rng.integers(1, 4))):
            foot = berth.start + step * s - berth.outward * rng.uniform(4, 9)
            turn = rng.uniform(0, 2 * np.pi)
            jib = np.array([np.cos(turn), np.sin(turn)])
            side = np.array([-jib[1], jib[0]])
            canvas.block(foot + 3.5 * np.stack([step, berth.outward, -step, -berth.outward]), darker(paint, 0.8), 12)
            reach, tip = rng.uniform(16, 42), 0.5
            beam = np.stack([foot - 5 * jib - side, foot - 5 * jib + side, foot + reach * jib + tip * side,
                             foot + reach * jib - tip * side])  # fmt: skip
            canvas.block(beam, paint, 24)
            canvas.block(foot + 1.8 * np.stack([jib, side, -jib, -side]) - 3 * jib, darker(paint, 1.2), 20)
