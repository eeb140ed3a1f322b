"""Ships that several overlapping scenes of one pass show: found out and told, not dropped.

Two detections are the same ship when their footprints overlap within a time window: scenes of one pass
are taken seconds apart, and a ship under way has moved off its own footprint within a minute or so.
"""

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from typing import NamedTuple

import geopandas as gpd
import numpy as np
import shapely
from numpy.typing import NDArray

from shipdet.batch.ledger import Row

LEAST_SHARE = 0.3
"""Of the smaller footprint that must lie in the other: ships moored side by side touch no more than that, even
where two scenes lie a few metres apart; a ship that one scene's border cuts lies wholly in the other's."""


class _Pairs(NamedTuple):
    first: NDArray[np.intp]
    second: NDArray[np.intp]


def moment(acquired_at: str | None) -> datetime | None:
    """An ISO 8601 time in UTC, which it is taken to be in where it does not say."""
    try:
        when = datetime.fromisoformat(acquired_at or "")
    except ValueError:
        return None
    return when.replace(tzinfo=UTC) if when.tzinfo is None else when.astimezone(UTC)


def passes(scenes: Sequence[Row], window_s: float) -> Iterator[list[Row]]:
    """Scenes in groups that no window of time reaches across; those without a time are in none.

    Args:
        scenes: of any order.
        window_s: seconds.
    """
    timed = sorted((when, row) for row in scenes if (when := moment(row.acquired_at)) is not None)
    group: list[Row] = []
    last: datetime | None = None
    for when, row in timed:
        if last is not None and when - last > timedelta(seconds=window_s):
            yield group
            group = []
        group.append(row)
        last = when
    if group:
        yield group


def same_ships(ships: gpd.GeoDataFrame, window_s: float) -> dict[str, str]:
    """For each detection that says another one's ship again, the best of that ship.

    In a pair of scenes a ship has at most one partner, and of the detections of one ship no two are of one
    scene; the pairs that overlap most come first.

    Args:
        ships: of one pass, with `ship_id`, `scene`, `acquired_at`, `score` and footprints in any one plane frame.
        window_s: seconds.

    Returns:
        `ship_id` of the lesser ones to `ship_id` of the best by score.
    """
    ships = ships.sort_values("ship_id", ignore_index=True)
    names, scenes = ships["ship_id"].tolist(), ships["scene"].tolist()
    pairs = _pairs(ships, window_s)
    group = list(range(len(names)))
    members = {index: [index] for index in group}
    for i, j in zip(pairs.first.tolist(), pairs.second.tolist(), strict=True):
        a, b = members[group[i]], members[group[j]]
        if {scenes[index] for index in a} & {scenes[index] for index in b}:
            continue
        for index in b:
            group[index] = group[i]
        a.extend(b)
    best = _best(ships["score"].to_numpy(float), members, group)
    return {names[index]: names[kept] for index, kept in enumerate(best) if kept != index}


def _best(score: NDArray[np.float64], members: dict[int, list[int]], group: list[int]) -> list[int]:
    chosen = {root: min(members[root], key=lambda index: (-score[index], index)) for root in set(group)}
    return [chosen[root] for root in group]


def _pairs(ships: gpd.GeoDataFrame, window_s: float) -> _Pairs:
    """Candidates (first < second), the pairs that overlap most first; shares of areas are the same in degrees."""
    shapes = ships.geometry.to_numpy()
    first, second = shapely.STRtree(shapes).query(shapes, predicate="intersects")
    scene = np.unique(ships["scene"].to_numpy(str), return_inverse=True)[1]
    when = np.array([_seconds(text) for text in ships["acquired_at"]])
    ahead = (first < second) & (scene[first] != scene[second])
    ahead &= np.abs(when[first] - when[second]) <= window_s
    first, second = first[ahead], second[ahead]
    area = shapely.area(shapes)
    common = shapely.area(shapely.intersection(shapes[first], shapes[second]))
    same = common >= LEAST_SHARE * np.minimum(area[first], area[second])
    union = area[first] + area[second] - common
    order = np.lexsort((second[same], first[same], -(common / union)[same]))
    return _Pairs(first[same][order], second[same][order])


def _seconds(acquired_at: str | None) -> float:
    when = moment(acquired_at)
    return np.nan if when is None else when.timestamp()
