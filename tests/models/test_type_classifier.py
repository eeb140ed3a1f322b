"""The classifier of types, untrained."""

import pytest
import torch

from shipdet.models.type_classifier import SCALES, SHOWN, TypeClassifier, centred
from shipdet.raster.aligned import COLUMNS, ROWS


@pytest.fixture
def classifier() -> TypeClassifier:
    torch.manual_seed(0)
    return TypeClassifier(5, width=4).double().eval()


@pytest.fixture
def hulls() -> torch.Tensor:
    return torch.rand(4, 3, ROWS, COLUMNS, dtype=torch.float64, generator=torch.Generator().manual_seed(1))


def test_each_hull_has_a_logit_a_type(classifier: TypeClassifier, hulls: torch.Tensor):
    logits = classifier(hulls)
    assert logits.shape == (4, 5)
    assert logits.dtype == torch.float64


def test_a_hull_is_told_the_same_alone_and_among_others(classifier: TypeClassifier, hulls: torch.Tensor):
    alone = torch.cat([classifier(hull[None]) for hull in hulls])
    torch.testing.assert_close(alone, classifier(hulls))


def test_it_looks_at_all_of_the_hull_and_then_closer_and_says_what_all_scales_see(
    classifier: TypeClassifier, hulls: torch.Tensor
):
    seen = classifier.zooming(centred(hulls))
    assert len(seen.images) == SCALES
    assert all(image.shape[-2:] == SHOWN for image in seen.images)
    assert (seen.boxes[1].half < seen.boxes[0].half).all()
    torch.testing.assert_close(classifier(hulls), seen.fused[-1])
