"""The plan of a synthetic harbour: where land and piers lie, and where ships may make fast."""

from itertools import pairwise
from typing import NamedTuple

import numpy as np

from shipdet.training.synthetic_canvas import Array


class Frame(NamedTuple):
    """A harbour's own axes on the scene: `s` along the shore, `d` out to sea, both in metres from the middle."""

    centre: Array
    along: Array
    seaward: Array

    def at(self, s: Array | float, d: Array | float) -> Array:
        """Scene pixels (K, 2), or (2,) for scalars."""
        return np.asarray(self.centre + np.multiply.outer(s, self.along) + np.multiply.outer(d, self.seaward))

    def box(self, s: tuple[float, float], d: tuple[float, float]) -> Array:
        """A rectangle (4, 2) in scene pixels."""
        return self.at(np.array([s[0], s[1], s[1], s[0]]), np.array([d[0], d[0], d[1], d[1]]))


class Berth(NamedTuple):
    """A straight edge (scene pixels) that ships lie along, on the side that `outward` (2,) points to."""

    start: Array
    end: Array
    outward: Array


class Face(NamedTuple):
    """A straight piece of the shore: land behind `d` between two `s`."""

    s: tuple[float, float]
    d: float
    use: str
    """quay, piers, marina or bare"""


class Port(NamedTuple):
    """A harbour's plan in scene pixels; everything empty for open sea."""

    frame: Frame
    faces: tuple[Face, ...]
    land: tuple[Array, ...]
    """polygons of ground"""
    piers: tuple[Array, ...]
    """quadrilaterals, root first"""
    pontoons: tuple[Array, ...]
    berths: tuple[Berth, ...]
    slips: tuple[Berth, ...]
    """sides of pontoons, where boats lie end on"""


def open_sea(shape: tuple[float, float]) -> Port:
    """No land at all."""
    frame = Frame(np.array([shape[1], shape[0]]) / 2, np.array([1.0, 0.0]), np.array([0.0, 1.0]))
    return Port(frame, (), (), (), (), (), ())


def plan_port(rng: np.random.Generator, shape: tuple[float, float], marinas: float) -> Port:
    """A shore of straight faces across the scene at any angle, with quays, piers and marinas.

    Args:
        rng: Source of randomness.
        shape: Scene size (height, width) in metres.
        marinas: Share of the shore that is left to yachts, 0 to 1.
    """
    angle = rng.uniform(0, 2 * np.pi)
    along = np.array([np.cos(angle), np.sin(angle)])
    frame = Frame(np.array([shape[1], shape[0]]) / 2, along, np.array([-along[1], along[0]]))
    return plan_shore(rng, frame, shape, marinas)


def plan_shore(rng: np.random.Generator, frame: Frame, shape: tuple[float, float], marinas: float) -> Port:
    """A shore in a given frame; arguments as `plan_port`."""
    reach = 0.75 * float(np.hypot(*shape))
    faces = _shore(rng, reach, 0.22 * min(shape), marinas)
    land = _outline(faces, reach)
    berths = [Berth(frame.at(f.s[0], f.d), frame.at(f.s[1], f.d), frame.seaward) for f in faces if f.use == "quay"]
    berths += _corners(frame, faces)
    piers: list[Array] = []
    pontoons: list[Array] = []
    slips: list[Berth] = []
    for face in faces:
        if face.use == "piers":
            for pier in _piers(rng, frame, face):
                piers.append(pier)
                berths += _sides(pier)
        if face.use == "marina":
            for pontoon in _pontoons(rng, frame, face):
                pontoons.append(pontoon)
                slips += _sides(pontoon)
    return Port(frame, faces, (frame.at(*land.T),), tuple(piers), tuple(pontoons), tuple(berths), tuple(slips))


def _shore(rng: np.random.Generator, reach: float, wander: float, marinas: float) -> tuple[Face, ...]:
    """Faces side by side from -reach to reach, stepping in and out to sea."""
    faces, s, d = [], -reach, rng.uniform(-1.2, 0.3) * wander
    while s < reach:
        end = s + rng.uniform(120, 420)
        use = (
            "marina" if rng.random() < marinas else ("quay", "piers", "bare")[int(rng.choice(3, p=[0.38, 0.53, 0.09]))]
        )
        faces.append(Face((s, end), d, use))
        s = end
        if rng.random() < 0.7:
            d = float(np.clip(d + rng.choice([-1, 1]) * rng.uniform(20, 140), -2.2 * wander, 0.9 * wander))
    return tuple(faces)


def _outline(faces: tuple[Face, ...], reach: float) -> Array:
    """The land polygon (K, 2) in (s, d)."""
    edge = [(s, face.d) for face in faces for s in face.s]
    return np.array([*edge, (edge[-1][0], -2 * reach), (edge[0][0], -2 * reach)])


def _corners(frame: Frame, faces: tuple[Face, ...]) -> list[Berth]:
    """Quays where the shore steps: edges that run out to sea."""
    berths = []
    for before, after in pairwise(faces):
        s, low, high = after.s[0], min(before.d, after.d), max(before.d, after.d)
        if high - low > 60:
            outward = frame.along if before.d > after.d else -frame.along
            berths.append(Berth(frame.at(s, low), frame.at(s, high), outward))
    return berths


def _piers(rng: np.random.Generator, frame: Frame, face: Face) -> list[Array]:
    """Piers that stand out from a face, all at the same angle, (4, 2) each with the root first."""
    length, width, lean = rng.uniform(90, 300), rng.uniform(9, 32), rng.normal(0, 0.25) * (rng.random() < 0.4)
    piers, s = [], face.s[0] + rng.uniform(20, 60)
    while s + width + 15 < face.s[1]:
        reach = length * rng.uniform(0.75, 1.15)
        piers.append(
            frame.at(np.array([s, s + width, s + width + lean * reach, s + lean * reach]),
                     face.d + np.array([-3.0, -3.0, reach, reach]))
        )  # fmt: skip
        s += width + rng.uniform(55, 170)
    return piers


def _pontoons(rng: np.random.Generator, frame: Frame, face: Face) -> list[Array]:
    """Narrow floating walks for boats."""
    length, gap = rng.uniform(50, 130), rng.uniform(46, 72)
    starts = np.arange(face.s[0] + 30, face.s[1] - 30, gap)
    return [frame.box((s, s + 2.5), (face.d - 2, face.d + length)) for s in starts]


def _sides(pier: Array) -> list[Berth]:
    """The two long sides of a quadrilateral whose root edge is 0-1, without their ends."""
    berths = []
    for root, tip, other in ((pier[0], pier[3], pier[1]), (pier[1], pier[2], pier[0])):
        step = (tip - root) / np.hypot(*(tip - root))
        outward = np.array([-step[1], step[0]])
        outward *= np.sign(np.dot(outward, root - other))
        berths.append(Berth(root + 8 * step, tip + 2 * step, outward))
    return berths
