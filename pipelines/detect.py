"""Ships out of the scenes that a config names: python pipelines/detect.py configs/detect_sample.yaml."""

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from shipdet.api import DetectRequest
from shipdet.batch.local import run_plan
from shipdet.batch.plan import make_plan
from shipdet.config import DetectConfig, load_config
from shipdet.errors import InputError, ShipdetError


def main(path: str) -> int:
    """Detects as the config at `path` says, prints a line a scene, and returns how many scenes failed."""
    config = load_config(path, DetectConfig)
    plan = make_plan(config.scenes, config.output, config.format, config.picture)
    request = DetectRequest(
        model=config.model,
        bands=config.bands,
        threshold=config.threshold,
        core=config.core,
        dense=config.dense,
        sharpen=config.sharpen,
        device=config.device,
        precision=config.precision,
        gsd_m=config.gsd_m,
        augment=config.augment,
        pixel_coordinates=config.pixel_coordinates,
    )
    failed = 0
    for outcome in run_plan(plan, request, _unwatched):
        name = outcome.job.source
        if outcome.found is None:
            failed += 1
            print(f"{name}: {outcome.error}", file=sys.stderr)
        else:
            print(f"{name}: {len(outcome.found.detections)} ships in {outcome.found.seconds:.1f} s")
    return failed


@contextmanager
def _unwatched(_name: str) -> Iterator[Callable[[int, int], None]]:
    yield lambda _done, _total: None


if __name__ == "__main__":
    try:
        sys.exit(1 if main(*sys.argv[1:2] or ["configs/detect_sample.yaml"]) else 0)
    except ShipdetError as error:
        print(f"{sys.argv[0]}: {error}", file=sys.stderr)
        sys.exit(2 if isinstance(error, InputError) else 1)
