"""A scout for trained weights: python pipelines/scout.py configs/scout_inshore.yaml."""

import sys
from pathlib import Path

from shipdet.config import load_config
from shipdet.config_parts import ScoutConfig
from shipdet.errors import InputError, ShipdetError
from shipdet.learning import train_scout


def main(path: str) -> Path:
    """Trains the scout as the config at `path` says, or takes one over, and returns where the weights are."""
    weights = train_scout(load_config(path, ScoutConfig), print)
    print(f"weights: {weights}")
    return weights


if __name__ == "__main__":
    try:
        main(*sys.argv[1:2] or ["configs/scout_inshore.yaml"])
    except ShipdetError as error:
        print(f"{sys.argv[0]}: {error}", file=sys.stderr)
        sys.exit(2 if isinstance(error, InputError) else 1)
