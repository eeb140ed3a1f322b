"""Rendered scenes with truthful sentences: how many ships of what type, moored or under way, side by side, heading."""

from typing import NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from rendered import hull_mask, make_ship, render
from torch import Tensor

SIDE, REDUCE = 192, 2
PIXELS = SIDE // REDUCE
CELL = 8
"""pixels a side of an annotation"""
NAMES = {
    "warship": ("warship", "warships"),
    "container": ("boxship", "boxships"),
    "tanker": ("tanker", "tankers"),
    "cargo": ("freighter", "freighters"),
    "ferry": ("ferry", "ferries"),
    "submarine": ("submarine", "submarines"),
}
"""One and several of each type that is drawn."""
WINDS = ("north", "north east", "east", "south east", "south", "south west", "west", "north west")
COUNTS = ("a", "two", "three")
PAD, BEGIN, END = 0, 1, 2
NOUNS = frozenset(noun for both in NAMES.values() for noun in both)
WORDS = (
    "<pad>", "<begin>", "<end>", *sorted(NOUNS), *COUNTS, "moored", "under", "way", "side", "by", "heading",
    "north", "east", "south", "west",
)  # fmt: skip
LONGEST = 10


class Scenes(NamedTuple):
    """Pictures with a sentence each."""

    images: Tensor
    """(N, 3, 96, 96) about zero"""
    tokens: Tensor
    """(N, LONGEST + 1), from BEGIN to END, then PAD"""
    ships: Tensor
    """(N, 12, 12) bool, cells with a ship in them"""
    sentences: tuple[str, ...]


class Scene(NamedTuple):
    """One of them."""

    pixels: NDArray[np.uint8]
    ships: NDArray[np.bool_]
    sentence: str


def sentence_of(kind: str, count: int, wind: str, moored: bool) -> str:
    """What there is to say."""
    noun = NAMES[kind][count > 1]
    state = "moored" if moored else "under way"
    beside = " side by side" if moored and count > 1 else ""
    return f"{COUNTS[count - 1]} {noun} {state}{beside} heading {wind}"


def make_scene(rng: np.random.Generator) -> Scene:
    """One to three sister ships along a quay, or one or two under way; the quay may be empty water's edge as well."""
    moored, kind, wind = bool(rng.random() < 0.5), str(rng.choice(list(NAMES))), int(rng.integers(8))
    count = int(rng.integers(1, 4 if moored else 3))
    heading = 45.0 * wind + rng.uniform(-10, 10)
    angle = np.radians(heading)
    along, across = np.array([np.sin(angle), -np.cos(angle)]), np.array([np.cos(angle), np.sin(angle)])
    across *= rng.choice([-1, 1])
    length = rng.uniform(55, 85)
    first = make_ship(rng, kind, np.array([SIDE / 2, SIDE / 2]) + rng.uniform(-25, 25, 2), heading, length)
    gap = first.beam + 2 if moored else first.beam + rng.uniform(22, 35)
    ships = [
        first._replace(bow=first.bow + n * gap * across, stern=first.stern + n * gap * across) for n in range(count)
    ]
    if not moored:
        ships = [ship._replace(speed=float(rng.uniform(0.5, 1))) for ship in ships]
    edge = (first.bow + first.stern) / 2 - across * (first.beam / 2 + (1 if moored else 30))
    far = 2 * SIDE
    quay = np.stack(
        [edge + along * far, edge - along * far, edge - along * far - across * far, edge + along * far - across * far]
    )
    land = [quay] if moored or rng.random() < 0.4 else []
    pixels = render(rng, SIDE, ships, land, REDUCE)
    hulls = np.any([hull_mask(ship, SIDE, REDUCE) for ship in ships], axis=0)
    cells = hulls.reshape(PIXELS // CELL, CELL, PIXELS // CELL, CELL).any(axis=(1, 3))
    return Scene(pixels, cells, sentence_of(kind, count, WINDS[wind], moored))


def encode(sentence: str) -> list[int]:
    """Tokens from BEGIN on, padded."""
    tokens = [BEGIN, *(WORDS.index(word) for word in sentence.split()), END]
    return tokens + [PAD] * (LONGEST + 1 - len(tokens))


def decode(tokens: tuple[int, ...]) -> str:
    """Words of tokens."""
    return " ".join(WORDS[token] for token in tokens)


def make_scenes(count: int, seed: int, device: torch.device) -> Scenes:
    """`count` scenes."""
    rng = np.random.default_rng(seed)
    scenes = [make_scene(rng) for _ in range(count)]
    images = torch.from_numpy(np.stack([s.pixels for s in scenes])).permute(0, 3, 1, 2).float() / 64 - 2
    tokens = torch.tensor([encode(s.sentence) for s in scenes])
    ships = torch.from_numpy(np.stack([s.ships for s in scenes]))
    return Scenes(images.to(device), tokens.to(device), ships.to(device), tuple(s.sentence for s in scenes))
