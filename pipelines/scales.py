"""Attention to scale for trained weights: python pipelines/scales.py configs/scales_inshore.yaml."""

import sys
from pathlib import Path

from shipdet.config import load_config
from shipdet.config_parts import ScaleHeadConfig
from shipdet.errors import InputError, ShipdetError
from shipdet.learning import train_scale_head


def main(path: str) -> Path:
    """Trains the head as the config at `path` says, and returns where the weights are."""
    weights = train_scale_head(load_config(path, ScaleHeadConfig), print)
    print(f"weights: {weights}")
    return weights


if __name__ == "__main__":
    try:
        main(*sys.argv[1:2] or ["configs/scales_inshore.yaml"])
    except ShipdetError as error:
        print(f"{sys.argv[0]}: {error}", file=sys.stderr)
        sys.exit(2 if isinstance(error, InputError) else 1)
