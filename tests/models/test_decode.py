from typing import NamedTuple

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from torch import Tensor

from shipdet.models.decode import FINE_STRIDE, MAX_OFFSET, PATCH, Tips, find_tips, join_tips, no_tips
from shipdet.models.task_partition import BEAM_SCALE, BOW, OFFSET_SCALE, STERN, VECTOR_SCALE, Coarse, TaskPartition

BRINK = 4
"""Fine cells from the border of a tile whose convolutions see the padding."""


class Carried:
    """A network whose ends lie ready-made, flattened, among the shallow features; it counts how often it is asked."""

    def __init__(self) -> None:
        self.patches: list[int] = []

    def ends(self, coarse: Coarse) -> Tensor:
        self.patches.append(len(coarse.shallow))
        return coarse.shallow.unflatten(1, (2, 6))


class Peak(NamedTuple):
    kind: int
    row: int
    column: int
    heat: float
    fields: tuple[float, float, float, float, float] = (0.0, 0.0, 0.0, 0.0, 0.0)


def carrying(peaks: list[Peak], height: int, width: int) -> Coarse:
    """Maps of `height` x `width` coarse cells with single hot cells."""
    ends = torch.zeros(2, 6, 2 * height, 2 * width)
    ends[:, 0] = -9.0
    for peak in peaks:
        heat = float(np.log(peak.heat / (1 - peak.heat)))
        ends[peak.kind, :, peak.row, peak.column] = torch.tensor([heat, *peak.fields])
    none = torch.zeros(1, 1, height, width)
    return Coarse(torch.zeros(1, 3, height, width), ends.flatten(0, 1)[None], none, none[:, :0])


def computed_densely(network: TaskPartition, coarse: Coarse) -> Coarse:
    """The maps of a tile whose shallow branch was computed everywhere at once."""
    return coarse._replace(shallow=network.ends(coarse).flatten(1, 2))


def all_open(coarse: Coarse) -> Tensor:
    return torch.ones(coarse.logits.shape[-2:], dtype=torch.bool)


def some_open(height: int, width: int, cells: list[tuple[int, int]]) -> Tensor:
    gate = torch.zeros(1, 1, height, width)
    for row, column in cells:
        gate[..., row, column] = 1
    return F.max_pool2d(gate, 3, stride=1, padding=1)[0, 0] > 0


def by_place(tips: Tips) -> Tips:
    return tips.where(np.lexsort((tips.bow, tips.cell[:, 0], tips.cell[:, 1])))


def assert_same(a: Tips, b: Tips) -> None:
    for name, x, y in zip(Tips._fields, by_place(a), by_place(b), strict=True):
        np.testing.assert_allclose(x, y, atol=1e-4, err_msg=name)


def well_within(tips: Tips, gate: Tensor) -> Tips:
    """Tips whose cell and its neighbours lie in the gate, away from the tile's border."""
    fine = F.interpolate(gate[None, None].float(), scale_factor=2.0)
    inner = -F.max_pool2d(-F.pad(fine, (1, 1, 1, 1)), 3, stride=1)[0, 0] > 0
    inner[:BRINK], inner[-BRINK:], inner[:, :BRINK], inner[:, -BRINK:] = False, False, False, False
    column, row = (tips.cell // FINE_STRIDE).astype(int).T
    return tips.where(inner.numpy()[row, column])


@pytest.mark.parametrize(("height", "width"), [(24, 24), (21, 27)], ids=["whole patches", "cut patches"])
def test_open_patches_alone_give_the_tips_of_the_whole(network: TaskPartition, height: int, width: int) -> None:
    pixels = torch.randn((1, 3, 8 * height + 24, 8 * width + 24), generator=torch.Generator().manual_seed(3))
    with torch.inference_mode():
        coarse = network.coarse(pixels[..., : -(-8 * height // 32) * 32, : -(-8 * width // 32) * 32])
        coarse = Coarse(
            coarse.logits[..., :height, :width],
            coarse.shallow[..., : 2 * height, : 2 * width],
            coarse.context[..., :height, :width],
            coarse.types[..., :height, :width],
        )
        gate = some_open(height, width, [(3, 4), (7, 7), (8, 15), (16, 16), (18, 3), (20, 24 % width)])
        least = float(network.ends(coarse)[:, :, 0].sigmoid().median())
        whole, parts = (find_tips(network, coarse, g, least) for g in (all_open(coarse), gate))
        dense = find_tips(Carried(), computed_densely(network, coarse), gate, least)
    expected = well_within(whole, gate)
    assert len(expected.score) >= 5
    assert_same(well_within(parts, gate), expected)
    assert_same(well_within(parts, gate), well_within(dense, gate))


def test_behind_a_shut_gate_the_shallow_branch_is_never_computed() -> None:
    coarse, network = carrying([Peak(BOW, 5, 5, 0.9)], 16, 16), Carried()
    assert len(find_tips(network, coarse, ~all_open(coarse), 0.1).score) == 0
    assert network.patches == []


def test_only_patches_with_an_open_cell_are_computed() -> None:
    coarse, network = carrying([], 4 * PATCH, 4 * PATCH), Carried()
    gate = torch.zeros(4 * PATCH, 4 * PATCH, dtype=torch.bool)
    gate[0, 0] = gate[PATCH - 1, PATCH - 1] = gate[PATCH, 0] = gate[-1, -1] = True
    find_tips(network, coarse, gate, 0.1)
    assert network.patches == [3]


def test_a_peak_says_all_that_its_cell_says() -> None:
    peak = Peak(STERN, 9, 14, 0.75, (0.25, -0.5, 2.0, -1.0, 0.5))
    coarse = carrying([peak], 8, 8)
    tips = find_tips(Carried(), coarse, all_open(coarse), 0.5)
    np.testing.assert_allclose(tips.cell, [[14.5 * FINE_STRIDE, 9.5 * FINE_STRIDE]])
    np.testing.assert_allclose(tips.xy, tips.cell + OFFSET_SCALE * np.array([0.25, -0.5]))
    np.testing.assert_allclose(tips.to_other_end, [[2 * VECTOR_SCALE, -VECTOR_SCALE]])
    np.testing.assert_allclose(tips.half_beam, [BEAM_SCALE * np.exp(0.5)])
    np.testing.assert_allclose(tips.score, [0.75], atol=1e-6)


EDGES = [0, 1, 2 * PATCH - 1, 2 * PATCH, 2 * PATCH + 1, 4 * PATCH - 1]


@pytest.mark.parametrize("row", EDGES)
@pytest.mark.parametrize("column", EDGES)
def test_a_peak_on_the_border_of_a_patch_or_a_tile_is_found_once(row: int, column: int) -> None:
    coarse = carrying([Peak(BOW, row, column, 0.9)], 2 * PATCH, 2 * PATCH)
    tips = find_tips(Carried(), coarse, all_open(coarse), 0.5)
    assert tips.cell.tolist() == [[(column + 0.5) * FINE_STRIDE, (row + 0.5) * FINE_STRIDE]]


def test_of_neighbours_on_both_sides_of_a_patchs_border_the_hotter_wins() -> None:
    edge = 2 * PATCH
    coarse = carrying([Peak(BOW, edge - 1, edge - 1, 0.8), Peak(BOW, edge, edge, 0.9)], 2 * PATCH, 2 * PATCH)
    assert find_tips(Carried(), coarse, all_open(coarse), 0.5).score == pytest.approx([0.9])


def test_peaks_two_cells_apart_are_two() -> None:
    coarse = carrying([Peak(BOW, 6, 6, 0.8), Peak(BOW, 6, 8, 0.9)], 8, 8)
    assert len(find_tips(Carried(), coarse, all_open(coarse), 0.5).score) == 2


@pytest.mark.parametrize("side", [(1, 1), (9, 5), (13, 20)])
def test_tiles_need_not_be_made_of_whole_patches(side: tuple[int, int]) -> None:
    height, width = side
    corner = Peak(BOW, 2 * height - 1, 2 * width - 1, 0.9)
    coarse = carrying([corner], height, width)
    tips = find_tips(Carried(), coarse, all_open(coarse), 0.5)
    assert tips.cell.tolist() == [[(2 * width - 0.5) * FINE_STRIDE, (2 * height - 0.5) * FINE_STRIDE]]


def test_the_bow_is_as_probable_as_its_share_of_both_heats() -> None:
    peaks = [Peak(BOW, 4, 4, 0.6), Peak(STERN, 4, 4, 0.2), Peak(STERN, 4, 12, 0.5)]
    coarse = carrying(peaks, 8, 8)
    bow, stern = (find_tips(Carried(), coarse, all_open(coarse), 0.3).where(np.array([k])) for k in (0, 1))
    np.testing.assert_allclose(bow.bow, [0.75], atol=1e-6)
    np.testing.assert_allclose(bow.score, [0.6], atol=1e-6)
    assert stern.bow[0] < 0.001
    np.testing.assert_allclose(stern.score, [0.5], atol=1e-6)


def test_peaks_in_closed_cells_are_not_listened_to() -> None:
    coarse = carrying([Peak(BOW, 4, 4, 0.9), Peak(BOW, 8, 8, 0.9)], 8, 8)
    gate = torch.zeros(8, 8, dtype=torch.bool)
    gate[4, 4] = True
    assert find_tips(Carried(), coarse, gate, 0.5).cell.tolist() == [[34.0, 34.0]]


def test_a_closed_neighbour_does_not_outshine_an_open_peak() -> None:
    coarse = carrying([Peak(BOW, 8, 8, 0.6), Peak(BOW, 8, 7, 0.9)], 8, 8)
    gate = torch.zeros(8, 8, dtype=torch.bool)
    gate[4, 4] = True
    assert find_tips(Carried(), coarse, gate, 0.5).score == pytest.approx([0.6])


def test_heat_at_the_least_score_counts_and_below_does_not() -> None:
    coarse = carrying([Peak(BOW, 4, 4, 0.5)], 8, 8)
    for least, count in ((0.5, 1), (0.501, 0)):
        assert len(find_tips(Carried(), coarse, all_open(coarse), least).score) == count


def test_wild_fields_stay_finite_and_close() -> None:
    coarse = carrying([Peak(BOW, 4, 4, 0.9, (1e6, -1e6, 0.0, 0.0, 1e6))], 8, 8)
    tips = find_tips(Carried(), coarse, all_open(coarse), 0.5)
    np.testing.assert_allclose(np.abs(tips.xy - tips.cell), [[MAX_OFFSET, MAX_OFFSET]])
    assert np.isfinite(tips.half_beam).all()


def test_tips_move_with_their_cells_and_join_in_order() -> None:
    coarse = carrying([Peak(BOW, 4, 4, 0.9)], 8, 8)
    tips = find_tips(Carried(), coarse, all_open(coarse), 0.5)
    moved = tips.moved(100, -20)
    np.testing.assert_allclose(moved.xy - tips.xy, [[100, -20]])
    np.testing.assert_allclose(moved.cell - tips.cell, [[100, -20]])
    np.testing.assert_allclose(moved.to_other_end, tips.to_other_end)
    joined = join_tips([tips, no_tips(), moved])
    np.testing.assert_allclose(joined.xy, np.concatenate([tips.xy, moved.xy]))
    assert [len(field) for field in join_tips([])] == [0] * len(Tips._fields)
