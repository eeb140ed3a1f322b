"""What stands on the land of a synthetic harbour: aprons, roads, warehouses, containers, cranes, trees.

Much of it is as long, straight and grey as a ship, on purpose.
"""

import numpy as np

from shipdet.training.synthetic_canvas import Array, Canvas, Colour, darker
from shipdet.training.synthetic_decks import CONTAINERS
from shipdet.training.synthetic_port import Face, Frame, Port

ROOFS: tuple[Colour, ...] = (
    (205, 205, 200), (232, 232, 230), (150, 152, 152), (112, 114, 116), (134, 92, 70), (120, 150, 160), (168, 158, 138),
    (88, 120, 128),
)  # fmt: skip
PAVING: tuple[Colour, ...] = ((168, 160, 142), (140, 138, 132), (112, 112, 110), (186, 176, 154), (156, 140, 116))
LEAVES: tuple[Colour, ...] = ((44, 60, 34), (58, 74, 44), (36, 50, 32), (72, 84, 50))


def _pick(rng: np.random.Generator, colours: tuple[Colour, ...]) -> Colour:
    return darker(colours[rng.integers(len(colours))], rng.uniform(0.85, 1.12))


def build_town(canvas: Canvas, port: Port, rng: np.random.Generator) -> None:
    """Paint everything on land and piers; ships come after, cranes last (`raise_cranes`)."""
    # All shadows of what is as high as the quays before any of it, lest a pier's shadow falls on the quay it joins.
    for polygon in (*port.land, *port.piers):
        canvas.cast(polygon, 3.0)
    for polygon in port.land:
        canvas.lay_ground(polygon)
    paving = _pick(rng, PAVING)
    for face in port.faces:
        _pave(canvas, port.frame, face, rng, paving)
        _rows(canvas, port.frame, face, rng)
    for pier in port.piers:
        _pier(canvas, pier, rng, paving)
    for pontoon in port.pontoons:
        canvas.block(pontoon, (170, 164, 150), 0.6)


def _pave(canvas: Canvas, frame: Frame, face: Face, rng: np.random.Generator, paving: Colour) -> None:
    """The apron behind a face, its coping, a road, and what is stored there."""
    if face.use == "bare":
        _trees(canvas, frame, face, rng, (5.0, 60.0))
        return
    depth = rng.uniform(14, 40)
    canvas.fill(frame.box(face.s, (face.d - depth, face.d)), paving)
    canvas.fill(frame.box(face.s, (face.d - 1.2, face.d)), darker(paving, 1.18))
    if rng.random() < 0.6:
        for off in (5.0, 5.0 + rng.uniform(6, 14)):
            canvas.fill(frame.box(face.s, (face.d - off - 0.5, face.d - off)), darker(paving, 0.7))
    road = face.d - depth - rng.uniform(2, 10)
    canvas.fill(frame.box(face.s, (road - 9, road)), (92, 92, 92))
    canvas.fill(frame.box(face.s, (road - 4.7, road - 4.2)), (176, 174, 164))
    for _ in range(int(rng.poisson(0.12 * (face.s[1] - face.s[0])))):
        s, d, size = rng.uniform(*face.s), face.d - rng.uniform(6, depth), rng.uniform(2, 6, 2)
        canvas.block(frame.box((s, s + size[0]), (d, d + min(size[1], 3))), _pick(rng, CONTAINERS), rng.uniform(1, 3))


def _rows(canvas: Canvas, frame: Frame, face: Face, rng: np.random.Generator) -> None:
    """Rows of buildings, yards and trees behind the road, as far back as a scene may show."""
    d = face.d - rng.uniform(58, 75)
    while d > face.d - 900:
        deep, s = rng.uniform(16, 52), face.s[0] + rng.uniform(0, 20)
        while s < face.s[1] - 12:
            wide = min(rng.uniform(18, 150), face.s[1] - s)
            box = ((s, s + wide), (d - deep, d))
            if _near(canvas, frame, box):
                _plot(canvas, frame, box, rng)
            s += wide + rng.uniform(3, 26)
        d -= deep + rng.uniform(5, 24)
        if rng.random() < 0.4:
            canvas.fill(frame.box(face.s, (d - 8, d)), darker((96, 95, 93), rng.uniform(0.8, 1.2)))
            d -= rng.uniform(12, 18)


Box = tuple[tuple[float, float], tuple[float, float]]


def _near(canvas: Canvas, frame: Frame, box: Box) -> bool:
    """Whether a plot may be seen at all."""
    corners = frame.box(*box)
    low, high = corners.min(axis=0), corners.max(axis=0)
    return bool((high > 0).all() and low[0] < canvas.width and low[1] < canvas.height)


def _plot(canvas: Canvas, frame: Frame, box: Box, rng: np.random.Generator) -> None:
    """One building, container yard, car park, wood or empty lot."""
    use = rng.random()
    (s0, s1), (d0, d1) = box
    if use < 0.55:
        deep = (d1 - d0) * rng.uniform(0.5, 1.0)
        _warehouse(canvas, frame, (box[0], (d1 - deep, d1)), rng)
    elif use < 0.68:
        _stacks(canvas, frame, box, rng)
    elif use < 0.78:
        canvas.fill(frame.box(*box), (104, 103, 100))
        for s in np.arange(s0 + 2, s1 - 3, 3.2):
            for d in np.arange(d0 + 2, d1 - 5, 8.0):
                if rng.random() < 0.6:
                    canvas.fill(frame.box((s, s + 1.9), (d, d + 4.4)), _grey(rng))
    elif use < 0.92:
        _trees(canvas, frame, Face(box[0], d1, "bare"), rng, (0.0, d1 - d0))


def _grey(rng: np.random.Generator) -> Colour:
    level = rng.choice([40, 90, 140, 215]) * rng.uniform(0.8, 1.1)
    return (level * rng.uniform(0.9, 1.1), level, level * rng.uniform(0.9, 1.1))


def _warehouse(canvas: Canvas, frame: Frame, box: Box, rng: np.random.Generator) -> None:
    """A roof of two slopes, with ribs or lights."""
    (s0, s1), (d0, d1) = box
    roof, height, ridge = _pick(rng, ROOFS), rng.uniform(4, 14), (d0 + d1) / 2
    canvas.block(frame.box(*box), roof, height)
    canvas.fill(frame.box((s0, s1), (d0, ridge)), darker(roof, rng.uniform(0.72, 0.95)))
    if rng.random() < 0.5:
        for s in np.arange(s0 + 4, s1 - 2, rng.uniform(6, 12)):
            canvas.fill(frame.box((s, s + 1.0), (d0 + 1, d1 - 1)), darker(roof, rng.choice([0.8, 1.15])))
    for _ in range(int(rng.integers(0, 5))):
        s, d = rng.uniform(s0 + 1, s1 - 3), rng.uniform(d0 + 1, d1 - 3)
        canvas.block(frame.box((s, s + 2.2), (d, d + 2.0)), darker(roof, 0.8), 1.5)


def _stacks(canvas: Canvas, frame: Frame, box: Box, rng: np.random.Generator) -> None:
    """Containers in rows, on paving."""
    (s0, s1), (d0, d1) = box
    canvas.fill(frame.box(*box), (128, 124, 116))
    for s in np.arange(s0 + 1, s1 - 12.2, 13.5):
        for d in np.arange(d0 + 1, d1 - 2.4, 2.7):
            if rng.random() < 0.75 and int((d - d0) / 2.7) % 6:
                canvas.block(frame.box((s, s + 12.2), (d, d + 2.4)), _pick(rng, CONTAINERS), 2.6 * rng.integers(1, 4))


def _trees(canvas: Canvas, frame: Frame, face: Face, rng: np.random.Generator, depth: tuple[float, float]) -> None:
    """Round crowns with their shadows."""
    area = (face.s[1] - face.s[0]) * (depth[1] - depth[0])
    for _ in range(int(rng.poisson(min(area / 70, 160)))):
        centre = frame.at(rng.uniform(*face.s), face.d - rng.uniform(*depth))
        radius, leaves = rng.uniform(1.5, 4.5), _pick(rng, LEAVES)
        canvas.cast(centre + radius * 0.7 * np.array([[-1, -1], [1, -1], [1, 1], [-1, 1]]), 2.2 * radius)
        canvas.disc(centre, radius, leaves)
        canvas.disc(centre - canvas.shade * radius * 0.25, radius * 0.55, darker(leaves, 1.3))


def _pier(canvas: Canvas, pier: Array, rng: np.random.Generator, paving: Colour) -> None:
    """A pier's deck, its edge, and what lies about on it."""
    tone = darker(paving, rng.uniform(0.85, 1.15))
    along, across = pier[3] - pier[0], pier[1] - pier[0]
    length, width = float(np.hypot(*along)), float(np.hypot(*across))
    edge = 0.8 * across / width
    canvas.fill(pier, darker(tone, 0.75))
    canvas.fill(pier + np.stack([edge, -edge, -edge - along / length, edge - along / length]), tone)

    def at(t: float, v: float, size: Array) -> Array:
        a, b = along / length * size[0], across / width * size[1]
        corner = pier[0] + t * along + v * across
        return np.stack([corner, corner + a, corner + a + b, corner + b])

    canvas.fill(at(0.02, 0.45, np.array([length * 0.94, width * 0.12])), darker(tone, rng.uniform(0.75, 1.2)))
    for _ in range(int(rng.poisson(length * 0.2))):
        size = rng.uniform(1.5, 6, 2)
        colour = _pick(rng, (*CONTAINERS, *ROOFS))
        canvas.block(at(rng.uniform(0.02, 0.95), rng.uniform(0.05, 0.7), size), colour, rng.uniform(0.5, 3))
    if rng.random() < 0.35 and width > 16:
        canvas.block(at(0.15, 0.3, np.array([length * rng.uniform(0.2, 0.6), width * 0.4])), _pick(rng, ROOFS), 6)


def raise_cranes(canvas: Canvas, port: Port, rng: np.random.Generator) -> None:
    """Gantry cranes on some quays, their booms over the ships."""
    for berth in port.berths:
        span = float(np.hypot(*(berth.end - berth.start)))
        if rng.random() > 0.25 or span < 60:
            continue
        step, colour = (berth.end - berth.start) / span, _pick(rng, ((60, 90, 140), (190, 70, 50), (210, 170, 60)))
        for s in rng.uniform(10, span - 10, int(rng.integers(1, 4))):
            foot = berth.start + step * s - berth.outward * 4
            reach = rng.uniform(8, 26)
            back, tip = foot - berth.outward * 6, foot + berth.outward * reach
            for off in (-1.6, 1.6):
                girder = np.stack([back + step * off, tip + step * off])
                canvas.block(np.concatenate([girder, girder[::-1] + step * 0.7]), colour, 22)
            canvas.block(foot + 3 * np.stack([step, berth.outward, -step, -berth.outward]), darker(colour, 0.9), 4)
