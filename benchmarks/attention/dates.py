"""Attention over dates: is what never moves told from ships by looking at other days of the same place?

Places are rendered on several days. Each holds structures that look exactly like ships and lie there every day, and
ships that come and go, sometimes to the same berth. On a single day the two cannot be told apart.
Claims: with attention over the other days there are fewer false alarms on the structures than with one day alone and
than with a plain mean of the other days, and not at the price of ships: F1 is higher than with either.
"""

from typing import NamedTuple

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from rendered import hull_mask, make_ship, render
from torch import Tensor, nn
from trials import Options, Table, evaluating, options_of, parser, seed_everything, train

from shipdet.attention.temporal import DateAttention
from shipdet.training.synthetic_fleet import Ship

SIDE, REDUCE = 256, 4
DAYS = 4
"""the one under question, and others"""
CLOUDED = 0.2
"""share of other days without a picture"""
KINDS = ("warship", "container", "tanker", "cargo", "barge", "ferry")
CHANNELS = 32
BATCH = 8
VARIANTS = ("one day", "mean of days", "attention over days")


class Places(NamedTuple):
    """P places of D days, the first of which is under question."""

    images: Tensor
    """(P, D, 3, 64, 64) about zero"""
    present: Tensor
    """(P, D) bool; the first always"""
    ships: Tensor
    """(P, 64, 64) number of the ship at a pixel on the first day, 0 for none"""
    structures: Tensor
    """(P, 64, 64) likewise of structures"""


class Place(NamedTuple):
    """One of them, as arrays."""

    images: NDArray[np.uint8]
    ships: NDArray[np.int64]
    structures: NDArray[np.int64]


def _berthed(rng: np.random.Generator, berth: int) -> Ship:
    """A ship at one of four berths, a little to either side, at any heading."""
    middle = np.array([64.0 + 128 * (berth % 2), 64.0 + 128 * (berth // 2)]) + rng.uniform(-14, 14, 2)
    return make_ship(rng, str(rng.choice(KINDS)), middle, rng.uniform(0, 360), rng.uniform(50, 95))


def make_place(rng: np.random.Generator) -> Place:
    """A structure at about two berths of five; a ship at every other berth on every other day."""
    structures = {berth: _berthed(rng, berth) for berth in range(4) if rng.random() < 0.4}
    free = [berth for berth in range(4) if berth not in structures]
    days = [[_berthed(rng, berth) for berth in free if rng.random() < 0.5] for _ in range(DAYS)]
    images = [render(rng, SIDE, [*structures.values(), *ships], (), REDUCE) for ships in days]
    return Place(np.stack(images), _numbered(days[0]), _numbered(list(structures.values())))


def _numbered(ships: list[Ship]) -> NDArray[np.int64]:
    numbers = np.zeros((SIDE // REDUCE, SIDE // REDUCE), np.int64)
    for number, ship in enumerate(ships, start=1):
        numbers[hull_mask(ship, SIDE, REDUCE)] = number
    return numbers


def make_places(count: int, seed: int, device: torch.device) -> Places:
    """`count` places."""
    rng = np.random.default_rng(seed)
    places = [make_place(rng) for _ in range(count)]
    present = rng.random((count, DAYS)) >= CLOUDED
    present[:, 0] = True
    images = torch.from_numpy(np.stack([p.images for p in places])).permute(0, 1, 4, 2, 3)
    return Places(
        (images.float() / 64 - 2).to(device),
        torch.from_numpy(present).to(device),
        torch.from_numpy(np.stack([p.ships for p in places])).to(device),
        torch.from_numpy(np.stack([p.structures for p in places])).to(device),
    )


class Network(nn.Module):
    """Finds ships in the first day's picture; what it remembers of the others is a variant's."""

    def __init__(self, variant: str) -> None:
        super().__init__()
        self.variant = variant
        self.encode = nn.Sequential(
            nn.Conv2d(3, CHANNELS, 3, padding=1), nn.BatchNorm2d(CHANNELS), nn.ReLU(),
            nn.Conv2d(CHANNELS, CHANNELS, 3, padding=2, dilation=2), nn.BatchNorm2d(CHANNELS), nn.ReLU(),
            nn.Conv2d(CHANNELS, CHANNELS, 3, padding=2, dilation=2), nn.BatchNorm2d(CHANNELS), nn.ReLU(),
        )  # fmt: skip
        self.attend = DateAttention(CHANNELS, CHANNELS)
        self.head = nn.Sequential(
            nn.Conv2d(2 * CHANNELS, CHANNELS, 3, padding=1), nn.BatchNorm2d(CHANNELS), nn.ReLU(),
            nn.Conv2d(CHANNELS, 1, 1),
        )  # fmt: skip

    def forward(self, images: Tensor, present: Tensor) -> Tensor:
        """Logits (B, H, W) of a ship on the first of (B, D, 3, H, W) days."""
        batch, days = images.shape[:2]
        features = self.encode(images.flatten(0, 1)).unflatten(0, (batch, days))
        now, others, there = features[:, 0], features[:, 1:], present[:, 1:]
        if self.variant == "one day":
            memory = torch.zeros_like(now)
        elif self.variant == "mean of days":
            share = there.float() / there.sum(dim=1, keepdim=True).clamp(min=1)
            memory = (others * share[:, :, None, None, None]).sum(dim=1)
        else:
            memory = self.attend(now, others, there).features
        logits: Tensor = self.head(torch.cat([now, memory], dim=1)).squeeze(1)
        return logits


def detected(probability: Tensor, numbers: Tensor) -> tuple[int, int]:
    """Of numbered things, those whose mean probability is at least a half; and how many there are."""
    found = total = 0
    for p, n in zip(probability, numbers, strict=True):
        for number in range(1, int(n.max()) + 1):
            inside = n == number
            if inside.any():
                total += 1
                found += int(p[inside].mean() >= 0.5)
    return found, total


def run(variant: str, seed: int, options: Options, learn: Places) -> Network:
    """Train one variant."""
    seed_everything(seed)
    network = Network(variant).to(options.device)
    generator = torch.Generator().manual_seed(seed)

    def batch_loss(_: int) -> Tensor:
        which = torch.randint(len(learn.images), (BATCH,), generator=generator).to(options.device)
        turns = int(torch.randint(4, (1,), generator=generator))
        images, truth = learn.images[which].rot90(turns, (3, 4)), (learn.ships[which] > 0).float().rot90(turns, (1, 2))
        logits = network(images, learn.present[which])
        return F.binary_cross_entropy_with_logits(logits, truth, pos_weight=torch.tensor(2.0, device=options.device))

    train(network.parameters(), batch_loss, options.steps, rate=3e-3)
    return network


def main() -> None:
    """Train every variant, print the table."""
    made = parser(__doc__, steps=400)
    made.add_argument("--places", type=int, default=300)
    args = made.parse_args()
    options = options_of(args)
    learn = make_places(8 if options.quick else args.places, 1, options.device)
    test = make_places(8 if options.quick else args.places // 3, 2, options.device)
    table = Table("Attention over dates", options)
    for seed in options.seeds:
        for variant in VARIANTS:
            network = run(variant, seed, options, learn)
            with evaluating(network):
                parts = zip(test.images.split(16), test.present.split(16), strict=True)
                probability = torch.cat([network(i, p) for i, p in parts]).sigmoid()
            alarms, structures = detected(probability, test.structures)
            hits, ships = detected(probability, test.ships)
            table.add(variant, "structures taken for ships, %", 100 * alarms / max(structures, 1))
            table.add(variant, "ships found, %", 100 * hits / max(ships, 1))
            table.add(variant, "F1, %", 100 * 2 * hits / max(hits + alarms + ships, 1))
    table.show()
    alarms_, f1 = "structures taken for ships, %", "F1, %"
    for other in VARIANTS[:2]:
        table.claim(f"fewer false alarms with attention than with {other}", (VARIANTS[2], alarms_), (other, alarms_))
        table.claim(f"higher F1 with attention than with {other}", (other, f1), (VARIANTS[2], f1))


if __name__ == "__main__":
    main()
