"""What sharpens coarse scenes, trained: python pipelines/sharpen.py configs/sharpen_inshore.yaml."""

import sys
from pathlib import Path

from shipdet.config import load_config
from shipdet.config_parts import SharpenConfig
from shipdet.errors import InputError, ShipdetError
from shipdet.learning import train_sharpeners


def main(path: str) -> list[Path]:
    """Trains as the config at `path` says, and returns where the weights are."""
    weights = train_sharpeners(load_config(path, SharpenConfig), print)
    for written in weights:
        print(f"weights: {written}")
    return weights


if __name__ == "__main__":
    try:
        main(*sys.argv[1:2] or ["configs/sharpen_inshore.yaml"])
    except ShipdetError as error:
        print(f"{sys.argv[0]}: {error}", file=sys.stderr)
        sys.exit(2 if isinstance(error, InputError) else 1)
