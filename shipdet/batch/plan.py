"""Which scene's ships go to which file, settled before the long work starts."""

from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from shipdet.errors import OutputError
from shipdet.export.picture import check_picture
from shipdet.export.vector import check_output
from shipdet.raster.files import stem

Source = str | tuple[str, ...]
"""One file, or the band files of one scene."""


class Job(NamedTuple):
    """One scene and where what is found in it goes."""

    source: Source
    output: Path | None
    """Its own file; None where all scenes share one."""
    picture: Path | None


class Plan(NamedTuple):
    """All scenes of a run."""

    jobs: tuple[Job, ...]
    together: Path | None
    """The one file for the ships of all scenes; None where each scene has its own."""


def scene_name(source: Source) -> str:
    """What a scene's files are called: its file's name (its first band's) without the ending."""
    return stem(source if isinstance(source, str) else source[0])


def make_plan(sources: Sequence[Source], output: Path, ending: str, picture: Path | None = None) -> Plan:
    """Pairs scenes with outputs and makes sure that the outputs can be written.

    Args:
        sources: the scenes, at least one.
        output: a file for the ships of all scenes, or an existing folder for one file each.
        ending: of the files in a folder, such as "gpkg".
        picture: a file for a single scene's picture, or an existing folder for one each.

    Raises:
        OutputError: an output that cannot be written, or two scenes that would go to one file.
    """
    pictures = _pictures(sources, picture)
    if output.is_dir():
        outputs = _one_each(sources, output, ending)
        for path in outputs:
            check_output(path)
        return Plan(tuple(map(Job, sources, outputs, pictures)), None)
    if not output.suffix:
        raise OutputError(f"there is no folder {output}; make it with `mkdir -p`, or name a file such as {output}.gpkg")
    check_output(output)
    if len(sources) == 1:
        return Plan((Job(sources[0], output, pictures[0]),), None)
    return Plan(tuple(map(Job, sources, [None] * len(sources), pictures)), output)


def _one_each(sources: Sequence[Source], folder: Path, ending: str) -> list[Path]:
    name, times = Counter(map(scene_name, sources)).most_common(1)[0]
    if times > 1:
        raise OutputError(
            f"{times} scenes are called {name!r} and would go to one file in {folder}; "
            "rename them, or detect them one at a time"
        )
    return [folder / f"{scene_name(source)}.{ending.removeprefix('.')}" for source in sources]


def _pictures(sources: Sequence[Source], picture: Path | None) -> Sequence[Path | None]:
    if picture is None:
        return [None] * len(sources)
    if picture.is_dir():
        pictures = _one_each(sources, picture, "png")
    elif len(sources) == 1:
        pictures = [picture]
    else:
        raise OutputError(f"{picture} is one picture for {len(sources)} scenes; name a folder that exists instead")
    for path in pictures:
        check_picture(path)
    return pictures
