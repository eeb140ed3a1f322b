"""Ships of a synthetic harbour: hull forms by type, and how a hull is laid on the water and furnished."""

from collections.abc import Callable
from typing import NamedTuple

import numpy as np

from shipdet.training.synthetic_canvas import Array, Canvas, Colour, darker


class Ship(NamedTuple):
    """One ship: its tips in scene pixels, its beam, its type (a key of `CLASSES`), its speed and looks."""

    bow: Array
    """(2,)"""
    stern: Array
    """(2,)"""
    beam: float
    type: str
    speed: float = 0.0
    """0 moored or at anchor .. 1 full speed"""
    style: int = 0
    """what colours and fittings are drawn from; sisters share it"""


class Form(NamedTuple):
    """Half-breadths of a planform along the ship, as shares of the length from the stern (0) to the bow (1)."""

    transom: float
    """breadth at the stern, as a share of the beam"""
    aft: float
    """where full beam is reached"""
    shoulder: float
    """where the bow begins to narrow"""
    power: float
    """1: straight to the point; larger: fuller"""
    stem: float = 0.0
    """breadth at the bow, as a share of the beam"""


class ShipClass(NamedTuple):
    """Plausible sizes of a type, in metres."""

    form: Form
    length_m: tuple[float, float]
    slenderness: tuple[float, float]
    """length over beam"""
    freeboard_m: float


CLASSES = {
    "warship": ShipClass(Form(0.78, 0.35, 0.48, 1.7), (70, 175), (8.0, 10.0), 5),
    "landing": ShipClass(Form(0.94, 0.1, 0.72, 1.9), (100, 200), (6.2, 8.0), 8),
    "submarine": ShipClass(Form(0.06, 0.4, 0.8, 2.6), (60, 120), (8.5, 11.0), 1.5),
    "container": ShipClass(Form(0.86, 0.12, 0.8, 2.0), (110, 250), (6.0, 7.0), 9),
    "cargo": ShipClass(Form(0.8, 0.12, 0.84, 2.2), (80, 200), (5.7, 7.0), 7),
    "tanker": ShipClass(Form(0.75, 0.14, 0.86, 2.5), (80, 240), (5.5, 6.6), 6),
    "ferry": ShipClass(Form(0.9, 0.08, 0.74, 1.9), (40, 160), (4.6, 6.5), 9),
    "barge": ShipClass(Form(0.92, 0.04, 0.93, 1.2, 0.6), (35, 90), (3.6, 7.0), 2),
    "tug": ShipClass(Form(0.72, 0.2, 0.6, 2.2), (20, 35), (2.8, 3.5), 3),
    "yacht": ShipClass(Form(0.8, 0.3, 0.5, 1.9), (12, 30), (3.1, 4.2), 2),
    "carrier": ShipClass(Form(0.7, 0.05, 0.5, 1.5, 0.25), (190, 335), (4.2, 5.6), 16),
    "assault": ShipClass(Form(0.94, 0.04, 0.9, 1.6, 0.5), (160, 260), (5.6, 7.2), 14),
    "corvette": ShipClass(Form(0.85, 0.25, 0.5, 1.8), (32, 95), (5.2, 8.6), 4),
    "attack": ShipClass(Form(0.14, 0.34, 0.86, 2.4), (55, 115), (7.2, 11.2), 1.5),
    "bulk": ShipClass(Form(0.78, 0.12, 0.87, 2.6), (120, 290), (5.6, 6.8), 7),
    "river": ShipClass(Form(0.86, 0.06, 0.86, 2.0, 0.2), (38, 115), (3.6, 6.6), 2),
    "feeder": ShipClass(Form(0.88, 0.06, 0.86, 2.0, 0.15), (40, 115), (3.4, 5.8), 2.5),
    "lighter": ShipClass(Form(0.97, 0.02, 0.97, 1.2, 0.85), (18, 75), (1.9, 4.4), 2),
    "workhorse": ShipClass(Form(0.78, 0.16, 0.62, 2.0, 0.1), (18, 48), (2.4, 4.4), 3),
    "fishing": ShipClass(Form(0.75, 0.2, 0.55, 2.0), (12, 60), (3.0, 4.8), 3),
    "launch": ShipClass(Form(0.8, 0.15, 0.55, 1.9), (8, 28), (2.4, 4.4), 1.5),
    "workboat": ShipClass(Form(0.95, 0.04, 0.85, 1.5, 0.5), (9, 26), (1.9, 3.0), 1.2),
    "sailboat": ShipClass(Form(0.5, 0.42, 0.5, 1.6), (7, 22), (2.6, 4.2), 1.2),
    "superyacht": ShipClass(Form(0.86, 0.2, 0.55, 1.9), (28, 90), (4.3, 6.2), 4),
}
"""By name; the names that are not types of a label, and the types that they are of, stand in `TYPE_OF`."""

TYPE_OF = {
    "landing": "warship", "corvette": "warship", "assault": "carrier", "attack": "submarine", "bulk": "cargo",
    "river": "cargo", "feeder": "container", "lighter": "barge", "workhorse": "tug", "launch": "small",
    "workboat": "small", "sailboat": "yacht", "superyacht": "yacht", "ferry": "passenger",
}  # fmt: skip


def label_type(name: str) -> str:
    """The type that labels give to a ship of a class."""
    return TYPE_OF.get(name, name)


def breadth(form: Form, along: Array) -> Array:
    """Share of the beam (K,) at shares of the length (K,)."""
    aft = form.transom + (1 - form.transom) * np.sin(np.pi / 2 * np.clip(along / form.aft, 0, 1))
    taper = np.clip((along - form.shoulder) / (1 - form.shoulder), 0, 1)
    return np.asarray(np.minimum(aft, form.stem + (1 - form.stem) * (1 - taper**form.power)))


class Hull:
    """A ship's own frame on the canvas: `t` along it from stern (0) to bow (1), `v` across it in beams, -0.5 .. 0.5."""

    def __init__(self, canvas: Canvas, ship: Ship) -> None:
        self.canvas = canvas
        self.form = CLASSES[ship.type].form
        self.length = float(np.hypot(*(ship.bow - ship.stern)))
        self.beam = ship.beam
        self._stern, self._along = ship.stern, ship.bow - ship.stern
        unit = self._along / self.length
        self._across = np.array([-unit[1], unit[0]]) * ship.beam

    def at(self, t: Array | float, v: Array | float) -> Array:
        """Scene pixels (K, 2), or (2,) for scalars."""
        return np.asarray(self._stern + np.multiply.outer(t, self._along) + np.multiply.outer(v, self._across))

    def outline(self, inset_m: float, start: float = 0.0, stop: float = 1.0) -> Array:
        """The planform between two stations, drawn in by `inset_m` (negative: out), as (K, 2) scene pixels."""
        ends = inset_m / self.length
        t = np.concatenate([np.linspace(0, 0.4, 7), np.linspace(0.45, 0.98, 12), [1.0]])
        half = np.maximum(breadth(self.form, t) / 2 - inset_m / self.beam, 0)
        t = np.clip(ends + t * (1 - 2 * ends), start if start else -1, stop if stop < 1 else 2)
        return self.at(np.concatenate([t, t[::-1]]), np.concatenate([half, -half[::-1]]))

    def box(self, t: tuple[float, float], v: tuple[float, float], colour: Colour, height_m: float = 0.0) -> None:
        """A rectangle of deck, or a house of `height_m` with its shadow and a lit edge."""
        corners = self.at(np.array([t[0], t[1], t[1], t[0]]), np.array([v[0], v[0], v[1], v[1]]))
        if height_m > 0:
            self.canvas.block(corners, colour, height_m)
        else:
            self.canvas.fill(corners, colour)

    def shape(self, corners: Array, colour: Colour, height_m: float = 0.0) -> None:
        """Any polygon of deck or house, given by its corners (K, 2) as (t, v)."""
        corners = self.at(corners[:, 0], corners[:, 1])
        if height_m > 0:
            self.canvas.block(corners, colour, height_m)
        else:
            self.canvas.fill(corners, colour)

    def stripe(self, t: tuple[float, float], v: tuple[float, float], colour: Colour, width_m: float) -> None:
        """A painted line from one place on deck to another."""
        self.canvas.line(self.at(np.array(t), np.array(v)), colour, width_m)

    def disc(self, t: float, radius_m: float, colour: Colour, v: float = 0.0) -> None:
        """A round thing on deck."""
        self.canvas.disc(self.at(t, v), radius_m, colour)

    def mast(self, t: float, height_m: float, colour: Colour, v: float = 0.0) -> None:
        """A pole: hardly seen from above but for its long shadow."""
        half = 0.6 / self.length, 0.6 / self.beam
        self.box((t - half[0], t + half[0]), (v - half[1], v + half[1]), colour, height_m)

    def ring(self, t: float, radius_m: float, colour: Colour) -> None:
        """A painted circle, such as a helicopter deck's."""
        turn = np.linspace(0, 2 * np.pi, 25)
        circle = self.at(t, 0.0) + radius_m * np.stack([np.cos(turn), np.sin(turn)], axis=1)
        self.canvas.line(circle, colour, 0.7)


Furnish = Callable[[Hull, np.random.Generator], None]


def lay_hull(hull: Hull, rng: np.random.Generator, freeboard_m: float, side: Colour, deck: Colour) -> None:
    """The bare ship: shadow on the water, dark waterline, a rim of the side's colour, the deck."""
    hull.canvas.cast(hull.outline(0.0), freeboard_m)
    hull.canvas.fill(hull.outline(-0.2), darker(side, 0.35))
    hull.canvas.fill(hull.outline(0.0), side)
    rim = min(rng.uniform(0.4, 1.1), 0.12 * hull.beam)
    hull.canvas.fill(hull.outline(rim), deck)


def draw_wake(canvas: Canvas, ship: Ship, rng: np.random.Generator) -> None:
    """Foam behind and beside a ship under way: churned water, the two arms, the bow wave."""
    if ship.speed <= 0:
        return
    hull = Hull(canvas, ship)
    reach, steps = rng.uniform(0.8, 4.0) * (0.4 + 0.6 * ship.speed), 24
    for k in range(steps, 0, -1):
        t = -reach * np.array([k - 1, k, k, k - 1]) / steps
        fade = ship.speed * (1 - k / steps) ** 1.6
        half = 0.32 + 0.12 * np.abs(t)
        _foam(hull, t, np.array([-half[0], -half[1], half[2], half[3]]), 0.7 * fade)
        start = 0.93 - (0.93 + 0.6 * reach) * np.array([k - 1, k, k, k - 1]) / steps
        spread = (0.93 - start) * hull.length * 0.16 / hull.beam
        width = (0.5 + 0.02 * (0.93 - start) * hull.length) / hull.beam
        for side in (-1.0, 1.0):
            inner, outer = 0.1 + spread, 0.1 + spread + width
            _foam(hull, start, side * np.array([inner[0], inner[1], outer[2], outer[3]]), 0.4 * fade)


def _foam(hull: Hull, t: Array, v: Array, strength: float) -> None:
    hull.canvas.add_foam(hull.at(t, v), strength)
