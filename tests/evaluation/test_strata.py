"""Recall by stratum: each ship in the right one, with what was found of it."""

import pytest
import shapely

from shipdet.evaluation.cases import Judged
from shipdet.evaluation.matching import match
from shipdet.evaluation.strata import Stratum, length_unit, strata
from shipdet.labels.types import Labels, Ship


def told(judged: list[Judged], threshold: float = 0.0) -> dict[tuple[str, str], tuple[int, int]]:
    return {(row.by, row.name): (row.ships, row.found) for row in strata(judged, threshold)}


def relabelled(judged: Judged, ships: list[Ship], **facts: object) -> Judged:
    labels = Labels.of_rows(ships, [], complete=True)
    case = judged.picture._replace(labels=labels, **facts)
    return judged._replace(picture=case, matched=match(judged.hulls, labels))


def gaps_told(judged: Judged, ships: list[Ship]) -> set[str]:
    return {row.name.split(" (")[0] for row in strata([relabelled(judged, ships)], 0.0) if row.by == "neighbour"}


def test_ships_are_counted_by_length_type_and_neighbour(judged: list[Judged]):
    assert told(judged) == {
        ("length", "25 to 40 px"): (1, 0),
        ("length", "40 to 80 px"): (2, 2),
        ("length", "80 to 150 px"): (2, 1),
        ("type", "unknown"): (2, 1),
        ("type", "warship"): (2, 1),
        ("type", "tanker"): (1, 1),
        ("neighbour", "side by side (gap < 5 px)"): (2, 1),
        ("neighbour", "apart"): (3, 2),
    }


def test_every_ship_that_counts_is_in_one_band_of_each_kind(judged: list[Judged]):
    rows = strata(judged, 0.0)
    for by in ("length", "type", "neighbour"):
        assert sum(row.ships for row in rows if row.by == by) == 5
        assert sum(row.found for row in rows if row.by == by) == 3


def test_what_lies_below_the_threshold_is_not_found(judged: list[Judged]):
    assert sum(found for (by, _), (_, found) in told(judged, 0.7).items() if by == "length") == 2


def test_headings_are_told_of_ships_found_whose_bow_is_known(judged: list[Judged]):
    rows = {(row.by, row.name): row.heading_accuracy for row in strata(judged, 0.0)}
    assert rows["type", "warship"] == 1.0
    assert rows["type", "tanker"] == 0.0
    assert rows["length", "40 to 80 px"] == 0.5
    assert rows["length", "25 to 40 px"] is None


def test_recall_is_the_share_found():
    assert Stratum("length", "x", 8, 6, None).recall == 0.75


@pytest.mark.parametrize(("gap", "name"), [(4.9, "side by side"), (5.1, "near"), (59.0, "near"), (61.0, "apart")])
def test_the_gap_is_between_footprints(judged: list[Judged], gap: float, name: str):
    one = Ship((70.0, 10.0), (10.0, 10.0), 10.0)
    assert gaps_told(judged[0], [one, Ship((70.0, 20.0 + gap), (10.0, 20.0 + gap), 10.0)]) == {name}


def test_a_difficult_ship_is_a_neighbour_and_a_pontoon_is_none(judged: list[Judged]):
    one = Ship((70.0, 10.0), (10.0, 10.0), 10.0)
    beside = ((70.0, 22.0), (10.0, 22.0), 10.0)
    assert gaps_told(judged[0], [one, Ship(*beside, difficult=True)]) == {"side by side"}
    assert gaps_told(judged[0], [one, Ship(*beside, type="pontoon")]) == {"apart"}
    assert gaps_told(judged[0], [one]) == {"apart"}


def test_lengths_are_metres_only_where_every_gsd_is_known(judged: list[Judged]):
    placed = [j._replace(picture=j.picture._replace(gsd_m=0.3)) for j in judged]
    assert (length_unit(judged), length_unit([placed[0], judged[1]]), length_unit(placed)) == ("px", "px", "m")
    lengths = {name: counts for (by, name), counts in told(placed).items() if by == "length"}
    assert lengths == {"under 25 m": (3, 2), "25 to 40 m": (2, 1)}


def test_pixels_are_those_of_the_model(judged: list[Judged]):
    half = [j._replace(scale=0.25) for j in judged]
    lengths = {name: counts for (by, name), counts in told(half).items() if by == "length"}
    assert lengths == {"under 25 px": (3, 2), "25 to 40 px": (2, 1)}


def test_the_shore_is_told_only_of_pictures_that_know_it(judged: list[Judged]):
    assert not [row for row in strata(judged, 0.0) if row.by == "shore"]
    quay = shapely.box(0, 0, 200, 5)
    known = [judged[0]._replace(picture=judged[0].picture._replace(land=quay)), judged[1]]
    shore = {name: counts for (by, name), counts in told(known).items() if by == "shore"}
    assert shore == {"inshore (land < 1 length off)": (2, 1), "open water": (1, 1)}


def test_no_pictures_and_no_ships_give_no_strata(judged: list[Judged]):
    assert strata([], 0.0) == ()
    assert strata([relabelled(judged[0], [])], 0.0) == ()
