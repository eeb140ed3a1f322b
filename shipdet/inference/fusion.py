"""Ships seen in several views of one scene, fused by attention over the views.

Attention to Scale (Chen et al., CVPR 2016; `attention.scale`), taken at ships instead of pixels:
a ship's score is the weighted sum of its scores in all views, zero in those that do not show it,
and the weights are the softmax of what each view says it is worth at that place.
"""

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from scipy.spatial import cKDTree

from shipdet.attention.scale import fuse
from shipdet.geometry import UNDECIDED, Hulls
from shipdet.inference.assembly import not_overlapped
from shipdet.inference.evidence import mean_along
from shipdet.models.task_partition import COARSE_STRIDE
from shipdet.raster.sampling import Sampling

Array = NDArray[np.float64]
Indices = NDArray[np.intp]

SAME_SHIP = 0.25
"""How far each end of one and the same ship may lie apart in two views, in its lengths."""
LEAST_REACH = 3.0
"""The same in scene pixels, for short ships."""
LEAST_WEIGHT = 1e-12
"""Of a view that shows a ship, in where the ship is."""


class Glance(NamedTuple):
    """What one view of a scene shows."""

    hulls: Hulls
    """in scene pixels"""
    sampling: Sampling
    worth: NDArray[np.float16]
    """(ceil(H/8), ceil(W/8)) of the view's pixels: logits of what the view is worth there"""


class Together(NamedTuple):
    """Ships of all views."""

    hulls: Hulls
    """in scene pixels, best first"""
    weights: Array
    """(N, V) attention over the views, sums to 1"""


class Mates(NamedTuple):
    """For each of N hulls the hull of each of V views that shows the same ship; in its own view that is itself."""

    hull: Indices
    """(N, V), 0 where there is none"""
    there: NDArray[np.bool_]
    """(N, V)"""
    reversed: NDArray[np.bool_]
    """(N, V) bow and stern the other way round"""


Attend = Callable[[Array, Array], tuple[Array, Array]]
"""Scores and logits (N, V) of ships in views to fused scores (N,) and weights (N, V)."""


def attend(score: Array, worth: Array) -> tuple[Array, Array]:
    """Attention: the weighted sum of scores, and the softmax of what views are worth."""
    fused = fuse(torch.from_numpy(score.T)[None, :, None], torch.from_numpy(worth.T)[None])
    return fused.scores[0, 0].numpy(), fused.weights[0].numpy().T


def fuse_glances(glances: Sequence[Glance], attend: Attend = attend) -> Together:
    """One hull a ship out of several views: each takes its mates into account, then overlaps are cleared.

    Args:
        glances: what the views show.
        attend: how scores are fused.
    """
    hulls = Hulls.join([glance.hulls for glance in glances if len(glance.hulls)] or [glances[0].hulls])
    view = np.repeat(np.arange(len(glances)), [len(glance.hulls) for glance in glances])
    mates = find_mates(hulls, view, len(glances))
    score = np.where(mates.there, hulls.score[mates.hull], 0.0)
    fused, weights = attend(score, worth_at(hulls, glances))
    together = replace(averaged(hulls, mates, weights * score), score=fused)
    order = np.argsort(-fused, kind="stable")
    together, weights = together[order], weights[order]
    kept = not_overlapped(together)
    return Together(together[kept], weights[kept])


def worth_at(hulls: Hulls, glances: Sequence[Glance]) -> Array:
    """What each view is worth at each hull: logits (N, V), means along the hulls' axes."""
    return np.stack(
        [
            mean_along(g.worth, COARSE_STRIDE, g.sampling.to_model(hulls.bow), g.sampling.to_model(hulls.stern))
            for g in glances
        ],
        axis=1,
    )


def find_mates(hulls: Hulls, view: Indices, views: int) -> Mates:
    """The same ships in other views.

    Args:
        hulls: N of all views, in scene pixels.
        view: (N,) that each was seen in.
        views: how many there are.
    """
    shape = (len(hulls), views)
    mates = Mates(np.zeros(shape, np.intp), np.zeros(shape, bool), np.zeros(shape, bool))
    if not len(hulls):
        return mates
    one, other, apart, turned = _close(hulls)
    useful = (view[one] != view[other]) | (one == other)
    one, other, apart, turned = (values[useful] for values in (one, other, apart, turned))
    order = np.lexsort((other, -hulls.score[other] * (1 - apart), view[other], one))[::-1]  # the best is written last
    place = (one[order], view[other[order]])
    mates.hull[place], mates.reversed[place], mates.there[place] = other[order], turned[order], True
    return mates


def _close(hulls: Hulls) -> tuple[Indices, Indices, Array, NDArray[np.bool_]]:
    """Pairs of hulls whose ends lie close: who, with whom, how far apart in parts of the reach, the other way round."""
    middle, reach = (hulls.bow + hulls.stern) / 2, np.maximum(SAME_SHIP * hulls.length, LEAST_REACH)
    near = cKDTree(middle).query_ball_point(middle, reach, return_sorted=True)
    one = np.repeat(np.arange(len(hulls)), [len(found) for found in near])
    other = np.concatenate([np.asarray(found, np.intp) for found in near])
    same = np.maximum(_apart(hulls.bow[one], hulls.bow[other]), _apart(hulls.stern[one], hulls.stern[other]))
    swapped = np.maximum(_apart(hulls.bow[one], hulls.stern[other]), _apart(hulls.stern[one], hulls.bow[other]))
    apart = np.minimum(same, swapped) / reach[one]
    close = apart <= 1
    return one[close], other[close], apart[close], (swapped < same)[close]


def _apart(a: Array, b: Array) -> Array:
    return np.asarray(np.hypot(*(a - b).T))


def averaged(hulls: Hulls, mates: Mates, weight: Array) -> Hulls:
    """Each hull as its mates have it, weighted (N, V); a bow that most of them call a stern changes sides."""
    weight = weight + LEAST_WEIGHT * mates.there  # a hull that no weight lies on is still somewhere
    share = weight / weight.sum(axis=1, keepdims=True)
    turned = mates.reversed
    bow, stern, sure = hulls.bow[mates.hull], hulls.stern[mates.hull], hulls.bow_score[mates.hull]
    ahead = (share[..., None] * np.where(turned[..., None], stern, bow)).sum(axis=1)
    behind = (share[..., None] * np.where(turned[..., None], bow, stern)).sum(axis=1)
    bow_score = (share * np.where(turned, 1 - sure, sure)).sum(axis=1)
    undecided = ((sure == UNDECIDED) | ~mates.there).all(axis=1)
    bow_score = np.where(undecided, UNDECIDED, bow_score)  # shares add up to one but for rounding
    wrong = (bow_score < 0.5)[:, None]
    return replace(
        hulls,
        bow=np.where(wrong, behind, ahead),
        stern=np.where(wrong, ahead, behind),
        beam=(share * hulls.beam[mates.hull]).sum(axis=1),
        types=(share[..., None] * hulls.types[mates.hull]).sum(axis=1),
        bow_score=np.maximum(bow_score, 1 - bow_score),
    )
