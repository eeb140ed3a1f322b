"""`shipdet evaluate`."""

import typer

from shipdet.commands.options import ConfigFile, DataFolder, JsonFile, ReportFile, SheetFile
from shipdet.console import progress
from shipdet.errors import ConfigError
from shipdet.files import scratch_beside

FOLDERS = ("inshore", "civil", "sen2ships")


def evaluate(
    config: ConfigFile,
    data: DataFolder = None,
    json: JsonFile = None,
    sheet: SheetFile = None,
    report: ReportFile = None,
) -> None:
    """Score a model on labelled pictures."""
    from shipdet.config import EvaluateConfig, load_config

    settings = load_config(config, EvaluateConfig)
    chosen = {
        "json_output": json or settings.json_output,
        "sheet": sheet or settings.sheet,
        "report": report or settings.report,
    }
    if data is not None and settings.scenes:
        raise ConfigError(f"--data is a folder of labelled pictures, and {config} names scenes; leave it out")
    folder = {name: data for name in FOLDERS if data is not None and getattr(settings, name) is not None}
    for path in filter(None, chosen.values()):
        with scratch_beside(path):  # better told now than after the long work
            pass

    from shipdet.evaluation.report import table, write_json
    from shipdet.evaluation.run import evaluate as run

    with progress("evaluating") as tell:
        evaluation = run(settings.model_copy(update={**chosen, **folder}), tell)
    typer.echo(table(evaluation))
    if chosen["json_output"] is not None:
        write_json(evaluation, chosen["json_output"])
