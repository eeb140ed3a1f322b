"""Labels to files, in the formats that other tools read."""

from enum import StrEnum
from pathlib import Path

from shipdet.errors import OutputError
from shipdet.labels.bow_stern_json import write_bow_stern_json
from shipdet.labels.coco_out import write_coco
from shipdet.labels.dota import write_dota
from shipdet.labels.frame import Frame
from shipdet.labels.types import Labels, Note
from shipdet.labels.vector_out import write_geojson, write_gpkg
from shipdet.labels.yolo import write_yolo_obb


class LabelFormat(StrEnum):
    """Formats that labels are written in."""

    gpkg = "gpkg"
    geojson = "geojson"
    bow_stern = "bow-stern"
    coco = "coco"
    dota = "dota"
    yolo_obb = "yolo-obb"


ENDINGS = {
    LabelFormat.gpkg: ".gpkg",
    LabelFormat.geojson: ".geojson",
    LabelFormat.bow_stern: ".json",
    LabelFormat.coco: ".json",
    LabelFormat.dota: ".txt",
    LabelFormat.yolo_obb: ".txt",
}


def format_of(path: Path, wanted: LabelFormat | None = None) -> LabelFormat:
    """The format to write: as asked for, else by the file's ending; .json is bow and stern, .txt is DOTA.

    Raises:
        OutputError: the ending is none of a format's, or not that of the one asked for.
    """
    ending = path.suffix.lower()
    if wanted is not None:
        if ending != ENDINGS[wanted]:
            raise OutputError(f"{path} should end in {ENDINGS[wanted]} for the format {wanted.value}")
        return wanted
    found = next((form for form, usual in ENDINGS.items() if usual == ending), None)
    if found is None:
        raise OutputError(f"{path} should end in .gpkg, .geojson, .json or .txt; its ending says the format")
    return found


def write_labels(labels: Labels, path: Path, form: LabelFormat, frame: Frame | None) -> tuple[Note, ...]:
    """Writes one picture's labels whole or not at all, and says what the format could not carry.

    Args:
        labels: in pixels of the picture.
        path: the file to write.
        form: in which format.
        frame: of the picture, where known; COCO and YOLO need it.

    Raises:
        OutputError: it cannot be written there, or the format needs a picture or a place on Earth.
    """
    if form is LabelFormat.gpkg:
        return write_gpkg(labels, path, frame)
    if form is LabelFormat.geojson:
        return write_geojson(labels, path, frame)
    if form is LabelFormat.bow_stern:
        return write_bow_stern_json(labels, path)
    if form is LabelFormat.dota:
        return write_dota(labels, path, frame)
    if frame is None:
        raise OutputError(f"{path}: the format {form.value} tells the picture's size; name the picture with --scene")
    return write_coco(labels, path, frame) if form is LabelFormat.coco else write_yolo_obb(labels, path, frame)
