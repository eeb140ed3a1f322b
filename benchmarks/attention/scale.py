"""Attention to scale: is a segmentation of ships at mixed ground pixels better where each place chooses its scale?

Rendered scenes at 1, 2 or 4 m a pixel, so that one and the same ship is 6 or 90 pixels long, with quays whose surface
looks like a deck's. A small shared network sees each at full, half and quarter size; its score maps are fused by a
mean, a maximum or attention (Chen et al., 2016), with a loss on the fused map alone or on each scale's too.
Claims: attention has a higher mean IoU than mean and maximum, with and without the further losses; and it looks at
full size for short ships more than for long ones.
"""

from pathlib import Path
from typing import NamedTuple

import numpy as np
import torch
import torch.nn.functional as F
from matplotlib.figure import Figure
from numpy.typing import NDArray
from rendered import hull_mask, make_ship, render
from torch import Tensor, nn
from trials import Options, Table, batches, evaluating, options_of, parser, seed_everything, train

from shipdet.attention.scale import Fused, ScaleAttention, average, maximum, on_common_grid, supervised_losses

PIXELS = 96
REDUCES = (1, 2, 4)
SCALES = (1.0, 0.5, 0.25)
STRIDE = 4
CHANNELS = 24
BATCH = 16
KINDS = ("warship", "container", "tanker", "cargo", "barge", "ferry")
SHORT, LONG = 15.0, 50.0
"""Pixels: ships below and above are compared."""
FUSIONS = ("mean", "maximum", "attention")
SUPERVISIONS = {"fused only": 0.0, "each scale too": 1.0}


class Scenes(NamedTuple):
    """P scenes."""

    images: Tensor
    """(P, 3, 96, 96) about zero"""
    truth: Tensor
    """(P, 24, 24) 1 where a quarter or more is ship, else 0"""
    length: Tensor
    """(P, 24, 24) of the ship there, in pixels, 0 elsewhere"""


def make_scenes(count: int, seed: int, device: torch.device) -> Scenes:
    """`count` scenes of one to four ships, each at a ground pixel of its own."""
    rng = np.random.default_rng(seed)
    images, lengths = [], []
    for number in range(count):
        reduce = REDUCES[number % len(REDUCES)]
        side = PIXELS * reduce
        length_map = np.zeros((PIXELS // STRIDE, PIXELS // STRIDE), np.float32)
        ships = []
        for _ in range(int(rng.integers(1, 5))):
            metres, middle = rng.uniform(25, 90), rng.uniform(0.2, 0.8, 2) * side
            ship = make_ship(rng, str(rng.choice(KINDS)), middle, rng.uniform(0, 360), metres)
            cells = hull_mask(ship, side, reduce).reshape(PIXELS // STRIDE, STRIDE, PIXELS // STRIDE, STRIDE)
            length_map[cells.mean(axis=(1, 3)) >= 0.25] = metres / reduce
            ships.append(ship)
        images.append(render(rng, side, ships, quays(rng, side), reduce))
        lengths.append(length_map)
    length = torch.from_numpy(np.stack(lengths)).to(device)
    pixels = torch.from_numpy(np.stack(images)).permute(0, 3, 1, 2).float() / 64 - 2
    return Scenes(pixels.to(device), (length > 0).long(), length)


def quays(rng: np.random.Generator, side: int) -> list[NDArray[np.float64]]:
    """Two stretches of land that look like decks from near by: only their size tells them from ships."""
    made = []
    for _ in range(2):
        along = np.array([np.cos(angle := rng.uniform(0, np.pi)), np.sin(angle)])
        across = np.array([-along[1], along[0]])
        length, width = side * rng.uniform(0.5, 1.0), side * rng.uniform(0.1, 0.3)
        middle = rng.uniform(0, 1, 2) * side
        corners = [(-1, -1), (1, -1), (1, 1), (-1, 1)]
        made.append(np.array([middle + a * along * length / 2 + b * across * width / 2 for a, b in corners]))
    return made


class Network(nn.Module):
    """A shared network over scales, and what fuses them."""

    def __init__(self, fusion: str) -> None:
        super().__init__()
        self.fusion = fusion
        self.features = nn.Sequential(
            nn.Conv2d(3, CHANNELS, 3, 2, 1), nn.BatchNorm2d(CHANNELS), nn.ReLU(),
            nn.Conv2d(CHANNELS, CHANNELS, 3, 2, 1), nn.BatchNorm2d(CHANNELS), nn.ReLU(),
            nn.Conv2d(CHANNELS, CHANNELS, 3, 1, 1), nn.BatchNorm2d(CHANNELS), nn.ReLU(),
        )  # fmt: skip
        self.classes = nn.Conv2d(CHANNELS, 2, 1)
        self.attention = ScaleAttention(CHANNELS, len(SCALES), hidden=32)

    def forward(self, images: Tensor) -> tuple[Fused, Tensor]:
        """Fused class logits, and each scale's own (B, S, 2, 24, 24)."""
        size = (images.shape[-2] // STRIDE, images.shape[-1] // STRIDE)
        seen = [F.interpolate(images, scale_factor=s, mode="bilinear", antialias=True) for s in SCALES]
        features = [self.features(image) for image in seen]
        scores = on_common_grid([self.classes(f) for f in features], size)
        if self.fusion == "attention":
            fused: Fused = self.attention(on_common_grid(features, size), scores)
            return fused, scores
        weights = torch.full_like(scores[:, :, 0], 1 / len(SCALES))
        return Fused(average(scores) if self.fusion == "mean" else maximum(scores), weights), scores


def run(fusion: str, further: float, seed: int, options: Options, learn: Scenes) -> Network:
    """Train one variant; `further` is the weight of the losses of single scales."""
    seed_everything(seed)
    network = Network(fusion).to(options.device)
    generator = torch.Generator().manual_seed(seed)

    def batch_loss(_: int) -> Tensor:
        which = torch.randint(len(learn.images), (BATCH,), generator=generator).to(options.device)
        turns = int(torch.randint(4, (1,), generator=generator))
        images, truth = learn.images[which].rot90(turns, (2, 3)), learn.truth[which].rot90(turns, (1, 2))
        fused, scores = network(images)
        losses = supervised_losses(fused, scores, truth)
        return losses.fused + further * losses.scales.sum()

    train(network.parameters(), batch_loss, options.steps, rate=3e-3)
    return network


def mean_iou(said: Tensor, truth: Tensor) -> float:
    """Mean over the two classes, percent."""
    parts = [((said == k) & (truth == k)).sum() / ((said == k) | (truth == k)).sum().clamp(min=1) for k in (0, 1)]
    return float(100 * torch.stack(parts).mean())


def look(network: Network, scenes: Scenes) -> tuple[Tensor, Tensor]:
    """Classes said (P, 24, 24) and attention to full size (P, 24, 24)."""
    parts = [network(scenes.images[some])[0] for some in batches(len(scenes.images), 32)]
    return torch.cat([p.scores.argmax(dim=1) for p in parts]), torch.cat([p.weights[:, 0] for p in parts])


def draw(path: Path, scenes: Scenes, weights: Tensor) -> None:
    """Some scenes, one of each ground pixel, above their attention to full size."""
    figure = Figure(figsize=(9, 6.4), layout="constrained")
    rows = figure.subplots(2, len(REDUCES))
    for column, reduce in enumerate(REDUCES):
        image = ((scenes.images[column].permute(1, 2, 0).cpu() + 2) / 4).clamp(0, 1)
        rows[0, column].imshow(image.numpy())
        rows[0, column].set_title(f"{reduce} m a pixel")
        shown = rows[1, column].imshow(weights[column].cpu().numpy(), vmin=0, vmax=1)
        rows[1, column].set_title("attention to full size")
    for axes in rows.flat:
        axes.set_axis_off()
    figure.colorbar(shown, ax=rows[1])
    figure.savefig(path)


def main() -> None:
    """Train every variant, print the table."""
    made = parser(__doc__, steps=500)
    made.add_argument("--scenes", type=int, default=450)
    args = made.parse_args()
    options = options_of(args)
    learn = make_scenes(9 if options.quick else args.scenes, 1, options.device)
    test = make_scenes(9 if options.quick else args.scenes // 3, 2, options.device)
    table = Table("Attention to scale", options)
    iou, short, long = "mean IoU, %", "attention to full size at short ships, %", "at long ships, %"
    for seed in options.seeds:
        for supervision, further in SUPERVISIONS.items():
            for fusion in FUSIONS:
                network = run(fusion, further, seed, options, learn)
                with evaluating(network):
                    said, weights = look(network, test)
                name = f"{fusion}, {supervision}"
                table.add(name, iou, mean_iou(said, test.truth))
                for measure, where in ((short, test.length < SHORT), (long, test.length > LONG)):
                    table.add(name, measure, float(100 * weights[where & (test.length > 0)].mean()))
    if options.picture is not None:
        draw(options.picture, test, weights)
    table.show()
    for supervision in SUPERVISIONS:
        best = f"attention, {supervision}"
        for other in FUSIONS[:2]:
            table.claim(f"{best}: higher mean IoU than with the {other}", (f"{other}, {supervision}", iou), (best, iou))
        table.claim(f"{best}: full size matters more to short ships", (best, long), (best, short))


if __name__ == "__main__":
    main()
