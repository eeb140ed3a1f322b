import numpy as np
import pytest
import torch

from shipdet.models.hull_scorer import EVIDENCE, HullScorer


@pytest.fixture
def scorer() -> HullScorer:
    torch.manual_seed(0)
    return HullScorer()


def test_evidence_is_named_once_each():
    assert len(set(EVIDENCE)) == len(EVIDENCE)


def test_probability_is_the_sigmoid_of_the_logit(scorer: HullScorer):
    known = np.random.default_rng(0).normal(size=(5, len(EVIDENCE)))
    logits = scorer(torch.from_numpy(known).float()).detach().numpy()
    np.testing.assert_allclose(scorer.probability(known), 1 / (1 + np.exp(-logits)), atol=1e-6)


def test_a_score_does_not_depend_on_what_else_is_scored(scorer: HullScorer):
    known = np.random.default_rng(1).normal(size=(50, len(EVIDENCE)))
    one_by_one = np.concatenate([scorer.probability(row[None]) for row in known])
    np.testing.assert_allclose(scorer.probability(known), one_by_one, rtol=1e-12)


def test_evidence_is_weighed_against_its_usual_mean_and_spread(scorer: HullScorer):
    plain = scorer.probability(np.ones((1, len(EVIDENCE))))
    scorer.mean += 2.0
    scorer.spread *= 3.0
    np.testing.assert_allclose(scorer.probability(np.full((1, len(EVIDENCE)), 5.0)), plain, rtol=1e-6)


def test_no_hulls_have_no_scores(scorer: HullScorer):
    assert scorer.probability(np.zeros((0, len(EVIDENCE)))).shape == (0,)
