import numpy as np
import torch

from shipdet.models.hull_scorer import EVIDENCE
from shipdet.training.hull_scoring import fit_scorer


def evidence_of_a_known_law(count: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Only one kind of evidence counts; the truth is drawn with the probability that it gives."""
    rng = np.random.default_rng(3)
    known = rng.normal(1.0, 2.0, (count, len(EVIDENCE)))
    chance = 1 / (1 + np.exp(-3 * (known[:, 4] - 1.0)))
    return known, chance, rng.random(count) < chance


def test_the_fitted_scorer_gives_calibrated_probabilities():
    known, chance, right = evidence_of_a_known_law(4000)
    scored = fit_scorer(known, right, seed=0).probability(known)
    assert np.abs(scored - chance).mean() < 0.07
    for low in (0.2, 0.4, 0.6):
        within = (scored >= low) & (scored < low + 0.2)
        assert abs(right[within].mean() - scored[within].mean()) < 0.1


def test_the_same_seed_fits_the_same_scorer_and_leaves_torch_s_own_randomness_alone():
    known, _, right = evidence_of_a_known_law(300)
    torch.manual_seed(5)
    expected = torch.rand(1)
    torch.manual_seed(5)
    first = fit_scorer(known, right, seed=1)
    assert torch.rand(1) == expected
    np.testing.assert_array_equal(first.probability(known), fit_scorer(known, right, seed=1).probability(known))
