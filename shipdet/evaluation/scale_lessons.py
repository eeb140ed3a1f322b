"""What labelled pictures teach the scale head: ships and false alarms of a trained network, seen at several scales."""

from collections.abc import Sequence
from dataclasses import replace
from typing import NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray

from shipdet.errors import LabelsError
from shipdet.geometry import Hulls
from shipdet.inference.engine import Seen, Tiling, eye_of, hulls_of, sweep
from shipdet.inference.fusion import Mates, find_mates
from shipdet.inference.views import SUPPOSED
from shipdet.labels.folders import Folder, LabelledPicture, read_folder
from shipdet.labels.types import IGNORED_TYPES, Labels
from shipdet.models.device import Device
from shipdet.models.scale_head import deep_features
from shipdet.models.task_partition import COARSE_STRIDE
from shipdet.models.weights import Model
from shipdet.raster.sampling import model_sampling
from shipdet.raster.scene import open_scene
from shipdet.training.scale_head import Lessons

Array = NDArray[np.float64]

PLACES = np.linspace(0.1, 0.9, 5)
"""Along a hull, from bow to stern, where features are taken."""
TOLERANCE = 0.2
"""How far ends may lie from labelled ones, in lengths of the labelled ship."""
NEARBY = 0.75
"""Hulls this near to the middle of a labelled ship that they do not find, in its lengths, teach nothing."""
FAINTEST = 0.02
"""Hulls of lower scores teach too little for their room."""


AS_IF = (0.35, 1.41)
"""Range of the scales that pictures are looked at as if they had."""


class Known(NamedTuple):
    """Pictures, and what is known of their scale."""

    folder: Folder
    gsd_m: float | None
    """their ground pixel, where that is known"""


class Verdict(NamedTuple):
    """What N hulls are by labels."""

    ship: NDArray[np.bool_]
    """(N,) it lies on a labelled ship"""
    false_alarm: NDArray[np.bool_]
    """(N,) it lies on none; where it is neither, nobody can say"""
    label: NDArray[np.intp]
    """(N,) the labelled ship that it lies on, 0 where on none"""
    turned: NDArray[np.bool_]
    """(N,) bow and stern the other way round than the labelled ones"""


def gather_lessons(folders: Sequence[Known], model: Model, device: Device, times: int, seed: int) -> Lessons:
    """Lessons of the completely labelled training pictures of folders, each looked at as if it had other scales.

    Args:
        folders: what to learn from.
        model: whose network looks.
        device: where.
        times: how often each picture is looked at, at another scale each time.
        seed: of the scales.

    Raises:
        LabelsError: no such pictures.
    """
    random, (least, most) = np.random.default_rng(seed), np.log(AS_IF)
    parts = []
    for folder, true_gsd_m in folders:
        for picture in read_folder(folder, "train"):
            for scale in np.exp(random.uniform(least, most, times)) if picture.labels.complete else ():
                gsds_m = scale * model.card.gsd_m * np.array(SUPPOSED)
                parts.append(picture_lessons(picture, gsds_m.tolist(), model, device, true_gsd_m))
    if not parts:
        raise LabelsError(f"no completely labelled training pictures in {', '.join(str(f.path) for f, _ in folders)}")
    return Lessons(*(torch.cat(fields) for fields in zip(*parts, strict=True)))


def picture_lessons(
    picture: LabelledPicture, gsds_m: Sequence[float], model: Model, device: Device, true_gsd_m: float | None
) -> Lessons:
    """Lessons of one picture, completely labelled.

    Args:
        picture: any.
        gsds_m: ground pixels that the picture is taken to have, one a view.
        model: whose network looks.
        device: where.
        true_gsd_m: the ground pixel that the picture has, where that is known.
    """
    eye = eye_of(model, device)._replace(more=deep_features)
    scene = open_scene(str(picture.path))
    seen = []
    for gsd_m in gsds_m:
        taken = replace(scene, gsd_m=(gsd_m, gsd_m))
        seen.append(sweep(taken, model_sampling(taken, model.card.gsd_m), eye, Tiling()))
    lessons = _lessons(seen, [hulls_of(one, model) for one in seen], picture.labels)
    ratio = torch.tensor(gsds_m) / (true_gsd_m or np.nan)
    return lessons._replace(gsd_m=ratio.expand(len(lessons.ship), -1))


def _lessons(seen: Sequence[Seen], parts: Sequence[Hulls], labels: Labels) -> Lessons:
    hulls = Hulls.join([part for part in parts if len(part)] or parts[:1])
    view = np.repeat(np.arange(len(parts)), [len(part) for part in parts])
    sure = hulls.score >= FAINTEST
    hulls, view = hulls[sure], view[sure]
    verdict = judge_hulls(hulls, labels)
    mates = find_mates(hulls, view, len(seen))
    off, bow = _against_labels(hulls, mates, labels, verdict)
    telling = verdict.ship | verdict.false_alarm
    score = np.where(mates.there, hulls.score[mates.hull], 0.0)
    return Lessons(
        features=torch.from_numpy(np.stack([_along(view, hulls[telling]) for view in seen], axis=1)),
        score=torch.from_numpy(score[telling]).float(),
        off=torch.from_numpy(off[telling]).float(),
        bow=torch.from_numpy(bow[telling]).float(),
        ship=torch.from_numpy(verdict.ship[telling]),
        gsd_m=torch.zeros(int(telling.sum()), len(seen)),
    )


def _against_labels(hulls: Hulls, mates: Mates, labels: Labels, verdict: Verdict) -> tuple[Array, Array]:
    """`Lessons.off` and `Lessons.bow` of all hulls, by their mates."""
    if not len(labels):
        return np.zeros((*mates.hull.shape, 4)), np.full(mates.hull.shape, np.nan)
    turned = mates.reversed ^ verdict.turned[:, None]
    bow, stern, sure = hulls.bow[mates.hull], hulls.stern[mates.hull], hulls.bow_score[mates.hull]
    ends = np.where(turned[..., None], np.concatenate([stern, bow], axis=2), np.concatenate([bow, stern], axis=2))
    label = verdict.label
    wanted = np.concatenate([labels.bow, labels.stern], axis=1)[label]
    off = (ends - wanted[:, None]) / labels.length[label][:, None, None]
    known = (labels.bow_known[label] & verdict.ship)[:, None]
    return np.where(mates.there[..., None], off, 0.0), np.where(known, np.where(turned, 1 - sure, sure), np.nan)


def _along(seen: Seen, hulls: Hulls) -> NDArray[np.float16]:
    """Further maps of a view along hulls in scene pixels: (N, P, C)."""
    bow, stern = seen.sampling.to_model(hulls.bow), seen.sampling.to_model(hulls.stern)
    places = bow[:, None] + PLACES[:, None] * (stern - bow)[:, None]
    x, y = np.floor(places / COARSE_STRIDE).astype(np.intp).transpose(2, 0, 1)
    _, height, width = seen.more.shape
    return np.asarray(seen.more[:, np.clip(y, 0, height - 1), np.clip(x, 0, width - 1)].transpose(1, 2, 0))


def judge_hulls(hulls: Hulls, labels: Labels) -> Verdict:
    """What hulls are by labels; several may lie on one ship, for they come from several views."""
    none = np.zeros(len(hulls), bool)
    if not len(labels) or not len(hulls):
        return Verdict(none, _labelled_there(hulls, labels), np.zeros(len(hulls), np.intp), none)
    straight = np.maximum(_apart(hulls.bow, labels.bow), _apart(hulls.stern, labels.stern)) / labels.length
    swapped = np.maximum(_apart(hulls.bow, labels.stern), _apart(hulls.stern, labels.bow)) / labels.length
    odd = np.array([kind in IGNORED_TYPES for kind in labels.type]) | labels.difficult
    error = np.where(odd, np.inf, np.minimum(straight, swapped))
    nearest = error.argmin(axis=1)
    row = np.arange(len(hulls))
    ship = error[row, nearest] <= TOLERANCE
    middle = _apart((hulls.bow + hulls.stern) / 2, (labels.bow + labels.stern) / 2)
    away = np.all(middle > NEARBY * labels.length, axis=1)
    false_alarm = ~ship & away & _labelled_there(hulls, labels)
    return Verdict(ship, false_alarm, np.where(ship, nearest, 0), (swapped < straight)[row, nearest])


def _apart(points: Array, others: Array) -> Array:
    """Distances (N, L)."""
    return np.asarray(np.hypot(*(points[:, None] - others[None]).transpose(2, 0, 1)))


def _labelled_there(hulls: Hulls, labels: Labels) -> NDArray[np.bool_]:
    """Hulls (N,) in places where what is unlabelled is no ship."""
    middle = (hulls.bow + hulls.stern) / 2
    told = ~labels.ignores(middle)
    if not labels.complete or not len(labels.regions):
        return told & labels.complete
    inside = (middle[:, None] >= labels.regions[None, :, :2]) & (middle[:, None] <= labels.regions[None, :, 2:])
    return np.asarray(told & np.any(np.all(inside, axis=2), axis=1))
