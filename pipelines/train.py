"""Weights out of labelled pictures: python pipelines/train.py configs/train_inshore.yaml."""

import sys
from pathlib import Path

from shipdet.config import TrainConfig, load_config
from shipdet.errors import InputError, ShipdetError
from shipdet.learning import train


def main(path: str) -> Path:
    """Trains, or goes on training, as the config at `path` says, and returns where the weights are."""
    weights = train(load_config(path, TrainConfig), print)
    print(f"weights: {weights}")
    return weights


if __name__ == "__main__":
    try:
        main(*sys.argv[1:2] or ["configs/train_inshore.yaml"])
    except ShipdetError as error:
        print(f"{sys.argv[0]}: {error}", file=sys.stderr)
        sys.exit(2 if isinstance(error, InputError) else 1)
