"""The models that ship, and which of them suits a scene."""

import logging
import math
from collections.abc import Sequence

from shipdet.errors import SceneError
from shipdet.models import weights
from shipdet.models.sharpener import factor_for
from shipdet.models.weights import Card, Model, load_weights, read_card
from shipdet.raster.bands import other_band
from shipdet.raster.scene import Scene

log = logging.getLogger(__name__)

SLACK = 1.01
"""Factor by which a ground pixel may lie beyond what a model serves."""
AUTO = "auto"
"""The name of whichever model suits the scene."""


def shipped_cards() -> tuple[Card, ...]:
    """Cards of the models that ship, finest first.

    Raises:
        WeightsError: a file among them is damaged.
    """
    cards = (read_card(path) for path in weights.FOLDER.glob("*.safetensors"))
    return tuple(sorted(cards, key=lambda card: (card.serves_m, card.name)))


def load_model(name: str, scene: Scene) -> Model:
    """A model by name, or the one that suits a scene; one that was named is warned of where it does not suit.

    Raises:
        WeightsError: no such weights.
        SceneError: no model that ships suits the scene, or its bands are not what the model reads.
    """
    model = load_weights(suited(scene, shipped_cards()).name if name == AUTO else name)
    _refuse_bands(scene, model.card)
    if name != AUTO and (why := _misfit(scene, model.card)):
        log.warning("%s %s; found ships may be few and wrong", scene.name, why)
    return model


def suited(scene: Scene, cards: Sequence[Card]) -> Card:
    """The model that a scene's ground pixel suits best; the finest one where nobody knows that pixel.

    Finer pixels than any model's are averaged to what the finest one knows, so that they suit it.

    Raises:
        SceneError: no model serves pixels of that size, or that size is unknown.
    """
    if scene.gsd_m is None and cards:
        return min(cards, key=lambda card: card.serves_m)
    gsd_m = _gsd_m(scene)
    fitting = [card for card in cards if _serves(card, gsd_m)]
    if not fitting and cards and gsd_m < min(card.serves_m[0] for card in cards):
        return min(cards, key=lambda card: card.serves_m)
    if not fitting:
        served = ", ".join(f"{card.name} {_range(card)}" for card in cards)
        sharper = ", pass --sharpen" if factor_for(scene.gsd_m) is not None else ""
        raise SceneError(
            f"{scene.name} has pixels of {gsd_m:.3g} m, which no model serves ({served or 'none ships'}); "
            f"give a scene of such pixels{sharper}, or name a model with --model"
        )
    return min(fitting, key=lambda card: abs(math.log(gsd_m**2 / (card.serves_m[0] * card.serves_m[1]))))


def with_optional_bands(scene: Scene, card: Card) -> tuple[int, ...] | None:
    """The bands of a scene as a model likes to read them, optional ones too; None where it is read as it is.

    Optional bands are read where the scene tells which they are.
    """
    if len(scene.channels) == len(card.bands) or len(set(scene.chosen)) == 1:
        return None
    others = [other_band(scene.bands, name) for name in card.optional_bands]
    known = [number for number in others if number is not None]
    return (*scene.chosen, *known) if len(known) == len(others) else None


def _refuse_bands(scene: Scene, card: Card) -> None:
    given = len(scene.channels)
    if given not in (len(card.required_bands), len(card.bands)):
        optional = f" and, if there, {', '.join(card.optional_bands)}" if card.optional_bands else ""
        raise SceneError(
            f"{card.name} reads {len(card.required_bands)} bands ({', '.join(card.required_bands)}){optional}, "
            f"got {given} of {scene.name}; choose them with --bands"
        )


def _misfit(scene: Scene, card: Card) -> str | None:
    if scene.gsd_m is None:
        return None
    gsd_m = _gsd_m(scene)
    if _serves(card, gsd_m):
        return None
    return f"has pixels of {gsd_m:.3g} m, but {card.name} serves {_range(card)}"


def _serves(card: Card, gsd_m: float) -> bool:
    """Whether a ground pixel is in a card's range or hardly beyond: 2 m on a map may be 2.0008 m of ground."""
    least, most = card.serves_m
    return least / SLACK <= gsd_m <= most * SLACK


def _range(card: Card) -> str:
    return f"{card.serves_m[0]:g} to {card.serves_m[1]:g} m"


def _gsd_m(scene: Scene) -> float:
    if scene.gsd_m is None:
        raise SceneError(f"{scene.name} does not say how large its pixels are; pass --gsd METRES")
    return math.sqrt(scene.gsd_m[0] * scene.gsd_m[1])
