"""Teaches a model how far to trust its hulls, on pictures that its network was trained on."""

from collections.abc import Callable, Sequence
from functools import partial

import numpy as np

from shipdet.evaluation.matching import HIT, IGNORED, Matched, match
from shipdet.geometry import Hulls
from shipdet.inference.assembly import join
from shipdet.inference.engine import in_scene_pixels, see
from shipdet.inference.evidence import evidence
from shipdet.labels.folders import LabelledPicture
from shipdet.models.device import Device
from shipdet.models.hull_scorer import EVIDENCE
from shipdet.models.weights import Model
from shipdet.raster.scene import Scene, open_scene
from shipdet.training.hull_scoring import fit_scorer

Judge = Callable[[Hulls], Matched]
"""Says which hulls of a scene, in its pixels, are right."""
LEAST_HULLS = 200
"""Fewer teach nothing that would hold elsewhere."""


def with_scorer(model: Model, device: Device, pictures: Sequence[LabelledPicture], seed: int) -> Model:
    """The model with a scorer fitted to the hulls that its network joins on completely labelled pictures.

    Where there are too few hulls the model stays as it was.
    """
    complete = [picture for picture in pictures if picture.labels.complete]
    scenes = [open_scene(picture.path, gsd_m=model.card.gsd_m) for picture in complete]
    judged = [(scene, partial(match, labels=picture.labels)) for scene, picture in zip(scenes, complete, strict=True)]
    return fitted(model, device, judged, seed)


def fitted(model: Model, device: Device, judged: Sequence[tuple[Scene, Judge]], seed: int) -> Model:
    """As `with_scorer`, of scenes and what tells which hulls are right in each."""
    known, right = [], []
    for scene, judge in judged:
        seen = see(scene, model, device)
        joined = join(seen.tips, seen.coarse)
        matched = judge(in_scene_pixels(joined.hulls, seen.sampling))
        counted = matched.status != IGNORED
        known.append(evidence(joined, seen.coarse)[counted])
        right.append(matched.status[counted] == HIT)
    if sum(len(r) for r in right) < LEAST_HULLS or not np.concatenate(right).any():
        return model
    scorer = fit_scorer(np.concatenate(known), np.concatenate(right), seed)
    return Model(model.network, model.card.model_copy(update={"evidence": EVIDENCE}), scorer)
