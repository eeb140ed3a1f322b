"""Types by a look at each hull, for trained weights: python pipelines/hull_types.py configs/types_inshore.yaml."""

import sys
from pathlib import Path

from shipdet.config import load_config
from shipdet.config_parts import TypeClassifierConfig
from shipdet.errors import InputError, ShipdetError
from shipdet.learning import train_type_classifier


def main(path: str) -> Path:
    """Trains the classifier as the config at `path` says, and returns where the weights are."""
    weights = train_type_classifier(load_config(path, TypeClassifierConfig), print)
    print(f"weights: {weights}")
    return weights


if __name__ == "__main__":
    try:
        main(*sys.argv[1:2] or ["configs/types_inshore.yaml"])
    except ShipdetError as error:
        print(f"{sys.argv[0]}: {error}", file=sys.stderr)
        sys.exit(2 if isinstance(error, InputError) else 1)
