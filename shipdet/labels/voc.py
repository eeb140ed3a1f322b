"""Pascal VOC: one XML file a picture; `bndbox` is an upright box, `robndbox` (roLabelImg) a turned one.

`robndbox` holds cx, cy, w, h and the angle in radians, clockwise on screen. Files with a document type are
refused: labels need no entities.
"""

from collections.abc import Collection
from pathlib import Path
from typing import Any
from xml.etree.ElementTree import Element, ParseError, TreeBuilder

import numpy as np
import shapely
from defusedxml.common import DefusedXmlException
from defusedxml.ElementTree import DefusedXMLParser

from shipdet.errors import LabelsError
from shipdet.labels.frame import Frame
from shipdet.labels.gather import UPRIGHT, Gathered
from shipdet.labels.outline import ship_around
from shipdet.labels.text import finite_numbers
from shipdet.labels.types import Reading, Ship, type_of

LINE = "line"
"""The attribute that keeps an element's line."""


class _LineKeeper:
    """Builds the tree, and notes where each element began."""

    def __init__(self) -> None:
        self.builder = TreeBuilder()
        self.parser: Any = None

    def start(self, tag: str, attributes: dict[str, str]) -> Element:
        return self.builder.start(tag, {**attributes, LINE: str(self.parser.CurrentLineNumber)})

    def end(self, tag: str) -> Element:
        return self.builder.end(tag)

    def data(self, text: str) -> None:
        self.builder.data(text)

    def close(self) -> Element:
        return self.builder.close()


def read_voc(path: Path, frame: Frame | None = None, classes: Collection[str] | None = None) -> Reading:
    """Ships of one picture.

    Args:
        path: the XML file.
        frame: of the picture, where known; its size must be the file's.
        classes: names to take, else all that may be ships.

    Raises:
        LabelsError: no such XML; the message names file and line.
    """
    root = _parse(path)
    if root.tag != "annotation":
        raise LabelsError(f"{path}:{root.get(LINE)}: expected an <annotation> of Pascal VOC, got <{root.tag}>")
    _check_size(path, root, frame)
    gathered = Gathered(classes)
    for thing in root.iter("object"):
        name = (thing.findtext("name") or "").strip().lower()
        if not gathered.takes(name):
            continue
        if thing.find("robndbox") is None:
            box = shapely.box(*_values(path, thing, "bndbox", "xmin", "ymin", "xmax", "ymax"))
            gathered.ignore(box, UPRIGHT)
        else:
            gathered.add(_turned_ship(path, thing, type_of(name), frame))
    return gathered.reading()


def _parse(path: Path) -> Element:
    keeper = _LineKeeper()
    parser = DefusedXMLParser(target=keeper, forbid_dtd=True)
    keeper.parser = parser.parser
    try:
        parser.feed(path.read_bytes())
        root: Element = parser.close()
    except ParseError as error:
        raise LabelsError(f"{path}:{error.position[0]}: expected XML, got {error}") from error
    except DefusedXmlException as error:
        line = keeper.parser.CurrentLineNumber
        raise LabelsError(
            f"{path}:{line}: expected XML without document type and entities; remove its <!DOCTYPE>"
        ) from error
    except OSError as error:
        raise LabelsError(f"{path}: expected an XML file of Pascal VOC, got {error}") from error
    except (ValueError, LookupError) as error:  # the latter of an encoding that there is not
        line = keeper.parser.CurrentLineNumber
        raise LabelsError(f"{path}:{line}: expected an XML file of Pascal VOC, got {error}") from error
    return root


def _values(path: Path, thing: Element, box: str, *fields: str) -> list[float]:
    """Numbers of a box."""
    found = thing.find(box)
    if found is None:
        raise LabelsError(f"{path}:{thing.get(LINE)}: expected a <{box}> in <object>")
    try:
        return finite_numbers([found.findtext(field) or "" for field in fields])
    except ValueError as error:
        wanted = ", ".join(fields)
        raise LabelsError(f"{path}:{found.get(LINE)}: expected numbers {wanted} in <{box}>") from error


def _turned_ship(path: Path, thing: Element, kind: str, frame: Frame | None) -> Ship | None:
    x, y, w, h, angle = _values(path, thing, "robndbox", "cx", "cy", "w", "h", "angle")
    turn = np.array([[np.cos(angle), np.sin(angle)], [-np.sin(angle), np.cos(angle)]])
    corners = np.array([[w, h], [w, -h], [-w, -h], [-w, h]]) / 2 @ turn + (x, y)
    found = ship_around(corners, frame)
    if found is None:
        return None
    difficult = (thing.findtext("difficult") or "0").strip() not in {"0", ""}
    return Ship(found.bow, found.stern, found.beam, bow_known=False, difficult=difficult, type=kind)


def _check_size(path: Path, root: Element, frame: Frame | None) -> None:
    size = root.find("size")
    if frame is None or size is None:
        return
    said = tuple(int(value) for value in _values(path, root, "size", "width", "height"))
    have = (frame.grid.width, frame.grid.height)
    if said not in {have, (0, 0)}:
        raise LabelsError(
            f"{path}:{size.get(LINE)}: these are labels of a picture of {said[0]} x {said[1]} pixels, but {frame.name} "
            f"has {have[0]} x {have[1]}; give the picture that they belong to"
        )
