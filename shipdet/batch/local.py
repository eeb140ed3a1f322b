"""Detects in one scene after the other on this machine."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager
from typing import NamedTuple

import geopandas as gpd
import numpy as np
import pandas as pd

from shipdet.api import Detection, DetectRequest, run_detection, save_picture
from shipdet.batch.plan import Job, Plan, scene_name
from shipdet.errors import OutputError, ReadError, SceneError, ShipdetError
from shipdet.export.vector import write_detections
from shipdet.geometry import WGS84

Progress = Callable[[int, int], None]
"""Told how many tiles of how many are done."""


class Outcome(NamedTuple):
    """What became of a job: either what was found or why nothing could be."""

    job: Job
    found: Detection | None
    error: ShipdetError | None


def run_plan(
    plan: Plan, request: DetectRequest, watch: Callable[[str], AbstractContextManager[Progress]]
) -> Iterator[Outcome]:
    """Yields each scene's outcome once its own files are written; the file of all comes after the last.

    Args:
        plan: from `shipdet.batch.plan.make_plan`.
        request: what holds for every scene.
        watch: opens the progress of a scene, by its name.

    Raises:
        ShipdetError: a single scene's failure, or one that another scene would meet too.
    """
    tables = []
    for job in plan.jobs:
        try:
            with watch(scene_name(job.source)) as progress:
                found = run_detection(job.source, request, progress)
        except (SceneError, ReadError) as error:
            if len(plan.jobs) == 1:
                raise
            yield Outcome(job, None, error)
            continue
        if job.picture is not None:
            save_picture(found, job.picture)
        if job.output is not None:
            write_detections(found.detections, job.output)
        tables.append(found.detections)
        yield Outcome(job, found, None)
    if plan.together is not None and tables:
        write_detections(combine(tables), plan.together)


def combine(tables: Sequence[gpd.GeoDataFrame]) -> gpd.GeoDataFrame:
    """The ships of several scenes as one table, renumbered from 1; in WGS 84 where the scenes' CRSs differ.

    Args:
        tables: one a scene, at least one.

    Raises:
        OutputError: some are in pixels and some on Earth.
    """
    on_earth = [table for table in tables if table.crs is not None]
    if 0 < len(on_earth) < len(tables):
        raise OutputError("scenes with and without a CRS cannot share one file; name a folder as the output instead")
    if any(table.crs != tables[0].crs for table in on_earth):
        tables = [table.to_crs(WGS84) for table in tables]
    # Tables without rows have no say in the columns' types.
    full = [table for table in tables if len(table)] or tables[:1]
    together: gpd.GeoDataFrame = pd.concat(full, ignore_index=True)
    return together.assign(id=np.arange(1, len(together) + 1))
