"""The Lightning module that trains RA-CNN: classifiers and proposals in turns (Fu, Zheng and Mei, CVPR 2017).

First the proposals learn where the features respond most; then classifiers, with their backbones, and proposals take
turns, each held still while the other learns, its running statistics included. The boxcar's k grows all the
while, so that early boxes have wide edges to learn from and late ones cut sharply.
"""

from typing import NamedTuple

import lightning as L
import torch
import torch.nn.functional as F
from lightning.pytorch.core.optimizer import LightningOptimizer
from torch import Tensor
from torch.nn import Parameter
from torch.optim import Optimizer

from shipdet.attention.apn import rank_loss, start_loss, strongest_response
from shipdet.attention.ra_cnn import RACNN, Scales


class Turns(NamedTuple):
    """How training goes, in steps. One turn of the classifiers and one of the proposals make a round."""

    first: int
    """for the classifiers alone, so that features and probabilities mean something"""
    start: int
    """then for the proposals, towards the strongest response"""
    classify: int
    """a turn of the classifiers"""
    propose: int
    """a turn of the proposals"""
    total: int
    """steps in all; k rises to its last value over them, and each learning rate falls to zero over those that use it"""


class Rates(NamedTuple):
    """Learning rates, and the boxcar's k at the first and last step."""

    classify: float = 1e-3
    propose: float = 1e-4
    sharpness: tuple[float, float] = (10.0, 100.0)


class RACNNTraining(L.LightningModule):
    """Trains `network` on batches of pictures (B, C, H, W) and classes (B,).

    Proposals without parameters, such as a box that is always the middle, are left as they are.
    """

    def __init__(self, network: RACNN, turns: Turns, rates: Rates) -> None:
        super().__init__()
        self.automatic_optimization = False
        self.network, self.turns, self.rates = network, turns, rates
        self.teachable = bool(list(network.proposals.parameters()))
        self.proposing = [self.proposes(step) for step in range(turns.total)]

    def sharpness(self, step: int) -> float:
        """The boxcar's k at a step: from the first value to the last, geometrically."""
        first, last = self.rates.sharpness
        return float(first * (last / first) ** min(step / self.turns.total, 1))

    def proposes(self, step: int) -> bool:
        """Whether this step is the proposals'."""
        t = self.turns
        if step < t.first or not self.teachable:
            return False
        if step < t.first + t.start:
            return True
        return (step - t.first - t.start) % (t.classify + t.propose) >= t.classify

    def learnt(self, step: int) -> float:
        """Share of their steps, 0 to 1, that those whose turn it is have behind them.

        So classifiers learn alike whether there is something to propose between their turns or not.
        """
        turn = self.proposes(step)
        return self.proposing[:step].count(turn) / max(self.proposing.count(turn), 1)

    def training_step(self, batch: list[Tensor], _: int) -> None:
        """One step of whoever's turn it is."""
        image, classes = batch
        step = self.global_step
        turn = int(self.proposes(step))
        optimiser = self._optimisers()[turn]
        for group in optimiser.param_groups:
            group["lr"] = group["initial_lr"] * (1 - self.learnt(step))
        self.toggle_optimizer(optimiser)
        self._hold(turn)
        scales = self.network(image, self.sharpness(step))
        self.network.train()
        loss = self._proposals(scales, classes, step) if turn else self._classifiers(scales, classes)
        optimiser.zero_grad()
        self.manual_backward(loss)
        optimiser.step()
        self.untoggle_optimizer(optimiser)

    def _hold(self, turn: int) -> None:
        """Whose turn it is not evaluates: batch norms would move on without their parameters."""
        network = self.network
        for part in (network.backbones, network.classifiers, network.fuse) if turn else (network.proposals,):
            part.eval()

    def _classifiers(self, scales: Scales, classes: Tensor) -> Tensor:
        losses = []
        for kind, told, first in (("scale", scales.logits, 1), ("fused", scales.fused, 2)):
            for number, logits in enumerate(told, start=first):
                losses.append(F.cross_entropy(logits, classes))
                self.log(f"loss/{kind}{number}", losses[-1])
        return torch.stack(losses).sum()

    def _proposals(self, scales: Scales, classes: Tensor, step: int) -> Tensor:
        if step < self.turns.first + self.turns.start:
            pairs = zip(scales.proposed, scales.features[:-1], strict=True)
            loss = torch.stack([start_loss(box, strongest_response(f)) for box, f in pairs]).sum()
            self.log("loss/start", loss)
            return loss
        true = [logits.softmax(dim=1).gather(1, classes[:, None]).squeeze(1) for logits in scales.logits]
        loss = rank_loss(true)
        self.log("loss/rank", loss)
        for number, box in enumerate(scales.boxes, start=2):
            self.log(f"box/half{number}", box.half.mean())
        return loss

    def _optimisers(self) -> list[LightningOptimizer]:
        found = self.optimizers()
        return found if isinstance(found, list) else [found]

    def configure_optimizers(self) -> list[Optimizer]:
        """AdamW for the classifiers, Adam for the proposals, where there are any."""
        proposals = list(self.network.proposals.parameters())
        mine = {id(p) for p in proposals}
        others: list[Parameter] = [p for p in self.network.parameters() if id(p) not in mine]
        optimisers: list[Optimizer] = [torch.optim.AdamW(others, self.rates.classify)]
        if proposals:
            optimisers.append(torch.optim.Adam(proposals, self.rates.propose))
        for optimiser in optimisers:
            for group in optimiser.param_groups:
                group["initial_lr"] = group["lr"]
        return optimisers
