import numpy as np
import pytest

from shipdet.labels.types import Labels, Ship
from shipdet.models.task_partition import BEAM_SCALE, BOW, END, HULL, OFFSET_SCALE, STERN, VECTOR_SCALE
from shipdet.training.targets import UNKNOWN, Targets, draw_targets

SIZE = (96, 128)
SHIP = Ship((100.0, 41.0), (21.0, 30.0), beam=14.0)


def draw(*ships: Ship, known: np.ndarray | None = None) -> Targets:
    labels = Labels.of_rows(ships, [], complete=True)
    return draw_targets(labels, np.ones(SIZE, bool) if known is None else known)


def fine(x: float, y: float) -> tuple[int, int]:
    return int(y // 4), int(x // 4)


def coarse(x: float, y: float) -> tuple[int, int]:
    return int(y // 8), int(x // 8)


def test_maps_have_the_networks_strides() -> None:
    targets = draw(SHIP)
    assert targets.coarse.shape == (12, 16)
    assert targets.heat.shape == (2, 24, 32)
    assert targets.either.shape == targets.weight.shape == (24, 32)
    assert targets.fields.shape == targets.field_weight.shape == (2, 5, 24, 32)


def test_each_end_is_a_peak_of_one_in_its_own_cell_and_map() -> None:
    targets = draw(SHIP)
    for kind, end in ((BOW, SHIP.bow), (STERN, SHIP.stern)):
        assert [tuple(cell) for cell in np.argwhere(targets.heat[kind] == 1)] == [fine(*end)]
    assert not targets.either.any()


def test_fields_say_where_both_ends_are_from_every_cell_that_is_taught() -> None:
    targets = draw(SHIP)
    for kind, here, there in ((BOW, SHIP.bow, SHIP.stern), (STERN, SHIP.stern, SHIP.bow)):
        rows, columns = np.nonzero(targets.field_weight[kind, 0])
        assert len(rows) > 4
        centres = np.stack([columns, rows]) * 4 + 2
        fields = targets.fields[kind][:, rows, columns]
        np.testing.assert_allclose((centres + fields[:2] * OFFSET_SCALE).T, [here] * len(rows), rtol=1e-6)
        np.testing.assert_allclose((fields[2:4] * VECTOR_SCALE).T, [np.subtract(there, here)] * len(rows), rtol=1e-6)
        np.testing.assert_allclose(np.exp(fields[4]) * BEAM_SCALE, 7.0, rtol=1e-6)
        assert (targets.field_weight[kind][:, rows, columns] > 0).all()


def test_the_coarse_map_paints_ends_over_hulls_over_background() -> None:
    targets = draw(SHIP)
    assert targets.coarse[coarse(*SHIP.bow)] == END
    assert targets.coarse[coarse(*SHIP.stern)] == END
    assert targets.coarse[coarse(60, 36)] == HULL
    assert targets.coarse[coarse(60, 80)] == 0
    assert set(np.unique(targets.coarse)) == {0, HULL, END}


def test_the_coarse_maps_ends_cover_every_peak() -> None:
    rng = np.random.default_rng(0)
    for _ in range(50):
        bow, stern = rng.uniform(0, (128, 96), (2, 2))
        targets = draw(Ship(tuple(bow), tuple(stern), beam=float(rng.uniform(2, 30))))
        for end in (bow, stern):
            assert targets.coarse[coarse(*end)] == END


def test_a_ship_of_unknown_order_heats_neither_bow_nor_stern_but_either() -> None:
    targets = draw(Ship(SHIP.bow, SHIP.stern, SHIP.beam, bow_known=False))
    assert not targets.heat.any()
    assert {tuple(cell) for cell in np.argwhere(targets.either == 1)} == {fine(*SHIP.bow), fine(*SHIP.stern)}
    np.testing.assert_array_equal(targets.fields[BOW], targets.fields[STERN])
    np.testing.assert_array_equal(targets.field_weight[BOW], targets.field_weight[STERN])


def test_a_difficult_ship_teaches_nothing_where_it_lies() -> None:
    targets = draw(Ship(SHIP.bow, SHIP.stern, SHIP.beam, difficult=True))
    assert not targets.heat.any()
    assert not targets.field_weight.any()
    for at in (SHIP.bow, SHIP.stern, (60, 36)):
        assert targets.coarse[coarse(*at)] == UNKNOWN
        assert targets.weight[fine(*at)] == 0
    assert targets.coarse[coarse(60, 80)] == 0
    assert targets.weight[fine(60, 80)] == 1


def test_a_sure_ship_beside_a_difficult_one_is_taught_whole() -> None:
    beside = Ship((100.0, 55.0), (21.0, 44.0), beam=14.0, difficult=True)
    targets = draw(SHIP, beside)
    assert targets.weight[fine(*SHIP.bow)] == targets.weight[fine(*SHIP.stern)] == 1
    assert targets.coarse[coarse(*SHIP.bow)] == END
    assert targets.weight[fine(60, 52)] == 0


def test_where_labelling_is_incomplete_nothing_is_water() -> None:
    known = np.zeros(SIZE, bool)
    known[:, :64] = True
    targets = draw(SHIP, known=known)
    assert targets.coarse[coarse(90, 80)] == UNKNOWN
    assert targets.weight[fine(90, 80)] == 0
    assert targets.coarse[coarse(20, 80)] == 0
    assert targets.weight[fine(20, 80)] == 1
    assert targets.coarse[coarse(*SHIP.bow)] == END
    assert targets.weight[fine(*SHIP.bow)] == 1


def test_a_beam_that_nobody_measured_is_not_taught() -> None:
    targets = draw(Ship(SHIP.bow, SHIP.stern))
    assert np.isfinite(targets.fields).all()
    assert not targets.field_weight[:, 4].any()
    assert targets.field_weight[:, :4].any()


def test_the_vector_to_an_end_far_out_of_view_is_not_taught() -> None:
    targets = draw(Ship((300.0, 40.0), (60.0, 40.0), beam=14.0))
    assert not targets.field_weight[STERN, 2:4].any()
    assert targets.field_weight[STERN, :2].any()


def test_between_two_ends_each_cell_tells_of_the_nearer() -> None:
    a, b = Ship((60.0, 30.0), (10.0, 30.0), beam=14.0), Ship((60.0, 46.0), (10.0, 46.0), beam=14.0)
    for ships in ((a, b), (b, a)):
        targets = draw(*ships)
        for ship in ships:
            row, column = fine(*ship.bow)
            offset = targets.fields[BOW, :2, row, column] * OFFSET_SCALE
            np.testing.assert_allclose((column * 4 + 2 + offset[0], row * 4 + 2 + offset[1]), ship.bow)


def test_no_ship_is_all_background() -> None:
    targets = draw()
    assert not targets.coarse.any()
    assert not targets.heat.any()
    assert (targets.weight == 1).all()


@pytest.mark.parametrize("beam", [2.0, 14.0, 60.0])
def test_peaks_stay_narrow_enough_to_be_told_apart(beam: float) -> None:
    row, column = fine(*SHIP.bow)
    heat = draw(Ship(SHIP.bow, SHIP.stern, beam)).heat[BOW]
    assert 0.3 < heat[row, column - 1] < 0.9
    assert heat[row, column - 4] < 0.1


def test_a_ship_of_no_length_draws_finite_maps() -> None:
    targets = draw(Ship((50.0, 50.0), (50.0, 50.0), beam=4.0))
    assert all(np.isfinite(field).all() for field in targets)
