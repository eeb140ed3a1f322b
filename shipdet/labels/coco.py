"""COCO JSON: polygons, run-length masks, upright boxes; `bow` and `stern` as key points where a category has them."""

from collections.abc import Collection
from dataclasses import replace
from pathlib import Path

import numpy as np
import shapely

from shipdet.errors import LabelsError
from shipdet.labels.coco_rows import UNMATCHED, Annotation, Category, CocoFile, Runs, choose_picture, load_coco
from shipdet.labels.frame import Frame
from shipdet.labels.gather import UPRIGHT, Gathered
from shipdet.labels.outline import area_of, ship_around
from shipdet.labels.rle import read_runs
from shipdet.labels.types import Array, Outline, Reading, Ship, type_of

CROWD = "crowds (iscrowd) became places to ignore"
ALL_CROWD = "masks marked iscrowd, as all in the file are, taken as one ship each"
ENDS = ("bow", "stern")
MASK_SHORTFALL = (0.8, 0.4)
"""Pixels by which the rectangle around the centres of a mask's pixels is shorter and narrower than the hull, on average
over drawn hulls of 8 to 35 pixels in all directions."""


def read_coco(path: Path, frame: Frame | None = None, classes: Collection[str] | None = None) -> Reading:
    """Ships of one picture.

    Where each annotation of a file is an upright rectangle, they are boxes, drawn as polygons by a converter.
    Where each is a mask marked `iscrowd`, the tool marks all masks so, and they are ships.

    Args:
        path: the JSON file.
        frame: of the picture; needed where the file labels several.
        classes: names of categories to take, in lower case, else all that may be ships.

    Raises:
        LabelsError: it is no COCO JSON, or not of this picture; the message names the key.
    """
    file = load_coco(path)
    chosen = choose_picture(path, file, frame)
    all_crowd = all(row.iscrowd and isinstance(row.segmentation, Runs) for row in file.annotations)
    all_upright = all(_is_upright(row) for row in file.annotations)
    gathered = Gathered(classes)
    gathered.counts[UNMATCHED] += len(chosen.numbers) if chosen.guessed else 0
    for number in chosen.numbers:
        row, category = file.annotations[number], _category(file, file.annotations[number])
        if not gathered.takes(category.name):
            continue
        try:
            points, drawn = _outline(row, frame)
        except ValueError as error:
            raise LabelsError(f"{path}: annotations[{number}].segmentation: expected {error}") from error
        ship = _ship(row, category, points, drawn, frame)
        if row.iscrowd and not all_crowd:
            gathered.ignore(drawn, CROWD)
        elif (all_upright or not row.segmentation) and not _has_ends(row, category):
            gathered.ignore(drawn, UPRIGHT)
        else:
            gathered.add(ship)
            gathered.counts[ALL_CROWD] += row.iscrowd
    return gathered.reading()


def _category(file: CocoFile, row: Annotation) -> Category:
    known = file.categories.get(row.category_id) if row.category_id is not None else None
    return known or Category(id="", name="ship" if row.category_id is None else str(row.category_id))


def _is_upright(row: Annotation) -> bool:
    """Whether an annotation is a box, or a polygon that says no more than one, as converters make them."""
    if isinstance(row.segmentation, Runs):
        return False
    if not row.segmentation:
        return True
    points = np.array(row.segmentation[0]).reshape(-1, 2) if len(row.segmentation[0]) % 2 == 0 else np.zeros((0, 2))
    return len(row.segmentation) == 1 and all(len(np.unique(points[:, k].round(3))) == 2 for k in (0, 1))


def _outline(row: Annotation, frame: Frame | None) -> tuple[Array, Outline]:
    """Points that the rectangle is taken around, and the outline."""
    if isinstance(row.segmentation, Runs):
        height, width = row.segmentation.size
        if frame is not None and (width, height) != (frame.grid.width, frame.grid.height):
            size = f"{frame.grid.width} x {frame.grid.height}"
            raise ValueError(f"a mask of {frame.name}, {size} pixels, got one of {width} x {height}")
        mask = read_runs(row.segmentation.counts, height, width)
        return mask.centres, mask.outline
    if row.segmentation:
        rings = [np.array(ring).reshape(-1, 2) for ring in row.segmentation if len(ring) >= 6 and len(ring) % 2 == 0]
        if len(rings) < len(row.segmentation):
            raise ValueError("rings x, y, x, y ... of three corners at least")
        return np.concatenate(rings), shapely.union_all([shapely.make_valid(shapely.Polygon(ring)) for ring in rings])
    if row.bbox is None:
        raise ValueError("a polygon or a mask here, or a 'bbox'")
    x, y, w, h = row.bbox
    return np.array([[x, y], [x + w, y], [x + w, y + h], [x, y + h]]), shapely.box(x, y, x + w, y + h)


def _has_ends(row: Annotation, category: Category) -> bool:
    """Whether key points mark bow and stern, apart from each other."""
    if not all(end in category.keypoints for end in ENDS):
        return False
    bow, stern = (_key_point(row, category, end) for end in ENDS)
    return bow[2] > 0 and stern[2] > 0 and bow[:2] != stern[:2]


def _key_point(row: Annotation, category: Category, end: str) -> tuple[float, float, float]:
    """x, y and whether it is marked at all."""
    at = 3 * category.keypoints.index(end)
    x, y, marked = row.keypoints[at : at + 3] if len(row.keypoints) >= at + 3 else (0.0, 0.0, 0.0)
    return x, y, marked


def _ship(row: Annotation, category: Category, points: Array, drawn: Outline, frame: Frame | None) -> Ship | None:
    grown = MASK_SHORTFALL if isinstance(row.segmentation, Runs) else (0.0, 0.0)
    found = ship_around(points, frame, grown) if len(points) else None
    if found is None:
        return None
    said = row.attributes if isinstance(row.attributes, dict) else {}
    ship = replace(
        found,
        difficult=said.get("difficult") is True,
        type=type_of(category.name),
        polygon=area_of(drawn) if len(points) > 4 else None,
    )
    if not _has_ends(row, category):
        return ship
    bow, stern = (_key_point(row, category, end)[:2] for end in ENDS)
    beam = float("nan") if said.get("beam_known") is False else ship.beam
    return replace(ship, bow=bow, stern=stern, beam=beam, bow_known=said.get("bow_known") is not False)
