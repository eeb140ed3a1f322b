"""`shipdet explain`."""

import math
from pathlib import Path
from typing import Annotated

import typer

from shipdet.commands.options import (
    MODEL,
    Bands,
    Device,
    Gsd,
    InPixels,
    Model,
    OneScene,
    Precision,
    PrecisionChoice,
    Threshold,
    parse_bands,
)
from shipdet.console import show_ships
from shipdet.errors import InputError

At = Annotated[
    str,
    typer.Option("--at", metavar="LON,LAT", help="Where the ship lies, in degrees; X,Y with --pixel-coordinates."),
]
PictureFile = Annotated[Path, typer.Option("--output", "-o", metavar="PNG", help="The picture to write.")]
Within = Annotated[float, typer.Option("--within", metavar="M", min=0, help="How far from there it may lie, metres.")]


def explain(  # noqa: PLR0913 - a command's options are its parameters; here they become one request
    scene: OneScene,
    *,
    at: At,
    output: PictureFile,
    within: Within = 100.0,
    model: Model = MODEL,
    bands: Bands = None,
    threshold: Threshold = None,
    device: Device = "auto",
    precision: PrecisionChoice = Precision.auto,
    pixel_coordinates: InPixels = False,
    gsd: Gsd = None,
) -> None:
    """Show what the network saw of one ship: chip, attention map, gate, heat of bow and stern, hull."""
    place = parse_pixel(at) if pixel_coordinates else parse_place(at)

    from shipdet.api import DetectRequest, save_explanation
    from shipdet.api import explain as explain_ship
    from shipdet.export.picture import check_picture

    check_picture(output)
    request = DetectRequest(
        model=model,
        bands=parse_bands(bands),
        threshold=threshold,
        device=device,
        precision=precision.value,
        gsd_m=gsd,
        pixel_coordinates=pixel_coordinates,
    )
    found = explain_ship(scene, request, place, within)
    save_explanation(found, output)
    show_ships([found.detection])


def parse_place(at: str) -> tuple[float, float]:
    """What --at says of a place on Earth."""
    lon, lat = _two_numbers(at, "a longitude and a latitude in degrees, such as 103.75,1.26")
    if not (-180 <= lon <= 180 and -90 <= lat <= 90):
        raise InputError(
            f"--at should be a longitude from -180 to 180 and a latitude from -90 to 90, not {at!r}; "
            "a column and a row take --pixel-coordinates"
        )
    return lon, lat


def parse_pixel(at: str) -> tuple[float, float]:
    """What --at says of a place in the picture."""
    return _two_numbers(at, "a column and a row of the scene, such as 512,300")


def _two_numbers(at: str, expected: str) -> tuple[float, float]:
    try:
        x, y = (float(part) for part in at.split(","))
    except ValueError:
        x = y = math.nan
    if not math.isfinite(x + y):
        raise InputError(f"--at should be {expected}, not {at!r}")
    return x, y
