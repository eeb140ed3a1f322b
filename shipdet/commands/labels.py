"""`shipdet labels`."""

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

Source = Annotated[
    Path,
    typer.Argument(
        metavar="SOURCE",
        help="COCO .json, bow-stern .json, .txt (bow-stern, DOTA, YOLO), Pascal VOC .xml, .gpkg, .geojson, .shp; "
        "or a folder of such files.",
    ),
]
Output = Annotated[
    Path,
    typer.Option("--output", "-o", metavar="OUT", help="A file ending in .gpkg, .geojson, .json, .txt; or a folder."),
]
Scene = Annotated[
    Path | None,
    typer.Option("--scene", metavar="SCENE", help="The scene or picture that is labelled, or their folder."),
]
Classes = Annotated[
    str | None,
    typer.Option("--classes", help="Which classes are ships: ship,boat. Else all but what is known not to be."),
]


class Form(StrEnum):
    """What labels are written in; as `shipdet.labels.write.LabelFormat`, which is slow to import."""

    gpkg = "gpkg"
    geojson = "geojson"
    bow_stern = "bow-stern"
    coco = "coco"
    dota = "dota"
    yolo_obb = "yolo-obb"


Format = Annotated[Form | None, typer.Option("--format", help="What to write, where OUT's ending does not tell.")]


def labels(
    source: Source, *, output: Output, scene: Scene = None, form: Format = None, classes: Classes = None
) -> None:
    """Convert labels of ships, and say what was dropped or could not be carried, and why."""
    from shipdet.conversion import convert_labels
    from shipdet.labels.write import LabelFormat

    chosen = None if form is None else LabelFormat(form.value)
    names = None if classes is None else [name.strip() for name in classes.split(",")]
    done = convert_labels(source, output, scene, chosen, names)
    files = f"{done.files} files in {output}" if output.is_dir() else str(output)
    typer.echo(f"{files}: {done.ships} ships, of {done.bow_known} the bow is known; {done.ignored} places to ignore")
    for note in done.notes:
        typer.echo(f"note: {note}")
