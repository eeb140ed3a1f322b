"""Types of ship by a look at each hull alone, where the network itself is in doubt.

As with bows, only those cost a further read: of ships that are found, one in four.
"""

from dataclasses import replace

import numpy as np
import torch

from shipdet.geometry import Array, Hulls
from shipdet.inference.hull_pictures import hull_pictures, worth_a_look
from shipdet.models.device import Device, autocast
from shipdet.models.type_classifier import TypeClassifier
from shipdet.models.weights import Model
from shipdet.raster.sampling import Sampling
from shipdet.raster.scene import Scene

UNSURE, SURE = 0.6, 0.7
"""Probability of the likeliest type up to which the look at the hull counts in full, and from which not at all."""


def look_for_types(hulls: Hulls, scene: Scene, sampling: Sampling, model: Model, device: Device) -> Hulls:
    """The same ships, with types as the network and the classifier have them together.

    Args:
        hulls: in scene pixels.
        scene: that they lie in.
        sampling: how the model read it.
        model: whose classifier looks; without one nothing changes.
        device: where it computes.

    Raises:
        ReadError: the file is damaged.
    """
    facts = model.card.type_look
    if model.type_classifier is None or facts is None:
        return hulls
    doubtful = np.flatnonzero(worth_a_look(hulls, sampling) & (hulls.types.max(axis=1) < SURE))
    if not len(doubtful):
        return hulls
    types = hulls.types.copy()
    seen = types_seen(hulls[doubtful], scene, sampling, model.type_classifier, device)
    types[doubtful] = together(types[doubtful], seen, facts.weight)
    return replace(hulls, types=types)


def together(first: Array, second: Array, weight: float) -> Array:
    """Probabilities (N, K) of types from the network's (N, K) and the classifier's, which weighs most in full doubt."""
    doubt = ((SURE - first.max(axis=1)) / (SURE - UNSURE)).clip(0, 1)
    share = weight * doubt[:, None]
    return np.asarray(share * second + (1 - share) * first)


def types_seen(hulls: Hulls, scene: Scene, sampling: Sampling, classifier: TypeClassifier, device: Device) -> Array:
    """Probabilities (N, K) of types, as a classifier sees them; arguments and errors as `look_for_types`."""
    seen = np.zeros((len(hulls), classifier.types))
    if not len(hulls):
        return seen
    classifier = classifier.to(device.device).to(memory_format=torch.channels_last).eval()
    with torch.inference_mode(), autocast(device):
        for rows, pictures in hull_pictures(hulls, scene, sampling):
            logits = classifier(torch.from_numpy(pictures).to(device.device, memory_format=torch.channels_last))
            seen[rows] = logits.double().softmax(dim=1).cpu().numpy()
    return seen
