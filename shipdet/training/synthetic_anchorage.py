"""Who lies where in a training scene: fleets by kind of harbour, ships end on to quays, boats at moorings."""

from typing import NamedTuple

import numpy as np
import shapely

from shipdet.training.synthetic_canvas import Array
from shipdet.training.synthetic_mooring import Mix, Waters, draw_size, draw_style, moor_along, place
from shipdet.training.synthetic_port import Berth, Port

NAVY: Mix = (
    ("warship", 0.34), ("corvette", 0.24), ("landing", 0.09), ("carrier", 0.12), ("assault", 0.08), ("attack", 0.08),
    ("submarine", 0.04), ("workhorse", 0.06), ("lighter", 0.05),
)  # fmt: skip
TRADE: Mix = (
    ("container", 0.13), ("cargo", 0.15), ("bulk", 0.1), ("tanker", 0.13), ("ferry", 0.09), ("barge", 0.08),
    ("river", 0.08), ("lighter", 0.1), ("workhorse", 0.07), ("tug", 0.04), ("fishing", 0.03),
)  # fmt: skip
RIVER: Mix = (
    ("river", 0.3), ("feeder", 0.18), ("lighter", 0.24), ("barge", 0.1), ("workhorse", 0.1), ("cargo", 0.05),
    ("launch", 0.03),
)  # fmt: skip
CRAFT: Mix = (
    ("workhorse", 0.18), ("tug", 0.1), ("fishing", 0.24), ("launch", 0.16), ("workboat", 0.08), ("lighter", 0.1),
    ("superyacht", 0.08), ("yacht", 0.06),
)  # fmt: skip
BOATS: Mix = (("yacht", 0.34), ("sailboat", 0.36), ("launch", 0.22), ("fishing", 0.05), ("workboat", 0.03))
FLEETS = ((NAVY, 0.42), (TRADE, 0.26), (RIVER, 0.13), (CRAFT, 0.19))


class Crowd(NamedTuple):
    """How full a scene is."""

    berths: float
    """0 to 1"""
    roads: float
    """ships a square kilometre of water that lie or sail in the open"""


def fill_scene(rng: np.random.Generator, waters: Waters, ports: tuple[Port, ...], crowd: Crowd) -> None:
    """Put all ships into a scene's waters."""
    shares = np.array([share for _, share in FLEETS])
    fleet = FLEETS[int(rng.choice(len(FLEETS), p=shares / shares.sum()))][0]
    for port in ports:
        for berth in port.berths:
            mix = fleet if rng.random() < 0.75 else FLEETS[int(rng.integers(len(FLEETS)))][0]
            if rng.random() < 0.15:
                _moor_ends(rng, waters, berth, mix, crowd.berths)
            else:
                moor_along(rng, waters, berth, mix, crowd.berths)
        for slip in port.slips:
            _moor_ends(rng, waters, slip, BOATS, crowd.berths)
    if rng.random() < 0.2:
        _moorings(rng, waters)
    for _ in range(1 + int(rng.poisson(crowd.roads * waters.width * waters.height / 1e6))):
        _one_at_sea(rng, waters, fleet)


def _moor_ends(rng: np.random.Generator, waters: Waters, berth: Berth, mix: Mix, crowding: float) -> None:
    """Ships or boats end on to a quay or pontoon, sisters in a row."""
    span = float(np.hypot(*(berth.end - berth.start)))
    step, s = (berth.end - berth.start) / max(span, 1e-9), rng.uniform(1, 6)
    longest, sign = rng.uniform(0.1, 0.5) * min(waters.width, waters.height), 1.0 if rng.random() < 0.6 else -1.0
    shortest = rng.uniform(9, 20) if mix is BOATS else longest
    while s < span - 3:
        drawn = draw_size(rng, mix, max(min(longest, shortest), 14.0))
        if drawn is None or rng.random() > crowding:
            s += rng.uniform(3, 12)
            continue
        apart = rng.uniform(*waters.gap) if rng.random() < 0.7 else rng.uniform(*waters.gap) + drawn.beam
        for _ in range(int(rng.integers(1, 6))):
            size = drawn._replace(length=drawn.length * rng.uniform(0.9, 1.0))
            middle = berth.start + step * (s + size.beam / 2) + berth.outward * (rng.uniform(1, 3) + size.length / 2)
            heading = berth.outward * (sign if rng.random() < 0.85 else -sign)
            if s + size.beam < span:
                waters.take(place(size, middle, heading, draw_style(rng)), waters.gap[0] - 0.01)
            s += size.beam + apart


def _moorings(rng: np.random.Generator, waters: Waters) -> None:
    """A field of boats or barges at anchor, all swung to the wind."""
    centre = rng.uniform(0.1, 0.9, 2) * (waters.width, waters.height)
    angle, pitch = rng.uniform(0, 2 * np.pi), rng.uniform(18, 45)
    mix = BOATS if rng.random() < 0.6 else RIVER
    pitch = pitch if mix is BOATS else pitch * 3
    for _ in range(int(rng.integers(4, 40))):
        drawn = draw_size(rng, mix, 0.4 * min(waters.width, waters.height))
        if drawn is None:
            continue
        turned = angle + rng.normal(0, 0.15)
        middle = centre + rng.normal(0, 2.2, 2) * pitch
        heading = np.array([np.cos(turned), np.sin(turned)])
        waters.take(place(drawn, middle, heading, draw_style(rng)), 2.0 + 0.2 * pitch)


def _one_at_sea(rng: np.random.Generator, waters: Waters, fleet: Mix) -> None:
    """One ship at anchor or under way; at times with a tug or a lighter alongside, or a raft of its own."""
    mix = fleet if rng.random() < 0.4 else (TRADE, RIVER, CRAFT, BOATS)[int(rng.integers(4))]
    longest = 0.6 * min(waters.width, waters.height)
    drawn = draw_size(rng, mix, longest) or draw_size(rng, BOATS, longest)
    if drawn is None:
        return
    angle, middle = rng.uniform(0, 2 * np.pi), rng.uniform(0, 1, 2) * (waters.width, waters.height)
    heading = np.array([np.cos(angle), np.sin(angle)])
    fast = drawn.type not in ("lighter", "submarine") and rng.random() < 0.5
    ship = place(drawn, middle, heading, draw_style(rng))
    if not waters.take(ship._replace(speed=rng.uniform(0.25, 1.0) if fast else 0.0), 10.0) or fast:
        return
    while rng.random() < 0.4:
        other = draw_size(rng, (*CRAFT, ("lighter", 0.3), (drawn.type, 0.8)), drawn.length)
        if other is None:
            return
        side = rng.choice([-1.0, 1.0]) * np.array([-heading[1], heading[0]])
        off = (drawn.beam + other.beam) / 2 + rng.uniform(*waters.gap)
        along = rng.uniform(-0.5, 0.5) * (drawn.length - other.length)
        beside = middle + side * off + heading * along
        ship = place(other, beside, heading * rng.choice([-1.0, 1.0]), draw_style(rng))
        if not waters.take(ship, waters.gap[0] - 0.01):
            return


def solids(ports: tuple[Port, ...], more: list[Array]) -> shapely.Geometry:
    """Everything that no ship can lie on."""
    land = [polygon for port in ports for polygon in (*port.land, *port.piers, *port.pontoons)]
    solid = shapely.union_all([shapely.polygons(p) for p in (*land, *more)])
    shapely.prepare(solid)
    return solid
