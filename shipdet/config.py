"""One flat YAML file per workflow, checked before anything else happens.

An unknown key names the nearest known one, a bad value is shown beside what was expected. Paths are relative to the
current working directory.
"""

import difflib
import reprlib
from pathlib import Path
from typing import Annotated, Any, Literal, Self, TypeVar

import yaml
from pydantic import BaseModel, BeforeValidator, Field, ValidationError, model_validator
from pydantic.fields import FieldInfo
from pydantic_core import ErrorDetails

from shipdet.config_fields import (
    AUGMENTS,
    GSDS,
    PRECISIONS,
    STRICT,
    TRUNK_ATTENTIONS,
    Amount,
    Augment,
    Band,
    Count,
    Gsd,
    Name,
    Positive,
    PrecisionName,
    SceneNames,
    Share,
    TrunkAttention,
    Whole,
    not_a_switch,
)
from shipdet.errors import ConfigError


class DetectConfig(BaseModel):
    """Ships out of scenes. A scene that is a list is several band files of one scene."""

    model_config = STRICT

    scenes: tuple[Name | tuple[Name, ...], ...] = Field(min_length=1, description="a list of one scene or more")
    output: Path = Field(description="a file (.gpkg, .geojson, .parquet, .fgb, .csv) or a folder that exists")
    format: Name = Field(default="gpkg", description="the ending of files in an output folder, such as gpkg")
    model: Name = Field(default="auto", description="auto, the name of a shipped model or a weights file")
    bands: tuple[Band, ...] | None = Field(default=None, description="a list of band numbers (from 1) or descriptions")
    threshold: Share | None = Field(default=None, description="a number from 0 to 1")
    core: Count = Field(default=2048, description="a tile's side in pixels of the model, above 0")
    device: Name = Field(default="auto", description="auto, cpu or cuda")
    precision: PrecisionName = Field(default="auto", description=PRECISIONS)
    gsd_m: Gsd | None = Field(default=None, description=GSDS)
    augment: Augment = Field(default="none", description=AUGMENTS)
    pixel_coordinates: bool = Field(default=False, description="true or false")
    dense: bool = Field(default=False, description="true or false")
    sharpen: bool = Field(default=False, description="true or false")
    picture: Path | None = Field(default=None, description="a PNG file, or a folder where there are several scenes")


class BatchConfig(BaseModel):
    """Ships out of many scenes; `output` is a folder that a stopped run goes on in."""

    model_config = STRICT

    inputs: tuple[Name, ...] = Field(min_length=1, description="a list of files, folders, patterns, lists or URLs")
    output: Path = Field(description="a folder, made where there is none")
    format: Name = Field(default="gpkg", description="the ending of the scenes' own files, such as gpkg")
    assets: tuple[Name, ...] = Field(default=(), description="a list of the names of STAC assets")
    model: Name = Field(default="auto", description="auto, the name of a shipped model or a weights file")
    bands: tuple[Band, ...] | None = Field(default=None, description="a list of band numbers (from 1) or descriptions")
    threshold: Share | None = Field(default=None, description="a number from 0 to 1")
    core: Count = Field(default=2048, description="a tile's side in pixels of the model, above 0")
    device: Name = Field(default="auto", description="auto, cpu or cuda")
    precision: PrecisionName = Field(default="auto", description=PRECISIONS)
    gsd_m: Gsd | None = Field(default=None, description=GSDS)
    augment: Augment = Field(default="none", description=AUGMENTS)
    pixel_coordinates: bool = Field(default=False, description="true or false")
    dense: bool = Field(default=False, description="true or false")
    sharpen: bool = Field(default=False, description="true or false")
    workers: Count = Field(default=1, description="a whole number of processes, above 0")
    scheduler: Name | None = Field(default=None, description="the address of a Dask scheduler, tcp://HOST:PORT")
    retry_failed: bool = Field(default=False, description="true or false")
    redo: bool = Field(default=False, description="true or false")
    merge_window_s: Amount | None = Field(default=None, description="seconds, from 0; or null")


class TrainConfig(BaseModel):
    """A training run; `output` holds its checkpoints, logs and weights, and is where a killed run resumes."""

    model_config = STRICT

    name: Name = Field(description="the name that the weights go by")
    inshore: Path | None = Field(default=None, description="the folder of the inshore data set")
    civil: Path | None = Field(default=None, description="the folder of the civil data set")
    sen2ships: Path | None = Field(default=None, description="the folder of the sen2ships data set")
    scenes: SceneNames = Field(default=(), description="a list of georeferenced rasters")
    scene_labels: tuple[Path, ...] = Field(default=(), description="a list of label files, one for each of the scenes")
    validation_scenes: SceneNames = Field(default=(), description="a list of rasters, none of them among the scenes")
    validation_labels: tuple[Path, ...] = Field(default=(), description="a list, one for each of validation_scenes")
    validation_share: Share = Field(default=0.2, description="the share of the scenes' blocks to judge by, from 0 to 1")
    scene_bands: tuple[Band, ...] | None = Field(default=None, description="a list of band numbers or descriptions")
    scenes_gsd_m: Positive | None = Field(default=None, description="metres per pixel of scenes that cannot tell")
    output: Path = Field(description="a folder for checkpoints, logs and weights")
    terms: Name = Field(default="not stated", description="the terms of the data, for the model card")
    steps: Count = Field(description="a whole number of optimiser steps, above 0")
    batch: Count = Field(default=4, description="a whole number of crops, above 0")
    crop: Annotated[int, BeforeValidator(not_a_switch), Field(ge=64, multiple_of=32)] = Field(
        default=512, description="a crop's side in pixels, a multiple of 32 from 64"
    )
    learning_rate: Positive = Field(default=1e-3, description="a number above 0")
    weight_decay: Amount = Field(default=1e-4, description="a number from 0")
    warmup_steps: Whole = Field(default=500, description="a whole number of steps, from 0")
    validate_every: Count = Field(default=1000, description="a whole number of steps, above 0")
    seed: Whole = Field(default=0, description="a whole number, from 0")
    workers: Whole = Field(default=1, description="a whole number of loader processes, from 0")
    ship_types: Path | None = Field(default=None, description="a folder of chips of single ships, a folder a type")
    start_from: Name | None = Field(default=None, description="the name of a shipped model or a weights file")
    teacher: Name | None = Field(default=None, description="the name of a shipped model or a weights file")
    scale: tuple[Positive, Positive] = Field(
        default=(0.5, 2.0), description="two numbers above 0, the least and greatest zoom of inshore pictures"
    )
    copy_paste: Share = Field(default=0.0, description="the share of pictures with ships pasted in, from 0 to 1")
    synthetic_share: Share = Field(default=0.0, description="the share of drawn harbours, from 0 to 1")
    trunk_attention: TrunkAttention = Field(default="none", description=TRUNK_ATTENTIONS)
    precision: PrecisionName = Field(default="auto", description=PRECISIONS)
    heat_weight: Amount = Field(default=1.0, description="the weight of a loss, from 0")
    vector_weight: Amount = Field(default=1.0, description="the weight of a loss, from 0")
    coarse_weight: Amount = Field(default=1.0, description="the weight of a loss, from 0")
    mask_weight: Amount = Field(default=0.0, description="the weight of the masks' loss, from 0, which is none")

    @model_validator(mode="after")
    def _has_data(self) -> Self:
        if self.sen2ships is not None:
            if self.scenes or self.ship_types is not None:
                raise ValueError("sen2ships makes a model of its own; name no scenes or ship_types")
            return self
        if self.inshore is None and self.civil is None and not self.scenes and self.synthetic_share < 1:
            raise ValueError(
                "nothing to learn from; name a folder as 'inshore' or 'civil', or rasters as 'scenes', "
                "or set synthetic_share: 1"
            )
        return self

    @model_validator(mode="after")
    def _scales_in_order(self) -> Self:
        if self.scale[0] > self.scale[1]:
            raise ValueError(f"scale: expected the least first, got {self.scale[0]:g} and {self.scale[1]:g}")
        return self

    @model_validator(mode="after")
    def _has_labels_for_scenes(self) -> Self:
        _labels_for_scenes(self.scenes, self.scene_labels, "scene_labels")
        _labels_for_scenes(self.validation_scenes, self.validation_labels, "validation_labels")
        both = next((scene for scene in self.validation_scenes if scene in self.scenes), None)
        if both is not None:
            raise ValueError(f"{both} is both learnt from and judged by; name it in scenes or in validation_scenes")
        return self


class EvaluateConfig(BaseModel):
    """How well a model does on labelled pictures."""

    model_config = STRICT

    inshore: Path | None = Field(default=None, description="the folder of the inshore data set")
    civil: Path | None = Field(default=None, description="the folder of the civil data set")
    sen2ships: Path | None = Field(default=None, description="the folder of the sen2ships data set")
    scenes: SceneNames = Field(default=(), description="a list of georeferenced rasters")
    scene_labels: tuple[Path, ...] = Field(default=(), description="a list of label files, one for each of the scenes")
    scene_bands: tuple[Band, ...] | None = Field(default=None, description="a list of band numbers or descriptions")
    split: Literal["validation", "train"] = Field(default="validation", description="one of validation, train")
    model: Name = Field(default="inshore-vhr", description="the name of a shipped model or a weights file")
    threshold: Share | None = Field(default=None, description="a number from 0 to 1")
    ships: Literal["all", "bow known"] = Field(default="all", description="one of all, bow known")
    min_length: Positive = Field(default=12.0, description="the shortest ship that counts, in pixels of the model")
    gsd_m: Gsd | None = Field(default=None, description=GSDS)
    augment: Augment = Field(default="none", description=AUGMENTS)
    sheet: Path | None = Field(default=None, description="a PNG file for hits, misses and false alarms")
    report: Path | None = Field(default=None, description="an HTML file for figures, plots and pictures")
    # Named apart from its key because pydantic's models have a method `json`.
    json_output: Path | None = Field(default=None, alias="json", description="a file for the scores")

    @model_validator(mode="after")
    def _has_one_data_set(self) -> Self:
        folders = sum(folder is not None for folder in (self.inshore, self.civil, self.sen2ships))
        if folders + bool(self.scenes) != 1:
            raise ValueError("expected one data set; name a folder as 'inshore', 'civil' or 'sen2ships', or 'scenes'")
        return self

    @model_validator(mode="after")
    def _has_labels_for_scenes(self) -> Self:
        _labels_for_scenes(self.scenes, self.scene_labels, "scene_labels")
        if self.scenes and self.split != "validation":
            raise ValueError("split: of scenes all is scored; leave it out, or name a folder of pictures")
        if self.scene_bands is not None and not self.scenes:
            raise ValueError("scene_bands: they are chosen for scenes; name 'scenes', or leave it out")
        if self.scenes and self.gsd_m == "unknown":
            raise ValueError("gsd_m: scenes are measured on the ground; give metres per pixel where they cannot tell")
        return self


def _labels_for_scenes(scenes: SceneNames, labels: tuple[Path, ...], key: str) -> None:
    if len(scenes) != len(labels):
        raise ValueError(f"{key}: expected a file for each of {len(scenes)} scenes, got {len(labels)}")


Config = TypeVar("Config", bound=BaseModel)


def load_config(path: str | Path, model: type[Config]) -> Config:
    """Reads and checks a config.

    Args:
        path: A YAML file.
        model: What it is a config of.

    Raises:
        ConfigError: a file that is missing or not YAML, an unknown or missing key, or a bad value.
    """
    values = _read(Path(path))
    known = {info.alias or name: info for name, info in model.model_fields.items()}
    for key in values:
        if key not in known:
            raise ConfigError(f"{path}: unknown key {key!r}; {_advice(str(key), list(known))}")
    try:
        return model.model_validate(values)
    except ValidationError as error:
        raise ConfigError(f"{path}: {_explain(error.errors()[0], values, known)}") from None


def _read(path: Path) -> dict[Any, Any]:
    try:
        values = yaml.safe_load(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise ConfigError(f"{path}: no such config; name a YAML file, such as those in configs/") from None
    except OSError as error:
        raise ConfigError(f"{path}: expected a YAML file that can be read: {error.strerror}") from None
    except UnicodeDecodeError:
        raise ConfigError(f"{path}: expected a YAML file, got something that is not text") from None
    except yaml.MarkedYAMLError as error:
        line = f" at line {error.problem_mark.line + 1}" if error.problem_mark else ""
        raise ConfigError(f"{path}: not YAML{line}: {error.problem or error.context}") from None
    except yaml.YAMLError as error:
        raise ConfigError(f"{path}: not YAML: {' '.join(str(error).split())}") from None
    if not isinstance(values, dict):
        got = "nothing" if values is None else reprlib.repr(values)
        raise ConfigError(f"{path}: expected lines of 'key: value', got {got}")
    return values


def _advice(key: str, known: list[str]) -> str:
    near = difflib.get_close_matches(key.lower(), known, n=1)
    return f"did you mean {near[0]!r}?" if near else f"the keys are {', '.join(known)}"


def _explain(error: ErrorDetails, values: dict[Any, Any], known: dict[str, FieldInfo]) -> str:
    """What pydantic found first, as one line: the key, what was expected there, and what came."""
    if not error["loc"]:
        return error["msg"].removeprefix("Value error, ")
    key = str(error["loc"][0])
    expected = known[key].description
    if error["type"] == "missing":
        return f"missing key {key!r}; expected {expected}"
    return f"{key}: expected {expected}, got {reprlib.repr(values[key])}"
