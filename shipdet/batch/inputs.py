"""What a batch is given - files, folders, patterns, lists, STAC items - as scenes, each once."""

import hashlib
import os
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from glob import glob
from pathlib import Path
from urllib.parse import parse_qsl, urlencode, urlsplit

from shipdet.errors import InputError
from shipdet.raster.files import is_remote, shown, stem

RASTERS = (".tif", ".tiff", ".vrt", ".jp2", ".img", ".ntf", ".nitf")
"""What is taken from a folder; previews and masks in other formats are not. Patterns take what they match."""
LISTS = (".txt", ".lst")
STAC = (".json", ".geojson")
_PATTERN = re.compile(r"[*?\[]")
_SIGNING = re.compile(
    r"x-amz-.*|x-goog-.*|awsaccesskeyid|googleaccessid|signature|expires|policy|key-pair-id"
    r"|sig|se|st|sp|sv|sr|spr|ske|skoid|sktid|skt|sks|skv|.*token|api_?key|key|auth.*",
    re.IGNORECASE,
)
"""Query parameters that grant access and change from day to day, and so do not say which scene it is."""


@dataclass(frozen=True)
class Input:
    """One scene of a batch."""

    sources: tuple[str, ...] = field(repr=False)
    """One file, or the band files of the scene: absolute paths or URLs, with whatever secrets those hold."""
    label: str
    """The source as given, without secrets."""
    name: str
    """What it would like its files to be called."""
    scene_id: str | None = None
    """Where the catalogue names the scene."""
    acquired_at: str | None = None
    """ISO 8601, where the catalogue tells."""
    problem: str | None = None
    """Why it cannot be read, where that is known already."""

    @property
    def key(self) -> str:
        """Says which scene it is: the same for a URL that was signed anew."""
        return hashlib.sha256("\n".join(map(_identity, self.sources)).encode()).hexdigest()[:32]


def expand(given: Sequence[str], assets: Sequence[str] = ()) -> tuple[Input, ...]:
    """Scenes in the order given, those of a folder or pattern by name, each once.

    Args:
        given: files, folders (searched to the bottom), glob patterns, URLs; a .txt or .lst file with one of
            these a line (blank lines and lines that start with # aside); a .json file that is a STAC item
            or ItemCollection. Files that do not exist are scenes that will fail.
        assets: of STAC items, the asset that is the scene, or those that are its bands; empty: found.

    Raises:
        InputError: a folder, pattern or list without scenes, or a file that is no list or no STAC.
    """
    unique: dict[str, Input] = {}
    for text in given:
        for scene in _expand(text, assets):
            unique.setdefault(scene.key, scene)
    if not unique:
        raise InputError("no scene was given; expected files, folders, patterns, a list or a STAC ItemCollection")
    return tuple(unique.values())


def one(text: str) -> Input:
    """The scene that a path or URL stands for, whether it exists or not."""
    path = Path(text)
    local = path.exists() or not (is_remote(text) or ":" in text)
    return Input((str(Path(os.path.abspath(path))) if local else text,), shown(text), stem(text))  # noqa: PTH100


def _expand(text: str, assets: Sequence[str]) -> Iterable[Input]:
    path = Path(text)
    if is_remote(text):
        return [one(text)]
    if path.is_dir():
        return _some(map(str, _rasters(path)), f"the folder {text} holds no raster ({', '.join(RASTERS)})")
    if not path.exists() and _PATTERN.search(text):
        return _some(sorted(glob(text, recursive=True)), f"no file matches {text!r}")  # noqa: PTH207 - ** and absolute
    if path.is_file() and path.suffix.lower() in LISTS:
        return [scene for line in _lines(path) for scene in _expand(line, assets)]
    if path.is_file() and path.suffix.lower() in STAC:
        from shipdet.batch.stac import read_items  # noqa: PLC0415 - needs the extra `stac`

        return read_items(path, assets)
    return [one(text)]


def _some(paths: Iterable[str], otherwise: str) -> list[Input]:
    scenes = [one(path) for path in paths]
    if not scenes:
        raise InputError(f"{otherwise}; check the path")
    return scenes


def _rasters(folder: Path) -> Iterator[Path]:
    for path in sorted(folder.rglob("*")):
        hidden = any(part.startswith(".") for part in path.relative_to(folder).parts)
        if path.suffix.lower() in RASTERS and path.is_file() and not hidden:
            yield path


def _lines(path: Path) -> list[str]:
    try:
        lines = [line.strip() for line in path.read_text(encoding="utf-8").splitlines()]
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(f"{path} should be a text file of paths or URLs, one a line ({error})") from None
    found = [line for line in lines if line and not line.startswith("#")]
    if any(line.lower().endswith(LISTS) and not is_remote(line) for line in found):
        raise InputError(f"{path} names another list; give both to the command instead")
    if not found:
        raise InputError(f"{path} lists no scene; expected paths or URLs, one a line")
    return found


def _identity(source: str) -> str:
    if not is_remote(source):
        return source
    try:
        query = parse_qsl(urlsplit(source).query, keep_blank_values=True)
    except ValueError:
        query = []
    kept = [(key, value) for key, value in query if not _SIGNING.fullmatch(key)]
    return shown(source) + ("?" + urlencode(kept) if kept else "")
