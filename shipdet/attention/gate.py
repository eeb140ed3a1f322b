"""The gate of task partitioning (Lin, Shi and Zou, IEEE GRSL 2017, doi 10.1109/LGRS.2017.2727515).

    open = dilate(attention >= threshold)

Deep layers say where a shallow branch is listened to, in its loss and at inference. The
gate is hard and detached: through a soft one the network would shrink the gate to shrink
the loss. Early on the attention map is empty, so the truth, dilated too, opens it as well.
"""

import torch.nn.functional as F
from torch import Tensor


def open_gate(attention: Tensor, threshold: float, truth: Tensor | None = None) -> Tensor:
    """Cells that the gate opens, bool (B, H, W).

    Args:
        attention: (B, H, W) probabilities.
        threshold: what opens a cell and its eight neighbours.
        truth: (B, H, W) bool, further cells to open, for the warm-up.
    """
    seen = attention.detach() >= threshold
    if truth is not None:
        seen = seen | truth
    return F.max_pool2d(seen.float().unsqueeze(1), 3, stride=1, padding=1).squeeze(1) > 0
