"""Ports to learn from: multispectral scenes with masks, cut into chips at the model's scale as training goes.

A chip is warped once, from the scene's own pixels straight to the model's finer grid, bilinearly as the reader
enlarges; so what a network sees in training is what it sees of a scene.
"""

from collections.abc import Sequence
from typing import NamedTuple

import cv2
import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.utils.data import Dataset

from shipdet.labels.sen2ships import CutMask, LabelledPort
from shipdet.labels.types import Labels
from shipdet.models.task_partition import normalise
from shipdet.raster.raw import SceneFiles
from shipdet.raster.reader import FILL
from shipdet.raster.scene import open_scene
from shipdet.raster.stretch import HIGHEST, LOWEST, apply, scene_stretch
from shipdet.raster.tiling import Window
from shipdet.training.stamps import Stamp, cut_stamp, paste_stamps
from shipdet.training.targets import draw_targets

Array = NDArray[np.float64]
Pixels = NDArray[np.float32]
Mask = NDArray[np.bool_]

PORT_BANDS = ("red", "green", "blue", "nir")
OPTIONAL_BANDS = ("nir",)
"""Left out of some chips: a scene may lack them."""
PORT_GSD_M = 2.5
"""Of the model's grid: a ship of 80 m is 32 pixels long there, in the scene's own pixels eight."""
ZOOM = (0.75, 1.4)
NEAR_SHIPS = 0.7
"""Share of the chips that show a labelled ship."""
VIEW_MARGIN = 24.0
STAMPS = 1.5
"""Mean number of ships that are pasted into a chip."""


class Port(NamedTuple):
    """One scene in memory, as the network will see it."""

    name: str
    pixels: Pixels
    """(H, W, 4) stretched: red, green, blue, near infrared"""
    valid: NDArray[np.uint8]
    """(H, W) 1 where there are pixels"""
    scale: float
    """model pixels per scene pixel"""
    labels: Labels
    masks: tuple[CutMask, ...]
    known: NDArray[np.uint8]
    """(H, W) 1 where every ship is labelled"""


class Lesson(NamedTuple):
    """Something else to learn from than ports, and how often."""

    ports: Sequence[Port]
    share: float
    """of the chips, 0 to 1"""


class View(NamedTuple):
    """Where a chip lies: chip pixels x to scene pixels `matrix @ x + shift`."""

    matrix: Array
    shift: Array

    def to_chip(self, xy: Array) -> Array:
        """Scene coordinates (N, 2) to chip coordinates."""
        return np.asarray((xy - self.shift) @ np.linalg.inv(self.matrix).T)


def load_port(port: LabelledPort) -> Port:
    """A port's pixels, stretched as the reader stretches a scene.

    Raises:
        SceneError: a band is missing or the scene has no pixels.
        ReadError: a file is damaged.
    """
    scene = open_scene(port.bands, bands=range(1, len(port.bands) + 1))
    with SceneFiles(scene) as files:
        raw = files.read(Window(0, 0, scene.grid.width, scene.grid.height))
    pixels = apply(scene_stretch(scene), raw.pixels)
    pixels[:, ~raw.valid] = FILL
    scale = float(np.sqrt(np.prod(scene.gsd_m or (10.0, 10.0)))) / PORT_GSD_M
    in_rows = np.ascontiguousarray(pixels.transpose(1, 2, 0))
    valid = raw.valid.astype(np.uint8)
    return Port(port.name, in_rows, valid, scale, port.labels, port.masks, np.ones_like(valid))


class PortChips(Dataset[tuple[Tensor, ...]]):
    """Chips `first` to `first + count` of an endless sequence; (pixels, *`TargetMaps`)."""

    def __init__(
        self, ports: Sequence[Port], others: Sequence[Lesson], size: int, seed: int, first: int, count: int
    ) -> None:
        """Chips of other lessons as often as each asks for, of ports else."""
        self.ports = ports
        self.others = others
        self.size = size
        self.seed = seed
        self.first = first
        self.count = count
        self.stamps = [stamp for port in ports for stamp in _stamps(port)]

    def __len__(self) -> int:
        return self.count

    def __getitem__(self, index: int) -> tuple[Tensor, ...]:
        rng = np.random.default_rng([self.seed, self.first + index])
        ports = self._lesson(float(rng.random()))
        port, centre = self._place(rng, ports)
        view = draw_view(rng, centre, port.scale, self.size)
        pixels, valid, known = warp(port, view, self.size)
        labels = _labels_in(port.labels, view, self.size)
        if self.stamps and ports is self.ports:
            pixels, labels = paste_stamps(rng, pixels, labels, self.stamps, int(rng.poisson(STAMPS)))
        pixels = relight(rng, pixels)
        pixels[~valid] = FILL
        targets = draw_targets(labels, known)
        chip = normalise(torch.from_numpy(pixels).permute(2, 0, 1))
        return chip, *(torch.from_numpy(np.ascontiguousarray(t)) for t in targets)

    def _lesson(self, drawn: float) -> Sequence[Port]:
        """What a number drawn from 0 to 1 falls on."""
        for ports, share in self.others:
            if drawn < share:
                return ports
            drawn -= share
        return self.ports

    def _place(self, rng: np.random.Generator, ports: Sequence[Port]) -> tuple[Port, Array]:
        """A port and a place in it: near a ship, all ships alike, or anywhere, all ports alike."""
        if rng.random() < NEAR_SHIPS:
            counts = np.array([len(port.labels) for port in ports])
            port = ports[int(rng.choice(len(counts), p=counts / counts.sum()))]
            ship = rng.integers(len(port.labels))
            jitter = rng.uniform(-0.35, 0.35, 2) * self.size / port.scale
            return port, (port.labels.bow[ship] + port.labels.stern[ship]) / 2 + jitter
        port = ports[int(rng.integers(len(ports)))]
        height, width = port.valid.shape
        return port, rng.uniform((0, 0), (width, height))


def draw_view(rng: np.random.Generator, centre: Array, scale: float, size: int) -> View:
    """A square around a place, turned and flipped at random, zoomed within `ZOOM`."""
    zoom = scale * float(np.exp(rng.uniform(*np.log(ZOOM))))
    turn = rng.uniform(0, 2 * np.pi)
    flip = np.diag([rng.choice([-1.0, 1.0]), 1.0])
    rotation = np.array([[np.cos(turn), -np.sin(turn)], [np.sin(turn), np.cos(turn)]])
    matrix = rotation @ flip / zoom
    return View(matrix, centre - matrix @ np.full(2, size / 2))


def warp(port: Port, view: View, size: int) -> tuple[Pixels, Mask, Mask]:
    """Pixels (size, size, 4) of a view, where they are valid, and where every ship is labelled."""
    # OpenCV counts from the first pixel's centre.
    matrix = np.column_stack([view.matrix, view.matrix @ (0.5, 0.5) + view.shift - 0.5])
    flags = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
    pixels = cv2.warpAffine(port.pixels, matrix, (size, size), flags=flags, borderMode=cv2.BORDER_REPLICATE)
    nearest = cv2.INTER_NEAREST | cv2.WARP_INVERSE_MAP
    valid = cv2.warpAffine(port.valid, matrix, (size, size), flags=nearest, borderValue=0)
    known = cv2.warpAffine(port.known, matrix, (size, size), flags=nearest, borderValue=1)
    return np.asarray(pixels, np.float32), np.asarray(valid > 0), np.asarray(known > 0)


def relight(rng: np.random.Generator, pixels: Pixels) -> Pixels:
    """Other light, haze, sensors and neighbours in the scene's histogram; at times grey, at times no infrared."""
    bands = pixels.shape[2]
    gain = np.asarray(np.exp(rng.normal(0, 0.25) + rng.normal(0, 0.1, bands)), np.float32)
    offset = np.asarray(rng.normal(0, 0.04) + rng.normal(0, 0.02, bands), np.float32)
    lit: Pixels = pixels * gain + offset
    if rng.random() < 0.3:
        power = np.float32(np.exp(rng.uniform(np.log(0.7), np.log(1.3))))
        lit = np.where(lit > 0, np.abs(lit) ** power, lit)
    if rng.random() < 0.05:
        lit[:, :, :3] = lit[:, :, :3].mean(axis=2, keepdims=True)
    if rng.random() < 0.2:
        lit = _noisy(rng, lit)
    lit = np.clip(lit, LOWEST, HIGHEST)
    if rng.random() < 0.2:
        lit[:, :, -len(OPTIONAL_BANDS) :] = FILL
    return np.ascontiguousarray(lit, np.float32)


def _noisy(rng: np.random.Generator, pixels: Pixels) -> Pixels:
    """Noise as coarse as the scene's own pixels, enlarged with them."""
    size = pixels.shape[0]
    coarse = rng.normal(0, rng.uniform(0.005, 0.04), (size // 4, size // 4, pixels.shape[2])).astype(np.float32)
    return np.asarray(pixels + cv2.resize(coarse, (size, size), interpolation=cv2.INTER_LINEAR), np.float32)


def _stamps(port: Port) -> list[Stamp]:
    return [cut_stamp(port.pixels, mask, port.scale) for mask in port.masks]


def _labels_in(labels: Labels, view: View, size: int) -> Labels:
    """The ships that a chip shows, at their new places."""
    bow, stern = view.to_chip(labels.bow), view.to_chip(labels.stern)
    low, high = np.minimum(bow, stern), np.maximum(bow, stern)
    seen = np.flatnonzero(((high > -VIEW_MARGIN) & (low < size + VIEW_MARGIN)).all(axis=1))
    zoom = 1 / np.sqrt(abs(np.linalg.det(view.matrix)))
    return Labels(
        bow=bow[seen],
        stern=stern[seen],
        beam=labels.beam[seen] * zoom,
        bow_known=labels.bow_known[seen],
        difficult=labels.difficult[seen],
        type=tuple(labels.type[i] for i in seen),
        regions=np.zeros((0, 4)),
        complete=True,
    )
