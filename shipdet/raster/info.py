"""What there is to know of a scene before anything is detected in it."""

from typing import NamedTuple

from shipdet.raster.bands import Band
from shipdet.raster.files import shown
from shipdet.raster.sampling import Sampling, model_sampling
from shipdet.raster.scene import MaskKind, Scene


class SceneInfo(NamedTuple):
    """Facts of a scene for people to read."""

    scene_id: str
    paths: tuple[str, ...]
    """Files that are read."""
    width: int
    height: int
    crs_name: str | None
    from_gcps: bool
    gsd_m: tuple[float, float] | None
    """Ground metres per pixel along columns and rows at the centre."""
    bands: tuple[Band, ...]
    chosen: tuple[int, ...]
    """Numbers of the bands that the model reads, in its order."""
    nodata: tuple[float | None, ...]
    """One per channel of the model."""
    mask: MaskKind
    block: tuple[int, int]
    """(height, width)"""
    overviews: tuple[int, ...]
    acquired_at: str | None
    model: Sampling | None
    """What the model reads; None where no model does or the ground sample distance is unknown."""


def scene_info(scene: Scene, model_gsd_m: float | None) -> SceneInfo:
    """Facts of a scene, and the size at which a model of `model_gsd_m` metres per pixel, if any, reads it."""
    nodata = [value for source in scene.sources for value in source.nodata]
    return SceneInfo(
        scene_id=scene.scene_id,
        paths=tuple(shown(source.path) for source in scene.sources),
        width=scene.grid.width,
        height=scene.grid.height,
        crs_name=_crs_name(scene),
        from_gcps=scene.from_gcps,
        gsd_m=scene.gsd_m,
        bands=scene.bands,
        chosen=scene.chosen,
        nodata=tuple(nodata[channel] for channel in scene.channels),
        mask=scene.mask,
        block=scene.block,
        overviews=scene.overviews,
        acquired_at=scene.acquired_at,
        model=None if scene.gsd_m is None or model_gsd_m is None else model_sampling(scene, model_gsd_m),
    )


def _crs_name(scene: Scene) -> str | None:
    crs = scene.grid.crs
    if crs is None:
        return None
    authority = crs.to_authority()
    return f"{':'.join(authority)} {crs.name}" if authority else crs.name
