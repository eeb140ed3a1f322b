"""Weights that sharpen coarse pictures: RCAN in a safetensors file, with a card of what it is and what it gains.

The card travels in the file's metadata as JSON under `shipdet-sharpener`. The files that ship lie in a folder of
their own, for they find no ships.
"""

import json
import math
from pathlib import Path
from typing import Annotated, Literal, NamedTuple

import torch
from pydantic import BaseModel, ConfigDict, Field, ValidationError
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file
from torch import Tensor

from shipdet.attention.rcan import RCAN, Layout, enlarge
from shipdet.errors import WeightsError
from shipdet.files import whole_file
from shipdet.raster.stretch import HIGHEST, LOWEST

FOLDER = Path(__file__).resolve().parent.parent / "weights" / "sharpen"
"""Where the weights that ship with the package lie: x2.safetensors and x4.safetensors."""
KEY = "shipdet-sharpener"
Factor = Literal[2, 4]
FACTORS = (2, 4)
AIM_M = 1.0
"""Ground pixel that scenes are brought near to."""
MOST_REACH = 32
"""Coarse pixels on each side of one that its convolutions may look at: the margin that blocks are given."""
UPWARD_REACH = 2
"""Of the convolutions on the way up, each of which sees half as far as the one before: 1 + 1/2 + 1/4 ... < 2."""
EXPECTED = "expected one that pipelines/sharpen.py wrote"
Size = Annotated[int, Field(gt=0, le=1024)]


def factor_for(gsd_m: tuple[float, float] | None) -> Factor | None:
    """The power of two that brings a ground pixel nearest to 1 m, by ratio; None where that is neither 2 nor 4.

    So from 1.41 to 2.83 m it is 2, up to 5.66 m it is 4.

    Args:
        gsd_m: along columns and rows; None where it is unknown.
    """
    if gsd_m is None:
        return None
    doublings = round(math.log2(math.sqrt(gsd_m[0] * gsd_m[1]) / AIM_M))
    return 2 if doublings == 1 else 4 if doublings == 2 else None


class SharpenerCard(BaseModel):
    """What the weights are."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    factor: Literal[2, 4]
    """sharpened pixels per coarse one, along each axis"""
    groups: Size
    blocks: Size
    """in each group"""
    width: Size
    """channels"""
    trained_on: tuple[str, ...]
    terms: str
    steps: int
    split: str = ""
    """the pictures that it was judged by"""
    psnr_db: float | None = None
    """peak signal-to-noise ratio there, mean over pictures"""
    gain_db: float | None = None
    """how much of that bicubic enlargement does not have"""

    @property
    def layout(self) -> Layout:
        """Size of the network."""
        return Layout(self.groups, self.blocks, self.width)


class Sharpener(NamedTuple):
    """A network ready to sharpen, and what it is."""

    network: RCAN
    card: SharpenerCard


def reach(layout: Layout) -> int:
    """Coarse pixels on each side of one that have a say in it through convolutions, none more."""
    head, tail = 1, 1 + UPWARD_REACH
    return head + layout.groups * (2 * layout.blocks + 1) + tail


def sharpened(network: RCAN, stretched: Tensor) -> Tensor:
    """Enlarges pictures; what lies beyond the values that the network knows is enlarged as bicubic does it.

    Args:
        network: of any factor.
        stretched: (B, 3, H, W) about 0..1 as `raster.stretch` makes them, but not clipped.

    Returns:
        (B, 3, factor H, factor W), in the same radiometry.
    """
    known = stretched.clamp(LOWEST, HIGHEST)
    image: Tensor = network(known).image
    return image + enlarge(stretched - known, network.scale)


def save_sharpener(path: Path, sharpener: Sharpener) -> None:
    """Writes half-precision weights with their card, whole or not at all.

    Raises:
        OutputError: they cannot be written there.
    """
    tensors = {name: value.half().contiguous().cpu() for name, value in sharpener.network.state_dict().items()}
    with whole_file(path) as temporary:
        save_file(tensors, str(temporary), metadata={KEY: sharpener.card.model_dump_json()})


def load_sharpener(factor: int) -> Sharpener:
    """The sharpener of a factor that ships with the package.

    Raises:
        WeightsError: there is none, or it is damaged, not ours or of another size.
    """
    return read_sharpener(FOLDER / f"x{factor}.safetensors", factor)


def read_sharpener(path: Path, factor: int) -> Sharpener:
    """The sharpener in a file, which should be of a factor.

    Raises:
        WeightsError: as `load_sharpener`.
    """
    if not path.is_file():
        raise WeightsError(f"no weights to sharpen by {factor}: {path} is missing; pipelines/sharpen.py trains them")
    try:
        with safe_open(str(path), framework="pt") as file:
            card = SharpenerCard.model_validate(json.loads((file.metadata() or {})[KEY]))
            state = {name: file.get_tensor(name).float() for name in file.keys()}  # noqa: SIM118 - not a dict
    except KeyError:
        raise WeightsError(f"{path} has no card of a sharpener; {EXPECTED}") from None
    except (SafetensorError, OSError, ValueError, ValidationError) as error:
        raise WeightsError(f"{path} holds no sharpener ({str(error).splitlines()[0]}); {EXPECTED}") from None
    _refuse_other(path, card, factor)
    network = RCAN(card.factor, card.layout)
    try:
        network.load_state_dict(state)
    except RuntimeError:
        raise WeightsError(f"{path}: its tensors do not fit the network of its card; {EXPECTED}") from None
    return Sharpener(network.eval().requires_grad_(False).to(memory_format=torch.channels_last), card)


def _refuse_other(path: Path, card: SharpenerCard, factor: int) -> None:
    if card.factor != factor:
        raise WeightsError(f"{path} sharpens by {card.factor}, expected weights that sharpen by {factor}")
    far = reach(card.layout)
    if far > MOST_REACH:
        raise WeightsError(
            f"{path} looks {far} pixels around each, expected at most {MOST_REACH}; train a shallower one"
        )
