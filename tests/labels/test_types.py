from dataclasses import replace

import numpy as np
import pytest
import shapely

from shipdet.labels.types import Labels, Ship, type_of


def test_labels_of_no_ship_keep_their_shapes() -> None:
    labels = Labels.of_rows([], [], complete=True)
    assert len(labels) == 0
    assert labels.bow.shape == labels.stern.shape == (0, 2)
    assert labels.regions.shape == (0, 4)
    assert labels.beam.shape == labels.length.shape == (0,)
    assert labels.bow_known.dtype == labels.difficult.dtype == np.bool_


def test_rows_become_columns_in_order() -> None:
    ships = [Ship((3, 4), (0, 0), beam=1.5, type="merchant"), Ship((9, 1), (1, 1), bow_known=False, difficult=True)]
    labels = Labels.of_rows(ships, [(0, 0, 10, 20)], complete=True)
    assert labels.bow.tolist() == [[3, 4], [9, 1]]
    assert labels.stern.tolist() == [[0, 0], [1, 1]]
    assert labels.length.tolist() == [5, 8]
    assert labels.bow_known.tolist() == [True, False]
    assert labels.difficult.tolist() == [False, True]
    assert labels.type == ("merchant", "unknown")
    assert labels.regions.tolist() == [[0, 0, 10, 20]]
    assert labels.complete


def test_a_beam_that_nobody_measured_is_not_a_number() -> None:
    labels = Labels.of_rows([Ship((1, 1), (2, 2)), Ship((1, 1), (2, 2), beam=3.0)], [], complete=False)
    assert np.isnan(labels.beam).tolist() == [True, False]
    assert not labels.complete


def test_selected_ships_keep_all_that_is_said_of_them():
    outline = shapely.box(0, 0, 9, 9)
    ships = [Ship((1, 1), (2, 2), type="a"), Ship((3, 3), (4, 4), 2.0, difficult=True, type="b", polygon=outline)]
    labels = Labels.of_rows(ships, [(0, 0, 5, 5)], complete=True, ignore=[outline])
    kept = labels.select(np.array([False, True]))
    assert (kept.bow.tolist(), kept.type, kept.difficult.tolist(), kept.polygon) == (
        [[3, 3]],
        ("b",),
        [True],
        (outline,),
    )
    assert kept.regions.shape == (1, 4)
    assert kept.ignore == (outline,)
    assert labels.outline(0) is None


def test_places_to_ignore_are_asked_by_point():
    labels = Labels.of_rows([], [], complete=True, ignore=[shapely.box(0, 0, 2, 2), shapely.box(5, 5, 6, 6)])
    assert labels.ignores(np.array([[1.0, 1], [3, 3], [5.5, 5.5]])).tolist() == [True, False, True]
    assert labels.ignores(np.zeros((0, 2))).tolist() == []


def test_outlines_are_one_a_ship():
    with pytest.raises(ValueError, match="an outline or None for each of 0 ships, got 1"):
        replace(Labels.of_rows([], [], complete=True), polygon=(None,))


@pytest.mark.parametrize(("name", "kind"), [
    ("Ship", "unknown"), (" Tanker ", "tanker"), ("", "unknown"), ("Container-Ship", "container"),
    ("Dredger", "dredger"), ("carrier", "carrier"), ("wake boat", "wake boat"), ("fishing_boat", "fishing"),
])  # fmt: skip
def test_class_names_are_types_as_far_as_they_say_any(name: str, kind: str):
    assert type_of(name) == kind


def test_rescaled_labels_are_where_the_scaled_picture_has_them():
    outline = shapely.box(0, 0, 10, 10)
    labels = Labels.of_rows(
        [Ship((10, 10), (30, 20), 4.0, polygon=outline)], [(0, 0, 5, 5)], complete=True, ignore=[outline]
    )
    moved = labels.rescaled((2.0, 0.5), (3, 1))
    assert (moved.bow.tolist(), moved.stern.tolist(), moved.beam.tolist()) == ([[17, 4]], [[57, 9]], [4])
    assert moved.regions.tolist() == [[-3, -1, 7, 1.5]]
    assert moved.outline(0).bounds == moved.ignore[0].bounds == (-3, -1, 17, 4)
