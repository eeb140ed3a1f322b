"""`shipdet detect`."""

from typing import TYPE_CHECKING

import typer

from shipdet.commands.options import (
    MODEL,
    Augment,
    AugmentChoice,
    Bands,
    Core,
    Dense,
    Device,
    Ending,
    GsdOrUnknown,
    InPixels,
    Model,
    Output,
    Picture,
    Precision,
    PrecisionChoice,
    Scenes,
    Sharpen,
    Stack,
    Threshold,
    parse_bands,
    parse_gsd,
)
from shipdet.console import complain, progress, share, show_ships

if TYPE_CHECKING:
    from shipdet.api import DetectRequest
    from shipdet.batch.plan import Plan


def detect(  # noqa: PLR0913 - a command's options are its parameters; here they become one request
    scenes: Scenes,
    *,
    output: Output,
    model: Model = MODEL,
    bands: Bands = None,
    threshold: Threshold = None,
    core: Core = 2048,
    dense: Dense = False,
    device: Device = "auto",
    precision: PrecisionChoice = Precision.auto,
    picture: Picture = None,
    pixel_coordinates: InPixels = False,
    gsd: GsdOrUnknown = None,
    augment: AugmentChoice = Augment.none,
    sharpen: Sharpen = False,
    stack: Stack = False,
    ending: Ending = "gpkg",
) -> None:
    """Find the ships in scenes and write them to a vector file."""
    from shipdet.batch.plan import make_plan

    plan = make_plan([tuple(scenes)] if stack else scenes, output, ending, picture)

    from shipdet.api import DetectRequest

    request = DetectRequest(
        model=model,
        bands=parse_bands(bands),
        threshold=threshold,
        core=core,
        dense=dense,
        device=device,
        precision=precision.value,
        gsd_m=parse_gsd(gsd),
        augment=augment.value,
        sharpen=sharpen,
        pixel_coordinates=pixel_coordinates,
    )
    _detect(plan, request)


def _detect(plan: "Plan", request: "DetectRequest") -> None:
    from shipdet.batch.local import run_plan
    from shipdet.batch.plan import scene_name

    tables = []
    for outcome in run_plan(plan, request, progress):
        if outcome.error is not None:
            complain(str(outcome.error))
        elif (found := outcome.found) is not None:
            how = f"{found.seconds:.1f} s on {found.device}"
            looked = "" if found.opened == 1 else f", {share(found.opened)} of the scene looked at"
            looked += "" if found.sharpened == 1 else f", sharpened {found.sharpened} times"
            typer.echo(f"{scene_name(outcome.job.source)}: {len(found.detections)} ships in {how}{looked}")
            tables.append(found.detections)
    show_ships(tables)
    if len(tables) < len(plan.jobs):
        raise typer.Exit(1)
