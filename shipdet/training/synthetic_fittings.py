"""What furnishes each class of a synthetic harbour's ships."""

import numpy as np

from shipdet.training import synthetic_boats as boats
from shipdet.training import synthetic_decks as decks
from shipdet.training import synthetic_navy as navy
from shipdet.training.synthetic_canvas import Canvas
from shipdet.training.synthetic_fleet import Furnish, Hull, Ship

FURNISH: dict[str, Furnish] = {
    "warship": decks.furnish_warship,
    "landing": decks.furnish_landing,
    "submarine": decks.furnish_submarine,
    "container": decks.furnish_container,
    "cargo": decks.furnish_cargo,
    "tanker": decks.furnish_tanker,
    "ferry": decks.furnish_ferry,
    "barge": decks.furnish_barge,
    "tug": decks.furnish_tug,
    "yacht": decks.furnish_yacht,
    "carrier": navy.furnish_carrier,
    "assault": navy.furnish_assault,
    "corvette": navy.furnish_corvette,
    "attack": navy.furnish_attack,
    "bulk": boats.furnish_bulk,
    "river": boats.furnish_river,
    "feeder": boats.furnish_feeder,
    "lighter": boats.furnish_lighter,
    "workhorse": boats.furnish_workhorse,
    "fishing": boats.furnish_fishing,
    "launch": boats.furnish_launch,
    "workboat": boats.furnish_workboat,
    "sailboat": boats.furnish_sailboat,
    "superyacht": boats.furnish_superyacht,
}


def draw_ship(canvas: Canvas, ship: Ship) -> None:
    """Paint one ship, the same for the same ship."""
    FURNISH[ship.type](Hull(canvas, ship), np.random.default_rng(ship.style))
