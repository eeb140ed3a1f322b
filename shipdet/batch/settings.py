"""All that decides over a batch's results, as one hash: it tells results that fit together from others."""

import hashlib
import json
from collections.abc import Sequence
from dataclasses import asdict
from typing import NamedTuple

from torch import nn

from shipdet import __version__
from shipdet.api import DetectRequest
from shipdet.models.choice import AUTO, shipped_cards
from shipdet.models.sharpener import FACTORS, load_sharpener
from shipdet.models.weights import Model, load_weights


class Settings(NamedTuple):
    """What results come from."""

    content: str
    """As JSON."""

    @property
    def hash(self) -> str:
        """Short, and different where anything in the content is."""
        return hashlib.sha256(self.content.encode()).hexdigest()[:16]


def settings_of(request: DetectRequest, ending: str) -> Settings:
    """The settings of a batch. Where it is computed is not among them, what it is computed in is.

    Raises:
        WeightsError: no such weights.
    """
    asked = asdict(request)
    del asked["device"]
    del asked["sharpen"]
    if request.sharpen:
        asked["sharpen"] = _sharpeners()
    asked |= {"format": ending, "weights": _digests(request.model), "shipdet": __version__}
    return Settings(json.dumps(asked, sort_keys=True))


def changes(old: str, new: str) -> str:
    """What differs between two settings' contents, for people: `threshold null -> 0.5`."""
    before, after = json.loads(old), json.loads(new)
    differ = [key for key in sorted(before | after) if before.get(key) != after.get(key)]
    return ", ".join(f"{key} {json.dumps(before.get(key))} -> {json.dumps(after.get(key))}" for key in differ)


def _digests(name: str) -> str:
    """Of the model, or of all among which each scene's is chosen."""
    names = [card.name for card in shipped_cards()] if name == AUTO else [name]
    return " ".join(_digest(load_weights(each)) for each in names)


def _sharpeners() -> str:
    """Of all weights that scenes may be sharpened with."""
    sharpeners = (load_sharpener(factor) for factor in FACTORS)
    return " ".join(_digest_of(card.model_dump_json(), [network]) for network, card in sharpeners)


def _digest(model: Model) -> str:
    return _digest_of(model.card.model_dump_json(), [part for part in model if isinstance(part, nn.Module)])


def _digest_of(card: str, parts: Sequence[nn.Module]) -> str:
    """Of the weights themselves: a file of the same name may hold others."""
    digest = hashlib.sha256(card.encode())
    for part in parts:
        for name, value in sorted(part.state_dict().items()):
            digest.update(name.encode())
            digest.update(value.contiguous().cpu().numpy().tobytes())
    return digest.hexdigest()[:16]
