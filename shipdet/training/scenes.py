"""Scenes to learn from, cut as training goes: a chip is a windowed read, and no scene is ever held in memory."""

from collections.abc import Sequence
from dataclasses import dataclass
from math import ceil, sqrt
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from shipdet.errors import LabelsError, SceneError
from shipdet.labels.frame import Frame
from shipdet.labels.read import read_labels
from shipdet.labels.types import Array, Labels, Note
from shipdet.raster.bands import BandChoice
from shipdet.raster.raw import SceneFiles
from shipdet.raster.reader import FILL, SceneReader, read_chip
from shipdet.raster.sampling import SLACK, Sampling
from shipdet.raster.scene import Scene, open_scene
from shipdet.raster.stretch import Stretch, scene_stretch
from shipdet.raster.tiling import Window
from shipdet.training.augmentation import OUTSIDE, Augmented
from shipdet.training.blocks import Blocks, inside, part_scene, to_learn_from
from shipdet.training.pictures import Cut, encode, known_mask

GSD_M = 1.0
"""Metres per pixel of the model that is trained."""
MARGIN = 64.0
"""Pixels around a square in which a ship's end still has a say in it."""
VALIDITY_SIDE = 1024
"""Longer side of the decimated scene by which ships over nodata are told."""


class LabelledScene(NamedTuple):
    """A scene on disk, its labels, and which blocks of it are for validation."""

    scene: Scene
    frame: Frame
    labels: Labels
    """of the whole scene, in its pixels"""
    blocks: Blocks
    notes: tuple[Note, ...]


@dataclass(frozen=True)
class ScenePicture:
    """The part of a scene that is learnt from; picklable, holds no open file."""

    name: str
    scene: Scene
    stretch: Stretch
    labels: Labels
    """in scene pixels"""
    blocks: Blocks

    def cut(self, centre: Array, scale: float, side: int) -> Cut:
        """A square around a place in the scene, `scale` square pixels a mean scene pixel.

        Validation blocks are as if they lay outside the scene.

        Raises:
            ReadError: the file is damaged.
        """
        sampling = sampling_at(self.scene, scale)
        x, y = (round(float(c) - side / 2) for c in sampling.to_model(centre))
        with SceneReader(self.scene, sampling) as reader:
            chip = read_chip(reader, self.stretch, Window(x, y, side, side))
        scales = (sampling.scale_x, sampling.scale_y)
        labels = self.labels.select(_near(self.labels, sampling, (x, y), side))
        placed = labels.rescaled(scales, (x, y))
        mask = known_mask(placed, (side, side))
        mask[~chip.valid | _held_out(self.blocks.validation * (scales * 2) - (x, y, x, y), side)] = OUTSIDE
        pixels = np.ascontiguousarray(encode(chip.pixels).transpose(1, 2, 0))
        pixels[mask == OUTSIDE] = encode(np.array(FILL, np.float32))
        return Cut(Augmented(pixels, mask, np.concatenate([placed.bow, placed.stern])), labels)

    def anywhere(self, rng: np.random.Generator) -> Array:
        """A place (2,) in the scene, but in no validation block."""
        area = np.prod(self.blocks.training[:, 2:] - self.blocks.training[:, :2], axis=1)
        block = self.blocks.training[int(rng.choice(len(area), p=area / area.sum()))]
        return np.asarray(rng.uniform(block[:2], block[2:]))


def sampling_at(scene: Scene, scale: float) -> Sampling:
    """The scene read at `scale` pixels a mean scene pixel, square on the ground."""
    x, y = scene.gsd_m or (1.0, 1.0)
    scale_x, scale_y = scale * sqrt(x / y), scale * sqrt(y / x)
    width, height = (
        max(1, ceil(n * s - SLACK)) for n, s in ((scene.grid.width, scale_x), (scene.grid.height, scale_y))
    )
    return Sampling(scale_x, scale_y, width, height)


def mean_scale(scene: Scene) -> float:
    """Pixels of the model per mean scene pixel.

    Raises:
        SceneError: the scene's ground sample distance is not known.
    """
    if scene.gsd_m is None:
        raise SceneError(
            f"{scene.name} does not say how large its pixels are on the ground; give metres per pixel in the "
            "config: scenes_gsd_m to train, gsd_m to evaluate"
        )
    return sqrt(scene.gsd_m[0] * scene.gsd_m[1]) / GSD_M


def open_labelled(
    source: str | Sequence[str],
    labels: Path,
    validation_share: float,
    bands: BandChoice | None = None,
    gsd_m: float | None = None,
) -> LabelledScene:
    """Looks at a scene and reads its labels.

    Args:
        source: a raster, or the single-band rasters of one scene.
        labels: any file that `read_labels` takes.
        validation_share: of the scene's blocks.
        bands: as of `open_scene`.
        gsd_m: metres per pixel of a scene that cannot tell.

    Raises:
        SceneError, LabelsError: they are not as expected.
    """
    scene = open_scene(source, bands)
    if scene.gsd_m is None and gsd_m is not None:
        scene = open_scene(source, bands, gsd_m=gsd_m)
    frame = Frame(Path(scene.name).name, scene.grid)
    read, notes = read_labels(labels, frame)
    seen = read.select(_over_data(scene, (read.bow + read.stern) / 2))
    if len(seen) < len(read):
        notes = (*notes, Note("dropped, where the scene has no data", len(read) - len(seen)))
    sampling = sampling_at(scene, mean_scale(scene))
    blocks = part_scene(frame, (sampling.scale_x, sampling.scale_y), seen, validation_share)
    return LabelledScene(scene, frame, seen, blocks, notes)


def picture_of(labelled: LabelledScene) -> ScenePicture:
    """What training may see of a scene.

    Raises:
        LabelsError: every ship lies where validation is.
        SceneError: no pixel is valid.
    """
    scene, frame, labels, blocks, _ = labelled
    learnt = to_learn_from(labels, blocks, frame)
    if not len(blocks.training) or (len(labels) and not len(learnt)):
        raise LabelsError(f"{scene.name} is all kept for validation; lower validation_share or name validation_scenes")
    return ScenePicture(scene.scene_id, scene, scene_stretch(scene), learnt, blocks)


def _over_data(scene: Scene, xy: Array) -> NDArray[np.bool_]:
    """Which places (N, 2) have a valid pixel about them."""
    with SceneFiles(scene) as files:
        valid = np.pad(files.read_decimated(VALIDITY_SIDE).valid, 1)
    height, width = valid.shape[0] - 2, valid.shape[1] - 2
    near = xy * (width / scene.grid.width, height / scene.grid.height)
    column, row = np.clip(near.astype(int), 0, (width - 1, height - 1)).T
    around = [valid[row + j, column + i] for j in range(3) for i in range(3)]
    return np.asarray(np.any(around, axis=0) if around else np.zeros(0, bool))


def _near(labels: Labels, sampling: Sampling, corner: tuple[int, int], side: int) -> NDArray[np.bool_]:
    """Ships (N,) that a square shows, or nearly."""
    bow, stern = sampling.to_model(labels.bow) - corner, sampling.to_model(labels.stern) - corner
    low, high = np.minimum(bow, stern), np.maximum(bow, stern)
    return np.asarray(((high > -MARGIN) & (low < side + MARGIN)).all(axis=1))


def _held_out(blocks: Array, side: int) -> NDArray[np.bool_]:
    """Pixels (side, side) in any of the blocks (K, 4), given in the square's pixels."""
    y, x = np.mgrid[:side, :side] + 0.5
    near = blocks[(blocks[:, 2:] > 0).all(axis=1) & (blocks[:, :2] < side).all(axis=1)]
    return inside(near, np.stack([x.ravel(), y.ravel()], axis=1)).reshape(side, side)
