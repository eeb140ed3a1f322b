"""The command line: parses, calls the library, prints.

Exit codes: 0 done, 1 a failure inside (or of some among several scenes), 2 the caller's
mistake, 130 stopped by Ctrl-C. Results and progress go to standard output, errors to
standard error, one line each. A command imports the library when it runs, so that
`--help` and `--version` are quick.
"""

import os
import sys
import traceback
from collections.abc import Sequence
from typing import Annotated

import typer

from shipdet import __version__
from shipdet.commands.batch import batch
from shipdet.commands.detect import detect
from shipdet.commands.evaluate import evaluate
from shipdet.commands.explain import explain
from shipdet.commands.info import info
from shipdet.commands.labels import labels
from shipdet.commands.models import models
from shipdet.commands.train import train
from shipdet.console import complain, notes
from shipdet.errors import InputError, ShipdetError
from shipdet.redaction import redacted

app = typer.Typer(name="shipdet", add_completion=False)


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


app.command(epilog="Example: shipdet detect harbour.tif -o ships.gpkg --picture ships.png")(detect)
app.command(epilog="Example: shipdet batch archive/ -o ships --workers 4")(batch)
app.command(epilog="Example: shipdet explain harbour.tif --at 103.75,1.26 -o ship.png")(explain)
app.command(epilog="Example: shipdet info harbour.tif")(info)
app.command(epilog="Example: shipdet models inshore-vhr")(models)
app.command(epilog="Example: shipdet train configs/train_inshore.yaml")(train)
app.command(epilog="Example: shipdet labels coco.json -o ships.gpkg --scene harbour.tif")(labels)
app.command(epilog="Example: shipdet evaluate configs/evaluate_inshore.yaml --json scores.json")(evaluate)


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
            typer.echo(redacted(traceback.format_exc()), err=True)
        return _explain(error, arguments)
    return 0


def _explain(error: Exception, arguments: list[str]) -> int:
    if isinstance(error, ShipdetError):
        complain(str(error))
        return 2 if isinstance(error, InputError) else 1
    command = " ".join(["shipdet --traceback", *arguments])
    complain(f"unforeseen {type(error).__name__}: {error}; to see where it came from: {command}")
    return 1
