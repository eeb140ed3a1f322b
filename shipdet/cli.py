"""The command line: parses, calls the library, prints.

Exit codes: 0 done, 1 a failure inside (or of some among several scenes), 2 the caller's
mistake, 130 stopped by Ctrl-C. Results and progress go to standard output, errors to
standard error, one line each. The library is imported by the command that needs it, so
that `--help` and `--version` are quick.
"""
# ruff: noqa: PLC0415 - see above

import os
import sys
import traceback
from collections.abc import Sequence
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from shipdet import __version__
from shipdet.console import complain, notes, progress, show_info, show_ships
from shipdet.errors import InputError, ShipdetError
from shipdet.files import scratch_beside

if TYPE_CHECKING:
    from shipdet.api import DetectRequest
    from shipdet.batch.plan import Plan

MODEL = "inshore-vhr"

app = typer.Typer(name="shipdet", add_completion=False)


class Precision(StrEnum):
    """What the network computes in."""

    auto = "auto"
    float32 = "float32"
    bfloat16 = "bfloat16"


OneScene = Annotated[str, typer.Argument(metavar="SCENE", help="A GeoTIFF, or what else GDAL reads; a URL will do.")]
Scenes = Annotated[list[str], typer.Argument(metavar="SCENE", help="GeoTIFFs, or what else GDAL reads; or URLs.")]
ConfigFile = Annotated[Path, typer.Argument(metavar="CONFIG", help="A YAML file, such as those in configs/.")]
Output = Annotated[
    Path,
    typer.Option(
        "--output",
        "-o",
        metavar="OUT",
        help="A file ending in .gpkg, .geojson, .parquet, .fgb or .csv; or an existing folder, for one file a scene.",
    ),
]
Model = Annotated[str, typer.Option("--model", help="The name of a model that ships with shipdet, or a weights file.")]
Bands = Annotated[
    str | None,
    typer.Option("--bands", help="Which bands to read, by number from 1 or description: 3,2,1 or red,green,blue."),
]
Threshold = Annotated[
    float | None, typer.Option("--threshold", min=0, max=1, help="Lowest score to keep; else the model's own.")
]
Core = Annotated[int, typer.Option("--core", min=64, help="Side of a tile, in pixels of the model.")]
Device = Annotated[str, typer.Option("--device", help="auto, cpu or cuda.")]
PrecisionChoice = Annotated[Precision, typer.Option("--precision", help="What the network computes in.")]
Picture = Annotated[
    Path | None, typer.Option("--picture", help="Draw the ships on the scene here: a .png, or a folder for several.")
]
InPixels = Annotated[
    bool, typer.Option("--pixel-coordinates", help="Take a scene without a CRS, by --gsd; ships come in pixels.")
]
Gsd = Annotated[
    float | None, typer.Option("--gsd", metavar="M", min=0.001, help="Metres per pixel, where the scene cannot tell.")
]
Stack = Annotated[bool, typer.Option("--stack", help="The files given are the bands of one scene, in this order.")]
Ending = Annotated[str, typer.Option("--format", help="The files' ending where OUT is a folder.")]
JsonFile = Annotated[Path | None, typer.Option("--json", help="Write the scores here.")]
DataFolder = Annotated[
    Path | None, typer.Option("--data", help="The folder of labelled pictures, instead of the one that CONFIG names.")
]
SheetFile = Annotated[Path | None, typer.Option("--sheet", help="Draw hits, misses and false alarms here: a .png.")]


def _show_version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"shipdet {__version__}")
        raise typer.Exit


@app.callback()
def _root(
    _version: Annotated[
        bool, typer.Option("--version", is_eager=True, callback=_show_version, help="Say which version this is.")
    ] = False,
    _traceback: Annotated[bool, typer.Option("--traceback", help="Show where in the code an error came from.")] = False,
) -> None:
    """Ships in satellite imagery: georeferenced, oriented, bow from stern."""


@app.command(epilog="Example: shipdet detect harbour.tif -o ships.gpkg --picture ships.png")
def detect(  # noqa: PLR0913 - a command's options are its parameters; here they become one request
    scenes: Scenes,
    *,
    output: Output,
    model: Model = MODEL,
    bands: Bands = None,
    threshold: Threshold = None,
    core: Core = 1536,
    device: Device = "auto",
    precision: PrecisionChoice = Precision.auto,
    picture: Picture = None,
    pixel_coordinates: InPixels = False,
    gsd_m: Gsd = None,
    stack: Stack = False,
    ending: Ending = "gpkg",
) -> None:
    """Find the ships in scenes and write them to a vector file."""
    from shipdet.batch.plan import make_plan

    plan = make_plan([tuple(scenes)] if stack else scenes, output, ending, picture)

    from shipdet.api import DetectRequest

    request = DetectRequest(
        model=model,
        bands=_parse_bands(bands),
        threshold=threshold,
        core=core,
        device=device,
        precision=precision.value,
        gsd_m=gsd_m,
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
            typer.echo(f"{scene_name(outcome.job.source)}: {len(found.detections)} ships in {how}")
            tables.append(found.detections)
    show_ships(tables)
    if len(tables) < len(plan.jobs):
        raise typer.Exit(1)


@app.command(epilog="Example: shipdet info harbour.tif")
def info(scene: OneScene, model: Model = MODEL, bands: Bands = None, gsd_m: Gsd = None) -> None:
    """Say what a scene is and what the model would read of it."""
    from shipdet.models.weights import load_weights
    from shipdet.raster.info import scene_info
    from shipdet.raster.scene import open_scene

    opened = open_scene(scene, _parse_bands(bands), gsd_m=gsd_m)
    show_info(scene_info(opened, load_weights(model).card.gsd_m))


@app.command(epilog="Example: shipdet train configs/train_inshore.yaml")
def train(config: ConfigFile) -> None:
    """Train a network; given again, the command goes on from the last checkpoint of a run that was stopped."""
    from shipdet.config import TrainConfig, load_config

    settings = load_config(config, TrainConfig)
    from shipdet.api import train as run

    try:
        weights = run(settings, typer.echo)
    except ModuleNotFoundError as error:
        raise InputError(f"training needs {error.name}; install it with: pip install 'shipdet[train]'") from error
    typer.echo(f"weights: {weights}")


@app.command(epilog="Example: shipdet evaluate configs/evaluate_inshore.yaml --json scores.json")
def evaluate(config: ConfigFile, data: DataFolder = None, json: JsonFile = None, sheet: SheetFile = None) -> None:
    """Score a model on labelled pictures."""
    from shipdet.config import EvaluateConfig, load_config

    settings = load_config(config, EvaluateConfig)
    chosen = {"json_output": json or settings.json_output, "sheet": sheet or settings.sheet}
    kind = "inshore" if settings.inshore is not None else "civil"
    folder = {kind: data} if data is not None else {}
    for path in filter(None, chosen.values()):
        with scratch_beside(path):  # better told now than after the long work
            pass

    from shipdet.evaluation.report import table, write_json
    from shipdet.evaluation.run import evaluate as run

    with progress("evaluating") as report:
        scores = run(settings.model_copy(update={**chosen, **folder}), report)
    typer.echo(table(scores))
    if chosen["json_output"] is not None:
        write_json(scores, chosen["json_output"])


def main(arguments: Sequence[str] | None = None) -> None:
    """Runs the command line on `arguments`, else on the process's own, and exits with its code."""
    sys.exit(_run(list(sys.argv[1:] if arguments is None else arguments)))


def _run(arguments: list[str]) -> int:
    try:
        with notes(), typer.main.get_command(app).make_context("shipdet", list(arguments)) as context:
            context.command.invoke(context)
    except typer.Exit as done:
        return done.exit_code
    except typer.TyperException as error:
        command = getattr(getattr(error, "ctx", None), "command_path", "shipdet")
        complain(f"{error.format_message()} (see {command} --help)")
        return error.exit_code
    except BrokenPipeError:
        # Whoever reads the output has enough (`| head`); Python would complain again as it flushes at the end.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1
    except (KeyboardInterrupt, typer.Abort):
        complain("stopped")
        return 130
    except Exception as error:
        if "--traceback" in arguments:
            traceback.print_exc()
        return _explain(error, arguments)
    return 0


def _explain(error: Exception, arguments: list[str]) -> int:
    if isinstance(error, ShipdetError):
        complain(str(error))
        return 2 if isinstance(error, InputError) else 1
    command = " ".join(["shipdet --traceback", *arguments])
    complain(f"unforeseen {type(error).__name__}: {error}; to see where it came from: {command}")
    return 1


def _parse_bands(bands: str | None) -> tuple[int | str, ...] | None:
    """What --bands says: numbers where they are numbers, else descriptions."""
    if bands is None:
        return None
    names = [name.strip() for name in bands.split(",")]
    if not all(names):
        raise InputError(f"--bands should be like 3,2,1 or red,green,blue, not {bands!r}")
    return tuple(int(name) if name.isdecimal() else name for name in names)
