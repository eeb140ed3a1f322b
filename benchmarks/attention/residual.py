"""Residual attention on CIFAR-10: does the 1 in (1 + M) * T matter, and more with more modules?

Claims: with m attention modules a stage, residual attention errs less than naive (M * T), and the gap grows with m;
it errs less than the same trunk without masks; and it loses less than that trunk when labels are wrong.
The data is a subset of CIFAR-10 that went through JPEG: compare the variants, not the figures with the paper's.
"""

import io
import zipfile
from collections.abc import Callable, Sequence
from functools import partial
from itertools import pairwise
from pathlib import Path
from typing import NamedTuple

import numpy as np
import torch
import torch.nn.functional as F
from PIL import Image
from torch import Tensor, nn
from trials import Options, Table, batches, evaluating, options_of, parser, seed_everything, train

from shipdet.attention.attention_resnet import AttentionResNet, Unattended
from shipdet.attention.residual import ResidualAttention, naive

BATCH = 64
VARIANTS: dict[str, Callable[[int, int], nn.Module]] = {
    "residual": ResidualAttention,
    "naive": partial(ResidualAttention, combine=naive),
    "no mask": Unattended,
}


class Pictures(NamedTuple):
    """(N, 3, 32, 32) about zero, and classes (N,)."""

    images: Tensor
    classes: Tensor


def read_pictures(folder: Path, part: str, device: torch.device, count: int) -> Pictures:
    """Up to `count` of "train" or "test", spread evenly over the classes."""
    with zipfile.ZipFile(folder / "cifar10" / "cifar10_subset.zip") as archive:
        names = sorted(name for name in archive.namelist() if name.startswith(f"{part}/") and name.endswith(".jpg"))
        kinds = sorted({name.split("/")[1] for name in names})
        names = names[:: max(len(names) // count, 1)][:count]
        pixels = np.stack([np.asarray(Image.open(io.BytesIO(archive.read(name)))) for name in names])
    images = torch.from_numpy(pixels).to(device).permute(0, 3, 1, 2).float() / 64 - 2
    return Pictures(images, torch.tensor([kinds.index(name.split("/")[1]) for name in names], device=device))


def spoil(classes: Tensor, share: float, generator: torch.Generator) -> Tensor:
    """Classes, a share of them replaced by one of the others at random."""
    wrong = torch.rand(len(classes), generator=generator, device=classes.device) < share
    shift = torch.randint(1, 10, (len(classes),), generator=generator, device=classes.device)
    return torch.where(wrong, (classes + shift) % 10, classes)


def augment(images: Tensor, generator: torch.Generator) -> Tensor:
    """Mirrored by chance, and moved by up to 4 pixels."""
    device = images.device
    mirror = torch.rand(len(images), 1, 1, 1, generator=generator, device=device) < 0.5
    images = F.pad(torch.where(mirror, images.flip(3), images), (4, 4, 4, 4))
    y, x = torch.randint(9, (2,), generator=generator, device=device).tolist()
    return images[:, :, y : y + 32, x : x + 32]


def error(network: nn.Module, pictures: Pictures) -> float:
    """Percent."""
    wrong = 0
    with evaluating(network):
        for part in batches(len(pictures.classes), 250):
            told = network(pictures.images[part]).logits.argmax(dim=1)
            wrong += int((told != pictures.classes[part]).sum())
    return 100 * wrong / len(pictures.classes)


class Variant(NamedTuple):
    """One network to train."""

    name: str
    modules: int
    width: int
    noise: float
    """share of wrong labels"""


def run(variant: Variant, seed: int, options: Options, learn: Pictures, test: Pictures) -> float:
    """Train and judge one variant; the last weights are judged, none are chosen on the test pictures."""
    seed_everything(seed)
    network = AttentionResNet(10, variant.modules, variant.width, VARIANTS[variant.name])
    network = network.to(options.device).to(memory_format=torch.channels_last)
    generator = torch.Generator(options.device).manual_seed(seed)
    classes = spoil(learn.classes, variant.noise, generator)

    def batch_loss(_: int) -> Tensor:
        which = torch.randint(len(classes), (BATCH,), generator=generator, device=options.device)
        return F.cross_entropy(network(augment(learn.images[which], generator)).logits, classes[which])

    train(network.parameters(), batch_loss, options.steps, rate=3e-3)
    return error(network, test)


def column(modules: int, noise: float) -> str:
    """What the table calls a number of modules a stage and a share of wrong labels."""
    return f"m = {modules}, {noise:.0%} noise"


def claims(table: Table, clean: Sequence[tuple[int, float]], noisy: Sequence[tuple[int, float]]) -> None:
    """Judge residual attention by itself, by what more modules do to its lead, and by what wrong labels cost.

    Args:
        table: a column for each of the others.
        clean: numbers of modules, each without wrong labels.
        noisy: numbers of modules among those, with shares of wrong labels.
    """
    for at in (column(*case) for case in (*clean, *noisy)):
        for other in ("naive", "no mask"):
            table.claim(f"{at}: residual below {other}", ("residual", at), (other, at))
    for (fewer, _), (more, _) in pairwise(sorted(clean)):
        less, greater = ((("residual", at), ("naive", at)) for at in (column(fewer, 0.0), column(more, 0.0)))
        table.claim_of_gaps(f"gap from residual to naive greater with m = {more} than with {fewer}", less, greater)
    for modules, noise in noisy:
        before, after = column(modules, 0.0), column(modules, noise)
        less, greater = (((name, before), (name, after)) for name in ("residual", "no mask"))
        table.claim_of_gaps(f"{after}: residual loses less by wrong labels than no mask", less, greater)


def main() -> None:
    """Train every variant, print the table."""
    made = parser(__doc__, steps=200)
    made.add_argument("--modules", type=int, nargs="+", default=[1, 2, 3, 4], help="attention modules a stage")
    made.add_argument(
        "--noise", type=float, nargs="+", default=[0.0, 0.3, 0.5], help="shares of wrong labels, for the least modules"
    )
    made.add_argument("--width", type=int, default=8, help="channels of the first stage; the paper: 64")
    args = made.parse_args()
    options = options_of(args)
    learn = read_pictures(options.data, "train", options.device, options.few(12_000))
    test = read_pictures(options.data, "test", options.device, options.few(2_000))
    clean = [(m, 0.0) for m in args.modules]
    noisy = [(args.modules[0], noise) for noise in args.noise if noise > 0]
    table = Table("Residual attention, error %", options)
    for seed in options.seeds:
        for modules, noise in clean + noisy:
            for name in VARIANTS:
                found = run(Variant(name, modules, args.width, noise), seed, options, learn, test)
                table.add(name, column(modules, noise), found)
    table.show()
    claims(table, clean, noisy)


if __name__ == "__main__":
    main()
