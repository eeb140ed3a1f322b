"""A scene looked at in several views: at scales where its own is unknown, mirrored or turned where that is asked for.

Views are taken one after the other. Of each only its ships and a coarse map of what it is worth
are kept, so memory is that of one view.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from functools import partial
from typing import Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray
from torch import Tensor

from shipdet.geometry import Hulls
from shipdet.inference.afloat import afloat
from shipdet.inference.engine import (
    Eye,
    Found,
    Progress,
    Seen,
    Tiling,
    detect_hulls,
    eye_of,
    hulls_of,
    scouted,
    sweep,
    tiles_of,
)
from shipdet.inference.fusion import Glance, Together, fuse_glances
from shipdet.inference.looked import TileMemory
from shipdet.inference.second_look import look_again
from shipdet.inference.symmetry import AS_IT_IS, DIHEDRAL, FLIPS, Symmetry
from shipdet.inference.type_look import look_for_types
from shipdet.models.device import Device
from shipdet.models.scale_head import confidence_logits, deep_features
from shipdet.models.task_partition import Coarse
from shipdet.models.weights import Model
from shipdet.raster.sampling import Sampling, model_sampling
from shipdet.raster.scene import Scene

Augment = Literal["none", "flips", "dihedral", "scales"]

SUPPOSED = (1.0, 0.71, 0.5, 0.35, 0.25, 1.41)
"""Ground pixels that a scene of unknown scale is taken to have, in those of the model. Finer than the last the scene
would be enlarged more than by a half, which costs most and was not seen to help."""
AROUND = (1.0, 0.71, 1.41)
"""Scales around a known one."""
SHARPER = 2.0
"""Power of attention in the likely ground pixel. Attention is spread over more scales than the best, which is good for
what is fused and would draw each estimate to the middle of the scales."""
SYMMETRIES: dict[Augment, tuple[Symmetry, ...]] = {
    "none": (AS_IT_IS,),
    "flips": FLIPS,
    "dihedral": DIHEDRAL,
    "scales": (AS_IT_IS,),
}


class View(NamedTuple):
    """One way to look at a scene."""

    gsd_m: tuple[float, float]
    """ground pixel that the scene is taken to have, along columns and rows"""
    symmetry: Symmetry


def plan_views(scene: Scene, model_gsd_m: float, augment: Augment) -> tuple[View, ...]:
    """The views of a scene, the plain one first: at several scales where its own is unknown."""
    if scene.gsd_m is None:
        gsds = [(model_gsd_m * scale, model_gsd_m * scale) for scale in SUPPOSED]
    else:
        x, y = scene.gsd_m
        gsds = [(x * scale, y * scale) for scale in (AROUND if augment == "scales" else (1.0,))]
    return tuple(View(gsd, symmetry) for gsd in gsds for symmetry in SYMMETRIES[augment])


class Looking(NamedTuple):
    """How a scene is looked at."""

    augment: Augment = "none"
    tiling: Tiling = Tiling()
    memory: TileMemory | None = None
    """of an earlier run that looked likewise at the same scene"""


def find_ships(
    scene: Scene, model: Model, device: Device, looking: Looking | None = None, progress: Progress | None = None
) -> Found:
    """Finds the ships of a scene, in one view or in several, fused by attention to scale.

    Args:
        scene: where its ground sample distance is None it is looked for too.
        model: whose network looks.
        device: where and how precisely it computes.
        looking: how it looks; else in one view where the scale is known.
        progress: is told of each tile.

    Raises:
        SceneError: the scene has no valid pixel.
        ReadError: the file is damaged.
    """
    looking = looking or Looking()
    views = plan_views(scene, model.card.gsd_m, looking.augment)
    if len(views) == 1:
        found = detect_hulls(scene, model, device, looking.tiling, progress, looking.memory)
        return found._replace(hulls=_checked(found.hulls, scene, found.sampling, model, device))
    eye = eye_of(model, device)._replace(more=worth_of(model, device), memory=looking.memory)
    glances: list[Glance] = []
    attention = np.zeros((0, 0), np.uint8)
    opened: list[float] = []
    tilings = _tilings(scene, model, device, views, looking.tiling)
    for seen in sweeps(scene, model.card.gsd_m, eye, views, tilings, progress):
        attention = np.maximum(attention, on_grid(seen.attention, attention.shape)) if glances else seen.attention
        more = seen.more[0] if len(seen.more) else np.zeros(seen.attention.shape, np.float16)
        glances.append(Glance(hulls_of(seen, model), seen.sampling, more))
        opened.append(seen.opened)
    together = fuse_glances(glances)
    likely = likely_gsd_m(together, views) if scene.gsd_m is None else None
    sampling = glances[0].sampling
    hulls = _checked(together.hulls, scene, sampling, model, device)
    return Found(hulls, sampling, attention, len(views), likely, max(opened))


def _checked(hulls: Hulls, scene: Scene, sampling: Sampling, model: Model, device: Device) -> Hulls:
    """Ships as a closer look at each has them: none on dry land, doubtful bows and types looked at again."""
    hulls = look_again(hulls[afloat(hulls, scene, sampling, model)], scene, sampling, model, device)
    return look_for_types(hulls, scene, sampling, model, device)


def _tilings(scene: Scene, model: Model, device: Device, views: Sequence[View], tiling: Tiling) -> list[Tiling]:
    """What is looked at in each view: all where the scale is unknown, for the scout's word holds for known ones."""
    if scene.gsd_m is None:
        return [tiling] * len(views)
    known = {}
    for gsd_m in dict.fromkeys(view.gsd_m for view in views):
        taken = replace(scene, gsd_m=gsd_m)
        known[gsd_m] = scouted(taken, model_sampling(taken, model.card.gsd_m), model, device, tiling)
    return [known[view.gsd_m] for view in views]


def sweeps(
    scene: Scene,
    model_gsd_m: float,
    eye: Eye,
    views: Sequence[View],
    tilings: Sequence[Tiling],
    progress: Progress | None = None,
) -> Iterator[Seen]:
    """Passes over a scene, one a view.

    Args:
        scene: any.
        model_gsd_m: ground pixel of the model.
        eye: looks, with the symmetry of each view instead of its own, and remembers each apart.
        views: in which order.
        tilings: how the scene is cut in each of them.
        progress: is told of each tile of all views.
    """
    taken = [replace(scene, gsd_m=view.gsd_m) for view in views]
    samplings = [model_sampling(one, model_gsd_m) for one in taken]
    each = list(zip(taken, samplings, tilings, views, strict=True))
    counts = [len(tiles_of(one, sampling, tiling, eye)) for one, sampling, tiling, _ in each]
    for number, (one, sampling, tiling, view) in enumerate(each):
        told = None if progress is None else partial(_tell, progress, sum(counts[:number]), sum(counts))
        memory = None if eye.memory is None else eye.memory.part(f"view{number}")
        yield sweep(one, sampling, eye._replace(symmetry=view.symmetry, memory=memory), tiling, told)


def _tell(progress: Progress, before: int, total: int, done: int, _: int) -> None:
    progress(before + done, total)


def worth_of(model: Model, device: Device) -> Callable[[Coarse], Tensor]:
    """What says, per coarse cell, what a view is worth there, (1, 1, h, w): the trained head, else confidence."""
    head = model.scale_head
    if head is None:
        return lambda coarse: confidence_logits(coarse)[:, None]
    head = head.to(device.device)
    return lambda coarse: head(deep_features(coarse))[:, None]


def likely_gsd_m(ships: Together, views: Sequence[View]) -> float | None:
    """The ground pixel that ships speak for, the sure ones loudest; None where there are none.

    Each ship speaks for the views that its attention lies on; means are taken of logarithms.
    """
    sure = ships.hulls.score**2
    if not sure.sum():
        return None
    logs = np.log([np.sqrt(x * y) for (x, y), _ in views])
    sharp = ships.weights**SHARPER
    sharp /= sharp.sum(axis=1, keepdims=True)
    return float(np.exp((sure * (sharp @ logs)).sum() / sure.sum()))


def on_grid(cells: NDArray[np.uint8], shape: tuple[int, ...]) -> NDArray[np.uint8]:
    """A map of the whole scene on a grid of another size: the most of the cells that fall into one, or the nearest."""
    for axis, size in enumerate(shape):
        starts = np.arange(size) * cells.shape[axis] // size
        cells = np.maximum.reduceat(cells, starts, axis=axis)
    return cells
