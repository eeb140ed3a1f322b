"""A training run: from pictures to weights, resumed where it was killed."""

import sys
from collections.abc import Callable, Iterator

import lightning as L
import numpy as np
import torch
from lightning.pytorch.callbacks import ModelCheckpoint, RichProgressBar
from lightning.pytorch.loggers import CSVLogger, TensorBoardLogger
from torch import Tensor
from torch.utils.data import DataLoader, Dataset

from shipdet.config import TrainConfig
from shipdet.errors import WeightsError
from shipdet.labels.folders import Folder, civil, inshore
from shipdet.labels.sen2ships import read_ports
from shipdet.labels.types import SHIP_TYPES
from shipdet.models.device import has_fast_bfloat16
from shipdet.models.task_partition import Sizes, TaskPartition
from shipdet.models.weights import load_weights
from shipdet.training.chips import Chips, Source
from shipdet.training.coarsened import coarse_harbours, coarsen
from shipdet.training.copy_paste import donors_of, with_pasted
from shipdet.training.masks import HullMasks
from shipdet.training.module import Judge, LossWeights, Schedule, TaskPartitionTraining
from shipdet.training.pictures import Find, Picture, load_pictures, render_harbours
from shipdet.training.ports import PORT_BANDS, Lesson, PortChips, load_port
from shipdet.training.quiet import quiet_lightning
from shipdet.training.scene_sources import scene_sources
from shipdet.training.type_mosaics import load_type_mosaics

GATE_THRESHOLD = 0.1
SIZES = Sizes(types=len(SHIP_TYPES))
PORT_SIZES = Sizes(bands=len(PORT_BANDS))
MakeChips = Callable[[int, int], Dataset[tuple[Tensor, ...]]]
"""Chips from a first one on, so many, of an endless sequence."""
CIVIL_SCALE = (0.4, 1.3)
"""The pictures' GSD is unknown and mostly finer than a metre."""
PICTURE_GSD_M = 1.0
"""Of pictures that do not tell."""
TYPE_SHARE, TYPE_SCALE = 0.08, (0.3, 1.0)
"""Of the chips of single ships, relative to the other pictures."""
SYNTHETIC_SCALE = (0.5, 1.5)
SYNTHETIC_COUNT, SYNTHETIC_SIZE = 96, 768
COARSENED = 0.4
"""Share of the chips of ports that pictures made coarse take, where there are any."""
ChipsOfEpoch = Callable[[int], DataLoader[tuple[Tensor, ...]]]
Build = Callable[[TrainConfig, ChipsOfEpoch, Judge], TaskPartitionTraining]
"""Makes what is trained from a config, the chips of each epoch, and what judges the network."""


def build_training(config: TrainConfig, chips: ChipsOfEpoch, judge: Judge) -> TaskPartitionTraining:
    """What a config trains, before its first step."""
    return TaskPartitionTraining(
        first_network(config),
        Schedule(config.steps, config.warmup_steps, config.learning_rate, config.weight_decay, GATE_THRESHOLD),
        LossWeights(coarse=config.coarse_weight, heat=config.heat_weight, vector=config.vector_weight),
        chips,
        judge,
        HullMasks(sizes_of(config).context, config.mask_weight) if config.mask_weight > 0 else None,
    )


def train(
    config: TrainConfig,
    judge: Judge,
    report: Callable[[str], None],
    find: Find | None = None,
    build: Build = build_training,
) -> TaskPartition:
    """Trains, or goes on training, and returns the network that validation liked best.

    Args:
        config: what to learn from and how.
        judge: scores a network on validation.
        report: takes lines for the user.
        find: finds the ships of incompletely labelled pictures.
        build: makes what is trained; it is called with the config's seed set.
    """
    chips = read_chips(config, report, find)
    torch.manual_seed(config.seed)
    training = build(config, lambda epoch: _loader(config, chips, epoch), judge)
    folder = config.output / config.name
    best = ModelCheckpoint(folder, "best", monitor="val/score", mode="max", enable_version_counter=False)
    last = ModelCheckpoint(folder, "last", save_top_k=1, monitor=None, every_n_epochs=1, enable_version_counter=False)
    resume = folder / "last.ckpt"
    if resume.is_file():
        report(f"going on from {resume}")
    with quiet_lightning():
        trainer = _trainer(config, [best, last])
        trainer.fit(training, ckpt_path=str(resume) if resume.is_file() else None, weights_only=True)
    found = folder / "best.ckpt"
    kept = torch.load(found if found.is_file() else resume, map_location="cpu", weights_only=True)
    training.load_state_dict(kept["state_dict"])
    return training.averaged()


def first_network(config: TrainConfig) -> TaskPartition:
    """A new network, or one that knows what the weights know that the config starts from.

    Raises:
        WeightsError: those weights are missing, or of another network.
    """
    network = TaskPartition(sizes_of(config))
    if config.start_from is not None:
        state, known = network.state_dict(), load_weights(config.start_from).network.state_dict()
        taken = {name: _with_bands(value, state[name]) for name, value in known.items() if name in state}
        if not all(value.shape == state[name].shape for name, value in taken.items()) or not taken:
            raise WeightsError(f"{config.start_from} is of another network; start from weights like inshore-vhr's")
        network.load_state_dict({**state, **taken})
    return network


def _with_bands(known: Tensor, wanted: Tensor) -> Tensor:
    """A filter (out, in, h, w) of fewer bands that says nothing of further ones; anything else as it is."""
    more = wanted.shape[1] - known.shape[1] if known.dim() == wanted.dim() == 4 else 0
    return known if more <= 0 else torch.cat([known, known.new_zeros(len(known), more, *known.shape[2:])], dim=1)


def read_chips(config: TrainConfig, report: Callable[[str], None], find: Find | None = None) -> MakeChips:
    """Chips of what a config names: of ports, or of pictures."""
    if config.sen2ships is None:
        sources = read_sources(config, report, find)
        return lambda first, count: Chips(sources, config.crop, config.seed, first, count)
    ports = [load_port(port) for port in read_ports(config.sen2ships, "train")]
    report(f"{config.sen2ships.name}: {len(ports)} ports, {sum(len(port.labels) for port in ports)} ships")
    others = _other_lessons(config, report, find)
    return lambda first, count: PortChips(ports, others, config.crop, config.seed, first, count)


def _other_lessons(config: TrainConfig, report: Callable[[str], None], find: Find | None) -> list[Lesson]:
    """What a config names beside ports, made as coarse as they are."""
    share = config.synthetic_share
    coarsened = [coarsen(p, PICTURE_GSD_M) for folder, _ in _folders(config) for p in load_pictures(folder, find)]
    drawn = coarse_harbours(SYNTHETIC_COUNT, config.seed) if share > 0 else []
    for name, ports in (("pictures", coarsened), ("drawn harbours", drawn)):
        if ports:
            large = sum(int((~port.labels.difficult).sum()) for port in ports)
            report(f"{name} made coarse: {len(ports)}, {large} ships")
    return [Lesson(drawn, share), *([Lesson(coarsened, COARSENED * (1 - share))] if coarsened else [])]


def sizes_of(config: TrainConfig) -> Sizes:
    """The network that suits the data: ports have a band more, and their ships no known type."""
    sizes = SIZES if config.sen2ships is None else PORT_SIZES
    return sizes._replace(trunk_attention=config.trunk_attention)


def read_sources(config: TrainConfig, report: Callable[[str], None], find: Find | None = None) -> list[Source]:
    """The pictures that a config names, less the validation split, with how often each kind is drawn."""
    sources = []
    for folder, scale in _folders(config):
        pictures = load_pictures(folder, find)
        real = float(len(pictures))
        pictures += _pasted(pictures, config.copy_paste, config.seed)
        sources.append(Source(pictures, real, scale))
        report(f"{folder.name}: {len(pictures)} pictures, {sum(len(p.labels) for p in pictures)} ships")
    sources += scene_sources(config, report)
    if config.ship_types is not None:
        pictures = load_type_mosaics(config.ship_types, config.seed)
        sources.append(Source(pictures, TYPE_SHARE * sum(source.share for source in sources), TYPE_SCALE))
        report(f"{config.ship_types.name}: {sum(len(p.labels) for p in pictures)} ships of known type")
    if config.synthetic_share > 0:
        real = sum(source.share for source in sources) or 1.0
        share = real * config.synthetic_share / max(1.0 - config.synthetic_share, 1e-3)
        pictures = render_harbours(SYNTHETIC_COUNT, SYNTHETIC_SIZE, config.seed)
        sources.append(Source(pictures, share, SYNTHETIC_SCALE))
        report(f"synthetic: {len(pictures)} harbours, {sum(len(p.labels) for p in pictures)} ships")
    return sources


def _pasted(pictures: list[Picture], share: float, seed: int) -> list[Picture]:
    """Some of the pictures once more, with ships of others pasted onto their water."""
    rng = np.random.default_rng([seed, 1])
    chosen = rng.permutation(len(pictures))[: round(share * len(pictures))]
    donors = donors_of(pictures) if len(chosen) else []
    return [with_pasted(pictures[i], donors, rng) for i in chosen]


def _folders(config: TrainConfig) -> Iterator[tuple[Folder, tuple[float, float]]]:
    if config.inshore is not None:
        yield inshore(config.inshore), config.scale
    if config.civil is not None:
        yield civil(config.civil), CIVIL_SCALE


def _loader(config: TrainConfig, chips: MakeChips, epoch: int) -> DataLoader[tuple[Tensor, ...]]:
    count = config.validate_every * config.batch
    drawn = chips(epoch * count, count)
    return DataLoader(drawn, config.batch, num_workers=config.workers, prefetch_factor=4 if config.workers else None)


def _trainer(config: TrainConfig, callbacks: list[ModelCheckpoint]) -> L.Trainer:
    bfloat16 = config.precision == "bfloat16" or (config.precision == "auto" and has_fast_bfloat16(torch.device("cpu")))
    return L.Trainer(
        default_root_dir=config.output,
        max_epochs=-(-config.steps // config.validate_every),
        reload_dataloaders_every_n_epochs=1,
        num_sanity_val_steps=0,
        precision="bf16-mixed" if bfloat16 else "32-true",
        gradient_clip_val=5.0,
        log_every_n_steps=min(20, config.validate_every),
        callbacks=[*callbacks, RichProgressBar()] if sys.stderr.isatty() else list(callbacks),
        enable_progress_bar=sys.stderr.isatty(),
        enable_model_summary=False,
        logger=[CSVLogger(config.output, config.name), TensorBoardLogger(config.output, config.name)],
    )
