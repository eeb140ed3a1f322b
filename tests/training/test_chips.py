import albumentations as A
import numpy as np
import pytest
import torch

from shipdet.labels.types import Labels, Ship
from shipdet.models.losses import TargetMaps
from shipdet.models.task_partition import BEAM_SCALE, BOW, END, STERN
from shipdet.raster.reader import FILL
from shipdet.training.augmentation import COMPLETE, INCOMPLETE, OUTSIDE, Augmented
from shipdet.training.chips import Chips, Source, network_input
from shipdet.training.pictures import Picture, decode
from shipdet.training.targets import UNKNOWN

SIZE = 128


def picture(*ships: Ship, mask: int = COMPLETE, side: int = 200) -> Picture:
    pixels = np.random.default_rng(0).integers(0, 255, (side, side, 3), dtype=np.uint8)
    labels = Labels.of_rows(ships, [], complete=True)
    return Picture("test", pixels, np.full((side, side), mask, np.uint8), labels)


def chips_of(shown: Picture, scale: float = 1.0, count: int = 12) -> Chips:
    return Chips([Source([shown], 1.0, (scale, scale))], SIZE, seed=1, first=0, count=count)


def targets_of(chips: Chips) -> list[TargetMaps]:
    return [TargetMaps(*chips[index][1:]) for index in range(len(chips))]


SHIP = Ship((130.0, 104.0), (70.0, 96.0), beam=10.0)


def test_a_chip_is_what_the_network_and_its_losses_take() -> None:
    pixels, *maps = chips_of(picture(SHIP))[0]
    target = TargetMaps(*maps)
    assert pixels.shape == (3, SIZE, SIZE)
    assert pixels.dtype == torch.float32
    assert target.coarse.shape == (SIZE // 8, SIZE // 8)
    assert target.heat.shape == (2, SIZE // 4, SIZE // 4)
    assert target.fields.shape == target.field_weight.shape == (2, 5, SIZE // 4, SIZE // 4)


def test_a_number_and_a_seed_name_one_chip_however_the_sequence_is_cut() -> None:
    source = [Source([picture(SHIP)], 1.0, (0.5, 2.0))]
    whole, later = Chips(source, SIZE, 7, 0, 6), Chips(source, SIZE, 7, 4, 2)
    list(zip(range(3), (later[0] for _ in range(3)), strict=True))
    for index in (1, 0):
        for a, b in zip(whole[4 + index], later[index], strict=True):
            assert torch.equal(a, b)
    other = Chips(source, SIZE, 8, 0, 6)
    assert not torch.equal(whole[4][0], other[4][0])
    assert not torch.equal(whole[4][0], whole[5][0])


def test_ships_are_taught_as_bow_and_stern() -> None:
    seen = [target.heat.flatten(1).amax(dim=1).tolist() for target in targets_of(chips_of(picture(SHIP)))]
    assert seen.count([1.0, 1.0]) >= 4


@pytest.mark.parametrize("ship", [
    Ship(SHIP.bow, SHIP.stern, SHIP.beam, difficult=True),
    Ship(SHIP.bow, SHIP.stern, SHIP.beam, type="pontoon"),
    Ship((104.0, 100.0), (96.0, 100.0), beam=3.0),
], ids=["difficult", "no ship to speak of", "too short"])  # fmt: skip
def test_what_cannot_be_blamed_is_ignored(ship: Ship) -> None:
    targets = targets_of(chips_of(picture(ship)))
    for target in targets:
        assert not target.heat.any()
        assert not target.either.any()
        assert not target.field_weight.any()
        assert not (target.coarse == END).any()
    assert sum(bool((target.coarse == UNKNOWN).any() and (target.weight == 0).any()) for target in targets) >= 4


@pytest.mark.parametrize("scale", [0.5, 1.0, 1.5])
def test_beams_and_lengths_scale_with_the_chip(scale: float) -> None:
    beams, lengths = [], []
    for target in targets_of(chips_of(picture(SHIP), scale)):
        for kind in (BOW, STERN):
            taught = target.field_weight[kind] > 0.9
            beams += (2 * BEAM_SCALE * target.fields[kind, 4][taught[4]].exp()).tolist()
            vectors = target.fields[kind, 2:4][:, taught[2]] * 32
            lengths += vectors.norm(dim=0).tolist()
    assert len(beams) > 4
    np.testing.assert_allclose(beams, 10 * scale, rtol=1e-3)
    np.testing.assert_allclose(lengths, np.hypot(60, 8) * scale, rtol=0.01)


def test_an_unlabelled_picture_is_taught_as_water_only_where_it_has_no_pixels() -> None:
    chips, unknown = chips_of(picture(mask=INCOMPLETE, side=300)), 0
    for pixels, *maps in (chips[k] for k in range(len(chips))):
        target, filled = TargetMaps(*maps), (pixels == 0).all(dim=0)
        assert torch.equal(target.coarse == 0, filled[4::8, 4::8])
        assert torch.equal(target.weight > 0, filled[2::4, 2::4])
        unknown += int((target.coarse == UNKNOWN).sum())
    assert unknown > 500


def test_known_and_unknown_places_travel_with_the_pixels() -> None:
    shown = picture(side=300)
    shown.pixels[:], shown.mask[:] = 20, INCOMPLETE
    shown.pixels[80:220, 60:200], shown.mask[80:220, 60:200] = 230, COMPLETE
    chips = chips_of(shown)
    chips.augmentation = A.Compose(chips.augmentation.transforms[:3], keypoint_params=A.KeypointParams(format="xy"))
    seen = {0: 0, UNKNOWN: 0}
    for pixels, *maps in (chips[k] for k in range(len(chips))):
        cells = pixels[0].unflatten(0, (-1, 8)).unflatten(2, (-1, 8))
        darkest, brightest = cells.amin(dim=(1, 3)), cells.amax(dim=(1, 3))
        for value, there in ((0, darkest > 1), (UNKNOWN, brightest < -1)):
            assert (TargetMaps(*maps).coarse[there] == value).all()
            seen[value] += int(there.sum())
    assert min(seen.values()) > 200


def test_sources_are_drawn_by_their_share() -> None:
    black, white = (Picture("test", np.full((99, 99, 3), v, np.uint8), np.zeros((99, 99), np.uint8), picture().labels)
                    for v in (40, 200))  # fmt: skip
    sources = [Source([black], 3.0, (1.0, 1.0)), Source([white], 1.0, (1.0, 1.0))]
    chips = Chips(sources, 64, 0, 0, 60)
    bright = sum(float(chips[k][0].amax()) > 0.5 for k in range(60))
    assert 6 <= bright <= 26


def test_the_network_sees_fill_where_there_are_no_pixels() -> None:
    pixels = np.random.default_rng(0).integers(0, 255, (8, 8, 3), dtype=np.uint8)
    mask = np.full((8, 8), COMPLETE, np.uint8)
    mask[:, :4] = OUTSIDE
    seen = network_input(Augmented(pixels, mask, np.zeros((0, 2))))
    assert (seen[:, :, :4] == (FILL - 0.5) * 4).all()
    expected = (decode(pixels)[:, 4:] - 0.5) * 4
    np.testing.assert_allclose(seen[:, :, 4:].permute(1, 2, 0).numpy(), expected, rtol=1e-6)
