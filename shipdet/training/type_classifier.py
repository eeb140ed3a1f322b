"""Training of what tells types of ship from a look at each hull alone, on labelled hulls, by RA-CNN's turns."""

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from typing import NamedTuple

import lightning as L
import numpy as np
import torch
from lightning.pytorch.callbacks import LambdaCallback
from torch import Tensor

from shipdet.labels.types import SHIP_TYPES
from shipdet.models.type_classifier import TypeClassifier, centred
from shipdet.training.hulls import Hull, picture_of
from shipdet.training.pictures import Picture
from shipdet.training.quiet import quiet_lightning
from shipdet.training.ra_cnn import RACNNTraining, Rates, Turns

LEAST_LENGTH = 12.0
"""Pixels: nobody sees the type of anything shorter."""
TOLD_EVERY = 200


class TypeSchedule(NamedTuple):
    """How the classifier is trained."""

    steps: int = 3000
    batch: int = 32
    rates: Rates = Rates(classify=2e-3, propose=1e-3)
    width: int = 16
    seed: int = 0

    @property
    def turns(self) -> Turns:
        """A third for the classifiers alone, a tenth for a start of the proposals, the rest in turns."""
        return Turns(first=self.steps // 3, start=max(self.steps // 10, 1), classify=15, propose=15, total=self.steps)


class TypedHull(NamedTuple):
    """A labelled hull and what it is."""

    hull: Hull
    type: int
    """of `SHIP_TYPES`"""


def typed_hulls(pictures: Sequence[Picture], *, difficult: bool = False) -> list[TypedHull]:
    """The hulls to learn from: of a known type, and long enough to see it.

    Args:
        pictures: with labels.
        difficult: whether ships count that nobody can be blamed for missing; mosaics of chips have no others.
    """
    hulls = []
    for picture in pictures:
        labels = picture.labels
        for i in np.flatnonzero((labels.length >= LEAST_LENGTH) & (difficult | ~labels.difficult)).tolist():
            if labels.type[i] in SHIP_TYPES:
                hull = Hull(picture, labels.bow[i], labels.stern[i])
                hulls.append(TypedHull(hull, SHIP_TYPES.index(labels.type[i])))
    return hulls


def train_type_classifier(
    hulls: Sequence[TypedHull], schedule: TypeSchedule, report: Callable[[str], None]
) -> TypeClassifier:
    """A classifier taught by hulls, of rare types more often than they come.

    Args:
        hulls: at least one.
        schedule: how.
        report: is told how it goes.
    """
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(schedule.seed)
        classifier = TypeClassifier(len(SHIP_TYPES), schedule.width)
        training = RACNNTraining(classifier.zooming, schedule.turns, schedule.rates)
        with quiet_lightning():
            _trainer(schedule.steps, report).fit(training, _batches(hulls, schedule))
    return classifier.eval()


def _trainer(steps: int, report: Callable[[str], None]) -> L.Trainer:
    def tell(trainer: L.Trainer, _module: L.LightningModule, _out: object, _batch: object, done: int) -> None:
        if (done + 1) % TOLD_EVERY == 0:
            losses = trainer.callback_metrics
            named = (("of all scales", "loss/fused3"), ("of ranks", "loss/rank"))
            told = [f"{name} {float(losses[key]):.3f}" for name, key in named if key in losses]
            report(f"step {done + 1} of {steps}: loss {', '.join(told)}")

    return L.Trainer(
        max_epochs=1, accelerator="cpu", devices=1, callbacks=[LambdaCallback(on_train_batch_end=tell)],
        logger=False, enable_checkpointing=False, enable_progress_bar=False, enable_model_summary=False,
    )  # fmt: skip


def _batches(hulls: Sequence[TypedHull], schedule: TypeSchedule) -> Iterator[list[Tensor]]:
    """Pictures (N, 3, ROWS, COLUMNS), half of them upside down, and types (N,)."""
    random = np.random.default_rng(schedule.seed)
    counts = Counter(each.type for each in hulls)
    chance = np.array([counts[each.type] for each in hulls], float) ** -0.5
    chance /= chance.sum()
    for _ in range(schedule.steps):
        chosen = [hulls[k] for k in random.choice(len(hulls), schedule.batch, p=chance).tolist()]
        pictures = torch.from_numpy(np.stack([picture_of(each.hull, random) for each in chosen]))
        turned = torch.from_numpy(random.random(schedule.batch) < 0.5)[:, None, None, None]
        shown = torch.where(turned, pictures.flip(2, 3), pictures)
        yield [centred(shown), torch.tensor([each.type for each in chosen])]
