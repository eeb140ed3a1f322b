"""The scout's network."""

from pathlib import Path

import pytest
import torch

from shipdet.models.scout import SCOUT_CELL, SCOUT_REACH, Scout, fused
from shipdet.models.weights import Model, ScoutFacts, load_weights, round_to_half, save_weights

FACTS = ScoutFacts(threshold=0.2, split="a split", ships=10, lost_recall=0.0, opened=0.4)


@pytest.fixture
def scout() -> Scout:
    torch.manual_seed(0)
    network = Scout()
    network.train()
    network(torch.rand(4, 3, 64, 64))  # its normalisations have seen something
    return network.eval()


def test_it_is_light_and_says_one_word_a_cell(scout: Scout):
    assert sum(value.numel() for value in scout.parameters()) <= 30_000
    assert scout(torch.rand(2, 3, 33, 80)).shape == (2, 5, 10)


def test_folding_its_normalisations_changes_nothing(scout: Scout):
    pixels = torch.rand(1, 3, 96, 72)
    with torch.inference_mode():
        torch.testing.assert_close(fused(scout)(pixels), scout(pixels), rtol=1e-4, atol=1e-5)


def test_nothing_beyond_its_reach_matters(scout: Scout):
    pixels = torch.rand(1, 3, 176, 176)
    other = pixels.clone()
    cell = slice(80, 80 + SCOUT_CELL)
    near = slice(cell.start - SCOUT_REACH, cell.stop + SCOUT_REACH)
    other[..., : near.start, :] = 7
    other[..., near.stop :, :] = 7
    other[..., : near.start] = 7
    other[..., near.stop :] = 7
    with torch.inference_mode():
        assert scout(pixels)[0, 10, 10] == pytest.approx(float(scout(other)[0, 10, 10]), abs=1e-5)


def test_it_travels_in_a_weights_file_with_what_is_known_of_it(tmp_path: Path, scout: Scout):
    plain = load_weights("inshore-vhr")
    card = plain.card.model_copy(update={"scout": FACTS})
    save_weights(tmp_path / "a.safetensors", Model(*plain)._replace(card=card, scout=round_to_half(scout)))
    found = load_weights(str(tmp_path / "a.safetensors"))
    assert found.card.scout == FACTS
    assert found.scout is not None
    pixels = torch.rand(1, 3, 32, 32)
    assert torch.equal(found.scout(pixels), scout(pixels))
