"""Where the ships of a synthetic harbour lie: along quays and piers singly and in rafts, at pontoons, in the open."""

from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np
import shapely

from shipdet.geometry import rectangle_corners
from shipdet.training.synthetic_canvas import Array
from shipdet.training.synthetic_fleet import CLASSES, Ship
from shipdet.training.synthetic_port import Berth, Port

RAFT_GAP = (1.0, 3.0)
"""Water between two hulls of a raft, in pixels."""
NAVY = (("warship", 0.72), ("landing", 0.16), ("submarine", 0.06), ("tug", 0.06))
TRADE = (
    ("container", 0.16),
    ("cargo", 0.24),
    ("tanker", 0.16),
    ("ferry", 0.12),
    ("barge", 0.16),
    ("tug", 0.1),
    ("yacht", 0.06),
)
ROADS = (*TRADE, ("warship", 0.2), ("yacht", 0.08))
Mix = tuple[tuple[str, float], ...]


class Size(NamedTuple):
    """A type of ship and the size of one of it, in metres."""

    type: str
    length: float
    beam: float


@dataclass
class Waters:
    """The water of a scene, in metres, as it fills: says whether a hull still fits, and takes it."""

    width: float
    height: float
    solid: shapely.Geometry
    gap: tuple[float, float] = RAFT_GAP
    """water between two hulls of a raft, in metres"""
    ships: list[Ship] = field(default_factory=list)
    _hulls: list[shapely.Geometry] = field(default_factory=list)

    def take(self, ship: Ship, room: float) -> bool:
        """Place a ship if it lies on water within the scene, `room` metres or more from every other."""
        corners = rectangle_corners(ship.bow[None], ship.stern[None], np.array([ship.beam]))[0]
        if corners.min() < 3 or (corners.max(axis=0) > (self.width - 3, self.height - 3)).any():
            return False
        hull = shapely.polygons(corners)
        if shapely.distance(self.solid, hull) < min(room, 0.5):
            return False
        if self._hulls and float(np.min(shapely.distance(self._hulls, hull))) < room:
            return False
        self.ships.append(ship)
        self._hulls.append(hull)
        return True

    def is_free(self, place: Array, room: float) -> bool:
        """Whether nothing lies within `room` metres of a place (2,)."""
        point = shapely.Point(*place)
        hulls = float(np.min(shapely.distance(self._hulls, point))) if self._hulls else np.inf
        return bool(min(hulls, shapely.distance(self.solid, point)) > room)


def draw_size(rng: np.random.Generator, mix: Mix, longest: float) -> Size | None:
    """A type, a length and a beam; None where the type drawn is longer than `longest`."""
    shares = np.array([share for _, share in mix])
    kind = mix[int(rng.choice(len(mix), p=shares / shares.sum()))][0]
    low, high = CLASSES[kind].length_m
    if low > longest:
        return None
    length = rng.uniform(low, min(high, longest))
    return Size(kind, length, length / rng.uniform(*CLASSES[kind].slenderness))


def place(size: Size, middle: Array, heading: Array, style: int) -> Ship:
    """A ship of a size around its middle."""
    half = heading * size.length / 2
    return Ship(middle + half, middle - half, size.beam, size.type, style=style)


def draw_style(rng: np.random.Generator) -> int:
    """Looks of a ship."""
    return int(rng.integers(2**32))


def moor_along(rng: np.random.Generator, waters: Waters, berth: Berth, mix: Mix, crowding: float) -> None:
    """Fill a berth with ships and rafts, one behind the other."""
    span = float(np.hypot(*(berth.end - berth.start)))
    step = (berth.end - berth.start) / max(span, 1e-9)
    s = rng.uniform(2, 20)
    while s < span - 12:
        drawn = draw_size(rng, mix, (span - s) * 1.04)
        if drawn is None or rng.random() > crowding:
            s += rng.uniform(8, 40)
            continue
        middle = berth.start + step * (s + drawn.length / 2)
        _raft(rng, waters, Berth(middle, middle + step, berth.outward), drawn)
        s += drawn.length + rng.uniform(5, 22)


def _raft(rng: np.random.Generator, waters: Waters, side: Berth, size: Size) -> None:
    """One to five hulls side by side, outward from a berth one metre long; sisters more often than not."""
    hulls = int(rng.choice([1, 2, 3, 4, 5], p=[0.5, 0.22, 0.14, 0.09, 0.05])) if size.type != "container" else 1
    sisters, mixed, style = rng.random() < 0.7, rng.random() < 0.3, draw_style(rng)
    step = side.end - side.start
    heading, out = step * rng.choice([-1.0, 1.0]), rng.uniform(0.8, 4.0)
    for _ in range(hulls):
        one, along = size, rng.normal(0, 2.0)
        if not sisters:
            one = Size(size.type, size.length * rng.uniform(0.8, 1.0), size.beam * rng.uniform(0.9, 1.05))
            along, style = rng.uniform(-0.5, 0.5) * (size.length - one.length), draw_style(rng)
        turned = -1.0 if mixed and rng.random() < 0.5 else 1.0
        middle = side.start + step * along + side.outward * (out + one.beam / 2)
        if not waters.take(place(one, middle, heading * turned, style), waters.gap[0] - 0.01):
            return
        out += one.beam + rng.uniform(*waters.gap)


def moor_end_on(rng: np.random.Generator, waters: Waters, berth: Berth, crowding: float) -> None:
    """Fill one side of a pontoon with boats, bow or stern to it."""
    span = float(np.hypot(*(berth.end - berth.start)))
    step = (berth.end - berth.start) / span
    longest, s = rng.uniform(13, 20), 2.0
    while s < span - 6:
        length = longest * rng.uniform(0.85, 1.0)
        beam = length / rng.uniform(*CLASSES["yacht"].slenderness)
        middle = berth.start + step * (s + beam / 2) + berth.outward * (1 + length / 2)
        heading = berth.outward * (1.0 if rng.random() < 0.7 else -1.0)
        if rng.random() < crowding:
            waters.take(place(Size("yacht", length, beam), middle, heading, draw_style(rng)), 0.9)
        s += beam + rng.uniform(1.2, 2.6)


def sail(rng: np.random.Generator, waters: Waters, tries: int) -> None:
    """Put ships on open water, at anchor or under way."""
    for _ in range(tries):
        drawn = draw_size(rng, ROADS, 0.6 * min(waters.width, waters.height))
        if drawn is None:
            continue
        angle = rng.uniform(0, 2 * np.pi)
        middle = rng.uniform(0, 1, 2) * (waters.width, waters.height)
        ship = place(drawn, middle, np.array([np.cos(angle), np.sin(angle)]), draw_style(rng))
        speed = rng.uniform(0.35, 1.0) if rng.random() < 0.65 else 0.0
        waters.take(ship._replace(speed=speed), 12.0)


def fill_port(rng: np.random.Generator, port: Port, shape: tuple[int, int], crowding: float, navy: float) -> list[Ship]:
    """All ships of a harbour.

    Args:
        rng: Source of randomness.
        port: Its plan.
        shape: Scene size (height, width).
        crowding: How full the berths are, 0 to 1.
        navy: Share of berths that belong to a navy, 0 to 1.
    """
    solid = shapely.union_all([shapely.polygons(p) for p in (*port.land, *port.piers, *port.pontoons)])
    shapely.prepare(solid)
    waters = Waters(shape[1], shape[0], solid)
    fleet = NAVY if rng.random() < navy else TRADE
    for berth in port.berths:
        mix = fleet if rng.random() < 0.85 else TRADE
        moor_along(rng, waters, berth, mix, crowding)
    for slip in port.slips:
        moor_end_on(rng, waters, slip, crowding)
    square_km = shape[0] * shape[1] / 1e6
    sail(rng, waters, 1 + int(rng.poisson((10 if port.land else 16) * square_km)))
    return waters.ships
