"""A second look at doubtful bows for trained weights: python pipelines/bows.py configs/bows_inshore.yaml."""

import sys
from pathlib import Path

from shipdet.config import load_config
from shipdet.config_parts import BowClassifierConfig
from shipdet.errors import InputError, ShipdetError
from shipdet.learning import train_bow_classifier


def main(path: str) -> Path:
    """Trains the classifier as the config at `path` says, and returns where the weights are."""
    weights = train_bow_classifier(load_config(path, BowClassifierConfig), print)
    print(f"weights: {weights}")
    return weights


if __name__ == "__main__":
    try:
        main(*sys.argv[1:2] or ["configs/bows_inshore.yaml"])
    except ShipdetError as error:
        print(f"{sys.argv[0]}: {error}", file=sys.stderr)
        sys.exit(2 if isinstance(error, InputError) else 1)
