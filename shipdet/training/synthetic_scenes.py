"""Training scenes: harbours of every kind, at any GSD, with exact truth and with much that is mistaken for ships.

They share paint and plans with the harbour of data_samples/ (`training.synthetic`), but not its fleet, camera or seed.
"""

from dataclasses import dataclass, field
from typing import Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray

from shipdet.training.synthetic_anchorage import Crowd, fill_scene, solids
from shipdet.training.synthetic_camera import Weather, as_uint8, as_uint16, sense, veil
from shipdet.training.synthetic_canvas import Array, Canvas
from shipdet.training.synthetic_clutter import draw_obstacles, line_quays, plan_obstacles, raise_jibs, strew
from shipdet.training.synthetic_fittings import draw_ship
from shipdet.training.synthetic_fleet import CLASSES, Ship, draw_wake, label_type
from shipdet.training.synthetic_mooring import RAFT_GAP, Waters
from shipdet.training.synthetic_port import Frame, Port, plan_port, plan_shore
from shipdet.training.synthetic_texture import compose
from shipdet.training.synthetic_town import build_town, raise_cranes

ENDS_ALIKE = frozenset({"lighter"})
"""Classes whose bow is a matter of opinion."""
HIDDEN_SHARE = 0.5
"""A ship under more cloud than this is nobody's fault to miss."""


class Scene(NamedTuple):
    """A rendered scene and its ships, in pixels from the top-left corner."""

    pixels: NDArray[np.uint8] | NDArray[np.uint16]
    """(H, W, 3) RGB"""
    bow: Array
    """(N, 2)"""
    stern: Array
    """(N, 2)"""
    beam: Array
    """(N,)"""
    bow_known: NDArray[np.bool_]
    """(N,) False where nothing tells the ends apart"""
    hidden: NDArray[np.bool_]
    """(N,) mostly under cloud"""
    type: tuple[str, ...]
    """types of labels"""
    gsd_m: float


@dataclass(frozen=True)
class SceneOptions:
    """What to render; probabilities and shares are 0 to 1."""

    gsd_m: tuple[float, float] = (0.3, 3.0)
    """drawn between these, most often about 1 m"""
    bits: Literal[8, 16] = 8
    open_sea: float = 0.14
    """probability that there is no land"""
    far_shore: float = 0.25
    """probability of a second shore across the water"""
    crowding: tuple[float, float] = (0.4, 1.0)
    """how full the berths are, drawn between these"""
    marinas: float = 0.1
    """share of the shore that is left to boats"""
    weather: Weather = field(default_factory=Weather)


DEFAULT_OPTIONS = SceneOptions()


def render_scene(rng: np.random.Generator, size: int, options: SceneOptions = DEFAULT_OPTIONS) -> Scene:
    """Render one square scene. The same generator state gives the same pixels.

    Every ship lies whole within the scene, on water, and touches no other; those of a raft lie 1 to 3 pixels apart.

    Args:
        rng: Source of all randomness; it is advanced.
        size: Side in pixels.
        options: What to render.
    """
    gsd_m = _draw_gsd(rng, options.gsd_m)
    side_m = size * gsd_m
    ports = _ports(rng, side_m, options)
    obstacles = [thing for port in ports for thing in plan_obstacles(rng, port)]
    gap = (RAFT_GAP[0] * gsd_m, RAFT_GAP[1] * gsd_m)
    waters = Waters(side_m, side_m, solids(ports, [thing.outline for thing in obstacles]), gap)
    roads = float(rng.uniform(3, 18 if ports else 30) / gsd_m**1.3)
    fill_scene(rng, waters, ports, Crowd(rng.uniform(*options.crowding), roads))
    sun = rng.uniform(0, 2 * np.pi)
    shade = np.array([np.cos(sun), np.sin(sun)]) / np.tan(np.radians(rng.uniform(22, 70)))
    canvas = Canvas(size, size, shade, gsd_m)
    for port in ports:
        build_town(canvas, port, rng)
        line_quays(canvas, port, rng)
    draw_obstacles(canvas, obstacles, rng)
    _draw_ships(canvas, waters, rng)
    for port in ports:
        raise_cranes(canvas, port, rng)
        raise_jibs(canvas, port, rng)
    image = compose(rng, canvas.layers())
    cloud = veil(rng, image, options.weather, shade)
    return _truth(rng, sense(rng, image, options.weather), waters.ships, cloud, gsd_m, options.bits)


def _draw_gsd(rng: np.random.Generator, between: tuple[float, float]) -> float:
    """Log-normal about 0.9 m, within limits."""
    return float(np.clip(0.9 * np.exp(0.5 * rng.standard_normal()), *between))


def _ports(rng: np.random.Generator, side_m: float, options: SceneOptions) -> tuple[Port, ...]:
    shape = (side_m, side_m)
    if rng.random() < options.open_sea:
        return ()
    port = plan_port(rng, shape, options.marinas)
    if rng.random() >= options.far_shore:
        return (port,)
    near = port.frame
    angle = rng.normal(0, 0.15)
    turn = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    # Its water's edge wanders less than a fifth of the scene; pushed back this far the shores seldom meet.
    centre = near.centre + near.seaward * side_m * rng.uniform(0.25, 0.5)
    return (port, plan_shore(rng, Frame(centre, turn @ -near.along, turn @ -near.seaward), shape, options.marinas))


def _draw_ships(canvas: Canvas, waters: Waters, rng: np.random.Generator) -> None:
    strew(canvas, waters, rng)
    # The lowest first, so that the shadow of a high ship falls on the low one beside it.
    for ship in sorted(waters.ships, key=lambda s: CLASSES[s.type].freeboard_m):
        draw_wake(canvas, ship, rng)
        draw_ship(canvas, ship)


def _truth(
    rng: np.random.Generator, image: NDArray[np.float32], ships: list[Ship], cloud: NDArray[np.float32], gsd_m: float,
    bits: Literal[8, 16],
) -> Scene:  # fmt: skip
    bow = np.array([ship.bow for ship in ships]).reshape(-1, 2) / gsd_m
    stern = np.array([ship.stern for ship in ships]).reshape(-1, 2) / gsd_m
    gain, offset = rng.uniform(3, 24), rng.uniform(60, 900)
    pixels = as_uint8(image) if bits == 8 else as_uint16(image, gain, offset)
    along = np.linspace(stern, bow, 9).astype(int).reshape(-1, 2)
    hidden = cloud[along[:, 1], along[:, 0]].reshape(9, -1).mean(axis=0) > HIDDEN_SHARE
    known = np.array([ship.type not in ENDS_ALIKE for ship in ships], bool)
    types = tuple(label_type(ship.type) for ship in ships)
    return Scene(pixels, bow, stern, np.array([s.beam for s in ships]) / gsd_m, known, hidden, types, gsd_m)
