"""Training of the scout: labelled pictures made four times coarser, and for each cell whether a ship touches it."""

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import cv2
import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from torch import Tensor

from shipdet.geometry import hull_corners
from shipdet.labels.types import IGNORED_TYPES, Labels
from shipdet.models.scout import SCOUT_CELL, SCOUT_STRIDE, Scout
from shipdet.raster.reader import FILL
from shipdet.training.augmentation import INCOMPLETE, OUTSIDE, relit
from shipdet.training.pictures import Picture, decode
from shipdet.training.targets import BEAM_OF_LENGTH

Mask = NDArray[np.bool_]

LEAST_LENGTH = 12.0
"""Shorter ships, in model pixels, are neither here nor there."""
ZOOM = (0.7, 1.4)
"""Range of what pictures are scaled by besides: ground pixels are not known that well."""
AT_SHIP = 0.5
"""Share of the crops that have a ship in them for certain."""
HIDDEN = 0.3
"""Share of the crops of which a part is no picture, as at the edge of a scene: an edge is no quay."""
SWOLLEN = 0.3
"""Share of the crops with waves laid over them."""
WAVES = 6
WAVE_LENGTH = (3.0, 60.0)
"""In scout pixels."""
WAVE_HEIGHT = 0.08
"""Of all waves together, at most, in stretched radiometry (standard deviation)."""
SEA_SIZE = 768
"""Side of a drawn harbour in pixels."""
TOLD_EVERY = 100


class ScoutSchedule(NamedTuple):
    """How the scout is trained."""

    steps: int = 1500
    batch: int = 16
    side: int = 160
    """of a crop in scout pixels"""
    learning_rate: float = 4e-3
    weight_decay: float = 1e-3
    ship: float = 4.0
    """weight of a cell with a ship: one that is missed is worse than one that is opened in vain"""
    seed: int = 0


class Lesson(NamedTuple):
    """A crop and what is to be said of its cells."""

    pixels: NDArray[np.float32]
    """(3, side, side) stretched"""
    ship: NDArray[np.bool_]
    """(side/8, side/8) a ship touches the cell"""
    known: NDArray[np.bool_]
    """likewise, whether that is certain"""


def train_scout(pictures: Sequence[Picture], schedule: ScoutSchedule, report: Callable[[str], None]) -> Scout:
    """A scout taught by pictures in pixels of the model.

    Args:
        pictures: at least one.
        schedule: how.
        report: is told the loss now and then.
    """
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(schedule.seed)
        scout = Scout().to(memory_format=torch.channels_last)
    optimiser = torch.optim.AdamW(scout.parameters(), schedule.learning_rate, weight_decay=schedule.weight_decay)
    rate = torch.optim.lr_scheduler.OneCycleLR(
        optimiser, schedule.learning_rate, total_steps=schedule.steps, pct_start=0.1
    )
    random = np.random.default_rng(schedule.seed)
    losses: list[float] = []
    for step in range(1, schedule.steps + 1):
        lessons = [
            lesson_of(pictures[int(random.integers(len(pictures)))], schedule.side, random)
            for _ in range(schedule.batch)
        ]
        pixels, ship, known = (torch.from_numpy(np.stack(parts)) for parts in zip(*lessons, strict=True))
        optimiser.zero_grad()
        logits = scout(pixels.contiguous(memory_format=torch.channels_last))
        loss = scout_loss(logits, ship, known, schedule.ship)
        loss.backward()
        optimiser.step()
        rate.step()
        losses.append(float(loss.detach()))
        if step % TOLD_EVERY == 0:
            report(f"scout, step {step} of {schedule.steps}: loss {np.mean(losses[-TOLD_EVERY:]):.3f}")
    return scout.eval()


def scout_loss(logits: Tensor, ship: Tensor, known: Tensor, weight: float) -> Tensor:
    """Mean cross-entropy of the known cells.

    Args:
        logits: (B, h, w).
        ship: (B, h, w) bool.
        known: (B, h, w) bool.
        weight: of cells with a ship.
    """
    each = F.binary_cross_entropy_with_logits(
        logits, ship.float(), reduction="none", pos_weight=torch.tensor(weight, device=logits.device)
    )
    return (each * known).sum() / known.sum().clamp(min=1)


def lesson_of(picture: Picture, side: int, random: np.random.Generator) -> Lesson:
    """A crop of a picture at a random place, zoom, symmetry and light.

    Args:
        picture: in pixels of the model.
        side: of the crop in scout pixels.
        random: is advanced.
    """
    zoom = float(np.exp(random.uniform(*np.log(ZOOM))))
    scale = zoom / SCOUT_STRIDE
    square = picture.cut(_place(picture, side / scale, random), scale, side).square
    ship, unsure = _touched(square.points, picture.labels, zoom, side)
    hidden = (square.mask == OUTSIDE) | _hidden(side, random)
    known = ship | ~(unsure | _any((square.mask == INCOMPLETE) & ~hidden))
    known &= ~(ship & _any(hidden))
    pixels = relit(decode(square.pixels) + _waves(side, random), random)
    pixels[hidden] = FILL
    return _turned(Lesson(pixels.transpose(2, 0, 1), ship, known), random)


def _place(picture: Picture, span: float, random: np.random.Generator) -> NDArray[np.float64]:
    """The middle of a crop: near a ship, or anywhere."""
    if len(picture.labels) and random.random() < AT_SHIP:
        number = random.integers(len(picture.labels))
        middle = (picture.labels.bow[number] + picture.labels.stern[number]) / 2
        return np.asarray(middle + random.uniform(-0.4, 0.4, 2) * span)
    return picture.anywhere(random)


def _touched(points: NDArray[np.float64], labels: Labels, zoom: float, side: int) -> tuple[Mask, Mask]:
    """Cells that ships touch, and cells that touch what may be one or not.

    Args:
        points: bows, then sterns, in pixels of the crop.
        labels: of the ships.
        zoom: model pixels per pixel of the labels.
        side: of the crop.
    """
    bow, stern = np.split(points, 2)
    length = labels.length * zoom
    beam = np.where(np.isfinite(labels.beam), labels.beam * zoom, BEAM_OF_LENGTH * length) / SCOUT_STRIDE
    odd = labels.difficult | (length < LEAST_LENGTH) | np.array([kind in IGNORED_TYPES for kind in labels.type], bool)
    drawn = np.zeros((2, side, side), np.uint8)
    for outline, unsure in zip(hull_corners(bow, stern, beam), odd, strict=True):
        corners = [np.floor(outline).astype(np.int32)]
        cv2.fillPoly(drawn[int(unsure)], corners, 1)
        cv2.polylines(drawn[int(unsure)], corners, isClosed=True, color=1)
    return _any(drawn[0] > 0), _any(drawn[1] > 0)


def _any(pixels: Mask) -> Mask:
    """Which cells have such a pixel; the sides are whole cells."""
    height, width = (side // SCOUT_CELL for side in pixels.shape)
    return np.asarray(pixels.reshape(height, SCOUT_CELL, width, SCOUT_CELL).any(axis=(1, 3)))


def _hidden(side: int, random: np.random.Generator) -> Mask:
    """Pixels (side, side) beyond an edge of the scene, which there may be: along the crop's sides or aslant."""
    if random.random() >= HIDDEN:
        return np.zeros((side, side), np.bool_)
    angle = random.uniform(0, 2 * np.pi) if random.random() < 0.5 else random.integers(4) * np.pi / 2
    y, x = np.mgrid[:side, :side] - (side - 1) / 2
    return np.asarray(x * np.cos(angle) + y * np.sin(angle) > random.uniform(-0.5, 0.5) * side)


def _waves(side: int, random: np.random.Generator) -> NDArray[np.float32]:
    """Waves (side, side, 1) that may be laid over a crop, of any lengths and directions at once."""
    if random.random() >= SWOLLEN:
        return np.zeros((side, side, 1), np.float32)
    y, x = np.mgrid[:side, :side].astype(np.float32)
    waves = np.zeros((side, side), np.float32)
    for _ in range(WAVES):
        angle, phase = random.uniform(0, 2 * np.pi, 2)
        number = 2 * np.pi / np.exp(random.uniform(*np.log(WAVE_LENGTH)))
        waves += np.sin(number * (x * np.cos(angle) + y * np.sin(angle)) + phase)
    height = random.uniform(0, WAVE_HEIGHT) / np.sqrt(WAVES / 2)
    return np.asarray(waves * height, np.float32)[..., None]


def _turned(lesson: Lesson, random: np.random.Generator) -> Lesson:
    """One of the eight symmetries of a square."""
    turns, flip = int(random.integers(4)), random.random() < 0.5

    def turn(grid: NDArray[Any]) -> NDArray[Any]:
        turned = np.rot90(grid, turns, axes=(-2, -1))
        return np.ascontiguousarray(turned[..., ::-1] if flip else turned)

    return Lesson(*(turn(grid) for grid in lesson))
