"""A scene: which files, bands and grid a picture of the Earth is made of, known without its pixels."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import takewhile
from os import PathLike, fspath
from pathlib import Path
from typing import Literal, NamedTuple

import numpy as np
from rasterio.enums import MaskFlags
from rasterio.io import DatasetReader

from shipdet.errors import SceneError
from shipdet.geometry import Grid
from shipdet.raster.bands import Band, BandChoice, choose_bands, pick_bands
from shipdet.raster.files import gdal_env, is_remote, open_dataset, shown, stem
from shipdet.raster.place import acquisition_time, grid_of, ground_gsd, to_pixels
from shipdet.redaction import redacted

MaskKind = Literal["nodata tag", "mask band", "alpha band", "none"]


@dataclass(frozen=True)
class Source:
    """One file of a scene and what is read from it."""

    path: str
    indexes: tuple[int, ...]
    """Bands to read, from 1, none twice."""
    nodata: tuple[float | None, ...]
    """One per index."""
    mask: MaskKind


@dataclass(frozen=True)
class Scene:
    """A picture of the Earth on disk; cheap, picklable, holds no open file."""

    sources: tuple[Source, ...]
    channels: tuple[int, ...]
    """For each channel of the model, its place among the bands that the sources read, from 0."""
    bands: tuple[Band, ...]
    """All that the scene offers."""
    chosen: tuple[int, ...]
    """Numbers of the bands in the model's order."""
    grid: Grid
    """`grid.crs` is None where the scene lies nowhere on Earth."""
    gsd_m: tuple[float, float] | None
    """Ground metres per pixel along columns and rows at the centre; None where unknown."""
    from_gcps: bool
    dtype: str
    block: tuple[int, int]
    """(height, width) of a block of the file."""
    overviews: tuple[int, ...]
    """Factors of the overviews that all sources have, ascending."""
    scene_id: str
    acquired_at: str | None
    """ISO 8601."""

    @property
    def name(self) -> str:
        """The scene in messages: its first file."""
        return shown(self.sources[0].path)

    @property
    def mask(self) -> MaskKind:
        """How the files say where they have no data."""
        return next((source.mask for source in self.sources if source.mask != "none"), "none")


class _File(NamedTuple):
    path: str
    bands: tuple[Band, ...]
    nodata: tuple[float | None, ...]
    masks: tuple[MaskKind, ...]
    grid: Grid
    from_gcps: bool
    block: tuple[int, int]
    overviews: tuple[int, ...]
    acquired_at: str | None


def open_scene(
    source: str | PathLike[str] | Sequence[str | PathLike[str]],
    bands: BandChoice | None = None,
    *,
    gsd_m: float | None = None,
) -> Scene:
    """Look at a raster, or at several single-band rasters of one grid, without reading pixels.

    Args:
        source: a path or a URL that GDAL reads, or several (Sentinel-2 style: B04, B03, B02).
        bands: numbers from 1 or descriptions, in the model's order; by default red, green and blue as far as the
            scene tells them. Of several files a number is the place of the file.
        gsd_m: ground metres per pixel, instead of what the georeference says; needed where there is none.

    Raises:
        SceneError: no such file, not a raster, bands that are not there, files that do not fit together.
    """
    paths = [fspath(source)] if isinstance(source, str | PathLike) else [fspath(path) for path in source]
    if not paths:
        raise SceneError("no file was given; expected the path of a raster")
    if gsd_m is not None and not (np.isfinite(gsd_m) and gsd_m > 0):
        raise SceneError(f"a ground sample distance is a positive number of metres, got {gsd_m:g}")
    files = [_look(path) for path in paths]
    offered = files[0].bands
    if len(files) > 1:
        _refuse_unlike(files)
        offered = tuple(_band_of_file(file, number) for number, file in enumerate(files, start=1))
    chosen = choose_bands(offered, shown(paths[0])) if bands is None else pick_bands(offered, bands, shown(paths[0]))
    return _scene(files, offered, chosen, gsd_m)


def _scene(files: list[_File], offered: tuple[Band, ...], chosen: tuple[int, ...], gsd_m: float | None) -> Scene:
    first = files[0]
    needed = list(dict.fromkeys(chosen))
    alike = all(file.overviews == first.overviews for file in files)
    sources = [_source(first, needed)] if len(files) == 1 else [_source(files[n - 1], [1]) for n in needed]
    times = [file.acquired_at for file in files if file.acquired_at]
    return Scene(
        sources=tuple(sources),
        channels=tuple(needed.index(number) for number in chosen),
        bands=offered,
        chosen=chosen,
        grid=first.grid,
        gsd_m=ground_gsd(first.grid) if gsd_m is None else (gsd_m, gsd_m),
        from_gcps=first.from_gcps,
        dtype=_one_dtype([offered[number - 1] for number in needed], shown(first.path)),
        block=first.block,
        overviews=first.overviews if alike else (),
        scene_id=_scene_id([file.path for file in files]),
        acquired_at=times[0] if times else None,
    )


def _source(file: _File, indexes: list[int]) -> Source:
    nodata = tuple(file.nodata[index - 1] for index in indexes)
    return Source(file.path, tuple(indexes), nodata, file.masks[indexes[0] - 1])


def _look(path: str) -> _File:
    with open_dataset(path) as dataset, gdal_env(path):
        if dataset.count == 0:
            some = ", ".join(map(redacted, dataset.subdatasets[:3])) or "none"
            raise SceneError(f"{shown(path)} has no bands of its own; give one of its subdatasets instead: {some}")
        grid, from_gcps = grid_of(dataset, shown(path))
        return _File(
            path=path,
            bands=tuple(_band(dataset, index) for index in dataset.indexes),
            nodata=tuple(dataset.nodatavals),
            masks=tuple(_mask_kind(dataset, index) for index in dataset.indexes),
            grid=grid,
            from_gcps=from_gcps,
            block=tuple(dataset.block_shapes[0]),
            overviews=tuple(dataset.overviews(1)),
            acquired_at=acquisition_time(dataset),
        )


def _band(dataset: DatasetReader, index: int) -> Band:
    description = dataset.descriptions[index - 1] or ""
    return Band(index, dataset.dtypes[index - 1], description, dataset.colorinterp[index - 1].name)


def _band_of_file(file: _File, number: int) -> Band:
    band = file.bands[0]
    return Band(number, band.dtype, band.description or stem(file.path), band.colour)


def _mask_kind(dataset: DatasetReader, index: int) -> MaskKind:
    flags = dataset.mask_flag_enums[index - 1]
    if MaskFlags.nodata in flags and dataset.nodatavals[index - 1] is not None:
        return "nodata tag"
    if MaskFlags.alpha in flags:
        return "alpha band"
    return "none" if MaskFlags.all_valid in flags else "mask band"


def _one_dtype(bands: list[Band], name: str) -> str:
    dtypes = {band.dtype for band in bands}
    if len(dtypes) > 1:
        raise SceneError(
            f"{name}: the chosen bands differ in data type ({', '.join(sorted(dtypes))}); choose like ones"
        )
    dtype = dtypes.pop()
    if dtype.startswith("complex"):
        raise SceneError(f"{name} holds complex numbers ({dtype}); give its amplitude instead")
    return dtype


def _refuse_unlike(files: list[_File]) -> None:
    first = files[0]
    for file in files:
        if len(file.bands) != 1:
            raise SceneError(
                f"{shown(file.path)} has {len(file.bands)} bands; several files given together have one band each"
            )
        facts = {
            "size": (file.grid.width, file.grid.height) == (first.grid.width, first.grid.height),
            "CRS": file.grid.crs == first.grid.crs,
            "transform": _same_transform(file.grid, first.grid),
        }
        for fact, same in facts.items():
            if not same:
                raise SceneError(
                    f"{shown(file.path)} differs from {shown(first.path)} in its {fact}; "
                    "files given together share one grid: resample them first"
                )


def _same_transform(a: Grid, b: Grid) -> bool:
    """Whether no corner of the two grids lies further apart than a hundredth of a pixel."""
    corners = np.array([(0.0, 0.0), (a.width, 0.0), (0.0, a.height), (a.width, a.height)])
    return np.allclose(to_pixels(b.transform, a.to_crs(corners)), corners, rtol=0, atol=0.01)


def _scene_id(paths: list[str]) -> str:
    """The file's stem; of several files what their stems share, else their folder's name."""
    stems = [stem(path) for path in paths]
    if len(stems) == 1:
        return stems[0]
    same = "".join(
        letters[0] for letters in takewhile(lambda letters: len(set(letters)) == 1, zip(*stems, strict=False))
    )
    shared = re.match(r"(.*)[ _.-]", same)
    folder = "" if is_remote(paths[0]) else Path(paths[0]).resolve().parent.name
    return (shared and shared[1]) or folder or stems[0]
