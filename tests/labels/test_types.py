import numpy as np

from shipdet.labels.types import Labels, Ship


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
