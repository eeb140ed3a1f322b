"""Labels out of one format into another, for one picture or a folder of them."""

from collections import Counter
from collections.abc import Collection
from os import fspath
from pathlib import Path
from typing import NamedTuple

from shipdet.errors import InputError, LabelsError, OutputError
from shipdet.files import scratch_beside
from shipdet.labels.frame import Frame
from shipdet.labels.read import SUFFIXES, read_labels
from shipdet.labels.types import Note
from shipdet.labels.write import ENDINGS, LabelFormat, format_of, write_labels
from shipdet.raster.files import gdal_env, open_dataset, shown
from shipdet.raster.place import grid_of

PICTURES = frozenset({".tif", ".tiff", ".png", ".jpg", ".jpeg", ".jp2", ".vrt", ".bmp"})


class Converted(NamedTuple):
    """What was written, and what was not."""

    files: int
    ships: int
    bow_known: int
    ignored: int
    """places to ignore"""
    notes: tuple[Note, ...]


def open_frame(picture: Path) -> Frame:
    """The size and place of a picture, without its pixels.

    Raises:
        SceneError: there is no such raster.
    """
    path = fspath(picture)
    with open_dataset(path) as dataset, gdal_env(path):
        grid, _ = grid_of(dataset, shown(path))
    return Frame(picture.name, grid)


def convert_labels(
    source: Path,
    output: Path,
    scene: Path | None = None,
    form: LabelFormat | None = None,
    classes: Collection[str] | None = None,
) -> Converted:
    """Reads labels and writes them in another format.

    Args:
        source: a file of labels, or a folder with one for each picture.
        output: the file to write; an existing folder where `source` or `scene` is one.
        scene: the picture that is labelled, or the folder of pictures, which share their names with the labels.
        form: the format to write, where the ending of `output` does not tell.
        classes: names of the classes to take, else all that may be ships.

    Raises:
        InputError: labels, picture or output are not as expected; the message names file and place.
    """
    if source.is_dir() or (scene is not None and scene.is_dir()):
        return _convert_folder(source, output, scene, form or LabelFormat.gpkg, classes)
    chosen = format_of(output, form)
    with scratch_beside(output):  # better told now than after the work
        pass
    frame = None if scene is None else open_frame(scene)
    labels, notes = read_labels(source, frame, classes)
    written = write_labels(labels, output, chosen, frame)
    return Converted(1, len(labels), int(labels.bow_known.sum()), len(labels.ignore), (*notes, *written))


def _convert_folder(
    source: Path, output: Path, scene: Path | None, form: LabelFormat, classes: Collection[str] | None
) -> Converted:
    """One file a picture, or a file of labels where no pictures are given."""
    if not output.is_dir():
        raise OutputError(f"{output} should be a folder that exists, for there are many pictures; make it with `mkdir`")
    pairs = _pairs(source, scene)
    done = [
        convert_labels(labels, output / f"{(picture or labels).stem}{ENDINGS[form]}", picture, form, classes)
        for labels, picture in pairs
    ]
    counts = Counter[str]()
    for one in done:
        counts.update({note.what: note.times for note in one.notes})
    return Converted(
        len(done),
        sum(one.ships for one in done),
        sum(one.bow_known for one in done),
        sum(one.ignored for one in done),
        tuple(Note(what, count) for what, count in counts.items()),
    )


def _pairs(source: Path, scene: Path | None) -> list[tuple[Path, Path | None]]:
    """Files of labels with their pictures.

    Raises:
        InputError: none are there, or a file of labels has no picture.
    """
    if scene is None:
        files = _listed(source, SUFFIXES)
        return [(path, None) for path in files]
    if not scene.is_dir():
        raise InputError(f"{scene} should be the folder of the pictures that the files in {source} label")
    pictures = {path.stem: path for path in _listed(scene, PICTURES)}
    if source.is_file():
        return [(source, picture) for picture in pictures.values()]
    pairs = [(path, pictures.get(path.stem)) for path in _listed(source, SUFFIXES)]
    lost = next((path for path, picture in pairs if picture is None), None)
    if lost is not None:
        raise LabelsError(f"{lost}: no picture of this name in {scene}; put it there, or move the labels away")
    return pairs


def _listed(folder: Path, endings: Collection[str]) -> list[Path]:
    found = sorted(p for p in folder.iterdir() if p.suffix.lower() in endings and p.name != "classes.txt")
    if not found:
        raise InputError(f"{folder} holds no files ending in {' '.join(sorted(endings))}; check the path")
    return found
