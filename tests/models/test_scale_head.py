"""The head for attention to scale, and how it travels."""

from pathlib import Path

import pytest
import torch

from shipdet.errors import WeightsError
from shipdet.models.scale_head import ScaleHead, confidence_logits, deep_features
from shipdet.models.task_partition import Coarse, TaskPartition
from shipdet.models.weights import Card, Model, load_weights, save_weights

CARD = Card(
    name="tiny", width=64, context=48, blocks=2, gsd_m=1.0, bands=("red", "green", "blue"), normalisation="none",
    classes=("background", "hull", "end"), gate_threshold=0.1, score_threshold=0.3, fused_threshold=0.2,
    trained_on=("drawn harbours",), terms="none", steps=7,
)  # fmt: skip


def coarse(height: int, width: int) -> Coarse:
    random = torch.Generator().manual_seed(0)
    logits, context = (torch.randn(2, n, height, width, generator=random) for n in (3, 48))
    return Coarse(logits, torch.zeros(2, 32, 2 * height, 2 * width), context, torch.zeros(2, 0, height, width))


@pytest.mark.parametrize("size", [(1, 1), (7, 3)])
def test_it_says_one_logit_a_cell_at_any_size(size: tuple[int, int]):
    seen = coarse(*size)
    assert ScaleHead()(deep_features(seen)).shape == (2, *size)
    assert confidence_logits(seen).shape == (2, *size)


def test_it_reaches_no_further_than_its_own_cell():
    head, features = ScaleHead().eval(), deep_features(coarse(5, 6))
    torch.testing.assert_close(head(features)[:, 2:4, 1:3], head(features[:, :, 2:4, 1:3]))


def test_confidence_is_greatest_where_there_is_surely_ship():
    seen = coarse(1, 2)
    seen.logits[:, :, :, 0] = torch.tensor([0.0, 20.0, 0.0])[:, None]
    seen.logits[:, :, :, 1] = torch.tensor([20.0, 0.0, 0.0])[:, None]
    ship, water = confidence_logits(seen)[0, 0]
    assert ship > 3.9
    assert water < 0.1


def test_it_travels_in_the_file_of_its_network(network: TaskPartition, tmp_path: Path):
    head, card = ScaleHead(hidden=5).eval(), CARD.model_copy(update={"scale_head": 5})
    save_weights(tmp_path / "both.safetensors", Model(network, card, scale_head=head))
    model = load_weights(str(tmp_path / "both.safetensors"))
    assert model.card == card
    features = deep_features(coarse(3, 4))
    torch.testing.assert_close(model.scale_head(features), head(features), rtol=1e-2, atol=1e-3)


def test_a_file_without_a_head_has_none(network: TaskPartition, tmp_path: Path):
    save_weights(tmp_path / "one.safetensors", Model(network, CARD))
    assert load_weights(str(tmp_path / "one.safetensors")).scale_head is None


def test_a_head_that_does_not_fit_its_card_is_refused(network: TaskPartition, tmp_path: Path):
    card = CARD.model_copy(update={"scale_head": 6})
    save_weights(tmp_path / "odd.safetensors", Model(network, card, scale_head=ScaleHead(hidden=5)))
    with pytest.raises(WeightsError, match="do not fit"):
        load_weights(str(tmp_path / "odd.safetensors"))
