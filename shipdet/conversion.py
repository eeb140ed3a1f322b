"""Labels out of one format into another, for one picture or a folder of them."""

from collections import Counter
from collections.abc import Collection
from os import fspath
from pathlib import Path
from typing import NamedTuple, TypeAlias

from shipdet.errors import InputError, LabelsError, OutputError
from shipdet.files import scratch_beside
from shipdet.labels.frame import Frame
from shipdet.labels.read import SUFFIXES, labels_many, read_labels
from shipdet.labels.types import Note
from shipdet.labels.write import ENDINGS, LabelFormat, format_of, write_labels
from shipdet.raster.files import gdal_env, open_dataset, shown
from shipdet.raster.place import grid_of

PICTURES = frozenset({".tif", ".tiff", ".png", ".jpg", ".jpeg", ".jp2", ".vrt", ".bmp"})


LESSER = "left out, a .txt beside a .json of the same name"
Pair: TypeAlias = tuple[Path, Path | None]


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
    pairs, left_out = _pairs(source, scene)
    targets = [output / f"{(picture or labels).stem}{ENDINGS[form]}" for labels, picture in pairs]
    _check_targets(pairs, targets)
    done = [
        convert_labels(labels, target, picture, form, classes)
        for (labels, picture), target in zip(pairs, targets, strict=True)
    ]
    counts = Counter[str]({LESSER: left_out} if left_out else {})
    for one in done:
        counts.update({note.what: note.times for note in one.notes})
    return Converted(
        len(done),
        sum(one.ships for one in done),
        sum(one.bow_known for one in done),
        sum(one.ignored for one in done),
        tuple(Note(what, count) for what, count in counts.items()),
    )


def _check_targets(pairs: list[Pair], targets: list[Path]) -> None:
    """That no file of labels is written over.

    Raises:
        OutputError: a target is one of the files that are read.
    """
    read = {labels.resolve() for labels, _ in pairs}
    lost = next((target for target in targets if target.resolve() in read), None)
    if lost is not None:
        raise OutputError(f"{lost} is one of the files of labels to read; give another folder to write in")


def _pairs(source: Path, scene: Path | None) -> tuple[list[Pair], int]:
    """Files of labels with their pictures, and how many lesser files are left out.

    Raises:
        InputError: none are there, a file of labels has no picture, or two share a name.
    """
    if scene is None:
        files, left_out = _labels_in(source)
        return [(path, None) for path in files], left_out
    if not scene.is_dir():
        raise InputError(f"{scene} should be the folder of the pictures that the files in {source} label")
    found = _listed(scene, PICTURES)
    if source.is_file():
        _check_single(found)
        if len(found) > 1 and not labels_many(source):
            raise LabelsError(
                f"{source}: labels of one picture, but {scene} holds {len(found)}; name the one that they belong to"
            )
        return [(source, picture) for picture in found], 0
    files, left_out = _labels_in(source)
    stems = {path.stem for path in files}
    _check_single([picture for picture in found if picture.stem in stems])
    pictures = {path.stem: path for path in found}
    lost = next((path for path in files if path.stem not in pictures), None)
    if lost is not None:
        raise LabelsError(f"{lost}: no picture of this name in {scene}; put it there, or move the labels away")
    return [(path, pictures[path.stem]) for path in files], left_out


def _labels_in(folder: Path) -> tuple[list[Path], int]:
    """Files of labels, one a picture: N.json, which is complete, goes before N.txt; and how many are left out so."""
    found = _listed(folder, SUFFIXES)
    complete = {path.stem for path in found if path.suffix.lower() == ".json"}
    kept = [path for path in found if path.suffix.lower() != ".txt" or path.stem not in complete]
    _check_single(kept)
    return kept, len(found) - len(kept)


def _check_single(files: list[Path]) -> None:
    """That no two files share a name but for the ending: they would be written to one.

    Raises:
        InputError: two do.
    """
    seen: dict[str, Path] = {}
    for path in files:
        other = seen.setdefault(path.stem, path)
        if other != path:
            raise InputError(f"{path}: {other.name} is there too, and only one can be meant; move one of them away")


def _listed(folder: Path, endings: Collection[str]) -> list[Path]:
    found = sorted(p for p in folder.iterdir() if p.suffix.lower() in endings and p.name != "classes.txt")
    if not found:
        raise InputError(f"{folder} holds no files ending in {' '.join(sorted(endings))}; check the path")
    return found
