"""`shipdet models`."""

from shipdet.console import show_models


def models() -> None:
    """List the models that ship, what they are for and how good they are by their cards."""
    from shipdet.models.choice import shipped_cards

    show_models(shipped_cards())
