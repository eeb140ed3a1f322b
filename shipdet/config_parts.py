"""Configs of what is trained beside a network, or onto one that stays as it is."""

from pathlib import Path
from typing import Annotated, Literal, Self

from pydantic import BaseModel, BeforeValidator, Field, model_validator

from shipdet.config_fields import PRECISIONS, STRICT, Count, Name, Positive, PrecisionName, Whole, not_a_switch


class ScaleHeadConfig(BaseModel):
    """Training of the head for attention to scale, on a trained network that stays as it is."""

    model_config = STRICT

    model: Name = Field(description="the name of a shipped model or a weights file")
    output: Path = Field(description="a .safetensors file for the network and its head")
    inshore: Path | None = Field(default=None, description="the folder of the inshore data set")
    inshore_gsd_m: Positive = Field(default=1.0, description="metres per pixel of its pictures, above 0")
    civil: Path | None = Field(default=None, description="the folder of the civil data set, of unknown scales")
    times: Count = Field(default=1, description="how often each picture is looked at, above 0")
    steps: Count = Field(default=600, description="a whole number of optimiser steps, above 0")
    seed: Whole = Field(default=0, description="a whole number, from 0")

    @model_validator(mode="after")
    def _has_data(self) -> Self:
        if self.inshore is None and self.civil is None:
            raise ValueError("nothing to learn from; name a folder as 'inshore' or 'civil'")
        return self


class ScoutConfig(BaseModel):
    """Training of a scout for a trained network that stays as it is, or another scout taken over."""

    model_config = STRICT

    model: Name = Field(description="the name of a shipped model or a weights file")
    output: Path = Field(description="a .safetensors file for the network and its scout")
    inshore: Path = Field(description="the folder of the inshore data set, whose validation pictures decide first")
    civil: Path | None = Field(default=None, description="the folder of the civil data set")
    take_from: Name | None = Field(default=None, description="a weights file whose scout is taken over, not trained")
    drawn: Whole = Field(default=48, description="a whole number of drawn harbours, from 0")
    steps: Count = Field(default=1500, description="a whole number of optimiser steps, above 0")
    seed: Whole = Field(default=0, description="a whole number, from 0")


class BowClassifierConfig(BaseModel):
    """Training of a second look at ships whose bow is in doubt, beside a trained network that stays as it is."""

    model_config = STRICT

    model: Name = Field(description="the name of a shipped model or a weights file")
    output: Path = Field(description="a .safetensors file for the network and its classifier of bows")
    inshore: Path = Field(description="the folder of the inshore data set")
    civil: Path | None = Field(default=None, description="the folder of the civil data set")
    drawn: Whole = Field(default=60, description="a whole number of drawn harbours, from 0")
    steps: Count = Field(default=3000, description="a whole number of optimiser steps, above 0")
    seed: Whole = Field(default=0, description="a whole number, from 0")


class TypeClassifierConfig(BaseModel):
    """Training of what tells types by a look at each hull, beside a trained network that stays as it is."""

    model_config = STRICT

    model: Name = Field(description="the name of a shipped model or a weights file")
    output: Path = Field(description="a .safetensors file for the network and its classifier of types")
    inshore: Path = Field(description="the folder of the inshore data set")
    civil: Path | None = Field(default=None, description="the folder of the civil data set")
    ship_types: Path | None = Field(default=None, description="a folder of chips of single ships, a folder a type")
    steps: Count = Field(default=3000, description="a whole number of optimiser steps, above 0")
    seed: Whole = Field(default=0, description="a whole number, from 0")


class SharpenConfig(BaseModel):
    """Training of what sharpens coarse scenes before ships are looked for."""

    model_config = STRICT

    factors: tuple[Literal[2, 4], ...] = Field(min_length=1, description="a list of 2, 4 or both")
    output: Path = Field(description="a folder for x2.safetensors and x4.safetensors")
    inshore: Path = Field(description="the folder of the inshore data set, whose validation pictures judge")
    civil: Path | None = Field(default=None, description="the folder of the civil data set")
    terms: Name = Field(default="not stated", description="the terms of the data, for the weights' card")
    groups: Count = Field(default=2, description="a whole number of groups of blocks, above 0")
    blocks: Count = Field(default=4, description="a whole number of blocks in a group, above 0")
    width: Count = Field(default=32, description="a whole number of channels, above 0")
    steps: Count = Field(default=3000, description="a whole number of optimiser steps, above 0")
    batch: Count = Field(default=16, description="a whole number of crops, above 0")
    crop: Annotated[int, BeforeValidator(not_a_switch), Field(ge=32, multiple_of=4)] = Field(
        default=96, description="a crop's side in fine pixels, a multiple of 4 from 32"
    )
    learning_rate: Positive = Field(default=1e-3, description="a number above 0")
    device: Name = Field(default="auto", description="auto, cpu or cuda")
    precision: PrecisionName = Field(default="auto", description=PRECISIONS)
    seed: Whole = Field(default=0, description="a whole number, from 0")
