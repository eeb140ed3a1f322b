"""Weights files: safetensors with a card of what they are, and nothing that could run.

The card travels in the file's metadata as JSON under `shipdet`.
"""

import json
from pathlib import Path
from typing import Annotated, Literal, NamedTuple, TypeVar

import torch
from pydantic import BaseModel, ConfigDict, Field, ValidationError
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file
from torch import nn

from shipdet.errors import WeightsError
from shipdet.files import whole_file
from shipdet.models.bow_classifier import BowClassifier
from shipdet.models.calibration import Calibration
from shipdet.models.hull_scorer import EVIDENCE, HullScorer
from shipdet.models.scale_head import ScaleHead
from shipdet.models.scout import Scout
from shipdet.models.task_partition import Sizes, TaskPartition
from shipdet.models.trunk_attention import TrunkAttention
from shipdet.models.type_classifier import TypeClassifier

FOLDER = Path(__file__).resolve().parent.parent / "weights"
"""Where the weights that ship with the package lie."""


SCORER, SCALE_HEAD, SCOUT = "scorer.", "scale_head.", "scout."
BOW_CLASSIFIER, TYPE_CLASSIFIER = "bow_classifier.", "type_classifier."
"""Before the names of the tensors in a file that are not the network's own."""
Part = TypeVar("Part", bound=nn.Module)
Channels = Annotated[int, Field(gt=0, le=1024)]


class Recall(BaseModel):
    """Recall of some of the ships."""

    model_config = ConfigDict(extra="forbid", frozen=True)
    by: str
    """What tells them apart: length, type, neighbour or shore"""
    name: str
    ships: int
    recall: float


class Scores(BaseModel):
    """What the weights scored, and on what; fields as `shipdet evaluate` names them."""

    model_config = ConfigDict(extra="forbid", frozen=True)
    split: str
    ships: int
    ap: float
    f1: float
    precision: float
    recall: float
    heading_accuracy: float
    length_error: float
    gate_recall: float
    ap50: float | None = None
    ap75: float | None = None
    ap50_95: float | None = None
    recalls: tuple[Recall, ...] = ()


class ScoutFacts(BaseModel):
    """How a scout is used, and what that costs on validation pictures."""

    model_config = ConfigDict(extra="forbid", frozen=True)
    threshold: Annotated[float, Field(ge=0, le=1)]
    """Probability of a ship that opens a cell for a closer look."""
    split: str
    ships: int
    lost_recall: float
    """Share of the labelled ships there that are found where everything is looked at, and not with the scout."""
    opened: float
    """Share of those pictures that it opened; they are full of ships."""


class SecondLookFacts(BaseModel):
    """How a classifier of bows is used, and what it gains on validation pictures."""

    model_config = ConfigDict(extra="forbid", frozen=True)
    width: Channels
    weight: Annotated[float, Field(ge=0)]
    """Of its logit, beside that of the network's own word."""
    split: str
    ships: int
    """That were found and whose bow is known."""
    heading_before: float
    """Share of them that point the right way after the first look."""
    heading_after: float


class TypeLookFacts(BaseModel):
    """How a classifier of types is used, and what it gains on validation pictures."""

    model_config = ConfigDict(extra="forbid", frozen=True)
    width: Channels
    weight: Annotated[float, Field(ge=0, le=1)]
    """Of its word, where the network is in full doubt."""
    split: str
    ships: int
    """That were found and whose type is labelled with one that the model tells apart."""
    accuracy_before: float
    """Share of them whose type the network names rightly."""
    accuracy_after: float
    balanced_before: float
    """The mean over types of that share."""
    balanced_after: float


class Card(BaseModel):
    """What a network expects, and where it comes from."""

    model_config = ConfigDict(extra="forbid", frozen=True)
    format: Literal[1] = 1
    name: str
    network: Literal["task-partition"] = "task-partition"
    width: Channels
    context: Channels
    blocks: Annotated[int, Field(ge=0, le=64)] = 0
    trunk_attention: TrunkAttention = "none"
    gsd_m: float
    gsd_range_m: tuple[float, float] | None = None
    """Ground pixels of the scenes that it serves; see `serves_m`."""
    bands: tuple[str, ...]
    """What it reads, in this order."""
    optional_bands: tuple[str, ...] = ()
    """The last of `bands`, which a scene may lack: the network was also trained without them."""
    ends: Literal["ordered", "unordered"] = "ordered"
    """Whether bow and stern are told apart; if not, `bow_score` is 0.5 and headings count modulo 180 degrees."""
    normalisation: str
    classes: tuple[str, ...]
    types: tuple[str, ...] = ()
    """Types of ship that it tells apart."""
    evidence: tuple[str, ...] = ()
    """What its hull scorer weighs; empty where it has none."""
    gate_threshold: float
    """Attention that opens the gate."""
    score_threshold: float
    """Detections below are not reported; chosen on validation. In calibrated scores where there is a calibration."""
    fused_threshold: float | None = None
    """The same where a scene is looked at in several views; None where nobody chose it."""
    calibration: Calibration | None = None
    """What makes probabilities of the network's scores; fitted on validation."""
    trained_on: tuple[str, ...]
    terms: str
    steps: int
    scores: tuple[Scores, ...] = ()
    scale_head: Channels | None = None
    """Hidden channels of its head for attention to scale; None where it has none."""
    scout: ScoutFacts | None = None
    """None where it has none: then everything is looked at."""
    least_water: Annotated[float, Field(ge=0, le=1)] | None = None
    """Share of what lies around a ship that must be water, where near infrared tells; None: nobody asks."""
    second_look: SecondLookFacts | None = None
    """None where ships whose bow is in doubt are not looked at again."""
    type_look: TypeLookFacts | None = None
    """None where types are the network's own word."""

    @property
    def serves_m(self) -> tuple[float, float]:
        """Least and greatest ground pixel, in metres, of the scenes that it is meant for."""
        return self.gsd_range_m or (0.3 * self.gsd_m, 2.0 * self.gsd_m)

    @property
    def required_bands(self) -> tuple[str, ...]:
        """Bands that a scene must have."""
        return self.bands[: len(self.bands) - len(self.optional_bands)]


class Model(NamedTuple):
    """A network ready to look at scenes."""

    network: TaskPartition
    card: Card
    scorer: HullScorer | None = None
    """Has the last word on a hull's score"""
    scale_head: ScaleHead | None = None
    """Weighs scales, and other views, against each other"""
    scout: Scout | None = None
    """Says from coarse pixels where the network need not look"""
    bow_classifier: BowClassifier | None = None
    """Looks again at ships whose bow is in doubt"""
    type_classifier: TypeClassifier | None = None
    """Looks at each ship alone whose type is in doubt"""

    def parts(self) -> tuple[tuple[str, nn.Module | None], ...]:
        """What it has beside the network, each with what its tensors' names begin with in a file."""
        parts = (self.scorer, self.scale_head, self.scout, self.bow_classifier, self.type_classifier)
        return tuple(zip((SCORER, SCALE_HEAD, SCOUT, BOW_CLASSIFIER, TYPE_CLASSIFIER), parts, strict=True))


def build_network(card: Card) -> TaskPartition:
    """The network that a card describes, with random weights."""
    types, bands = len(card.types), len(card.bands)
    return TaskPartition(Sizes(card.width, card.context, card.blocks, types, bands, card.trunk_attention))


def round_to_half(network: Part) -> Part:
    """A network with the values that a weights file keeps, so that it is judged as it ships."""
    with torch.no_grad():
        for value in network.state_dict().values():
            if value.is_floating_point():
                value.copy_(value.half())
    return network


def save_weights(path: Path, model: Model) -> None:
    """Writes half-precision weights with their card, under a temporary name first."""
    state = model.network.state_dict()
    for prefix, part in model.parts():
        if part is not None:
            state |= {prefix + name: value for name, value in part.state_dict().items()}
    tensors = {
        name: (value.half() if value.is_floating_point() else value).contiguous() for name, value in state.items()
    }
    with whole_file(path) as temporary:
        save_file(tensors, str(temporary), metadata={"shipdet": model.card.model_dump_json()})


def read_card(path: Path) -> Card:
    """The card of a weights file.

    Raises:
        WeightsError: the file is damaged or not ours.
    """
    try:
        with safe_open(str(path), framework="pt") as file:
            metadata = file.metadata() or {}
        return Card.model_validate(json.loads(metadata["shipdet"]))
    except KeyError:
        raise WeightsError(f"{path} holds no shipdet card: expected weights written by `shipdet train`") from None
    except (SafetensorError, OSError, ValueError, ValidationError) as error:
        reason = str(error).splitlines()[0]
        raise WeightsError(f"{path} is no shipdet weights file ({reason}); expected one from `shipdet train`") from None


def weights_file(name: str) -> Path:
    """The file of weights that ship with the package, by their name; else the file of that path.

    Raises:
        WeightsError: there is neither.
    """
    path = FOLDER / f"{name}.safetensors"
    if not path.is_file():
        path = Path(name)
    if not path.is_file():
        shipped = ", ".join(sorted(p.stem for p in FOLDER.glob("*.safetensors"))) or "none"
        raise WeightsError(f"no weights {name!r}: expected a .safetensors file or the name of shipped ones ({shipped})")
    return path


def load_weights(name: str) -> Model:
    """A model by the name of weights that ship with the package, or by the path of a file.

    Raises:
        WeightsError: no such weights, or a file that is damaged or not ours.
    """
    path = weights_file(name)
    card = read_card(path)
    with safe_open(str(path), framework="pt") as file:
        state = {key: file.get_tensor(key).float() for key in file.keys()}  # noqa: SIM118 - not a dict
    model = _untrained(card)
    try:
        for prefix, part in model.parts():
            own = {key.removeprefix(prefix): state.pop(key) for key in list(state) if key.startswith(prefix)}
            if part is not None:
                part.load_state_dict(own)
                part.eval()
        model.network.load_state_dict(state)
    except RuntimeError:
        raise WeightsError(f"{path}: its tensors do not fit the network of its card; train it again") from None
    return model._replace(network=model.network.eval().to(memory_format=torch.channels_last))


def _untrained(card: Card) -> Model:
    """All that a card tells of, with random weights."""
    return Model(
        build_network(card),
        card,
        HullScorer() if card.evidence == EVIDENCE else None,
        None if card.scale_head is None else ScaleHead(card.context, card.scale_head),
        None if card.scout is None else Scout(),
        None if card.second_look is None else BowClassifier(card.second_look.width),
        None if card.type_look is None else TypeClassifier(len(card.types), card.type_look.width),
    )
