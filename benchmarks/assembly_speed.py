"""How long it takes to join the ends of a whole scene's ships.

Contract: 50,000 ends in rafts of ten ships, moored side by side, become 25,000 ships in less than 2 s on one core.
Exit code 1 where they do not. Processor time is told too: it is what a busy machine would show.
"""

import argparse
import sys
import time
from typing import NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray

from shipdet.geometry import Hulls
from shipdet.inference.assembly import assemble
from shipdet.inference.evidence import CoarseMap
from shipdet.models.decode import Tips
from shipdet.models.hull_scorer import HullScorer

ENDS = 50_000
LIMIT_S = 2.0
RAFT = 10
"""Ships side by side"""
APART, BEAM = 14.0, 12.0
"""Pixels from ship to ship in a raft, and their width"""
ROOM = 260.0
"""Pixels from raft to raft"""
STRIDE = 8


class Rafts(NamedTuple):
    """Ends of rafts, as a network might see them, and the coarse map that goes with them."""

    tips: Tips
    coarse: CoarseMap


def make_rafts(ends: int, seed: int = 0) -> Rafts:
    """Rafts at all angles on a square; ends are off by half a pixel, vectors by a tenth in length."""
    rng = np.random.default_rng(seed)
    ships = ends // 2
    raft, place = np.divmod(np.arange(ships), RAFT)
    side = int(np.ceil(np.sqrt(raft[-1] + 1)))
    angle = rng.uniform(0, 2 * np.pi, raft[-1] + 1)[raft]
    along = np.stack([np.cos(angle), np.sin(angle)], axis=1)
    across = np.stack([-along[:, 1], along[:, 0]], axis=1)
    middle = (np.stack([raft % side, raft // side], axis=1) + 0.5) * ROOM
    middle += across * ((place - (RAFT - 1) / 2) * APART)[:, None]
    half = along * rng.uniform(30, 60, ships)[:, None]
    cells = int(np.ceil(side * ROOM / STRIDE))
    ship = rng.integers(0, 256, (cells, cells), np.uint8)
    return Rafts(_tips(rng, middle + half, middle - half), CoarseMap(ship, STRIDE))


def _tips(rng: np.random.Generator, bow: NDArray[np.float64], stern: NDArray[np.float64]) -> Tips:
    xy, vector = np.concatenate([bow, stern]), np.concatenate([stern - bow, bow - stern])
    count = len(xy)
    return Tips(
        xy=xy + rng.normal(0, 0.5, xy.shape),
        bow=np.repeat([0.9, 0.1], len(bow)),
        to_other_end=vector * rng.uniform(0.9, 1.1, (count, 1)) + rng.normal(0, 1, xy.shape),
        half_beam=np.full(count, BEAM / 2),
        score=rng.uniform(0.3, 0.95, count),
        cell=xy,
        types=np.zeros((count, 0)),
    )


def main() -> int:
    """Measures, prints, judges."""
    parser = argparse.ArgumentParser(description="Time to join the ends of a scene's ships.")
    parser.add_argument("--ends", type=int, default=ENDS)
    parser.add_argument("--report-only", action="store_true", help="exit with 0 even where the contract is not met")
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    rafts, scorer = make_rafts(arguments.ends), HullScorer()
    wall, processor = time.perf_counter(), time.process_time()
    hulls: Hulls = assemble(rafts.tips, rafts.coarse, scorer)
    wall, processor = time.perf_counter() - wall, time.process_time() - processor
    print(f"{arguments.ends} ends: {len(hulls)} ships in {wall:.2f} s, {processor:.2f} s of one core")
    return 1 if wall > LIMIT_S and not arguments.report_only else 0


if __name__ == "__main__":
    sys.exit(main())
