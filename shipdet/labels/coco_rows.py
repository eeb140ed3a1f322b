"""COCO JSON as checked rows, and the picture of the file that is meant."""

import json
from pathlib import Path, PurePath
from typing import Annotated, Any, NamedTuple

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from shipdet.errors import LabelsError
from shipdet.labels.frame import Frame

LENIENT = ConfigDict(extra="ignore", frozen=True)
Number = Annotated[float, Field(allow_inf_nan=False)]
Identity = int | str


class Runs(BaseModel):
    """A run-length mask; `size` is (height, width)."""

    model_config = LENIENT
    size: tuple[Annotated[int, Field(gt=0)], Annotated[int, Field(gt=0)]]
    counts: list[int] | str


class Annotation(BaseModel):
    """One thing in one picture."""

    model_config = LENIENT
    image_id: Identity
    category_id: Identity | None = None
    segmentation: Runs | list[list[Number]] | None = None
    bbox: tuple[Number, Number, Number, Number] | None = None
    keypoints: list[Number] = []
    iscrowd: bool = False
    attributes: Any = None


class Category(BaseModel):
    """A class, with the names of its key points."""

    model_config = LENIENT
    id: Identity
    name: str
    keypoints: list[str] = []


class Image(BaseModel):
    """A picture that the file says it labels."""

    model_config = LENIENT
    id: Identity
    file_name: str = ""
    width: int = 0
    height: int = 0


class CocoFile(NamedTuple):
    """A whole file; `numbers` are the places of annotations in its list."""

    images: list[Image]
    categories: dict[Identity, Category]
    annotations: list[Annotation]


UNMATCHED = "image ids that name no listed picture of this name, all the same one and taken as this picture's"


def load_coco(path: Path) -> CocoFile:
    """Reads and checks a file.

    Raises:
        LabelsError: it is no COCO JSON; the message names the key.
    """
    try:
        content = json.loads(path.read_text(encoding="utf-8-sig"))
    except (OSError, ValueError, RecursionError) as error:
        raise LabelsError(f"{path}: expected COCO JSON, got {error}") from error
    if not isinstance(content, dict):
        raise LabelsError(f"{path}: expected COCO JSON, an object with 'annotations', got {type(content).__name__}")
    categories = _rows(path, content, "categories", Category)
    return CocoFile(
        _rows(path, content, "images", Image),
        {category.id: category for category in categories},
        _rows(path, content, "annotations", Annotation),
    )


def _rows(path: Path, content: dict[str, Any], key: str, model: type[BaseModel]) -> list[Any]:
    rows = content.get(key, [] if key == "categories" else None)
    if not isinstance(rows, list):
        raise LabelsError(f"{path}: {key}: expected a list, got {type(rows).__name__}; is this COCO JSON?")
    checked = []
    for number, row in enumerate(rows):
        try:
            checked.append(model.model_validate(row))
        except ValidationError as error:
            first = error.errors()[0]
            where = "".join(f".{part}" for part in first["loc"])
            raise LabelsError(f"{path}: {key}[{number}]{where}: {first['msg']}") from error
    return checked


class Chosen(NamedTuple):
    """The annotations of one picture by their place in the list, and whether the picture had to be guessed."""

    numbers: list[int]
    guessed: bool


def choose_picture(path: Path, file: CocoFile, frame: Frame | None) -> Chosen:
    """The annotations of the picture that `frame` names, or of the only picture that has any.

    Some tools write image ids that are not those of their own list: where all annotations agree on
    one, it is the picture.

    Raises:
        LabelsError: the file labels several pictures, and which is meant cannot be told.
    """
    used = {row.image_id for row in file.annotations}
    listed = {image.id for image in file.images}
    named = [image for image in file.images if frame is not None and _same_picture(image.file_name, frame.name)]
    if named and (not used or used & listed):
        for image in named:
            _check_size(path, image, frame)
        meant = {image.id for image in named}
        return Chosen([n for n, row in enumerate(file.annotations) if row.image_id in meant], guessed=False)
    if len(used or listed) <= 1:
        return Chosen(list(range(len(file.annotations))), guessed=frame is not None or not used <= listed)
    some = ", ".join(PurePath(image.file_name).name for image in file.images[:3])
    which = f"none is named {frame.name}" if frame is not None else "say which with --scene"
    raise LabelsError(f"{path}: labels of {len(used or listed)} pictures ({some}, ...); {which}")


def _same_picture(listed: str, name: str) -> bool:
    """By file name; the ending may differ, as where a PNG was made of a GeoTIFF."""
    theirs, ours = PurePath(listed.replace("\\", "/")), PurePath(name)
    return theirs.name == ours.name or theirs.stem == ours.stem


def _check_size(path: Path, image: Image, frame: Frame | None) -> None:
    if frame is None or not image.width or not image.height:
        return
    if (image.width, image.height) != (frame.grid.width, frame.grid.height):
        raise LabelsError(
            f"{path}: labels of {image.file_name} are for {image.width} x {image.height} pixels, but {frame.name} "
            f"has {frame.grid.width} x {frame.grid.height}; give the picture that they belong to"
        )
