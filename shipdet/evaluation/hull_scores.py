"""Teaches a model how far to trust its hulls, on pictures that its network was trained on."""

from collections.abc import Sequence

import numpy as np

from shipdet.evaluation.cases import Case, cases_of, match_case
from shipdet.evaluation.matching import DEFAULT_RULE, HIT, IGNORED
from shipdet.inference.assembly import join
from shipdet.inference.engine import in_scene_pixels, see
from shipdet.inference.evidence import evidence
from shipdet.labels.folders import LabelledPicture
from shipdet.models.device import Device
from shipdet.models.hull_scorer import EVIDENCE
from shipdet.models.weights import Model
from shipdet.training.hull_scoring import fit_scorer

LEAST_HULLS = 200
"""Fewer teach nothing that would hold elsewhere."""


def with_scorer(model: Model, device: Device, pictures: Sequence[LabelledPicture | Case], seed: int) -> Model:
    """The model with a scorer fitted to the hulls that its network joins on completely labelled pictures.

    Where there are too few hulls the model stays as it was.
    """
    known, right = [], []
    for case in cases_of(pictures):
        if not case.labels.complete:
            continue
        seen = see(case.open(model.card.gsd_m), model, device)
        joined = join(seen.tips, seen.coarse)
        matched = match_case(in_scene_pixels(joined.hulls, seen.sampling), case, DEFAULT_RULE)
        counted = matched.status != IGNORED
        known.append(evidence(joined, seen.coarse)[counted])
        right.append(matched.status[counted] == HIT)
    if sum(len(r) for r in right) < LEAST_HULLS or not np.concatenate(right).any():
        return model
    scorer = fit_scorer(np.concatenate(known), np.concatenate(right), seed)
    return model._replace(card=model.card.model_copy(update={"evidence": EVIDENCE}), scorer=scorer)
