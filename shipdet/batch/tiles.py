"""Finished tiles of scenes that are not finished yet, kept on disk: one safetensors file a tile."""

import shutil
from pathlib import Path
from typing import Self

import numpy as np
from safetensors import SafetensorError
from safetensors.numpy import load_file, save_file

from shipdet.errors import OutputError
from shipdet.files import whole_file
from shipdet.inference.looked import Looked
from shipdet.models.decode import Tips
from shipdet.raster.tiling import Tile

MAPS = ("attention", "ship", "more")


class TileFolder:
    """Remembers the tiles of one scene under one settings hash; see `shipdet.inference.looked.TileMemory`.

    A file appears whole or not at all; one that is damaged counts as none.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def recall(self, tile: Tile) -> Looked | None:
        """What was kept of a tile, or None."""
        path = self._path(tile)
        if not path.is_file():
            return None
        try:
            arrays = load_file(path)
            tips = Tips(**{name: arrays[f"tips.{name}"] for name in Tips._fields})
            return Looked(tips, **{name: arrays[name] for name in MAPS})
        except (SafetensorError, OSError, KeyError, ValueError):
            return None

    def keep(self, tile: Tile, looked: Looked) -> None:
        """Keeps a tile.

        Raises:
            OutputError: the disk is full, or the folder cannot be written.
        """
        arrays = {f"tips.{name}": array for name, array in looked.tips._asdict().items()}
        arrays |= {name: getattr(looked, name) for name in MAPS}
        path = self._path(tile)
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            with whole_file(path) as temporary:
                save_file({name: np.ascontiguousarray(array) for name, array in arrays.items()}, temporary)
        except (SafetensorError, OSError) as error:
            raise OutputError(f"could not write {path} ({error}); make room there") from error

    def part(self, name: str) -> Self:
        """The memory of one of several views, in a folder within this one."""
        return type(self)(self._folder / name)

    def _path(self, tile: Tile) -> Path:
        core, window = tile.core, tile.window
        here = f"{core.x}_{core.y}_{core.width}_{core.height}_{window.width}_{window.height}"
        return self._folder / f"{here}.safetensors"


def forget(folder: Path) -> None:
    """Removes what was kept of a scene's tiles; leftovers that cannot be removed do no harm."""
    shutil.rmtree(folder, ignore_errors=True)
