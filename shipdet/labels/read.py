"""Labels from whatever they come as: the file itself says which reader it is for."""

import json
from collections.abc import Collection
from dataclasses import replace
from pathlib import Path

import numpy as np
import shapely

from shipdet.errors import LabelsError
from shipdet.labels.bow_stern_json import read_bow_stern_json
from shipdet.labels.bow_stern_text import read_bow_stern_text
from shipdet.labels.coco import read_coco
from shipdet.labels.coco_rows import load_coco, names_pictures
from shipdet.labels.dota import read_dota
from shipdet.labels.frame import Frame
from shipdet.labels.gather import Gathered
from shipdet.labels.text import read_lines
from shipdet.labels.types import Labels, Note, Reading, type_of
from shipdet.labels.vector import ENDINGS, read_vector
from shipdet.labels.voc import read_voc
from shipdet.labels.yolo import GREATEST, LEAST, read_yolo

SUFFIXES = ENDINGS | {".json", ".txt", ".xml"}
"""Endings of label files."""
OUTSIDE = 0.1
"""Part of a ship's length that may stick out of the picture before the ship counts as cut by its edge."""
EMPTY = "an empty text file, taken as labels of which nothing is known"


def read_labels(source: Path, frame: Frame | None = None, classes: Collection[str] | None = None) -> Reading:
    """Ships of one picture, in its pixels.

    Args:
        source: JSON of bow and stern, COCO JSON, text (bow and stern, DOTA, YOLO), Pascal VOC XML, or a vector file.
        frame: of the picture or scene. Vector files and YOLO need it, COCO files of several pictures do, and with
            it ships outside the picture are left out and ships cut by its edge are difficult.
        classes: names of the classes to take, else all that may be ships.

    Raises:
        LabelsError: it is none of these, or cannot be understood; the message names the file and the place in it.
    """
    if not source.is_file():
        raise LabelsError(f"{source}: no such file of labels; check the path")
    chosen = None if classes is None else frozenset(name.strip().lower() for name in classes)
    reading = _read(source, frame, chosen)
    return reading if frame is None else _within(reading, frame)


def labels_many(source: Path) -> bool:
    """Whether a file may hold the labels of several pictures and tell them apart, by place or by name.

    Raises:
        LabelsError: it ends in .json and is none.
    """
    if source.suffix.lower() != ".json":
        return source.suffix.lower() in ENDINGS
    content = _json(source)
    if isinstance(content, dict) and "annotations" in content:
        return names_pictures(load_coco(source))
    return isinstance(content, dict)


def _json(source: Path) -> object:
    try:
        content: object = json.loads(source.read_text(encoding="utf-8-sig"))
    except (OSError, ValueError, RecursionError) as error:
        raise LabelsError(f"{source}: expected JSON labels, got {error}") from error
    return content


def _read(source: Path, frame: Frame | None, classes: Collection[str] | None) -> Reading:
    ending = source.suffix.lower()
    if ending in ENDINGS:
        return read_vector(source, frame, classes)
    if ending == ".json":
        return _read_json(source, frame, classes)
    if ending == ".xml":
        return read_voc(source, frame, classes)
    if ending == ".txt":
        return _read_text(source, frame, classes)
    raise LabelsError(
        f"{source}: expected labels as .json (bow and stern, COCO), .txt (bow and stern, DOTA, YOLO), .xml (Pascal "
        f"VOC), {' '.join(sorted(ENDINGS))}; got {ending or 'no ending'}"
    )


def _read_json(source: Path, frame: Frame | None, classes: Collection[str] | None) -> Reading:
    content = _json(source)
    if isinstance(content, list):
        return _of_classes(read_bow_stern_json(source), classes)
    if isinstance(content, dict) and content.get("type") == "FeatureCollection":
        return read_vector(source, frame, classes)
    if isinstance(content, dict) and "annotations" in content:
        return read_coco(source, frame, classes)
    raise LabelsError(
        f"{source}: expected a list of ships, COCO JSON with 'annotations', or a GeoJSON FeatureCollection"
    )


def _read_text(source: Path, frame: Frame | None, classes: Collection[str] | None) -> Reading:
    """By the first line: DOTA names a category, shares of a picture are small, and pixels are not."""
    words = next((line.split() for _, line in read_lines(source)), None)
    if words is None:
        return Reading(Labels.of_rows([], [], complete=False), (Note(EMPTY, 1),))
    if words[0].lower().startswith(("imagesource:", "gsd:")) or (len(words) > 8 and not _is_number(words[8])):
        return read_dota(source, frame, classes)
    if len(words) > 4 and all(_is_number(word) and LEAST <= float(word) <= GREATEST for word in words[1:]):
        if frame is None:
            raise LabelsError(f"{source}: YOLO text is in shares of the picture; name the picture with --scene")
        return read_yolo(source, frame, classes)
    return _of_classes(read_bow_stern_text(source), classes)


def _is_number(word: str) -> bool:
    try:
        float(word)
    except ValueError:
        return False
    return True


def _of_classes(labels: Labels, classes: Collection[str] | None) -> Reading:
    """Bow-and-stern labels hold types, so classes are told as types too: "container-ship" is container."""
    gathered = Gathered(None if classes is None else {*classes, *map(type_of, classes)})
    keep = np.array([gathered.takes(kind) for kind in labels.type], dtype=bool)
    return Reading(labels.select(keep), gathered.reading().notes)


def _within(reading: Reading, frame: Frame) -> Reading:
    """Ships outside the picture go; those cut by its edge are nobody's to find."""
    labels, edge = reading.labels, frame.outline
    axes = shapely.linestrings(np.stack([labels.bow, labels.stern], axis=1))
    seen = np.asarray(shapely.intersects(axes, edge), dtype=bool)
    ignore = tuple(area for area in labels.ignore if shapely.intersects(area, edge))
    out = np.maximum(*(shapely.distance(shapely.points(end), edge) for end in (labels.bow, labels.stern)))
    cut = seen & (out > OUTSIDE * labels.length) & ~labels.difficult
    labels = replace(labels, difficult=labels.difficult | cut, ignore=ignore).select(seen)
    gone = int((~seen).sum()) + len(reading.labels.ignore) - len(ignore)
    notes = (
        Note(f"dropped, outside {frame.name}", gone),
        Note("cut by the picture's edge, taken as difficult", int(cut.sum())),
    )
    return Reading(labels, reading.notes + tuple(note for note in notes if note.times))
