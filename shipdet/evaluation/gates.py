"""Whether the gate was open at the ends of labelled ships."""

import numpy as np
import torch

from shipdet.attention.gate import open_gate
from shipdet.evaluation.matching import Mask, ignored
from shipdet.evaluation.metrics import GateHits
from shipdet.inference.engine import Found
from shipdet.labels.types import Labels
from shipdet.models.task_partition import COARSE_STRIDE


def gate_hits(found: Found, labels: Labels, threshold: float, counted: Mask | None = None) -> GateHits:
    """Of the ends of the ships that count (by default all but `ignored` ones), those where the gate is open."""
    counted = ~ignored(labels) if counted is None else counted
    ends = found.sampling.to_model(np.concatenate([labels.bow[counted], labels.stern[counted]]))
    gate = open_gate(torch.from_numpy(found.attention)[None].float() / 255, threshold)[0].numpy()
    column, row = np.floor(ends / COARSE_STRIDE).astype(int).T
    inside = (row >= 0) & (row < gate.shape[0]) & (column >= 0) & (column < gate.shape[1])
    return GateHits(int(gate[row[inside], column[inside]].sum()), len(ends))
