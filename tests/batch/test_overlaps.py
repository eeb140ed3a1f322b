import time
from collections import Counter

import geopandas as gpd
import numpy as np
import pytest
from shapely.affinity import scale, translate
from shapely.geometry import Polygon

from shipdet.batch.ledger import Row
from shipdet.batch.overlaps import moment, passes, same_ships

HULL = Polygon([(0, 0), (0.0002, 0.0008), (0, 0.001), (-0.0002, 0.0008), (-0.0002, 0.0), (0.0002, 0.0)]).convex_hull


def table(*ships: tuple[str, float, float, float]) -> gpd.GeoDataFrame:
    """Ships by scene, place along x, score and second of the day."""
    scenes, places, scores, seconds = zip(*ships, strict=True)
    counts: Counter[str] = Counter()
    names = []
    for scene in scenes:
        counts[scene] += 1
        names.append(f"{scene}/{counts[scene]}")
    columns = {
        "ship_id": names,
        "scene": scenes,
        "score": scores,
        "acquired_at": [f"2024-05-01T10:{int(s) // 60:02d}:{int(s) % 60:02d}" for s in seconds],
    }
    return gpd.GeoDataFrame(columns, geometry=[translate(HULL, x) for x in places], crs=4326)


def test_the_better_of_two_overlapping_detections_stands_for_both():
    assert same_ships(table(("a", 0, 0.6, 0), ("b", 0.0001, 0.9, 10)), 60) == {"a/1": "b/1"}


def test_equal_scores_are_settled_by_name():
    assert same_ships(table(("b", 0, 0.9, 0), ("a", 0, 0.9, 0)), 60) == {"b/1": "a/1"}


@pytest.mark.parametrize(
    ("other", "window_s"),
    [
        (("b", 0.0, 0.9, 61), 60),  # too late
        (("a", 0.0, 0.9, 0), 60),  # the same scene
        (("b", 0.0005, 0.9, 0), 60),  # beside it
        (("b", 0.00035, 0.9, 0), 60),  # moored alongside, a little off
    ],
)
def test_other_ships_stay_apart(other: tuple[str, float, float, float], window_s: float):
    assert same_ships(table(("a", 0.0, 0.6, 0), other), window_s) == {}


def test_a_ship_in_three_scenes_is_one_ship():
    ships = table(("a", 0, 0.5, 0), ("b", 0.00005, 0.7, 50), ("c", 0.0001, 0.6, 100))
    assert same_ships(ships, 60) == {"a/1": "b/1", "c/1": "b/1"}


def test_a_raft_of_ships_pairs_each_with_its_own():
    raft = [
        (scene, 0.0002 * n + shift, 0.5 + n / 10, 0) for scene, shift in (("a", 0), ("b", 0.00005)) for n in range(4)
    ]
    found = same_ships(table(*raft), 60)
    assert found == {f"b/{n}": f"a/{n}" for n in range(1, 5)}


def test_no_group_holds_two_ships_of_one_scene():
    ships = table(("a", 0, 0.5, 0), ("a", 0.0002, 0.6, 0), ("b", 0.0001, 0.9, 0), ("c", 0.00012, 0.8, 0))
    found = same_ships(ships, 60)
    groups: dict[str, list[str]] = {}
    for ship in ships["ship_id"]:
        groups.setdefault(found.get(ship, ship), []).append(ship.split("/")[0])
    assert all(len(set(scenes)) == len(scenes) for scenes in groups.values())
    assert len(groups) == 2


def test_a_ship_cut_by_one_scenes_border_is_the_whole_one_of_the_other():
    ships = table(("a", 0, 0.9, 0), ("b", 0, 0.3, 0))
    ships.loc[1, "geometry"] = scale(HULL, 0.9, 0.2, origin=(0, 0))
    assert same_ships(ships, 60) == {"b/1": "a/1"}


def test_ships_without_a_time_are_never_merged():
    ships = table(("a", 0, 0.6, 0), ("b", 0, 0.9, 0))
    ships["acquired_at"] = None
    assert same_ships(ships, 1e9) == {}


def test_many_ships_are_no_burden():
    random = np.random.default_rng(0)
    ships = table(*[("ab"[n % 2], x, 0.5, 0) for n, x in enumerate(random.uniform(0, 50, 20_000))])
    began = time.perf_counter()
    assert same_ships(ships, 60)
    assert time.perf_counter() - began < 10


def test_scenes_fall_into_passes_by_gaps_in_time():
    def row(name: str, taken: str | None) -> Row:
        return Row(name, name, name, "done", "", "", None, taken, 1, None, None, None, None)

    scenes = [
        row("d", "2024-05-01T10:10:00"),
        row("b", "2024-05-01T10:00:30"),
        row("a", "2024-05-01T12:00:00+02:00"),
        row("c", "2024-05-01T10:01:20"),
        row("e", None),
        row("f", "monday"),
    ]
    assert [[scene.name for scene in group] for group in passes(scenes, 60)] == [["a", "b", "c"], ["d"]]


def test_times_are_in_utc_unless_they_say_otherwise():
    assert moment("2024-05-01T23:30:00-02:00") == moment("2024-05-02T01:30:00Z") == moment("2024-05-02T01:30:00")
    assert moment(None) is None
    assert moment("unknown") is None
