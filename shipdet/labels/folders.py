"""Folders of numbered pictures with bow-and-stern labels, and their fixed validation split."""

from pathlib import Path
from typing import Literal, NamedTuple

from shipdet.errors import LabelsError
from shipdet.labels.bow_stern_json import read_bow_stern_json
from shipdet.labels.bow_stern_text import read_bow_stern_text
from shipdet.labels.types import Labels

Split = Literal["validation", "train"]


class LabelledPicture(NamedTuple):
    """A picture file and the ships in it."""

    path: Path
    labels: Labels


class Folder(NamedTuple):
    """Pictures `N.jpg` in one folder; every picture whose number `every` divides is for validation only."""

    name: str
    path: Path
    every: int


def inshore(path: Path) -> Folder:
    """Harbours, ships moored side by side, about 1 m a pixel."""
    return Folder("inshore", path, 5)


def civil(path: Path) -> Folder:
    """Merchant ships, barges and yachts at unknown scales."""
    return Folder("civil", path, 4)


def read_folder(folder: Folder, split: Split) -> list[LabelledPicture]:
    """The pictures of one split, by number, with their `N.json` (complete) or else `N.txt` (incomplete).

    Raises:
        LabelsError: no such pictures, or a picture without labels.
    """
    numbers = sorted(int(path.stem) for path in folder.path.glob("*.jpg") if path.stem.isdigit())
    chosen = [n for n in numbers if (n % folder.every == 0) == (split == "validation")]
    if not chosen:
        raise LabelsError(f"no {split} pictures in {folder.path}: expected files such as {folder.every}.jpg")
    return [_read(folder.path / f"{number}.jpg") for number in chosen]


def _read(path: Path) -> LabelledPicture:
    complete, incomplete = path.with_suffix(".json"), path.with_suffix(".txt")
    if complete.exists():
        return LabelledPicture(path, read_bow_stern_json(complete))
    if incomplete.exists():
        return LabelledPicture(path, read_bow_stern_text(incomplete))
    raise LabelsError(f"{path} has no labels: expected {complete.name} or {incomplete.name} beside it")
