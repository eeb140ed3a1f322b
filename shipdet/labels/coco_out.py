"""Labels as COCO JSON: polygons, with bow and stern as key points."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import shapely

from shipdet.files import whole_file
from shipdet.labels.frame import Frame
from shipdet.labels.outline import ship_corners, without_holes
from shipdet.labels.types import Array, Labels, Note, Outline
from shipdet.labels.write_notes import not_carried

VISIBLE = 2


def write_coco(labels: Labels, path: Path, frame: Frame) -> tuple[Note, ...]:
    """Writes one picture's ships, and says what the format could not carry.

    A ship is its drawn outline, else the rectangle around it. Places to ignore are crowds (`iscrowd`).
    """
    kinds = sorted({*labels.type, "unknown"})
    corners = ship_corners(labels, frame)
    rows = [_ship(labels, i, corners[i], kinds.index(labels.type[i]) + 1) for i in range(len(labels))]
    rows += [{**_area(area), "category_id": kinds.index("unknown") + 1, "iscrowd": 1} for area in labels.ignore]
    content = {
        "images": [{"id": 1, "file_name": frame.name, "width": frame.grid.width, "height": frame.grid.height}],
        "categories": [_category(number, kind) for number, kind in enumerate(kinds, start=1)],
        "annotations": [{"id": number, "image_id": 1, **row} for number, row in enumerate(rows, start=1)],
    }
    with whole_file(path) as temporary:
        temporary.write_text(json.dumps(content, allow_nan=False) + "\n", encoding="utf-8")
    return not_carried(labels, "beam", "regions")


def _category(number: int, kind: str) -> dict[str, Any]:
    name = "ship" if kind == "unknown" else kind
    return {"id": number, "name": name, "supercategory": "ship", "keypoints": ["bow", "stern"], "skeleton": [[1, 2]]}


def _ship(labels: Labels, i: int, corners: Array, category: int) -> dict[str, Any]:
    (bow_x, bow_y), (stern_x, stern_y) = labels.bow[i].tolist(), labels.stern[i].tolist()
    return {
        **_area(labels.outline(i) or shapely.Polygon(corners)),
        "category_id": category,
        "iscrowd": 0,
        "keypoints": [bow_x, bow_y, VISIBLE, stern_x, stern_y, VISIBLE],
        "num_keypoints": 2,
        "attributes": {
            "bow_known": bool(labels.bow_known[i]),
            "beam_known": bool(np.isfinite(labels.beam[i])),
            "difficult": bool(labels.difficult[i]),
        },
    }


def _area(area: Outline) -> dict[str, Any]:
    x0, y0, x1, y1 = area.bounds
    parts = without_holes(area)  # the format has rings and no holes
    rings = [shapely.get_coordinates(part.exterior)[:-1].ravel().tolist() for part in parts]
    return {"segmentation": rings, "area": float(area.area), "bbox": [x0, y0, x1 - x0, y1 - y0]}
