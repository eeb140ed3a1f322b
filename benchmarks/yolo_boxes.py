"""Labelled pictures as YOLO-OBB takes them, and its boxes as ships with two ends.

An oriented YOLO cannot be told that a place is unknown. So pictures that are not labelled completely are left out,
and what teaches nothing in the others (outside the regions that are labelled, and ships that are ignored: difficult,
too short, pontoons) is painted grey, except where it covers a ship that is taught.
"""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
import yaml
from numpy.typing import NDArray
from PIL import Image, ImageDraw

from shipdet.evaluation.matching import BEAM_RATIO, ignored
from shipdet.geometry import Hulls, rectangle_corners
from shipdet.labels.folders import LabelledPicture
from shipdet.labels.types import Labels

Array = NDArray[np.float64]
Mask = NDArray[np.bool_]

GREY = 114
"""What ultralytics fills with, too."""


class Size(NamedTuple):
    """Of a picture, in pixels."""

    width: int
    height: int


def complete(pictures: Sequence[LabelledPicture]) -> list[LabelledPicture]:
    """The pictures whose labels leave no ship out, at least in some regions."""
    return [picture for picture in pictures if picture.labels.complete]


def write_dataset(pictures: Sequence[LabelledPicture], folder: Path) -> Path:
    """Writes pictures and labels as ultralytics wants them, and returns the path of its YAML.

    It insists on a validation split but is told not to use it: that is one of the pictures again.
    """
    for split, some in (("train", pictures), ("val", pictures[:1])):
        images, labels = folder / "images" / split, folder / "labels" / split
        images.mkdir(parents=True)
        labels.mkdir(parents=True)
        for picture in some:
            with Image.open(picture.path) as opened:
                image = opened.convert("RGB")
            painted(image, picture.labels).save(images / f"{picture.path.stem}.png")
            lines = label_lines(picture.labels, Size(*image.size))
            (labels / f"{picture.path.stem}.txt").write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")
    data = folder / "data.yaml"
    names = {"path": str(folder.resolve()), "train": "images/train", "val": "images/val", "names": {0: "ship"}}
    data.write_text(yaml.safe_dump(names), encoding="utf-8")
    return data


def label_lines(labels: Labels, size: Size) -> list[str]:
    """`0 x1 y1 x2 y2 x3 y3 x4 y4`, in shares of the picture and within it, of each ship that is taught."""
    corners = np.clip(boxes(labels)[~ignored(labels)] / size, 0.0, 1.0)
    return ["0 " + " ".join(f"{value:.6f}" for value in box.ravel()) for box in corners]


def boxes(labels: Labels) -> Array:
    """Oriented boxes (N, 4, 2) of all ships, in pixels; an unmeasured beam is supposed, as in the matching."""
    beam = np.where(np.isnan(labels.beam), BEAM_RATIO * labels.length, labels.beam)
    return rectangle_corners(labels.bow, labels.stern, beam)


def painted(image: Image.Image, labels: Labels) -> Image.Image:
    """The picture with what teaches nothing in grey."""
    hidden = np.zeros((image.height, image.width), bool)
    if len(labels.regions):
        hidden[:] = True
        for x0, y0, x1, y1 in np.round(labels.regions).astype(int):
            hidden[max(y0, 0) : y1, max(x0, 0) : x1] = False
    unsure, corners = ignored(labels), boxes(labels)
    hidden |= _covered(image, corners[unsure])
    hidden &= ~_covered(image, corners[~unsure])
    pixels = np.array(image)
    pixels[hidden] = GREY
    return Image.fromarray(pixels)


def _covered(image: Image.Image, corners: Array) -> Mask:
    mask = Image.new("1", image.size)
    draw = ImageDraw.Draw(mask)
    for box in corners:
        draw.polygon([(x - 0.5, y - 0.5) for x, y in box.tolist()], fill=1)  # Pillow counts from pixel centres
    return np.array(mask)


def ships_of_boxes(corners: Array, score: Array) -> Hulls:
    """Ships of oriented boxes (N, 4, 2): the ends are the middles of the short sides; which is the bow is not known."""
    if not len(score):
        return Hulls.empty()
    middles = (corners + np.roll(corners, -1, axis=1)) / 2  # of the sides 01, 12, 23, 30
    axes = middles[:, :2] - middles[:, 2:]
    spans = np.hypot(axes[..., 0], axes[..., 1])
    long, every = spans.argmax(axis=1), np.arange(len(score))
    return Hulls(
        bow=middles[every, long],
        stern=middles[every, long + 2],
        beam=spans[every, 1 - long],
        score=score,
        bow_score=np.full(len(score), 0.5),
    )


class Answer(NamedTuple):
    """What `yolo_worker.py` gives back."""

    hulls: list[Hulls]
    """of each picture of the job"""
    minutes: float
    """of training"""
    seen: int
    """training samples"""
    look_seconds: float


def read_answer(path: Path) -> Answer:
    """The worker's result file."""
    values = json.loads(path.read_text(encoding="utf-8"))
    hulls = [
        ships_of_boxes(np.array(f["corners"], np.float64).reshape(-1, 4, 2), np.array(f["score"], np.float64))
        for f in values["found"]
    ]
    return Answer(hulls, values["minutes"], values["seen"], values["look_seconds"])
