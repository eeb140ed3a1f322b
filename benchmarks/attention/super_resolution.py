"""RCAN on real harbours made coarser: does channel attention sharpen, and does it help the detector?

Pictures of `inshore/` are averaged down by 2 and 4; validation pictures are those that are never trained on.
Claims: PSNR above bicubic, and above the same network without channel attention; and the detector's F1 on sharpened
pictures above that on bicubic ones and on the coarse ones as they are.
"""

import tempfile
from dataclasses import replace
from pathlib import Path
from typing import NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image
from torch import Tensor
from trials import Options, Table, evaluating, options_of, parser, seed_everything, train

from shipdet.attention.rcan import RCAN, ChannelWeights, EqualWeights, Layout, enlarge
from shipdet.evaluation.matching import Matched, match
from shipdet.evaluation.metrics import scores
from shipdet.geometry import Hulls
from shipdet.inference.engine import detect_hulls
from shipdet.labels.folders import LabelledPicture, Split, inshore, read_folder
from shipdet.labels.types import Labels
from shipdet.models.device import choose_device
from shipdet.models.weights import Model, load_weights
from shipdet.raster.scene import open_scene
from shipdet.training.sharpening import LEVELS, coarser, psnr, random_crop, read_rgb

CROP = 96
"""of the fine picture"""
BATCH = 8
VARIANTS: dict[str, type[ChannelWeights] | type[EqualWeights]] = {
    "RCAN": ChannelWeights,
    "without channel attention": EqualWeights,
}


class Pictures(NamedTuple):
    """Fine pictures (3, H, W) in 0..1, H and W multiples of 4, and their labels."""

    pixels: list[Tensor]
    labelled: list[LabelledPicture]


def read_pictures(folder: Path, split: Split, count: int) -> Pictures:
    """The first `count` of a split."""
    labelled = read_folder(inshore(folder / "inshore"), split)[:count]
    return Pictures([read_rgb(picture.path, 4) / LEVELS for picture in labelled], labelled)


def fit(network: RCAN, pictures: list[Tensor], options: Options, seed: int) -> None:
    """Train on crops at random, by L1 as the paper does."""
    generator = torch.Generator().manual_seed(seed)

    def crop() -> Tensor:
        fine = pictures[int(torch.randint(len(pictures), (1,), generator=generator))]
        return random_crop(fine, CROP, generator)

    def batch_loss(_: int) -> Tensor:
        fine = torch.stack([crop() for _ in range(BATCH)]).to(options.device)
        image: Tensor = network(coarser(fine, network.scale)).image
        return (image - fine).abs().mean()

    train(network.parameters(), batch_loss, options.steps, rate=1e-3)


def sharpened(network: RCAN, coarse: Tensor) -> Tensor:
    """One picture (3, h, w), enlarged."""
    with evaluating(network):
        image: Tensor = network(coarse[None]).image[0]
    return image.clamp(0, 1)


def scaled(hulls: Hulls, factor: float) -> Hulls:
    """Hulls of the same picture at another size."""
    return replace(hulls, bow=hulls.bow * factor, stern=hulls.stern * factor, beam=hulls.beam * factor)


def detect(pixels: Tensor, gsd_m: float, model: Model, labels: Labels, folder: Path) -> Matched:
    """Ships in a picture (3, H, W) of a GSD, matched with labels in pixels of 1 m, where the same ones count."""
    path = folder / "picture.png"
    rgb: NDArray[np.uint8] = (pixels * 255).round().byte().permute(1, 2, 0).cpu().numpy()
    Image.fromarray(rgb).save(path)
    found = detect_hulls(open_scene(path, gsd_m=gsd_m), model, choose_device())
    return match(scaled(found.hulls, gsd_m), labels)


def f1(matched: list[Matched]) -> float:
    """Percent, at the threshold that is best for these pictures."""
    return 100 * (scores(matched, []).f1 or 0.0)


class Judge(NamedTuple):
    """What enlarged pictures are judged with."""

    pictures: Pictures
    model: Model
    device: torch.device

    def coarse(self, scale: int) -> list[Tensor]:
        """The pictures made coarser."""
        return [coarser(fine[None], scale)[0].to(self.device) for fine in self.pictures.pixels]

    def f1(self, shown: list[Tensor], gsd_m: float) -> float:
        """The detector's, on pictures of a GSD."""
        with tempfile.TemporaryDirectory() as folder:
            pairs = zip(shown, self.pictures.labelled, strict=True)
            return f1([detect(p, gsd_m, self.model, picture.labels, Path(folder)) for p, picture in pairs])

    def psnr(self, shown: list[Tensor]) -> float:
        """Mean over pictures."""
        pairs = zip(shown, self.pictures.pixels, strict=True)
        return float(np.mean([psnr(a, b.to(self.device)) for a, b in pairs]))


def main() -> None:
    """Train every variant, print the table."""
    made = parser(__doc__, steps=400)
    made.add_argument("--scales", type=int, nargs="+", default=[2, 4])
    made.add_argument("--model", default="inshore-vhr", help="the detector")
    args = made.parse_args()
    options = options_of(args)
    learn = read_pictures(options.data, "train", 4 if options.quick else 160)
    test = read_pictures(options.data, "validation", 2 if options.quick else 40)
    judge = Judge(test, load_weights(args.model), options.device)
    fine = judge.f1([p.to(options.device) for p in test.pixels], 1.0)
    print(f"F1 on the pictures as they are: {fine:.1f} %")
    table = Table("Super-resolution", options)
    for scale in args.scales:
        coarse = judge.coarse(scale)
        bicubic = [enlarge(image[None], scale)[0].clamp(0, 1) for image in coarse]
        plain = {"coarse": judge.f1(coarse, scale), "bicubic": judge.f1(bicubic, 1.0)}
        for seed in options.seeds:
            for name, value in plain.items():
                table.add(name, f"x{scale} F1, %", value)
            table.add("bicubic", f"x{scale} PSNR, dB", judge.psnr(bicubic))
            for name, weigh in VARIANTS.items():
                seed_everything(seed)
                network = RCAN(scale, Layout(), weigh).to(options.device)
                fit(network, learn.pixels, options, seed)
                shown = [sharpened(network, image) for image in coarse]
                table.add(name, f"x{scale} F1, %", judge.f1(shown, 1.0))
                table.add(name, f"x{scale} PSNR, dB", judge.psnr(shown))
    table.show()
    for scale in args.scales:
        for measure in (f"x{scale} PSNR, dB", f"x{scale} F1, %"):
            for other in ("bicubic", "without channel attention"):
                table.claim(f"{measure}: {other} below RCAN", (other, measure), ("RCAN", measure))
        table.claim(f"x{scale} F1: coarse below RCAN", ("coarse", f"x{scale} F1, %"), ("RCAN", f"x{scale} F1, %"))


if __name__ == "__main__":
    main()
