"""The scenes that a config names, for training and for validation."""

from collections.abc import Callable, Iterator

from shipdet.config import TrainConfig
from shipdet.training.chips import Source
from shipdet.training.scenes import LabelledScene, mean_scale, open_labelled, picture_of

SCALE = (0.5, 2.0)
"""Least and greatest chip pixels per pixel of the model."""
PICTURE = 1024 * 768
"""Pixels of the model that a scene counts as one picture for; but never as more pictures than it has ships."""


def scene_sources(config: TrainConfig, report: Callable[[str], None]) -> list[Source]:
    """What there is to learn from in scenes, each as a source of its own, for each has its scale.

    Raises:
        SceneError, LabelsError: a scene or its labels are not as expected.
    """
    return [_source(labelled, report) for labelled in training_scenes(config)]


def training_scenes(config: TrainConfig) -> Iterator[LabelledScene]:
    """The scenes to learn from; blocks of them are kept for validation unless there are scenes for that."""
    share = 0.0 if config.validation_scenes else config.validation_share
    for source, labels in zip(config.scenes, config.scene_labels, strict=True):
        yield open_labelled(source, labels, share, config.scene_bands, config.scenes_gsd_m)


def validation_scenes(config: TrainConfig) -> Iterator[LabelledScene]:
    """The scenes to judge by: those named for it, whole, else the blocks that training does not see."""
    if not config.validation_scenes:
        yield from (scene for scene in training_scenes(config) if len(scene.blocks.validation))
    for source, labels in zip(config.validation_scenes, config.validation_labels, strict=True):
        yield open_labelled(source, labels, 1.0, config.scene_bands, config.scenes_gsd_m)


def _source(labelled: LabelledScene, report: Callable[[str], None]) -> Source:
    picture, scale = picture_of(labelled), mean_scale(labelled.scene)
    blocks = labelled.blocks
    width, height = (blocks.training[:, 2:] - blocks.training[:, :2]).T
    pictures = float((width * height).sum()) * scale**2 / PICTURE
    every = len(blocks.training) + len(blocks.validation)
    report(f"{picture.name}: {len(picture.labels)} ships, {len(blocks.validation)} of {every} blocks for validation")
    for note in labelled.notes:
        report(f"{picture.name}: {note}")
    share = max(1.0, min(pictures, float(len(picture.labels))))
    return Source([picture], share, (scale * SCALE[0], scale * SCALE[1]))
