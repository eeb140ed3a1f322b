"""Ends joined into hulls, once for the whole scene.

A bow and a stern belong together when each points at the other. Ends of ships moored side
by side lie close together, but each points along its own hull, so the hulls come apart.
"""

from dataclasses import replace
from itertools import chain
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.spatial import cKDTree

from shipdet.geometry import UNDECIDED, Hulls, overlaps, rectangle_corners
from shipdet.inference.evidence import CoarseMap, Joined, evidence, stretch, turn
from shipdet.models.decode import Tips
from shipdet.models.hull_scorer import HullScorer

Array = NDArray[np.float64]
Indices = NDArray[np.intp]


class AssemblyRule(NamedTuple):
    """How ends are joined. A vector's direction is sharp and its length is not, so they count apart."""

    same_end: float = 5.0
    """Peaks this near, in pixels, that point the same way are one end"""
    same_way_deg: float = 40.0
    """Turn between two vectors that still is the same way"""
    reach: float = 0.75
    """How far an end may lie from where its partner points, in lengths of that partner's vector"""
    turn_deg: float = 12.0
    """Turn of a vector away from the other end that costs a pair half of its score"""
    stretch: float = 0.8
    """Natural logarithm of a vector's length over the ship's that costs a pair half of its score"""
    blur: float = 2.5
    """Pixels that ends may be off, which turns short ships' vectors more"""
    cover: float = 0.5
    """Power of the share of the hull that the coarse map calls ship, in a hull's score"""
    lone: float = 0.25
    """Score of an end that stands on its own vector, relative to its own"""
    shared: float = 0.35
    """Intersection over union at which the worse of two hulls is given up"""
    swallowed: float = 0.7
    """Share of the smaller hull inside the other at which the worse of the two is given up"""


DEFAULT_RULE = AssemblyRule()
MOST_DOUBT = 8.0
"""Pairs that would keep less than a sixteenth of their score are none."""


class _Pairs(NamedTuple):
    first: Indices
    second: Indices
    quality: Array


def assemble(
    tips: Tips, coarse: CoarseMap, scorer: HullScorer | None = None, rule: AssemblyRule = DEFAULT_RULE
) -> Hulls:
    """Hulls, best first, in the pixels of the tips. The order of the tips does not matter.

    Args:
        tips: of the whole scene.
        coarse: of the whole scene.
        scorer: has the last word on scores; without one a hull's is that of its ends and of its cover.
        rule: how ends are joined.
    """
    joined = join(tips, coarse, rule)
    hulls = joined.hulls
    if scorer is not None and len(hulls):
        hulls = replace(hulls, score=scorer.probability(evidence(joined, coarse)))
    hulls = hulls[np.argsort(-hulls.score, kind="stable")]
    return hulls[not_overlapped(hulls, rule)]


def join(tips: Tips, coarse: CoarseMap, rule: AssemblyRule = DEFAULT_RULE) -> Joined:
    """Hulls of pairs of ends and of ends whose partner was missed; some may lie on others."""
    tips = tips.where(np.lexsort((tips.bow, tips.xy[:, 0], tips.xy[:, 1], -tips.score)))
    tips = tips.where(_distinct(tips, rule))
    pairs = _one_to_one(_candidates(tips, coarse, rule), len(tips.score))
    alone = np.ones(len(tips.score), bool)
    alone[pairs.first] = alone[pairs.second] = False
    lone = np.flatnonzero(alone)
    hulls = Hulls.join([_joined(tips, pairs), _lone(tips.where(lone), coarse, rule)])
    first = np.concatenate([pairs.first, lone])
    second = np.concatenate([pairs.second, np.full(len(lone), -1, np.intp)])
    return Joined(hulls, tips, first, second)


def _distinct(tips: Tips, rule: AssemblyRule) -> NDArray[np.bool_]:
    """Tips that no better tip close by says again: an end seen as bow and as stern, or on the border of two cells."""
    keep = np.ones(len(tips.score), bool)
    if not len(keep):
        return keep
    better, worse = _near(tips.xy, tips.xy, np.full(len(keep), rule.same_end))
    better, worse = better[better < worse], worse[better < worse]
    turned = turn(tips.to_other_end[better], tips.to_other_end[worse])
    keep[worse[turned <= np.radians(rule.same_way_deg)]] = False
    return keep


def _candidates(tips: Tips, coarse: CoarseMap, rule: AssemblyRule) -> _Pairs:
    """Pairs (first < second) that point at each other."""
    if not len(tips.score):
        nothing = np.zeros(0, np.intp)
        return _Pairs(nothing, nothing, np.zeros(0))
    vector = tips.to_other_end
    i, j = _near(tips.xy + vector, tips.xy, rule.reach * np.hypot(*vector.T))
    i, j = np.minimum(i, j), np.maximum(i, j)
    i, j = np.divmod(np.unique((i * len(tips.score) + j)[i != j]), len(tips.score))  # pairs as single numbers
    axis = tips.xy[j] - tips.xy[i]
    doubt = _doubt(vector[i], axis, rule) + _doubt(vector[j], -axis, rule)
    bow_stern = tips.bow[i] * (1 - tips.bow[j]) + tips.bow[j] * (1 - tips.bow[i])
    bow_stern[(tips.bow[i] == UNDECIDED) & (tips.bow[j] == UNDECIDED)] = 1.0
    quality = np.sqrt(tips.score[i] * tips.score[j] * bow_stern) * 0.5 ** (doubt / 2)
    quality *= coarse.cover(tips.xy[i], tips.xy[j]) ** rule.cover
    agree = doubt < MOST_DOUBT
    return _Pairs(i[agree], j[agree], quality[agree])


def _doubt(vector: Array, axis: Array, rule: AssemblyRule) -> Array:
    """How badly a vector (N, 2) fits an axis (N, 2): 1 halves a pair's score if the other end fits as badly."""
    length = np.maximum(np.hypot(*axis.T), 1e-9)
    allowed = np.hypot(np.radians(rule.turn_deg), rule.blur / length)
    return np.asarray((turn(vector, axis) / allowed) ** 2 + (stretch(vector, axis) / rule.stretch) ** 2)


def _near(points: Array, others: Array, radius: Array) -> tuple[Indices, Indices]:
    """Index pairs (point, other) no further apart than the point's radius."""
    found = cKDTree(others).query_ball_point(points, radius, return_sorted=True)
    counts = np.fromiter(map(len, found), np.intp, len(found))
    others_found = np.fromiter(chain.from_iterable(found), np.intp, counts.sum())
    return np.repeat(np.arange(len(points)), counts), others_found


def _one_to_one(pairs: _Pairs, count: int) -> _Pairs:
    """Best first, each tip once: in each round the pairs that are the best of both their tips."""
    order = np.lexsort((pairs.second, pairs.first, -pairs.quality))
    first, second, rank = pairs.first[order], pairs.second[order], np.arange(len(order))
    taken: list[NDArray[np.intp]] = []
    while len(rank):
        best = np.full(count, len(order), np.intp)
        np.minimum.at(best, first, rank)
        np.minimum.at(best, second, rank)
        won = (best[first] == rank) & (best[second] == rank)
        taken.append(rank[won])
        used = np.zeros(count, bool)
        used[first[won]] = used[second[won]] = True
        left = ~(used[first] | used[second])
        first, second, rank = first[left], second[left], rank[left]
    chosen = order[np.concatenate([np.zeros(0, np.intp), *taken])]
    return _Pairs(pairs.first[chosen], pairs.second[chosen], pairs.quality[chosen])


def _joined(tips: Tips, pairs: _Pairs) -> Hulls:
    i, j = pairs.first, pairs.second
    forward, backward = tips.bow[i] * (1 - tips.bow[j]), tips.bow[j] * (1 - tips.bow[i])
    sure = np.maximum(forward, backward) / np.maximum(forward + backward, 1e-12)
    bow, stern = np.where(forward >= backward, (i, j), (j, i))
    types = (tips.types[i] + tips.types[j]) / 2
    return Hulls(tips.xy[bow], tips.xy[stern], tips.half_beam[i] + tips.half_beam[j], pairs.quality, sure, types)


def _lone(tips: Tips, coarse: CoarseMap, rule: AssemblyRule) -> Hulls:
    """Ends whose partner was missed stand on their own vector."""
    other = tips.xy + tips.to_other_end
    is_bow = (tips.bow >= 0.5)[:, None]
    return Hulls(
        bow=np.where(is_bow, tips.xy, other),
        stern=np.where(is_bow, other, tips.xy),
        beam=2 * tips.half_beam,
        score=tips.score * rule.lone * coarse.cover(tips.xy, other) ** rule.cover,
        bow_score=np.maximum(tips.bow, 1 - tips.bow),
        types=tips.types,
    )


def not_overlapped(hulls: Hulls, rule: AssemblyRule = DEFAULT_RULE) -> NDArray[np.bool_]:
    """Of hulls, best first, those (N,) that do not lie on a better one that is kept."""
    kept = np.ones(len(hulls), bool)
    if not len(hulls):
        return kept
    pairs = overlaps(rectangle_corners(hulls.bow, hulls.stern, hulls.beam))
    clash = (pairs.common >= rule.shared * pairs.union) | (pairs.common >= rule.swallowed * pairs.smaller)
    better, worse = pairs.first[clash], pairs.second[clash]
    order = np.lexsort((worse, better))
    for i, j in zip(better[order].tolist(), worse[order].tolist(), strict=True):
        kept[j] &= not kept[i]
    return kept
