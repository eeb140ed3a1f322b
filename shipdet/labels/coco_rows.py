"""COCO JSON as checked rows, and the picture of the file that is meant."""

import json
from pathlib import Path, PurePath
from typing import Annotated, Any, NamedTuple

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from shipdet.errors import LabelsError
from shipdet.labels.frame import Frame
from shipdet.labels.text import FARTHEST

LENIENT = ConfigDict(extra="ignore", frozen=True)
Number = Annotated[float, Field(allow_inf_nan=False, ge=-FARTHEST, le=FARTHEST)]
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


def names_pictures(file: CocoFile) -> bool:
    """Whether each annotation's picture is listed, with a name."""
    named = {image.id for image in file.images if image.file_name}
    return all(row.image_id in named for row in file.annotations)


class Chosen(NamedTuple):
    """The annotations of one picture by their place in the list, and whether the picture had to be guessed."""

    numbers: list[int]
    guessed: bool


def choose_picture(path: Path, file: CocoFile, frame: Frame | None) -> Chosen:
    """The annotations of the picture that `frame` names, or of the only picture that has any.

    Some tools write image ids that are not those of their own list: where all annotations agree on
    one, it is the picture, if the sizes that the file tells are the picture's. Polygons of a picture that is
    listed under another name are that one's; masks, which are as large as their picture, may be of a file beside it.

    Raises:
        LabelsError: the file labels other pictures, or several, and which is meant cannot be told.
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
        _check_guess(path, file, frame)
        return Chosen(list(range(len(file.annotations))), guessed=frame is not None or not used <= listed)
    some = ", ".join(PurePath(image.file_name).name for image in file.images[:3])
    which = f"none is named {frame.name}" if frame is not None else "say which with --scene"
    raise LabelsError(f"{path}: labels of {len(used or listed)} pictures ({some}, ...); {which}")


def _check_guess(path: Path, file: CocoFile, frame: Frame | None) -> None:
    """That labels which name no picture of this name may still be its own."""
    if frame is None:
        return
    used = {row.image_id for row in file.annotations}
    meant = [image for image in file.images if not used or image.id in used]
    other = next((image for image in meant if image.file_name), None)
    all_masks = bool(used) and all(isinstance(row.segmentation, Runs) for row in file.annotations)
    if other is not None and not all_masks:
        raise LabelsError(
            f"{path}: these are labels of {PurePath(other.file_name).name}, and none is named {frame.name}; "
            "give the picture that they belong to, or give it this name"
        )
    sizes = {(image.width, image.height) for image in meant or file.images if image.width and image.height}
    have = (frame.grid.width, frame.grid.height)
    if sizes and have not in sizes:
        said = ", ".join(f"{width} x {height}" for width, height in sorted(sizes))
        raise LabelsError(
            f"{path}: these are labels of a picture of {said} pixels, but {frame.name} has {have[0]} x {have[1]}; "
            "give the picture that they belong to"
        )


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
