"""Ships out of many scenes, as a config names them: python pipelines/batch.py configs/batch_sample.yaml."""

import sys
from functools import partial

from shipdet.api import DetectRequest
from shipdet.batch.cluster import on_cluster
from shipdet.batch.processes import in_process, processes
from shipdet.batch.run import BatchRequest, Runner, run_batch
from shipdet.batch.work import Outcome
from shipdet.config import BatchConfig, load_config
from shipdet.errors import InputError, ShipdetError


class Told:
    """Prints a line a scene."""

    def planned(self, waiting: int, finished: int) -> None:
        """How much there is to do."""
        print(f"{waiting} scenes to do, {finished} finished before")

    def begun(self, name: str) -> None:
        """Which scene is next."""
        print(f"{name} ...")

    def ended(self, outcome: Outcome) -> None:
        """What became of it."""
        print(f"{outcome.name}: {outcome.error or f'{outcome.ships} ships in {outcome.seconds:.1f} s'}")


def main(path: str) -> int:
    """Detects as the config at `path` says and returns how many scenes failed."""
    config = load_config(path, BatchConfig)
    asked = ["model", "bands", "threshold", "core", "device", "precision", "gsd_m", "augment", "pixel_coordinates"]
    asked += ["dense", "sharpen"]
    request = BatchRequest(
        config.inputs,
        config.output,
        DetectRequest(**{name: getattr(config, name) for name in asked}),
        config.format,
        config.assets,
        config.retry_failed,
        config.redo,
        config.merge_window_s,
    )
    runner: Runner = in_process
    if config.scheduler is not None:
        runner = partial(on_cluster, scheduler=config.scheduler)
    elif config.workers > 1:
        runner = partial(processes, count=config.workers)
    return run_batch(request, runner, Told()).failed


if __name__ == "__main__":
    try:
        sys.exit(1 if main(*sys.argv[1:2] or ["configs/batch_sample.yaml"]) else 0)
    except ShipdetError as error:
        print(f"{sys.argv[0]}: {error}", file=sys.stderr)
        sys.exit(2 if isinstance(error, InputError) else 1)
