"""`shipdet train`."""

import typer

from shipdet.commands.options import ConfigFile
from shipdet.errors import InputError


def train(config: ConfigFile) -> None:
    """Train a network; given again, the command goes on from the last checkpoint of a run that was stopped."""
    from shipdet.config import TrainConfig, load_config

    settings = load_config(config, TrainConfig)
    from shipdet.learning import train as run

    try:
        weights = run(settings, typer.echo)
    except ModuleNotFoundError as error:
        raise InputError(f"training needs {error.name}; install it with: pip install 'shipdet[train]'") from error
    typer.echo(f"weights: {weights}")
