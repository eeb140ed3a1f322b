"""Training of the scale head on a frozen network, at ships and false alarms instead of pixels.

What several views say of a ship is fused as it will be at inference, and the loss is on what comes
out: is it a ship (cross-entropy of the fused score, after a line through its logit), how far are the
fused ends off, is the fused bow the bow. The paper's S further losses teach the network at each scale;
this one was taught before, at many scales, and stays as it is. A small part of the loss draws
attention to the true scale where that is known, so that the likely ground pixel can be read from it.
"""

from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor

from shipdet.attention.scale import fuse
from shipdet.models.scale_head import CLASSES, ScaleHead

SPREAD = 0.5
"""Natural logarithm of a supposed over the true ground pixel that costs a view 40 % of its target weight."""
LEAST = 1e-3


class Lessons(NamedTuple):
    """N hulls, each looked for in V views; rows that teach nothing are left out."""

    features: Tensor
    """(N, V, P, C) float16, what the deep branch says along the hull"""
    score: Tensor
    """(N, V) float32, each view's score of the hull, 0 where it does not show it"""
    off: Tensor
    """(N, V, 4) float32, how far off each view places bow and stern of the labelled ship, in its lengths"""
    bow: Tensor
    """(N, V) float32, each view's probability that the ship's bow is the labelled one; NaN where that is unknown"""
    ship: Tensor
    """(N,) bool; the others are false alarms, of which `off` and `bow` say nothing"""
    gsd_m: Tensor
    """(N, V) that the view supposes over the true one where that is known, else NaN"""


class ScaleHeadSchedule(NamedTuple):
    """How the head is trained."""

    steps: int = 600
    batch: int = 256
    learning_rate: float = 3e-3
    weight_decay: float = 0.01
    hidden: int = 32
    ends: float = 5.0
    """weight of the distance of fused ends, in lengths"""
    bow: float = 1.0
    """weight of the cross-entropy of fused bows"""
    true_scale: float = 0.1
    """weight of the part of the loss that draws attention to the true scale"""
    left_out: float = 0.2
    """share of the views that a lesson goes without, so that other sets of scales do too"""
    trust: float = 0.6
    """factor of the logits in the end: the network knows its training pictures by heart, and is as sure of no others"""
    seed: int = 0


def train_scale_head(lessons: Lessons, schedule: ScaleHeadSchedule) -> ScaleHead:
    """A head taught by lessons, ships and false alarms as often.

    Args:
        lessons: of all pictures.
        schedule: how.
    """
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(schedule.seed)
        head = ScaleHead(lessons.features.shape[-1] - CLASSES, schedule.hidden)
    line = torch.tensor([1.0, 0.0], requires_grad=True)
    parameters = [*head.parameters(), line]
    optimiser = torch.optim.AdamW(parameters, schedule.learning_rate, weight_decay=schedule.weight_decay)
    falling = torch.optim.lr_scheduler.CosineAnnealingLR(optimiser, schedule.steps)
    random = torch.Generator().manual_seed(schedule.seed)
    kinds = [rows.flatten() for rows in (lessons.ship.nonzero(), (~lessons.ship).nonzero()) if len(rows)]
    for _ in range(schedule.steps):
        rows = torch.cat([k[torch.randint(len(k), (schedule.batch // 2,), generator=random)] for k in kinds])
        some = Lessons(*(field[rows] for field in lessons))
        seen = torch.rand(some.score.shape, generator=random) >= schedule.left_out
        optimiser.zero_grad()
        head_loss(worth(head, some.features), some, seen, line, schedule).backward()
        optimiser.step()
        falling.step()
    return head.damped(schedule.trust).eval()


def head_loss(logits: Tensor, lessons: Lessons, seen: Tensor, line: Tensor, schedule: ScaleHeadSchedule) -> Tensor:
    """Loss of some lessons.

    Args:
        logits: (N, V) what the head says that the views are worth.
        lessons: N of them.
        seen: (N, V) bool, the views that count; where none does, all do.
        line: (2,) slope and intercept of the fused score's logit.
        schedule: has the weights.
    """
    left_out = ~(seen | ~seen.any(dim=1, keepdim=True))
    fused = fuse(lessons.score[:, :, None], logits.masked_fill(left_out, -torch.inf))
    score = fused.scores[:, 0].clamp(LEAST, 1 - LEAST)
    loss = F.binary_cross_entropy_with_logits(line[0] * score.logit() + line[1], lessons.ship.float())
    share = fused.weights * lessons.score
    share = (share / share.sum(dim=1, keepdim=True).clamp(min=1e-6))[lessons.ship]
    off = (share[:, :, None] * lessons.off[lessons.ship]).sum(dim=1)
    loss = loss + schedule.ends * _mean(off.abs().sum(dim=1))
    known = lessons.bow[lessons.ship].isfinite().all(dim=1)
    bow = (share[known] * lessons.bow[lessons.ship][known]).sum(dim=1)
    loss = loss - schedule.bow * _mean(bow.clamp(LEAST, 1).log())
    return loss + schedule.true_scale * _far_from_true_scale(fused.weights, lessons, left_out)


def _far_from_true_scale(weights: Tensor, lessons: Lessons, left_out: Tensor) -> Tensor:
    """Cross-entropy of attention (N, V) at ships against a bell around the true scale, where that is known."""
    known = lessons.ship & lessons.gsd_m.isfinite().all(dim=1)
    far = (lessons.gsd_m[known].log() / SPREAD) ** 2 / 2
    wanted = (-far).masked_fill(left_out[known], -torch.inf).softmax(dim=1)
    return _mean(-(wanted * weights[known].clamp(min=LEAST).log()).sum(dim=1))


def _mean(values: Tensor) -> Tensor:
    return values.sum() / max(len(values), 1)


def worth(head: ScaleHead, features: Tensor) -> Tensor:
    """Logits (N, V) of lessons' features (N, V, P, C): means along the hull, as at inference."""
    n, views, places, channels = features.shape
    cells = features.reshape(1, n * views, places, channels).permute(0, 3, 1, 2).float()
    logits: Tensor = head(cells).reshape(n, views, places).mean(dim=2)
    return logits
