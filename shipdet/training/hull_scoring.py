"""Fits the hull scorer to hulls of which it is known whether they are ships."""

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray

from shipdet.models.hull_scorer import HullScorer
from shipdet.models.weights import round_to_half

STEPS, LEARNING_RATE, WEIGHT_DECAY = 400, 1e-2, 0.1


def fit_scorer(evidence: NDArray[np.float64], right: NDArray[np.bool_], seed: int) -> HullScorer:
    """A scorer whose output is the probability of `right`, rounded as a weights file keeps it.

    Args:
        evidence: (N, F) of hulls, as `inference.evidence` takes it.
        right: (N,) whether each is a ship, found once.
        seed: of the weights that it starts from.
    """
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        scorer = HullScorer()
    scorer.mean.copy_(torch.from_numpy(evidence.mean(axis=0)))
    scorer.spread.copy_(torch.from_numpy(evidence.std(axis=0) + 1e-3))
    known, truth = torch.from_numpy(evidence).float(), torch.from_numpy(right).float()
    optimiser = torch.optim.AdamW(scorer.parameters(), LEARNING_RATE, weight_decay=WEIGHT_DECAY)
    for _ in range(STEPS):
        optimiser.zero_grad()
        loss = F.binary_cross_entropy_with_logits(scorer(known), truth)
        loss.backward()
        optimiser.step()
    return round_to_half(scorer).eval()
