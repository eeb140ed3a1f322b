"""How hits, misses and false alarms are drawn on a picture, on the sheet and in the report alike."""

from typing import Literal, NamedTuple

import numpy as np
from matplotlib.axes import Axes
from matplotlib.collections import PolyCollection
from matplotlib.patheffects import withStroke
from numpy.typing import NDArray

from shipdet.evaluation.matching import FALSE_ALARM, HIT, IGNORED, Matched, footprints
from shipdet.evaluation.metrics import HEADING_TOLERANCE_DEG
from shipdet.geometry import Hulls
from shipdet.labels.types import Labels

Array = NDArray[np.float64]
Mask = NDArray[np.bool_]


class Mark(NamedTuple):
    """How one kind of ship is drawn."""

    name: str
    colour: str
    style: Literal["solid", "dashed"]
    width: float


HIT_MARK = Mark("hit, dot at the bow", "#2bea5f", "solid", 1.8)
MISS_MARK = Mark("missed", "#ff2d3f", "solid", 2.2)
FALSE_MARK = Mark("false alarm", "#ffa31a", "solid", 2.2)
IGNORED_MARK = Mark("ignored", "#d0d0d0", "dashed", 1.4)
BOW_RIGHT, BOW_WRONG = "#ffffff", "#ff4df0"


class Verdict(NamedTuple):
    """Which hulls (N,) and labelled ships (L,) are drawn as what."""

    hit: Mask
    false_alarm: Mask
    dropped: Mask
    missed: Mask
    ignored: Mask


def verdict_of(matched: Matched, threshold: float) -> Verdict:
    """What each ship is at a threshold: hulls of lower scores are left out, and what only they found is missed."""
    kept = matched.score >= threshold
    hit = kept & (matched.status == HIT)
    missed = matched.counted.copy()
    missed[matched.label[hit]] = False
    return Verdict(
        hit=hit,
        false_alarm=kept & (matched.status == FALSE_ALARM),
        dropped=kept & (matched.status == IGNORED),
        missed=missed,
        ignored=~matched.counted,
    )


def draw_ships(axes: Axes, hulls: Hulls, labels: Labels, matched: Matched, verdict: Verdict) -> None:
    """Outlines of all ships in their colours, and a dot at the bow of each hit."""
    outlines, known = hulls.corners, footprints(labels)
    outline(axes, known[verdict.ignored], IGNORED_MARK)
    outline(axes, outlines[verdict.dropped], IGNORED_MARK)
    outline(axes, outlines[verdict.hit], HIT_MARK)
    outline(axes, known[verdict.missed], MISS_MARK)
    outline(axes, outlines[verdict.false_alarm], FALSE_MARK)
    wrong, hit = matched.heading_error_deg > HEADING_TOLERANCE_DEG, verdict.hit & hulls.ordered
    for which, colour, area in ((hit & ~wrong, BOW_RIGHT, 26), (hit & wrong, BOW_WRONG, 70)):
        bow = hulls.bow[which]
        axes.scatter(bow[:, 0], bow[:, 1], s=area, c=colour, edgecolors="black", linewidths=0.8, zorder=4)


def outline(axes: Axes, corners: Array, mark: Mark) -> None:
    """Outlines (K, 5, 2) over a dark edge, so that they show on bright quays too."""
    lines = PolyCollection(
        list(corners), facecolors="none", edgecolors=mark.colour, linestyles=mark.style, linewidths=mark.width
    )
    lines.set_path_effects([withStroke(linewidth=mark.width + 1.6, foreground="black", alpha=0.55)])
    axes.add_collection(lines)
