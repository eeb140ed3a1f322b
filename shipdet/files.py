"""Outputs appear whole or not at all: written in a hidden folder beside their place, then renamed.

A folder rather than a name, because SQLite puts journals beside the file that it writes.
"""

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from shipdet.errors import OutputError

SCRATCH = ".shipdet-"
"""How the hidden folders' names begin; a process that is killed leaves its own behind."""


@contextmanager
def scratch_beside(path: Path) -> Iterator[Path]:
    """A hidden folder in the folder of `path`, gone afterwards with all that it holds.

    Raises:
        OutputError: the folder of `path` does not exist or cannot be written, or `path` is a folder.
    """
    if not path.parent.exists():
        raise OutputError(f"the folder {path.parent} for {path.name} does not exist; make it with `mkdir -p`")
    if not path.parent.is_dir():
        raise OutputError(f"{path.parent} should be a folder to write {path.name} in, but is a file; give another path")
    if path.is_dir():
        raise OutputError(f"{path} should be a file to write, but is a folder; give the name of a file in it")
    try:
        scratch = tempfile.TemporaryDirectory(prefix=SCRATCH, dir=path.parent)
    except OSError as error:
        raise OutputError(f"cannot write in {path.parent} ({error.strerror}); give a folder that you own") from error
    with scratch as name:
        yield Path(name)


@contextmanager
def whole_file(path: Path) -> Iterator[Path]:
    """The path to write to; it takes the place of `path` when the block ends well, and vanishes when not.

    Raises:
        OutputError: as `scratch_beside`; or the system refused to write (disk full, no permission).
    """
    with scratch_beside(path) as scratch:
        try:
            yield scratch / path.name
            (scratch / path.name).replace(path)
        except BrokenPipeError:  # who listens to the progress has gone; the disk is not to blame
            raise
        except OSError as error:
            reason = error.strerror or str(error)
            raise OutputError(f"could not write {path} ({reason}); make room there or give another path") from error


def made_folder(path: Path) -> Path:
    """A folder, made where there is none: before long work whose outcome goes there.

    Raises:
        OutputError: it cannot be made.
    """
    try:
        path.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise OutputError(f"cannot make the folder {path} ({error.strerror}); give another path") from error
    return path
