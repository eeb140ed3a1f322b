"""Masks of hulls as a further lesson."""

import numpy as np
import pytest
import shapely
import torch

from shipdet.geometry import rectangle_corners
from shipdet.labels.types import Labels
from shipdet.models.losses import TargetMaps
from shipdet.models.task_partition import Sizes, TaskPartition
from shipdet.training.masks import MOST, HullMasks, boxes_of, hulls_in, ships_of
from shipdet.training.targets import draw_targets

SIDE = 128


def targets(known_bows: list[bool], beams: list[float]) -> TargetMaps:
    """A chip with two ships, batched behind an empty one."""
    bow, stern = np.array([[20.0, 30.0], [100.5, 90.0]]), np.array([[60.0, 44.0], [60.0, 110.25]])
    odd = np.zeros(2, bool)
    labels = Labels(
        bow, stern, np.array(beams), np.array(known_bows), odd, ("cargo", "tug"), np.zeros((0, 4)), complete=True
    )
    none = labels.select(odd)
    both = zip(*(draw_targets(each, np.ones((SIDE, SIDE), bool)) for each in (none, labels)), strict=True)
    return TargetMaps(*(torch.from_numpy(np.stack(maps)) for maps in both))


def test_ships_are_read_off_the_targets_from_bow_to_stern() -> None:
    ships = ships_of(targets([True, True], [9.0, 12.0]))
    assert ships.chip.tolist() == [1, 1]
    torch.testing.assert_close(ships.end, torch.tensor([[20.0, 30.0], [100.5, 90.0]]))
    torch.testing.assert_close(ships.other, torch.tensor([[60.0, 44.0], [60.0, 110.25]]))
    torch.testing.assert_close(ships.half_beam, torch.tensor([4.5, 6.0]))


def test_a_ship_whose_beam_nobody_measured_has_no_mask() -> None:
    assert ships_of(targets([True, True], [float("nan"), 12.0])).end.tolist() == [[100.5, 90.0]]


def test_a_ship_whose_bow_is_not_known_comes_from_both_ends() -> None:
    ships = ships_of(targets([False, True], [9.0, 12.0]))
    assert len(ships.chip) == 3
    ends = {tuple(end) for end in ships.end.round().int().tolist()}
    assert {(20, 30), (60, 44)} <= ends


def test_where_there_are_too_many_ships_those_drawn_come_from_all_chips() -> None:
    one = targets([True, True], [9.0, 12.0])
    many = TargetMaps(*(maps[1:].repeat(50, *[1] * (maps.ndim - 1)) for maps in one))
    ships = ships_of(many)
    assert len(ships.chip) == MOST
    assert ships.chip.unique().tolist() == list(range(50))


def test_masks_are_the_hulls_as_shapely_has_them() -> None:
    ships = ships_of(targets([True, True], [9.0, 12.0]))
    boxes, side = boxes_of(ships), 28
    masks = hulls_in(boxes, ships, side).bool().numpy()
    ends, others = (value.double().numpy() for value in (ships.end, ships.other))
    for box, mask, corners in zip(
        boxes.numpy(), masks, rectangle_corners(ends, others, 2 * ships.half_beam.double().numpy()), strict=True
    ):
        x = box[0] + (box[2] - box[0]) * (np.arange(side) + 0.5) / side
        y = box[1] + (box[3] - box[1]) * (np.arange(side) + 0.5) / side
        inside = shapely.contains_xy(shapely.Polygon(corners), *np.meshgrid(x, y))
        assert (mask == inside).mean() > 0.995
        assert inside.any()


def test_the_lesson_reaches_the_network_and_is_nothing_without_ships() -> None:
    network, lesson = TaskPartition(), HullMasks(Sizes().context, weight=0.5)
    pixels, target = torch.rand(2, 3, SIDE, SIDE), targets([True, True], [9.0, 12.0])
    loss = lesson(network(pixels).coarse, target)
    assert 0.3 < float(loss.detach()) < 1.5
    loss.backward()
    assert network.trunk.stem[0].weight.grad.abs().sum() > 0
    none = targets([True, True], [float("nan")] * 2)
    assert float(lesson(network(pixels).coarse, none).detach()) == pytest.approx(0.0)
