"""Training of what tells a hull's bow from its stern, on labelled hulls alone, each cut out as it will be shown."""

from collections.abc import Callable, Sequence
from typing import NamedTuple

import cv2
import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.optim.swa_utils import AveragedModel, get_ema_multi_avg_fn

from shipdet.models.bow_classifier import BowClassifier
from shipdet.models.device import has_fast_bfloat16
from shipdet.raster.aligned import COLUMNS, ROWS, along_hull, window_along
from shipdet.raster.reader import FILL
from shipdet.training.augmentation import relit
from shipdet.training.pictures import Picture, decode

Array = NDArray[np.float64]
Pixels = NDArray[np.float32]

LEAST_LENGTH = 14.0
"""Pixels: nobody sees the bow of anything shorter."""
OFF = 0.03
"""Standard deviation of what an end is off, in lengths: found ends are no labels."""
SPREAD = 0.06
"""Likewise of the hull's size in its picture, as natural logarithm."""
COARSER, COARSER_SHARE = (0.2, 0.8), 0.3
"""Hulls shown as if seen with fewer pixels, and how many."""
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


class Hull(NamedTuple):
    """A labelled hull and the picture that it is in."""

    picture: Picture
    bow: Array
    stern: Array


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
        shown.append(_shown(hulls[int(random.integers(len(hulls)))], random))
    up = torch.from_numpy(random.random(schedule.batch) < 0.5)
    pictures = torch.from_numpy(np.stack(shown))
    return torch.where(up[:, None, None, None], pictures, pictures.flip(2, 3)), up


def _shown(hull: Hull, random: np.random.Generator) -> Pixels:
    """A hull (3, ROWS, COLUMNS), its bow up, as it may look another time."""
    length = float(np.hypot(*(hull.bow - hull.stern)))
    middle, half = (hull.bow + hull.stern) / 2, (hull.bow - hull.stern) / 2 * np.exp(random.normal(0, SPREAD))
    off = random.normal(0, OFF * length, (2, 2))
    bow, stern = middle + half + off[0], middle - half + off[1]
    window = window_along(bow, stern)
    seen = along_hull(_cut(hull.picture, window.x, window.y, (window.height, window.width)), window, bow, stern)
    pixels = np.ascontiguousarray(seen.transpose(1, 2, 0))
    if random.random() < 0.5:
        pixels = np.ascontiguousarray(pixels[:, ::-1])
    if random.random() < COARSER_SHARE:
        share = random.uniform(*COARSER)
        few = cv2.resize(pixels, None, fx=share, fy=share, interpolation=cv2.INTER_AREA)
        pixels = np.asarray(cv2.resize(few, (COLUMNS, ROWS), interpolation=cv2.INTER_LINEAR), np.float32)
    return np.ascontiguousarray(relit(pixels, random).transpose(2, 0, 1))


def _cut(picture: Picture, x: int, y: int, shape: tuple[int, int]) -> Pixels:
    """A window (3, H, W) of a picture, which may stick out of it."""
    height, width = picture.mask.shape
    cut = np.full((*shape, 3), FILL, np.float32)
    top, left, bottom, right = max(y, 0), max(x, 0), min(y + shape[0], height), min(x + shape[1], width)
    if top < bottom and left < right:
        cut[top - y : bottom - y, left - x : right - x] = decode(picture.pixels[top:bottom, left:right])
    return np.ascontiguousarray(cut.transpose(2, 0, 1))
