"""RA-CNN on ten types of ship: does it pay to look closer where the network says?

"1+2" and "1+2+3" are the paper's way to put scales together, a classifier on their features side by side; "mean" is
that of their probabilities instead. Each scale is shown a sixteenth of a chip's pixels: the third, where boxes halve
the sides twice, sees them as they are.
"All at once" is what a detector does without zooming: one network on all of a chip's pixels, at a stride that makes it
cost a little more than the three scales do.
Claims: error falls from scale 1 to 1+2 and on to 1+2+3; boxes that the APN proposes err less than a crop of the middle
and than a crop at random, at the same size of network; all of it errs less than all at once; the rank loss falls and
the boxes move.
--picture draws the boxes on test chips.
"""

import logging
import statistics
import warnings
from collections.abc import Iterator
from functools import partial
from typing import NamedTuple

import lightning as L
import numpy as np
import torch
from lightning.pytorch.callbacks import LambdaCallback
from PIL import Image, ImageDraw
from ship_chips import HEIGHT, WIDTH, Chips, read_chips
from torch import Tensor, nn
from trials import QUICK_STEPS, Options, Table, batches, evaluating, options_of, parser, seed_everything

from shipdet.attention.apn import START, rank_loss
from shipdet.attention.ra_cnn import RACNN
from shipdet.attention.zoom import Box
from shipdet.training.ra_cnn import RACNNTraining, Rates, Turns

SCALES = 3
SHOWN = (HEIGHT // 4, WIDTH // 4)
"""Pixels that each scale sees of a chip."""
CHANNELS = 64
BATCH = 32
RATES = Rates(classify=2e-3, propose=1e-3)


class MiddleBox(nn.Module):
    """The middle of the picture, for comparison."""

    def forward(self, features: Tensor) -> Box:
        """Box of (B, C, h, w)."""
        return Box(features.new_zeros(len(features), 2), features.new_full((len(features),), START))


class RandomBox(nn.Module):
    """Anywhere in the picture, for comparison."""

    def forward(self, features: Tensor) -> Box:
        """Box of (B, C, h, w)."""
        centre = (torch.rand(len(features), 2, device=features.device) * 2 - 1) * (1 - START)
        return Box(centre, features.new_full((len(features),), START))


VARIANTS: dict[str, type[nn.Module] | None] = {"proposed": None, "middle": MiddleBox, "at random": RandomBox}
ALL = "all at once"


def backbone(first: int = 1) -> nn.Module:
    """Four convolutions, to a quarter of the picture's sides, or less by the stride of the first."""
    layers: list[nn.Module] = []
    for before, after, stride in ((3, 16, first), (16, 32, 2), (32, CHANNELS, 2), (CHANNELS, CHANNELS, 1)):
        layers += [nn.Conv2d(before, after, 3, stride, 1, bias=False), nn.BatchNorm2d(after), nn.ReLU()]
    return nn.Sequential(*layers)


def build(variant: str) -> RACNN:
    """The network, its proposals replaced where the variant says."""
    if variant == ALL:
        return RACNN(partial(backbone, first=2), CHANNELS, 10, 1, (HEIGHT, WIDTH))
    network = RACNN(backbone, CHANNELS, 10, SCALES, SHOWN)
    fixed = VARIANTS[variant]
    if fixed is not None:
        network.proposals = nn.ModuleList(fixed() for _ in range(SCALES - 1))
    return network


def stream(chips: Chips, steps: int, seed: int) -> Iterator[list[Tensor]]:
    """Batches at random, mirrored both ways and of changed brightness by chance."""
    generator = torch.Generator().manual_seed(seed)
    for _ in range(steps):
        which = torch.randint(len(chips.classes), (BATCH,), generator=generator).to(chips.images.device)
        flips = torch.rand(2, BATCH, 1, 1, 1, generator=generator).to(chips.images.device) < 0.5
        gain = (0.8 + 0.4 * torch.rand(BATCH, 1, 1, 1, generator=generator)).to(chips.images.device)
        image = torch.where(flips[0], chips.images[which].flip(2), chips.images[which])
        yield [torch.where(flips[1], image.flip(3), image) * gain, chips.classes[which]]


class Told(NamedTuple):
    """Of N test chips, at S scales."""

    probabilities: Tensor
    """(N, S, classes)"""
    fused: tuple[Tensor, ...]
    """S - 1 times (N, classes), of the first two scales and of the first three"""
    boxes: tuple[Box, ...]
    """S - 1 of them"""


def look(network: RACNN, images: Tensor) -> Told:
    """All test chips, in parts."""
    with evaluating(network):
        parts = [network(images[part]) for part in batches(len(images), 100)]
    probabilities = [torch.stack([logits.softmax(dim=1) for logits in p.logits], dim=1) for p in parts]
    finer = range(len(network.proposals))
    boxes = [
        Box(torch.cat([p.boxes[n].centre for p in parts]), torch.cat([p.boxes[n].half for p in parts])) for n in finer
    ]
    fused = [torch.cat([p.fused[n] for p in parts]) for n in finer]
    return Told(torch.cat(probabilities), tuple(fused), tuple(boxes))


def turns_of(steps: int) -> Turns:
    """A third for the classifiers alone, a tenth for a start of the proposals, the rest in turns."""
    return Turns(first=steps // 3, start=max(steps // 10, 1), classify=15, propose=15, total=steps)


def fit(network: RACNN, chips: Chips, options: Options, seed: int) -> list[float]:
    """Train; the rank loss of each step that the proposals learnt in.

    Where there is nothing to propose, the classifiers get as many steps as they have beside proposals, and no more.
    """
    turns = turns_of(options.steps)
    ranks: list[float] = []
    training = RACNNTraining(network, turns, RATES)
    if not training.teachable:
        proposing = RACNNTraining(build("proposed"), turns, RATES)
        turns = turns._replace(total=sum(not proposing.proposes(step) for step in range(turns.total)))
        training = RACNNTraining(network, turns, RATES)

    def note_rank(trainer: L.Trainer, _module: L.LightningModule, _out: object, _batch: object, step: int) -> None:
        if training.proposes(step) and "loss/rank" in trainer.callback_metrics:
            ranks.append(float(trainer.callback_metrics["loss/rank"]))

    watch = LambdaCallback(on_train_batch_end=note_rank)
    trainer = L.Trainer(
        max_epochs=1, accelerator="gpu" if options.device.type == "cuda" else "cpu", devices=1, callbacks=[watch],
        logger=False, enable_checkpointing=False, enable_progress_bar=False, enable_model_summary=False,
    )  # fmt: skip
    trainer.fit(training, stream(chips, turns.total, seed))
    network.to(options.device)
    return ranks


def judge(table: Table, variant: str, told: Told, classes: Tensor) -> None:
    """Errors of scales, alone and together."""

    def error(scores: Tensor) -> float:
        return 100 * float((scores.argmax(dim=1) != classes).float().mean())

    for scale, scores in enumerate(told.probabilities.unbind(dim=1), start=1):
        table.add(variant, f"scale {scale}", error(scores))
    if not told.boxes:
        return
    for last, scores in enumerate(told.fused, start=2):
        name = "+".join(str(scale + 1) for scale in range(last))
        table.add(variant, name, error(scores))
        table.add(variant, f"{name}, mean", error(told.probabilities[:, :last].mean(dim=1)))
    true = [p[torch.arange(len(classes)), classes] for p in told.probabilities.unbind(dim=1)]
    table.add(variant, "rank loss", float(rank_loss(true)))
    table.add(variant, "box off middle", float(told.boxes[0].centre.norm(dim=1).mean()))
    table.add(variant, "box half side", float(told.boxes[0].half.mean()))


def draw(options: Options, chips: Chips, boxes: tuple[Box, ...]) -> None:
    """Two chips a type with the boxes of scales 2 (yellow) and 3 (red)."""
    if options.picture is None:
        return
    chosen = [int(n) for kind in range(10) for n in (chips.classes == kind).nonzero().flatten()[:2]]
    sheet = Image.new("RGB", (len(chosen) * (WIDTH + 4), HEIGHT))
    for place, n in enumerate(chosen):
        pixels = ((chips.images[n] + 2) * 64).clamp(0, 255).byte().permute(1, 2, 0).cpu().numpy()
        tile = Image.fromarray(np.ascontiguousarray(pixels))
        for box, colour in zip(boxes, ("yellow", "red"), strict=True):
            (x, y), half = box.centre[n].tolist(), float(box.half[n])
            sides = [(c + s * half + 1) / 2 * size for s in (-1, 1) for c, size in ((x, WIDTH), (y, HEIGHT))]
            ImageDraw.Draw(tile).rectangle((sides[0], sides[1], sides[2], sides[3]), outline=colour)
        sheet.paste(tile, (place * (WIDTH + 4), 0))
    sheet.save(options.picture)


def main() -> None:
    """Train every variant, print the table."""
    options = options_of(parser(__doc__, steps=1500).parse_args())
    logging.getLogger("lightning.pytorch").setLevel(logging.WARNING)
    warnings.filterwarnings("ignore", module="lightning")
    warnings.filterwarnings("ignore", message=".*LeafSpec.*")
    if options.quick:
        options = Options(**{**options.__dict__, "steps": 5 * QUICK_STEPS})
    split = read_chips(options.data, options.device)
    print(f"{len(split.learn.classes)} chips to learn, {len(split.test.classes)} to judge, {split.groups} groups")
    table = Table("RA-CNN, error % (and where it looks)", options)
    for seed in options.seeds:
        for variant in (*VARIANTS, ALL):
            seed_everything(seed)
            network = build(variant).to(options.device)
            ranks = fit(network, split.learn, options, seed)
            seed_everything(seed)
            told = look(network, split.test.images)
            judge(table, variant, told, split.test.classes)
            if variant == "proposed":
                tenth = max(len(ranks) // 10, 1)
                table.add(variant, "rank loss, first turns", statistics.fmean(ranks[:tenth]) if ranks else 0.0)
                table.add(variant, "rank loss, last turns", statistics.fmean(ranks[-tenth:]) if ranks else 0.0)
                draw(options, split.test, told.boxes)
    table.show()
    table.claim("1+2 below scale 1", ("proposed", "1+2"), ("proposed", "scale 1"))
    table.claim("1+2+3 below 1+2", ("proposed", "1+2+3"), ("proposed", "1+2"))
    for other in ("middle", "at random"):
        table.claim(f"1+2+3 proposed below {other}", ("proposed", "1+2+3"), (other, "1+2+3"))
    table.claim("1+2+3 proposed below all at once", ("proposed", "1+2+3"), (ALL, "scale 1"))
    table.claim("rank loss falls", ("proposed", "rank loss, last turns"), ("proposed", "rank loss, first turns"))


if __name__ == "__main__":
    main()
