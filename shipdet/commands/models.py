"""`shipdet models`."""

from typing import Annotated

import typer

from shipdet.console import show_model, show_models

Name = Annotated[
    str | None, typer.Argument(metavar="NAME", help="One of them, or a weights file: with its recall by band.")
]


def models(name: Name = None) -> None:
    """List the models that ship, what they are for and how good they are by their cards.

    Of one model alone the recall is shown too by length, by type and by distance to the next ship.
    """
    from shipdet.models.choice import shipped_cards
    from shipdet.models.weights import read_card, weights_file

    if name is None:
        show_models(shipped_cards())
    else:
        show_model(read_card(weights_file(name)))
