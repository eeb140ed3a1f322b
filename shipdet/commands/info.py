"""`shipdet info`."""

from shipdet.commands.options import MODEL, Bands, Gsd, Model, OneScene, parse_bands
from shipdet.console import show_info


def info(scene: OneScene, model: Model = MODEL, bands: Bands = None, gsd_m: Gsd = None) -> None:
    """Say what a scene is and what the model would read of it."""
    from shipdet.models.weights import load_weights
    from shipdet.raster.info import scene_info
    from shipdet.raster.scene import open_scene

    opened = open_scene(scene, parse_bands(bands), gsd_m=gsd_m)
    show_info(scene_info(opened, load_weights(model).card.gsd_m))
