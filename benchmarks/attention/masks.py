"""Decoupled masks on overlapping digits: is it better when masks of different classes do not compete?

Claims, as in Mask R-CNN's table 2b: one sigmoid mask a class is at least as good as one for all classes alike, and both
are better than a softmax over classes. A mask is taken of the class that the network itself names.
"""

from typing import NamedTuple

import torch
import torch.nn.functional as F
from digits import SIDE, Digits, draw, paste, read_digits
from torch import Tensor, nn
from torchvision.ops import roi_align
from trials import Options, Table, batches, evaluating, options_of, parameters_of, parser, seed_everything, train

from shipdet.attention.mask_head import (
    MaskHead,
    Masks,
    agnostic_loss,
    mask_targets,
    of_class,
    sigmoid_loss,
    softmax_loss,
)

CANVAS = 64
BATCH = 32
DIGITS = 3
"""in a picture, each overlapping the first"""
STRIDE = 4
CELLS = 7
"""of features a side, in a box"""
OUTPUTS = {"sigmoid": 10, "agnostic": 1, "softmax": 11}


class Pile(NamedTuple):
    """Overlapping digits: B pictures of D digits each, N = B D."""

    image: Tensor
    """(B, 1, 64, 64)"""
    alone: Tensor
    """(N, 64, 64) each digit as if it were alone, bool"""
    boxes: Tensor
    """(N, 5), jittered"""
    classes: Tensor
    """(N,)"""


class Network(nn.Module):
    """A shared trunk, a classifier of boxes, and a mask head."""

    def __init__(self, kind: str) -> None:
        super().__init__()
        self.trunk = nn.Sequential(
            nn.Conv2d(1, 32, 3, 2, 1), nn.ReLU(), nn.Conv2d(32, 64, 3, 2, 1), nn.ReLU(),
            nn.Conv2d(64, 64, 3, padding=1), nn.ReLU(),
        )  # fmt: skip
        self.name = nn.Sequential(nn.Flatten(), nn.Linear(64 * CELLS**2, 128), nn.ReLU(), nn.Linear(128, 10))
        self.masks = MaskHead(64, OUTPUTS[kind], STRIDE, CELLS)

    def forward(self, image: Tensor, boxes: Tensor) -> tuple[Tensor, Masks]:
        """Class logits (N, 10) and masks of boxes."""
        features = self.trunk(image)
        inside = roi_align(features, boxes, CELLS, 1 / STRIDE, sampling_ratio=2, aligned=True)
        return self.name(inside), self.masks(features, boxes)


def pile(digits: Digits, size: int, generator: torch.Generator) -> Pile:
    """Pictures of digits that overlap."""
    device = digits.images.device
    canvas = torch.zeros(size, CANVAS, CANVAS, device=device)
    first = draw(CANVAS - SIDE - 7, size, generator) + 4, draw(CANVAS - SIDE - 7, size, generator) + 4
    alone, classes = [], []
    for number in range(DIGITS):
        which = draw(len(digits.classes), size, generator)
        reach = 14 if number else 0
        top, left = ((c + draw(2 * reach + 1, size, generator) - reach).clamp(0, CANVAS - SIDE) for c in first)
        mine = paste(torch.zeros_like(canvas), digits.images[which], top, left)
        canvas = torch.maximum(canvas, mine)
        alone.append(mine > 0.4)
        classes.append(digits.classes[which])
    masks = torch.stack(alone, dim=1).flatten(0, 1)
    picture = torch.arange(size, device=device).repeat_interleave(DIGITS)[:, None]
    jitter = torch.randn(len(masks), 4, generator=generator, device=device) * 1.5
    boxes = torch.cat([picture.float(), bounds(masks) + jitter], dim=1)
    return Pile(canvas.unsqueeze(1), masks, boxes, torch.stack(classes, dim=1).flatten())


def bounds(masks: Tensor) -> Tensor:
    """Tight boxes (N, 4) as x0, y0, x1, y1 of masks (N, H, W)."""
    found = []
    for axis in (1, 2):
        seen = masks.any(dim=axis).float()
        found.append((seen.argmax(dim=1), seen.shape[1] - seen.flip(1).argmax(dim=1)))
    (x0, x1), (y0, y1) = found
    return torch.stack([x0, y0, x1, y1], dim=1).float()


def mask_loss(kind: str, masks: Masks, truth: Tensor, classes: Tensor) -> Tensor:
    """Of one kind of mask."""
    if kind == "agnostic":
        return agnostic_loss(masks, truth)
    return sigmoid_loss(masks, truth, classes) if kind == "sigmoid" else softmax_loss(masks, truth, classes)


def predicted(kind: str, masks: Masks, classes: Tensor) -> Tensor:
    """(N, h, w) bool."""
    if kind == "agnostic":
        return masks.logits[:, 0] > 0
    if kind == "softmax":  # likelier than any other class, which is kinder to it than likelier than one half
        return masks.logits.argmax(dim=1) == classes[:, None, None]
    return of_class(masks.logits, classes) > 0


def judge(network: Network, kind: str, digits: Digits, count: int) -> dict[str, float]:
    """On test pictures that are the same for all variants and seeds."""
    generator = torch.Generator(digits.images.device).manual_seed(1000)
    overlaps, right = [], []
    with evaluating(network):
        for _ in batches(count, 100):
            p = pile(digits, 100, generator)
            logits, masks = network(p.image, p.boxes)
            named = logits.argmax(dim=1)
            truth = mask_targets(p.alone, p.boxes[:, 1:], 2 * CELLS) > 0
            mine = predicted(kind, masks, named)
            union = (truth | mine).sum(dim=(1, 2)).clamp(min=1)
            overlaps.append((truth & mine).sum(dim=(1, 2)) / union)
            right.append(named == p.classes)
    iou, hit = torch.cat(overlaps), torch.cat(right)
    return {
        "mean IoU %": 100 * float(iou.mean()),
        "IoU > 0.5 and named right, %": 100 * float(((iou > 0.5) & hit).float().mean()),
        "IoU > 0.75 and named right, %": 100 * float(((iou > 0.75) & hit).float().mean()),
        "named right, %": 100 * float(hit.float().mean()),
    }


def run(kind: str, seed: int, options: Options, learn: Digits) -> Network:
    """Train one variant."""
    seed_everything(seed)
    network = Network(kind).to(options.device)
    generator = torch.Generator(options.device).manual_seed(seed)

    def batch_loss(_: int) -> Tensor:
        p = pile(learn, BATCH, generator)
        logits, masks = network(p.image, p.boxes)
        truth = mask_targets(p.alone, p.boxes[:, 1:], 2 * CELLS)
        return F.cross_entropy(logits, p.classes) + mask_loss(kind, masks, truth, p.classes)

    train(parameters_of(network), batch_loss, options.steps)
    return network


def main() -> None:
    """Train every variant, print the table."""
    options = options_of(parser(__doc__, steps=1500).parse_args())
    learn = read_digits(options.data, "train", options.device, options.few(60_000))
    test = read_digits(options.data, "t10k", options.device, options.few(10_000))
    table = Table("Masks of overlapping digits", options)
    for seed in options.seeds:
        for kind in OUTPUTS:
            found = judge(run(kind, seed, options, learn), kind, test, options.few(1000))
            for measure, value in found.items():
                table.add(kind, measure, value)
    table.show()
    measure = "mean IoU %"
    table.claim("agnostic below sigmoid", ("agnostic", measure), ("sigmoid", measure))
    table.claim("softmax below sigmoid", ("softmax", measure), ("sigmoid", measure))
    table.claim("softmax below agnostic", ("softmax", measure), ("agnostic", measure))


if __name__ == "__main__":
    main()
