"""Weights that sharpen."""

import json
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file, save_file
from torch import Tensor, nn

from shipdet.attention.rcan import RCAN, EqualWeights, Layout, enlarge
from shipdet.errors import OutputError, WeightsError
from shipdet.models import sharpener as module
from shipdet.models.sharpener import (
    KEY,
    Sharpener,
    SharpenerCard,
    load_sharpener,
    reach,
    read_sharpener,
    save_sharpener,
    sharpened,
)
from shipdet.models.weights import round_to_half

CARD = SharpenerCard(
    factor=2, groups=1, blocks=2, width=8, trained_on=("drawn",), terms="none", steps=7, psnr_db=33.0, gain_db=0.5
)


def random_network(card: SharpenerCard = CARD) -> RCAN:
    torch.manual_seed(0)
    network = RCAN(card.factor, card.layout)
    nn.init.normal_(network.tail[-1].weight, std=0.1)
    return round_to_half(network).eval()


@pytest.fixture
def saved(tmp_path: Path) -> Path:
    save_sharpener(tmp_path / "x2.safetensors", Sharpener(random_network(), CARD))
    return tmp_path / "x2.safetensors"


def rewritten(path: Path, card: dict[str, object] | None = None, tensors: dict[str, Tensor] | None = None) -> Path:
    """The file with another card or other tensors."""
    metadata = None if card == {} else {KEY: json.dumps(CARD.model_dump() | (card or {}))}
    save_file(tensors or load_file(path), path, metadata=metadata)
    return path


def refusal(path: Path, factor: int = 2) -> str:
    with pytest.raises(WeightsError) as caught:
        read_sharpener(path, factor)
    message = str(caught.value)
    assert "\n" not in message
    assert str(path) in message
    return message


def test_what_was_saved_is_loaded_and_sharpens_the_same(saved: Path) -> None:
    network, card = read_sharpener(saved, 2)
    assert card == CARD
    assert not network.training
    assert not any(p.requires_grad for p in network.parameters())
    image = torch.rand(1, 3, 9, 7)
    torch.testing.assert_close(network(image).image, random_network()(image).image, rtol=1e-4, atol=1e-5)


def test_those_that_ship_are_found_by_their_factor(saved: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "FOLDER", saved.parent)
    assert load_sharpener(2).card == CARD
    with pytest.raises(WeightsError, match=r"no weights to sharpen by 4: .*x4\.safetensors is missing"):
        load_sharpener(4)


def test_their_folder_is_none_where_detectors_are_looked_for() -> None:
    from shipdet.models.weights import FOLDER  # noqa: PLC0415 - beside what it is compared with

    assert not set(FOLDER.glob("*.safetensors")) & set(module.FOLDER.glob("*.safetensors"))
    assert module.FOLDER.parent == FOLDER


def test_damaged_files_are_told(saved: Path) -> None:
    saved.write_bytes(saved.read_bytes()[:200])
    assert "holds no sharpener" in refusal(saved)
    saved.write_text("not weights")
    assert "holds no sharpener" in refusal(saved)


def test_files_of_something_else_are_told(saved: Path) -> None:
    assert "has no card of a sharpener" in refusal(rewritten(saved, {}))


@pytest.mark.parametrize("bad", [{"factor": 3}, {"width": 0}, {"width": 10**9}, {"more": 1}, {"terms": None}])
def test_impossible_cards_are_told(saved: Path, bad: dict[str, object]) -> None:
    assert "holds no sharpener" in refusal(rewritten(saved, bad))


def test_another_factor_is_told(saved: Path) -> None:
    assert "sharpens by 2, expected weights that sharpen by 4" in refusal(saved, 4)


def test_tensors_of_another_size_are_told(saved: Path) -> None:
    assert "do not fit the network of its card" in refusal(rewritten(saved, {"width": 16}))


def test_a_network_that_looks_beyond_the_margin_is_told(saved: Path) -> None:
    assert "looks 34 pixels around each, expected at most 32" in refusal(rewritten(saved, {"groups": 2, "blocks": 7}))


def test_nothing_is_left_where_they_cannot_be_written(tmp_path: Path) -> None:
    with pytest.raises(OutputError):
        save_sharpener(tmp_path / "no folder" / "x2.safetensors", Sharpener(random_network(), CARD))
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("factor", [2, 4])
@pytest.mark.parametrize("layout", [Layout(1, 1, 4), Layout(2, 3, 4)])
def test_no_pixel_beyond_the_reach_has_a_say_and_the_last_within_does(factor: int, layout: Layout) -> None:
    torch.manual_seed(0)
    network = RCAN(factor, layout, EqualWeights).double()
    nn.init.normal_(network.tail[-1].weight)
    far = reach(layout)
    image = torch.rand(1, 3, 1, 2 * far + 5, dtype=torch.float64, requires_grad=True)
    middle = far + 2
    network(image).image[..., middle * factor : (middle + 1) * factor].sum().backward()
    assert image.grad is not None
    seen = (image.grad[0, :, 0] != 0).any(dim=0).nonzero().flatten() - middle
    assert -far <= seen.min() <= -far + 1
    assert far - 1 <= seen.max() <= far


def test_values_that_the_network_does_not_know_are_enlarged_as_bicubic_does_it() -> None:
    network = random_network()
    known = torch.rand(1, 3, 8, 8) * 1.7 - 0.24
    assert torch.equal(sharpened(network, known), network(known).image)
    beyond = known.clone()
    beyond[..., 4, 4] = 40.0
    clipped = beyond.clamp(max=1.5)
    expected = network(clipped).image + enlarge(beyond - clipped, 2)
    torch.testing.assert_close(sharpened(network, beyond), expected)
    assert sharpened(network, beyond).max() > 30
