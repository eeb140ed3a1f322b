"""What the card of a newly trained network says of it, before it was judged."""

from shipdet.config import TrainConfig
from shipdet.labels.folders import Folder, civil, inshore
from shipdet.labels.types import SHIP_TYPES
from shipdet.models.weights import Card
from shipdet.training.ports import OPTIONAL_BANDS, PORT_BANDS, PORT_GSD_M
from shipdet.training.run import GATE_THRESHOLD, sizes_of
from shipdet.training.scenes import GSD_M

DEFAULT_THRESHOLD = 0.3
"""Of models that were trained without a validation split, on drawn harbours alone."""
PORT_GSD_RANGE_M = (4.5, 13.0)
"""From 10 m pixels in EPSG:3857 at 63 degrees of latitude, which cover 4.5 m of ground, to somewhat coarser ones."""
LEAST_WATER = 0.2
"""Share of what lies around a ship in a port that must be water: all ships found in the ports of training have it."""


def folders_of(config: TrainConfig) -> list[Folder]:
    """The folders of pictures that a config names."""
    named = ((inshore, config.inshore), (civil, config.civil))
    return [folder(path) for folder, path in named if path is not None]


def first_card(config: TrainConfig) -> Card:
    """The card of a network that a config trains: no scores yet, and a threshold that stands in."""
    sizes = sizes_of(config)
    card = Card(
        name=config.name,
        width=sizes.width,
        context=sizes.context,
        blocks=sizes.blocks,
        trunk_attention=sizes.trunk_attention,
        gsd_m=GSD_M,
        bands=("red", "green", "blue"),
        normalisation="scene percentiles 1 to 99 to 0..1, then (x - 0.5) * 4",
        classes=("background", "hull", "end"),
        types=SHIP_TYPES[: sizes.types],
        gate_threshold=GATE_THRESHOLD,
        score_threshold=DEFAULT_THRESHOLD,
        trained_on=_trained_on(config),
        terms=config.terms,
        steps=config.steps,
    )
    return card if config.sen2ships is None else card.model_copy(update=_of_ports(card))


def _of_ports(card: Card) -> dict[str, object]:
    return {
        "gsd_m": PORT_GSD_M,
        "gsd_range_m": PORT_GSD_RANGE_M,
        "bands": PORT_BANDS,
        "optional_bands": OPTIONAL_BANDS,
        "ends": "unordered",
        "least_water": LEAST_WATER,
        "normalisation": f"{card.normalisation}; 0 for a band that a scene lacks",
    }


def _trained_on(config: TrainConfig) -> tuple[str, ...]:
    seen = "" if config.sen2ships is None else ", averaged down to 10 m"
    trained_on = [f"{folder.name}, training split{seen}" for folder in folders_of(config)]
    if config.sen2ships is not None:
        trained_on.append(f"{config.sen2ships.name}, training ports, with their ships pasted on other water")
    if config.scenes:
        trained_on.append(f"{len(config.scenes)} scenes")
    if config.synthetic_share > 0:
        trained_on.append(f"drawn harbours, {config.synthetic_share:.0%} of the chips")
    return tuple(trained_on)
