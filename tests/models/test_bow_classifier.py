"""The classifier of bows, untrained."""

import pytest
import torch

from shipdet.models.bow_classifier import BowClassifier
from shipdet.raster.aligned import COLUMNS, ROWS


@pytest.fixture
def classifier() -> BowClassifier:
    torch.manual_seed(0)
    return BowClassifier(8).double().eval()


@pytest.fixture
def hulls() -> torch.Tensor:
    return torch.rand(5, 3, ROWS, COLUMNS, dtype=torch.float64, generator=torch.Generator().manual_seed(1))


def test_a_hull_upside_down_is_told_the_opposite(classifier: BowClassifier, hulls: torch.Tensor):
    logits = classifier(hulls)
    assert logits.shape == (5,)
    assert logits.dtype == torch.float64
    assert logits.abs().min() > 0
    torch.testing.assert_close(classifier(hulls.flip(2, 3)), -logits)


def test_what_looks_alike_from_both_ends_is_undecided(classifier: BowClassifier, hulls: torch.Tensor):
    alike = hulls + hulls.flip(2, 3)
    torch.testing.assert_close(classifier(alike), torch.zeros(5, dtype=torch.float64))


def test_a_hull_is_told_the_same_alone_and_among_others(classifier: BowClassifier, hulls: torch.Tensor):
    alone = torch.cat([classifier(hull[None]) for hull in hulls])
    torch.testing.assert_close(alone, classifier(hulls))
