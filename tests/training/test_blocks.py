import numpy as np
import pytest
from affine import Affine
from pyproj import CRS

from shipdet.geometry import Grid
from shipdet.labels.frame import Frame
from shipdet.labels.types import Labels, Ship
from shipdet.training.blocks import Blocks, inside, part_scene, to_judge_by, to_learn_from

ONE = (1.0, 1.0)
HALVES = Blocks(np.array([[0.0, 0, 500, 1000]]), np.array([[500.0, 0, 1000, 1000]]))


def frame(width: int, height: int, name: str = "a.tif") -> Frame:
    return Frame(name, Grid(CRS.from_epsg(32631), Affine(1, 0, 5e5, 0, -1, 5.7e6), width, height))


def ships_at(*middles: tuple[float, float]) -> Labels:
    return Labels.of_rows([Ship((x + 20, y), (x - 20, y), 8.0) for x, y in middles], [], complete=True)


def spread(count: int, width: int, height: int) -> Labels:
    return ships_at(*np.random.default_rng(0).uniform(0, (width, height), (count, 2)).tolist())


@pytest.mark.parametrize(("width", "height"), [(100, 80), (3000, 1000), (9001, 7003)])
@pytest.mark.parametrize("scale", [ONE, (0.3, 0.3), (2.0, 1.0)])
def test_blocks_cover_each_pixel_of_the_scene_once(width: int, height: int, scale: tuple[float, float]):
    blocks = part_scene(frame(width, height), scale, spread(200, width, height), 0.2)
    every = np.concatenate([blocks.training, blocks.validation])
    assert np.prod(every[:, 2:] - every[:, :2], axis=1).sum() == width * height
    xy = np.random.default_rng(1).uniform(0, (width, height), (500, 2))
    assert (inside(blocks.training, xy) ^ inside(blocks.validation, xy)).all()


def test_the_share_asked_for_is_kept_of_blocks_with_ships_and_of_those_without():
    labels = ships_at(*[(x, y) for x in range(512, 5000, 1024) for y in range(512, 10000, 1024)])
    blocks = part_scene(frame(10240, 10240), ONE, labels, 0.2)
    middle = (labels.bow + labels.stern) / 2
    assert (len(blocks.training), len(blocks.validation)) == (80, 20)
    assert inside(blocks.validation, middle).sum() == 10


def test_the_split_depends_on_the_scenes_name_and_nothing_else():
    labels = spread(300, 8000, 8000)
    first, again = (part_scene(frame(8000, 8000), ONE, labels, 0.2) for _ in range(2))
    np.testing.assert_array_equal(first.validation, again.validation)
    other = part_scene(frame(8000, 8000, "b.tif"), ONE, labels, 0.2)
    assert not np.array_equal(first.validation, other.validation)


def test_a_few_ships_leave_some_for_either_side():
    labels = ships_at((100, 100), (900, 900))
    blocks = part_scene(frame(1024, 1024), ONE, labels, 0.01)
    middle = (labels.bow + labels.stern) / 2
    assert inside(blocks.validation, middle).sum() == 1
    assert inside(blocks.training, middle).sum() == 1


def test_a_share_of_nothing_or_all_is_that():
    labels = spread(50, 3000, 3000)
    assert len(part_scene(frame(3000, 3000), ONE, labels, 0.0).validation) == 0
    assert len(part_scene(frame(3000, 3000), ONE, Labels.of_rows([], [], complete=True), 1.0).training) == 0


def test_ships_in_validation_are_not_learnt_from_and_those_that_reach_in_teach_nothing():
    learnt = to_learn_from(ships_at((100, 100), (490, 200), (510, 300), (800, 400)), HALVES, frame(1000, 1000))
    assert learnt.bow[:, 1].tolist() == [100, 200, 300]
    assert learnt.difficult.tolist() == [False, True, True]


def test_only_what_lies_in_validation_is_judged():
    labels = ships_at((100, 100), (490, 200), (510, 300), (800, 400))
    judged = to_judge_by(labels, HALVES)
    assert judged.difficult.tolist() == [True, True, False, False]
    assert judged.regions.tolist() == HALVES.validation.tolist()


def test_where_labelling_is_complete_in_regions_only_their_share_of_validation_is_judged():
    labels = Labels.of_rows([], [(400, 100, 700, 300), (0, 0, 300, 300)], complete=True)
    assert to_judge_by(labels, HALVES).regions.tolist() == [[500, 100, 700, 300]]
