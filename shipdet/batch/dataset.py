"""What a batch leaves for all its scenes together: a GeoParquet data set by date, and a summary table.

Both are made anew from the ledger and the scenes' own rows at the end of each run, so that they are
the same whatever happened on the way. No more than some scenes' ships are in memory.
"""

import csv
import shutil
from collections.abc import Iterator, Sequence
from itertools import groupby
from pathlib import Path

import geopandas as gpd
import pandas as pd

from shipdet.batch.ledger import Row
from shipdet.batch.overlaps import moment, passes, same_ships
from shipdet.batch.work import HIDDEN, part_path
from shipdet.errors import OutputError
from shipdet.files import whole_file

DATASET = "detections"
SUMMARY = "summary.csv"
UNKNOWN = "unknown"
"""The partition of scenes without a time. Not Hive's word for none: pyarrow reads no data set that has only that."""
ROWS_A_FILE = 200_000
"""A file is closed once it has as many; bounds memory."""


def write_dataset(folder: Path, done: Sequence[Row], window_s: float | None) -> None:
    """Writes `detections/date=YYYY-MM-DD/part-N.parquet` for the scenes, in the place of what was there.

    Dates are in UTC. Ships are in WGS 84 unless the scenes are in pixels.

    Args:
        folder: the batch's.
        done: its finished scenes.
        window_s: seconds within which overlapping footprints are the same ship; None: `same_as` stays empty.

    Raises:
        OutputError: the disk is full, or the folder cannot be written.
    """
    fresh, old = folder / HIDDEN / "new", folder / HIDDEN / "old"
    try:
        for leftover in (fresh, old):
            shutil.rmtree(leftover, ignore_errors=True)
        same = {} if window_s is None else _same(folder, done, window_s)
        for date, scenes in groupby(sorted(done, key=_order), key=_date):
            _write_date(fresh / f"date={date}", (_ships(folder, row, same) for row in scenes))
        _keep_schema(fresh, folder, done)
        if (folder / DATASET).exists():
            (folder / DATASET).rename(old)
        fresh.rename(folder / DATASET)
        shutil.rmtree(old, ignore_errors=True)
    except OSError as error:
        raise OutputError(f"could not write {folder / DATASET} ({error.strerror or error}); make room there") from error


def write_summary(folder: Path, rows: Sequence[Row]) -> None:
    """Writes one line a scene: what became of it, without times, which are in the ledger.

    Raises:
        OutputError: the disk is full, or the folder cannot be written.
    """
    titles = ("scene", "state", "ships", "acquired_at", "model", "settings", "source", "error")
    with whole_file(folder / SUMMARY) as path, path.open("w", encoding="utf-8", newline="") as file:
        table = csv.writer(file, lineterminator="\n")
        table.writerow(titles)
        for row in rows:
            state = "waiting" if row.state == "running" else row.state
            table.writerow(
                [row.name, state, row.ships, row.acquired_at, row.model, row.settings, row.source, row.error]
            )


def _order(row: Row) -> tuple[str, str]:
    return _date(row), row.name


def _date(row: Row) -> str:
    when = moment(row.acquired_at)
    return UNKNOWN if when is None else when.date().isoformat()


def _same(folder: Path, done: Sequence[Row], window_s: float) -> dict[str, str]:
    same: dict[str, str] = {}
    columns = ["ship_id", "scene", "acquired_at", "score", "geometry"]
    for scenes in passes(done, window_s):
        ships = [_read(folder, row)[columns] for row in scenes if row.ships]
        if len(ships) > 1:
            same |= same_ships(pd.concat(ships, ignore_index=True), window_s)
    return same


def _ships(folder: Path, row: Row, same: dict[str, str]) -> gpd.GeoDataFrame:
    ships = _read(folder, row)
    return ships.assign(same_as=ships["ship_id"].map(same).astype("string")) if same else ships


def _read(folder: Path, row: Row) -> gpd.GeoDataFrame:
    return gpd.read_parquet(part_path(folder, row.name))


def _write_date(folder: Path, scenes: Iterator[gpd.GeoDataFrame]) -> None:
    """Scenes without ships leave no trace."""
    number, waiting, count = 0, [], 0
    for ships in scenes:
        if len(ships):
            waiting.append(ships)
            count += len(ships)
        if count >= ROWS_A_FILE:
            _write(folder / f"part-{number}.parquet", waiting)
            number, waiting, count = number + 1, [], 0
    if waiting:
        _write(folder / f"part-{number}.parquet", waiting)


def _keep_schema(fresh: Path, folder: Path, done: Sequence[Row]) -> None:
    """Where there is no ship at all, a file without rows, so that readers find the columns."""
    fresh.mkdir(parents=True, exist_ok=True)
    if done and not any(fresh.iterdir()):
        _write(fresh / f"date={UNKNOWN}" / "part-0.parquet", [_read(folder, done[0])])


def _write(path: Path, tables: Sequence[gpd.GeoDataFrame]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    table: gpd.GeoDataFrame = pd.concat(tables, ignore_index=True)
    table.to_parquet(path, index=False, schema_version="1.1.0", write_covering_bbox=True)
