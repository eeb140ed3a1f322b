"""A second look at ships whose bow is in doubt.

Only those cost a further read: of ships that are found, about one in nine. What is said of a ship depends on its ends
and the scene alone, not on tiles, nor on what else was found.
"""

from dataclasses import replace

import numpy as np
import torch
from scipy.special import expit, logit

from shipdet.geometry import Array, Hulls
from shipdet.inference.hull_pictures import hull_pictures, worth_a_look
from shipdet.models.bow_classifier import BowClassifier
from shipdet.models.device import Device, autocast
from shipdet.models.weights import Model
from shipdet.raster.sampling import Sampling
from shipdet.raster.scene import Scene

UNSURE, SURE = 0.7, 0.8
"""`bow_score` up to which the second look counts in full, and from which not at all; a ship that is sure is not looked
at. In between it counts by degrees, so that the least difference between two runs stays one."""
SUREST = (1e-4, 1 - 1e-4)
"""What `bow_score` is clipped to before its logit is taken."""


def look_again(hulls: Hulls, scene: Scene, sampling: Sampling, model: Model, device: Device) -> Hulls:
    """The same ships, some of them turned round, with `bow_score` as both looks have it.

    Args:
        hulls: in scene pixels.
        scene: that they lie in.
        sampling: how the model read it.
        model: whose classifier looks; without one nothing changes.
        device: where it computes.

    Raises:
        ReadError: the file is damaged.
    """
    facts = model.card.second_look
    if model.bow_classifier is None or facts is None:
        return hulls
    unsure = hulls.ordered & (hulls.bow_score < SURE) & worth_a_look(hulls, sampling)
    doubtful = np.flatnonzero(unsure)
    if not len(doubtful):
        return hulls
    first = hulls.bow_score[doubtful]
    seen = bow_logits(hulls[doubtful], scene, sampling, model.bow_classifier, device)
    logits = logit(first.clip(*SUREST)) + facts.weight * doubt(first) * seen
    bow, stern, bow_score = hulls.bow.copy(), hulls.stern.copy(), hulls.bow_score.copy()
    wrong = doubtful[logits < 0]
    bow[wrong], stern[wrong] = hulls.stern[wrong], hulls.bow[wrong]
    bow_score[doubtful] = expit(np.abs(logits))
    return replace(hulls, bow=bow, stern=stern, bow_score=bow_score)


def doubt(bow_score: Array) -> Array:
    """How far the second look counts, 0 to 1, for ships (N,) of some `bow_score`."""
    return np.asarray(((SURE - bow_score) / (SURE - UNSURE)).clip(0, 1))


def bow_logits(hulls: Hulls, scene: Scene, sampling: Sampling, classifier: BowClassifier, device: Device) -> Array:
    """Logits (N,) that the bow is the bow, as a classifier sees it; arguments and errors as `look_again`."""
    if not len(hulls):
        return np.zeros(0)
    classifier = classifier.to(device.device).to(memory_format=torch.channels_last).eval()
    told = np.zeros(len(hulls))
    with torch.inference_mode(), autocast(device):
        for rows, pictures in hull_pictures(hulls, scene, sampling):
            shown = torch.from_numpy(pictures).to(device.device, memory_format=torch.channels_last)
            told[rows] = classifier(shown).double().cpu().numpy()
    return told
