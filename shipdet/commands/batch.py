"""`shipdet batch`."""

from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from shipdet.commands.batch_watch import watching
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
    Precision,
    PrecisionChoice,
    Sharpen,
    Threshold,
    parse_bands,
    parse_gsd,
)
from shipdet.errors import InputError

if TYPE_CHECKING:
    from shipdet.batch.run import BatchRequest, Runner, Tally, Watch

Inputs = Annotated[
    list[str],
    typer.Argument(
        metavar="INPUTS", help="Files, folders, patterns, URLs, a .txt list of them, a STAC ItemCollection (.json)."
    ),
]
Folder = Annotated[Path, typer.Option("--output", "-o", metavar="OUT_DIR", help="The folder for all results.")]
Asset = Annotated[
    str | None,
    typer.Option("--asset", help="Of STAC items: the asset to read, or those of its bands: red,green,blue."),
]
Workers = Annotated[int, typer.Option("--workers", min=1, help="Processes on this machine.")]
Scheduler = Annotated[
    str | None, typer.Option("--scheduler", metavar="tcp://HOST:PORT", help="A Dask scheduler whose workers do it.")
]
RetryFailed = Annotated[bool, typer.Option("--retry-failed", help="Try scenes again that failed before.")]
Redo = Annotated[bool, typer.Option("--redo", help="Do scenes again that were finished with other settings.")]
Merge = Annotated[
    bool, typer.Option("--merge-overlaps", help="Tell in column same_as which ships several scenes show.")
]
Window = Annotated[
    float, typer.Option("--merge-window", metavar="S", min=0, help="Seconds between scenes that show the same ship.")
]
JsonLog = Annotated[bool, typer.Option("--json-log", help="Tell the progress as JSON, an object a line.")]


def batch(  # noqa: PLR0913 - a command's options are its parameters; here they become one request
    inputs: Inputs,
    *,
    output: Folder,
    model: Model = MODEL,
    bands: Bands = None,
    threshold: Threshold = None,
    core: Core = 2048,
    dense: Dense = False,
    device: Device = "auto",
    precision: PrecisionChoice = Precision.auto,
    pixel_coordinates: InPixels = False,
    gsd: GsdOrUnknown = None,
    augment: AugmentChoice = Augment.none,
    sharpen: Sharpen = False,
    ending: Ending = "gpkg",
    asset: Asset = None,
    workers: Workers = 1,
    scheduler: Scheduler = None,
    retry_failed: RetryFailed = False,
    redo: Redo = False,
    merge_overlaps: Merge = False,
    merge_window_s: Window = 60.0,
    json_log: JsonLog = False,
) -> None:
    """Find the ships in many scenes; given again, it goes on where it was stopped."""
    if scheduler is not None and workers > 1:
        raise InputError("--workers and --scheduler are two ways to share the work; pass one of them")
    from shipdet.api import DetectRequest
    from shipdet.batch.run import BatchRequest

    detect = DetectRequest(
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
    assets = tuple(name.strip() for name in (asset or "").split(",") if name.strip())
    window_s = merge_window_s if merge_overlaps else None
    request = BatchRequest(
        tuple(inputs), output, detect, ending.removeprefix("."), assets, retry_failed, redo, window_s
    )
    with watching("json" if json_log else "text") as watch:
        tally = _run(request, watch, workers, scheduler)
    if not json_log:
        _tell(tally, output)
    if tally.failed:
        raise typer.Exit(1)


def _run(request: "BatchRequest", watch: "Watch", workers: int, scheduler: str | None) -> "Tally":
    from shipdet.batch.run import run_batch

    return run_batch(request, _runner(request, watch, workers, scheduler), watch)


def _runner(request: "BatchRequest", watch: "Watch", workers: int, scheduler: str | None) -> "Runner":
    if scheduler is not None:
        from shipdet.batch.cluster import on_cluster

        return partial(on_cluster, scheduler=scheduler)
    from shipdet.batch.processes import in_process, processes
    from shipdet.models.device import choose_device

    choose_device(request.detect.device, request.detect.precision)  # better told now than once a scene
    if workers > 1:
        return partial(processes, count=workers)
    return partial(in_process, progress=getattr(watch, "tiles", None))


def _tell(tally: "Tally", output: Path) -> None:
    typer.echo(
        f"{tally.done} scenes done, {tally.skipped} finished before, {tally.failed} failed; "
        f"{tally.ships} ships in {output / 'detections'}"
    )
    if tally.failed:
        typer.echo(f"why, in {output / 'summary.csv'}; once mended, the same command with --retry-failed")
