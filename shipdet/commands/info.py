"""`shipdet info`."""

import typer

from shipdet.commands.options import MODEL, Bands, Gsd, Model, OneScene, parse_bands
from shipdet.console import show_info


def info(scene: OneScene, model: Model = MODEL, bands: Bands = None, gsd_m: Gsd = None) -> None:
    """Say what a scene is and what the model would read of it."""
    from shipdet.errors import SceneError
    from shipdet.models.choice import load_model
    from shipdet.raster.info import scene_info
    from shipdet.raster.scene import open_scene

    opened = open_scene(scene, parse_bands(bands), gsd_m=gsd_m)
    try:
        chosen = load_model(model, opened).card
    except SceneError as error:
        show_info(scene_info(opened, None))
        typer.echo(f"{'model':<14}none: {error}")
    else:
        show_info(scene_info(opened, chosen.gsd_m))
        typer.echo(f"{'model':<14}{chosen.name}")
