"""What the sharpener is taught, and judged by."""

from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from shipdet.attention.rcan import RCAN, Layout, enlarge
from shipdet.config_parts import SharpenConfig
from shipdet.errors import ConfigError, LabelsError
from shipdet.learning import train_sharpeners
from shipdet.models.device import choose_device
from shipdet.models.sharpener import read_sharpener
from shipdet.training.sharpening import (
    Photograph,
    SharpenSchedule,
    coarser,
    judge,
    photograph,
    psnr,
    random_crop,
    read_rgb,
    train_sharpener,
)

CPU = choose_device("cpu", "float32")
TINY = SharpenSchedule(2, Layout(1, 1, 8), steps=30, batch=4, crop=32, learning_rate=3e-3)


def draw(path: Path, seed: int = 0) -> None:
    """Fine waves over long ones, no two pictures the same, 67 x 90 pixels."""
    y, x = np.mgrid[:67, :90][..., None]
    pixels = 120 + 60 * np.sin(0.5 * x + 0.3 * y + seed + np.arange(3)) + 30 * np.sin(1.7 * x - 1.1 * y)
    Image.fromarray(pixels.astype(np.uint8)).save(path, quality=98)


@pytest.fixture
def inshore(tmp_path: Path) -> Path:
    folder = tmp_path / "inshore"
    folder.mkdir()
    for number in (1, 2, 5):
        draw(folder / f"{number}.jpg", number)
        (folder / f"{number}.json").write_text("[]")
    return folder


@pytest.fixture
def picture(inshore: Path) -> Photograph:
    return photograph(inshore / "1.jpg", 2)


def test_coarse_pictures_are_means_in_eight_bits() -> None:
    fine = torch.rand(1, 3, 8, 8)
    coarse = coarser(fine, 4)
    assert torch.allclose(coarse, torch.nn.functional.avg_pool2d(fine, 4), atol=0.5 / 255 + 1e-6)
    assert torch.allclose(coarse * 255, (coarse * 255).round(), atol=1e-4)


def test_a_tenth_off_is_twenty_decibels() -> None:
    assert psnr(torch.zeros(4), torch.full((4,), 0.1)) == pytest.approx(20, abs=1e-4)


def test_crops_are_turned_parts_of_the_picture() -> None:
    fine, random = torch.arange(100.0).reshape(1, 10, 10), torch.Generator().manual_seed(0)
    seen = set()
    for _ in range(40):
        crop = random_crop(fine, 4, random)[0]
        upright = [turned for turns in range(4) if (turned := crop.rot90(turns))[0, 1] - turned[0, 0] == 1]
        (turned,) = [u for u in upright if u[1, 0] - u[0, 0] == 10]
        y, x = divmod(int(turned[0, 0]), 10)
        assert torch.equal(turned, fine[0, y : y + 4, x : x + 4])
        seen.add((y, x))
    assert len(seen) > 20


def test_pictures_are_cut_to_whole_coarse_pixels_and_stretched_as_their_coarse_version(inshore: Path) -> None:
    fine = read_rgb(inshore / "1.jpg", 4)
    assert fine.shape == (3, 64, 88)
    seen = photograph(inshore / "1.jpg", 4)
    assert torch.equal(seen.pixels, fine)
    coarse = coarser(fine[None] / 255, 4)[0]
    low, high = np.percentile(coarse.reshape(3, -1).numpy(), (1, 99), axis=1)
    assert seen.low.flatten().numpy() == pytest.approx(low, abs=1e-5)
    assert seen.high.flatten().numpy() == pytest.approx(high, abs=1e-5)


def test_an_untrained_network_is_worth_as_much_as_bicubic(picture: Photograph) -> None:
    worth = judge(RCAN(2, TINY.layout), [picture], CPU)
    assert worth.psnr_db == pytest.approx(worth.bicubic_db, abs=1e-3)
    fine = picture.pixels[None] / 255
    assert worth.bicubic_db == pytest.approx(psnr(enlarge(coarser(fine, 2), 2), fine))


def test_a_little_training_beats_bicubic_on_what_was_learnt(picture: Photograph) -> None:
    told: list[str] = []
    network = train_sharpener([picture], TINY._replace(steps=60), CPU, told.append)
    assert not network.training
    worth = judge(network, [picture], CPU)
    assert worth.psnr_db > worth.bicubic_db + 0.3
    assert told[-1].startswith("sharpen x2, step 60 of 60: loss 0.")


def test_a_seed_gives_the_same_network_whatever_was_drawn_before(picture: Photograph) -> None:
    schedule = TINY._replace(steps=3)
    first = train_sharpener([picture], schedule, CPU, lambda _: None)
    before = torch.random.get_rng_state()
    second = train_sharpener([picture], schedule, CPU, lambda _: None)
    assert torch.equal(before, torch.random.get_rng_state())
    for name, value in first.state_dict().items():
        assert torch.equal(value, second.state_dict()[name])


def test_a_picture_smaller_than_a_crop_is_refused(picture: Photograph) -> None:
    with pytest.raises(LabelsError, match="a picture measures 66 pixels, expected the 96 of a crop"):
        train_sharpener([picture], TINY._replace(crop=96), CPU, lambda _: None)


def test_each_factor_gets_a_file_that_says_what_it_is(inshore: Path, tmp_path: Path) -> None:
    config = SharpenConfig(
        factors=(2, 4), output=tmp_path / "new" / "out", inshore=inshore, groups=1, blocks=1, width=8, steps=2, batch=2,
        crop=32, terms="drawn", device="cpu", precision="float32",
    )  # fmt: skip
    told: list[str] = []
    for factor, path in zip((2, 4), train_sharpeners(config, told.append), strict=True):
        assert path == tmp_path / "new" / "out" / f"x{factor}.safetensors"
        card = read_sharpener(path, factor).card
        assert (card.factor, card.layout, card.steps, card.terms) == (factor, Layout(1, 1, 8), 2, "drawn")
        assert (card.trained_on, card.split) == (("inshore train, 2 pictures",), "inshore validation")
        assert card.psnr_db is not None
        assert card.gain_db == pytest.approx(0, abs=0.5)
    assert "dB on validation pictures, bicubic" in told[-1]


def test_a_network_that_looks_beyond_the_margin_is_refused_before_it_is_trained(tmp_path: Path) -> None:
    config = SharpenConfig(factors=(2,), output=tmp_path, inshore=tmp_path, groups=10, blocks=20)
    with pytest.raises(ConfigError, match="looks 414 pixels around, expected at most 32"):
        train_sharpeners(config, lambda _: None)
