"""Ships side by side, and ships across tiles, from the ideal maps that training draws to hulls."""

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from scipy.optimize import linear_sum_assignment
from torch import Tensor

from shipdet.attention.gate import open_gate
from shipdet.geometry import Hulls
from shipdet.inference.assembly import assemble
from shipdet.inference.engine import FAINTEST_TIP, look
from shipdet.inference.evidence import CoarseMap
from shipdet.labels.types import Labels
from shipdet.models.decode import find_tips, join_tips
from shipdet.models.device import Device
from shipdet.models.task_partition import BACKGROUND, COARSE_STRIDE, FINE_STRIDE, STRIDE, Coarse
from shipdet.raster.reader import Chip
from shipdet.raster.tiling import make_tiles
from shipdet.training.targets import draw_targets

Array = NDArray[np.float64]
ANGLES = [0, 15, 30, 45, 80]


class Raft(NamedTuple):
    """Hulls of one size side by side."""

    bow: Array
    stern: Array
    beam: float


def raft(
    angle_deg: float, headings: list[int], size: tuple[float, float], between: float, centre: tuple[float, float]
) -> Raft:
    """`headings` are 1 or -1, one a hull; `between` is the distance of centre lines; `size` is length and beam."""
    along = np.array([np.cos(np.radians(angle_deg)), np.sin(np.radians(angle_deg))])
    side = np.array([-along[1], along[0]])
    place = (np.arange(len(headings)) - (len(headings) - 1) / 2) * between
    middle = np.array(centre) + place[:, None] * side
    half = np.array(headings)[:, None] * along * size[0] / 2
    return Raft(middle + half, middle - half, size[1])


class Ideal:
    """A network that knows the truth of a scene; where a tile lies, it reads in the tile's first pixel.

    Its heat trembles by a few per cent, lest two neighbouring cells be peaks because they are exactly alike.
    """

    def __init__(self, ships: Raft, side: int) -> None:
        count = len(ships.bow)
        known, none = np.ones(count, bool), np.zeros((0, 4))
        beam = np.full(count, ships.beam)
        labels = Labels(ships.bow, ships.stern, beam, known, ~known, ("merchant",) * count, none, complete=True)
        targets = draw_targets(labels, np.ones((side, side), bool))
        tremble = np.random.default_rng(side).uniform(0.93, 0.98, targets.heat.shape).astype(np.float32)
        heat = torch.from_numpy(np.maximum(targets.heat * tremble, 1e-4)).logit()
        self.maps = torch.cat([heat[:, None], torch.from_numpy(targets.fields)], dim=1).flatten(0, 1)[None]
        self.logits = 8 * torch.nn.functional.one_hot(torch.from_numpy(targets.coarse).long(), 3).permute(2, 0, 1)[None]

    def everything(self) -> Coarse:
        """Of the whole scene, as one tile."""
        return Coarse(self.logits.float(), self.maps, torch.zeros_like(self.logits[:, :1]).float(), self.logits[:, :0])

    def coarse(self, pixels: Tensor) -> Coarse:
        """Of the tile whose corner is written in its first pixel; around the scene there is nothing."""
        x, y = (round(float(v)) for v in pixels[0, :2, 0, 0] / 4 + 0.5)
        height, width = pixels.shape[-2:]
        empty = torch.zeros(1, 1, height // COARSE_STRIDE, width // COARSE_STRIDE)
        logits = _cut(self.logits.float(), (x, y, width, height), COARSE_STRIDE)
        return Coarse(logits, _cut(self.maps, (x, y, width, height), FINE_STRIDE), empty, empty[:, :0])

    def ends(self, coarse: Coarse) -> Tensor:
        return coarse.shallow.unflatten(1, (2, 6))


def _cut(maps: Tensor, window: tuple[int, int, int, int], stride: int) -> Tensor:
    left, top, width, height = (value // stride for value in window)
    rows, columns = maps.shape[-2:]
    padded = torch.nn.functional.pad(maps, (-left, left + width - columns, -top, top + height - rows))
    assert padded.shape[-2:] == (height, width)
    return padded


def detect_whole(ships: Raft, side: int) -> Hulls:
    network = Ideal(ships, side)
    coarse = network.everything()
    ship = (255 * (1 - coarse.probability[0, BACKGROUND])).round().to(torch.uint8).numpy()
    tips = find_tips(network, coarse, open_gate(coarse.attention, 0.1)[0], FAINTEST_TIP)
    return assemble(tips, CoarseMap(ship, COARSE_STRIDE))


def detect_tiled(ships: Raft, side: int, core: int, offset: tuple[int, int] = (0, 0)) -> Hulls:
    """As the engine does, tile by tile; a network that knows the truth needs little margin."""
    network, parts = Ideal(ships, side), []
    ship = np.zeros((side // COARSE_STRIDE, side // COARSE_STRIDE), np.uint8)
    for tile in make_tiles(side, side, core, STRIDE, STRIDE, offset):
        shape = (tile.window.height, tile.window.width)
        pixels = np.zeros((3, *shape), np.float32)
        pixels[:2, 0, 0] = tile.window.x, tile.window.y
        chip = Chip(pixels, np.ones(shape, bool), tile.window)
        looked = look(network, chip, tile, 0.1, Device(torch.device("cpu"), torch.float32))
        top, left = tile.core.y // COARSE_STRIDE, tile.core.x // COARSE_STRIDE
        ship[top : top + looked.ship.shape[0], left : left + looked.ship.shape[1]] = looked.ship
        parts.append(looked.tips)
    return assemble(join_tips(parts), CoarseMap(ship, COARSE_STRIDE))


def assert_found(hulls: Hulls, ships: Raft) -> None:
    """Each ship once, bow and stern the right way, within 1.5 px, its beam within 10 %."""
    assert len(hulls) == len(ships.bow)
    away = np.hypot(*(hulls.bow[:, None] - ships.bow[None]).transpose(2, 0, 1))
    away = np.maximum(away, np.hypot(*(hulls.stern[:, None] - ships.stern[None]).transpose(2, 0, 1)))
    mine, theirs = linear_sum_assignment(away)
    assert away[mine, theirs].max() < 1.5
    np.testing.assert_allclose(hulls.beam, ships.beam, rtol=0.1)
    assert (hulls.bow_score > 0.5).all()
    assert (hulls.score > 0.5).all()


def places(angle_deg: float) -> Iterator[tuple[float, float]]:
    """A few centres, so that no luck with the cells' borders is needed."""
    rng = np.random.default_rng([7, int(angle_deg)])
    for _ in range(3):
        x, y = 160 + rng.uniform(0, 32, 2)
        yield float(x), float(y)


@pytest.mark.parametrize("angle_deg", ANGLES)
@pytest.mark.parametrize("headings", [[1, 1], [1, -1]], ids=["same way", "opposite ways"])
def test_two_large_hulls_two_pixels_apart_are_two(angle_deg: float, headings: list[int]) -> None:
    for centre in places(angle_deg):
        ships = raft(angle_deg, headings, (180, 28), 30, centre)
        assert_found(detect_whole(ships, 352), ships)


@pytest.mark.parametrize("angle_deg", ANGLES)
@pytest.mark.parametrize("headings", [[1] * 5, [1, -1, 1, -1, 1]], ids=["same way", "alternating"])
def test_a_raft_of_five_is_five(angle_deg: float, headings: list[int]) -> None:
    for centre in places(angle_deg):
        ships = raft(angle_deg, headings, (150, 18), 20, centre)
        assert_found(detect_whole(ships, 352), ships)


@pytest.mark.parametrize("angle_deg", ANGLES)
@pytest.mark.parametrize("headings", [[1] * 10, [1, -1] * 5], ids=["same way", "alternating"])
def test_ten_yachts_are_ten_when_their_ends_lie_two_cells_apart(angle_deg: float, headings: list[int]) -> None:
    """Neighbouring cells cannot both be peaks: stride 4 carries 8 px along an axis, 11.3 px on a diagonal."""
    steepness = max(abs(np.cos(np.radians(angle_deg))), abs(np.sin(np.radians(angle_deg))))
    for centre in places(angle_deg):
        ships = raft(angle_deg, headings, (14, 4), 2.02 * FINE_STRIDE / steepness, centre)
        assert_found(detect_whole(ships, 320), ships)


@pytest.mark.parametrize("angle_deg", ANGLES)
def test_yachts_closer_than_that_are_never_more_than_there_are(angle_deg: float) -> None:
    for centre in places(angle_deg):
        assert 4 <= len(detect_whole(raft(angle_deg, [1] * 10, (14, 4), 5, centre), 320)) <= 10


@pytest.mark.parametrize("angle_deg", [*ANGLES, 200])
def test_a_ship_across_four_tiles_comes_out_once_and_whole(angle_deg: float) -> None:
    ships = raft(angle_deg, [1], (170, 26), 0, (192, 192))
    for core, offset in ((192, (0, 0)), (160, (32, 0)), (96, (64, 32))):
        assert_found(detect_tiled(ships, 384, core, offset), ships)


@pytest.mark.parametrize("angle_deg", ANGLES)
def test_a_raft_across_tiles_is_the_same_as_in_one(angle_deg: float) -> None:
    ships = raft(angle_deg, [1, -1, 1], (180, 28), 30, (192, 192))
    whole, tiled = detect_whole(ships, 384), detect_tiled(ships, 384, 96, (32, 64))
    assert_found(tiled, ships)
    np.testing.assert_allclose(tiled.bow, whole.bow, atol=1e-6)
    np.testing.assert_allclose(tiled.stern, whole.stern, atol=1e-6)
    np.testing.assert_allclose(tiled.score, whole.score, atol=1e-6)


@pytest.mark.parametrize("step", range(-5, 6))
def test_an_end_on_a_seam_belongs_to_one_tile(step: int) -> None:
    """The bow lies on the seam, exactly or to either side."""
    ships = raft(20, [1], (120, 20), 0, (0, 0))
    shift = np.array([192.0, 192.0]) - ships.bow[0] + step * np.array([0.5, 1.0])
    ships = Raft(ships.bow + shift, ships.stern + shift, ships.beam)
    assert_found(detect_tiled(ships, 384, 192), ships)
