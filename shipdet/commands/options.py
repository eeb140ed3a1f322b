"""Options that several commands take."""

import math
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Literal

import typer

from shipdet.errors import InputError

MODEL = "auto"


class Precision(StrEnum):
    """What the network computes in."""

    auto = "auto"
    float32 = "float32"
    bfloat16 = "bfloat16"


class Augment(StrEnum):
    """In which further views a scene is looked at."""

    none = "none"
    flips = "flips"
    dihedral = "dihedral"
    scales = "scales"


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
Model = Annotated[
    str, typer.Option("--model", help="A model that ships (see shipdet models), or a weights file; else what suits.")
]
Bands = Annotated[
    str | None,
    typer.Option("--bands", help="Which bands to read, by number from 1 or description: 3,2,1 or red,green,blue."),
]
Threshold = Annotated[
    float | None, typer.Option("--threshold", min=0, max=1, help="Lowest score to keep; else the model's own.")
]
Core = Annotated[
    int, typer.Option("--core", min=64, help="Side of a tile, in pixels of the model; in float32 at most 1536.")
]
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
GsdOrUnknown = Annotated[
    str | None,
    typer.Option(
        "--gsd",
        metavar="M",
        help="Metres per pixel, where the scene cannot tell; unknown: several scales are looked at, and fused.",
    ),
]
AugmentChoice = Annotated[
    Augment,
    typer.Option(
        "--augment",
        help="Look again: mirrored (4 times the work), turned too (8 times), or at three scales (3.5 times).",
    ),
]
Dense = Annotated[
    bool, typer.Option("--dense", help="Look at everything closely, also where the model's scout sees no ships.")
]
Sharpen = Annotated[
    bool,
    typer.Option("--sharpen", help="Sharpen scenes of pixels of 1.4 to 5.7 m first, to about 1 m: for coarse scenes."),
]
Stack = Annotated[bool, typer.Option("--stack", help="The files given are the bands of one scene, in this order.")]
Ending = Annotated[str, typer.Option("--format", help="The files' ending where OUT is a folder.")]
JsonFile = Annotated[Path | None, typer.Option("--json", help="Write the scores here.")]
DataFolder = Annotated[
    Path | None, typer.Option("--data", help="The folder of labelled pictures, instead of the one that CONFIG names.")
]
ReportFile = Annotated[
    Path | None,
    typer.Option("--report", metavar="HTML", help="Write figures, plots and the worst mistakes here: one .html file."),
]
SheetFile = Annotated[Path | None, typer.Option("--sheet", help="Draw hits, misses and false alarms here: a .png.")]


def parse_bands(bands: str | None) -> tuple[int | str, ...] | None:
    """What --bands says: numbers where they are numbers, else descriptions."""
    if bands is None:
        return None
    names = [name.strip() for name in bands.split(",")]
    if not all(names):
        raise InputError(f"--bands should be like 3,2,1 or red,green,blue, not {bands!r}")
    return tuple(int(name) if name.isdecimal() else name for name in names)


def parse_gsd(gsd: str | None) -> float | Literal["unknown"] | None:
    """What --gsd says: metres, or that they are unknown."""
    if gsd is None:
        return None
    if gsd == "unknown":
        return "unknown"
    try:
        metres = float(gsd)
    except ValueError:
        metres = 0.0
    if not 0.001 <= metres < math.inf:
        raise InputError(f"--gsd should be metres per pixel, such as 0.5, or unknown, not {gsd!r}")
    return metres
