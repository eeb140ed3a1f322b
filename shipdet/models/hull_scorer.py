"""How likely a joined hull is a ship, from all that speaks for it: the last word on its score.

The heat of two ends and how well they point at each other weigh differently for a boat of
30 px and a tanker of 300, alone or in a raft. A small perceptron learns how, from hulls that
were found on training pictures; its output is a probability, so scores are calibrated.
"""

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

Array = NDArray[np.float64]

EVIDENCE = (
    "quality",
    "weaker_end",
    "stronger_end",
    "turn",
    "stretch",
    "mean_stretch",
    "lone",
    "beams_differ",
    "cover",
    "least_cover",
    "beside_less",
    "beside_more",
    "beyond",
    "length",
    "length_squared",
    "aspect",
    "aspect_squared",
    "bow",
)
"""What is known of a hull, in this order; `inference.evidence` says how each is taken."""
HIDDEN = 12


class HullScorer(nn.Module):
    """Evidence (N, F) to logits (N,)."""

    mean: Tensor
    spread: Tensor

    def __init__(self) -> None:
        super().__init__()
        self.register_buffer("mean", torch.zeros(len(EVIDENCE)))
        self.register_buffer("spread", torch.ones(len(EVIDENCE)))
        self.layers = nn.Sequential(nn.Linear(len(EVIDENCE), HIDDEN), nn.Tanh(), nn.Linear(HIDDEN, 1))

    def forward(self, evidence: Tensor) -> Tensor:
        """Logits (N,) of being a ship."""
        logits: Tensor = self.layers((evidence - self.mean) / self.spread)[:, 0]
        return logits

    def probability(self, evidence: Array) -> Array:
        """(N,) of being a ship, in double precision, so that it does not depend on how many are asked at once."""
        with torch.inference_mode():
            weights = {name: value.double() for name, value in self.state_dict().items()}
            logits = torch.func.functional_call(self, weights, torch.from_numpy(evidence))
        likely: Array = logits.sigmoid().numpy()
        return likely
