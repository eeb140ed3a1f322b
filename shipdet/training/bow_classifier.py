"""Training of what tells a hull's bow from its stern, on labelled hulls alone, each cut out as it will be shown."""

from collections.abc import Callable, Sequence
from typing import NamedTuple

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.optim.swa_utils import AveragedModel, get_ema_multi_avg_fn

from shipdet.models.bow_classifier import BowClassifier
from shipdet.models.device import has_fast_bfloat16
from shipdet.training.hulls import Hull, picture_of
from shipdet.training.pictures import Picture

LEAST_LENGTH = 14.0
"""Pixels: nobody sees the bow of anything shorter."""
CERTAIN = 0.98
"""What a label is worth: some are wrong."""
STEEPEST = 5.0
"""Norm that gradients are cut to."""
TOLD_EVERY = 200


class BowSchedule(NamedTuple):
    """How the classifier is trained."""

    steps: int = 3000
    batch: int = 32
    drawn_share: float = 0.3
    """of the hulls, how many are of drawn harbours"""
    learning_rate: float = 2e-3
    weight_decay: float = 0.02
    average: float = 0.995
    """of the running average that is kept"""
    width: int = 24
    seed: int = 0


def hulls_of(pictures: Sequence[Picture]) -> list[Hull]:
    """The hulls to learn from: long enough to see, and with a bow that is known."""
    hulls = []
    for picture in pictures:
        labels = picture.labels
        sure = labels.bow_known & ~labels.difficult & (labels.length >= LEAST_LENGTH)
        hulls += [Hull(picture, labels.bow[i], labels.stern[i]) for i in np.flatnonzero(sure)]
    return hulls


def train_bow_classifier(
    real: Sequence[Hull], drawn: Sequence[Hull], schedule: BowSchedule, report: Callable[[str], None]
) -> BowClassifier:
    """A classifier taught by hulls, real and drawn; the running average after the last step.

    Args:
        real: of labelled pictures, at least one.
        drawn: of drawn harbours; with none all are real.
        schedule: how.
        report: is told how it goes.
    """
    random = np.random.default_rng(schedule.seed)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(schedule.seed)
        classifier = BowClassifier(schedule.width).train()
        average = AveragedModel(classifier, multi_avg_fn=get_ema_multi_avg_fn(schedule.average), use_buffers=True)
        optimiser = torch.optim.AdamW(
            classifier.parameters(), schedule.learning_rate, weight_decay=schedule.weight_decay
        )
        rates = torch.optim.lr_scheduler.OneCycleLR(optimiser, schedule.learning_rate, total_steps=schedule.steps + 1)
        right, fast = 0.5, has_fast_bfloat16(torch.device("cpu"))
        for step in range(1, schedule.steps + 1):
            shown, up = _batch(real, drawn, schedule, random)
            with torch.autocast("cpu", torch.bfloat16, enabled=fast):
                logits = classifier(shown.contiguous(memory_format=torch.channels_last)).float()
            optimiser.zero_grad()
            F.binary_cross_entropy_with_logits(logits, torch.where(up, CERTAIN, 1 - CERTAIN)).backward()
            nn.utils.clip_grad_norm_(classifier.parameters(), STEEPEST)
            optimiser.step()
            rates.step()
            average.update_parameters(classifier)
            right += 0.02 * (float(((logits > 0) == up).float().mean()) - right)
            if step % TOLD_EVERY == 0:
                report(f"step {step} of {schedule.steps}: {right:.1%} of the training hulls the right way up")
    kept = BowClassifier(schedule.width)
    kept.load_state_dict(average.module.state_dict())
    return kept.eval()


def _batch(
    real: Sequence[Hull], drawn: Sequence[Hull], schedule: BowSchedule, random: np.random.Generator
) -> tuple[Tensor, Tensor]:
    """Pictures (N, 3, ROWS, COLUMNS), half of them upside down, and which are upright (N,)."""
    shown = []
    for _ in range(schedule.batch):
        hulls = drawn if len(drawn) and random.random() < schedule.drawn_share else real
        shown.append(picture_of(hulls[int(random.integers(len(hulls)))], random))
    up = torch.from_numpy(random.random(schedule.batch) < 0.5)
    pictures = torch.from_numpy(np.stack(shown))
    return torch.where(up[:, None, None, None], pictures, pictures.flip(2, 3)), up
