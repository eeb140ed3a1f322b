"""Types of ship by a look at each hull alone, where the model has what tells them from that."""

from dataclasses import replace

import torch

from shipdet.geometry import Hulls
from shipdet.inference.hull_pictures import hull_pictures, worth_a_look
from shipdet.models.device import Device, autocast
from shipdet.models.weights import Model
from shipdet.raster.sampling import Sampling
from shipdet.raster.scene import Scene


def look_for_types(hulls: Hulls, scene: Scene, sampling: Sampling, model: Model, device: Device) -> Hulls:
    """The same ships, their types as the classifier has them; those that are hardly ships keep the network's word.

    Args:
        hulls: in scene pixels.
        scene: that they lie in.
        sampling: how the model read it.
        model: whose classifier looks; without one nothing changes.
        device: where it computes.

    Raises:
        ReadError: the file is damaged.
    """
    if model.type_classifier is None:
        return hulls
    shown = worth_a_look(hulls, sampling).nonzero()[0]
    if not len(shown):
        return hulls
    classifier = model.type_classifier.to(device.device).to(memory_format=torch.channels_last).eval()
    types = hulls.types.copy()
    with torch.inference_mode(), autocast(device):
        for rows, pictures in hull_pictures(hulls[shown], scene, sampling):
            logits = classifier(torch.from_numpy(pictures).to(device.device, memory_format=torch.channels_last))
            types[shown[rows]] = logits.double().softmax(dim=1).cpu().numpy()
    return replace(hulls, types=types)
