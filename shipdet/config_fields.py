"""What the values of configs may be, and how messages name it."""

from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, ConfigDict, Field

STRICT = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)


def not_a_switch(value: Any) -> Any:
    """Refuses YAML's true and false (also written yes, no, on, off), which would pass for 1 and 0."""
    if isinstance(value, bool):
        raise ValueError("a switch is not a number")
    return value


Count = Annotated[int, BeforeValidator(not_a_switch), Field(gt=0)]
Whole = Annotated[int, BeforeValidator(not_a_switch), Field(ge=0)]
Amount = Annotated[float, BeforeValidator(not_a_switch), Field(ge=0)]
Positive = Annotated[float, BeforeValidator(not_a_switch), Field(gt=0)]
Share = Annotated[float, BeforeValidator(not_a_switch), Field(ge=0, le=1)]
Band = Annotated[int, BeforeValidator(not_a_switch), Field(ge=1)] | str
Name = Annotated[str, Field(min_length=1)]
Gsd = Positive | Literal["unknown"]
Augment = Literal["none", "flips", "dihedral", "scales"]
TrunkAttention = Literal["none", "residual", "se", "eca", "cbam"]
SceneNames = tuple[Name | tuple[Name, ...], ...]
"""Rasters; one that is a list is several band files of one scene."""
PrecisionName = Literal["auto", "float32", "bfloat16"]

PRECISIONS = "one of auto, float32, bfloat16"
"""How messages name the precisions."""
GSDS = "metres per pixel, above 0, or unknown"
TRUNK_ATTENTIONS = "one of none, residual, se, eca, cbam"
AUGMENTS = "one of none, flips, dihedral, scales"
