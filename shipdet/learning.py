"""What shipdet learns, one function a job: the command line, the pipelines and Python callers all come here."""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Literal

from shipdet.attention.rcan import Layout
from shipdet.config import TrainConfig
from shipdet.config_parts import BowClassifierConfig, ScaleHeadConfig, ScoutConfig, SharpenConfig, TypeClassifierConfig
from shipdet.errors import ConfigError, LabelsError, WeightsError
from shipdet.files import made_folder
from shipdet.geometry import Hulls
from shipdet.inference.engine import detect_hulls
from shipdet.labels.folders import Folder, LabelledPicture, civil, inshore, read_folder
from shipdet.labels.types import SHIP_TYPES
from shipdet.models.device import choose_device
from shipdet.models.sharpener import MOST_REACH, Sharpener, SharpenerCard, reach, save_sharpener
from shipdet.models.weights import load_weights, round_to_half, save_weights
from shipdet.raster.scene import open_scene


def train(config: TrainConfig, report: Callable[[str], None]) -> Path:
    """Trains a network, or goes on training, and writes the weights that validation liked best.

    Raises:
        ShipdetError: the data are not as expected.
    """
    from shipdet.evaluation.validation import build_judge, finished  # noqa: PLC0415 - needs the extra `train`
    from shipdet.training.run import train as run  # noqa: PLC0415 - likewise

    network = round_to_half(run(config, build_judge(config, report), report, _finder(config)))
    path = config.output / config.name / f"{config.name}.safetensors"
    save_weights(path, finished(network, config))
    return path


def train_scale_head(config: ScaleHeadConfig, report: Callable[[str], None]) -> Path:
    """Trains the head for attention to scale on a frozen network, and writes both to one weights file.

    Raises:
        ShipdetError: the weights or the data are not as expected.
    """
    from shipdet.evaluation.scale_lessons import Known, gather_lessons  # noqa: PLC0415 - likewise
    from shipdet.evaluation.validation import fused_threshold  # noqa: PLC0415 - they take a second to import
    from shipdet.training.scale_head import ScaleHeadSchedule, train_scale_head  # noqa: PLC0415 - likewise

    made_folder(config.output.parent)
    model, device = load_weights(config.model), choose_device()
    known = ((inshore, config.inshore, config.inshore_gsd_m), (civil, config.civil, None))
    folders = [Known(folder(path), gsd_m) for folder, path, gsd_m in known if path is not None]
    lessons = gather_lessons(folders, model, device, config.times, config.seed)
    report(f"{int(lessons.ship.sum())} hulls on ships and {int((~lessons.ship).sum())} false alarms to learn from")
    head = round_to_half(train_scale_head(lessons, ScaleHeadSchedule(steps=config.steps, seed=config.seed)))
    threshold = fused_threshold(model._replace(scale_head=head), device, folders[-1].folder, report)
    card = model.card.model_copy(update={"fused_threshold": threshold, "scale_head": head.hidden})
    save_weights(config.output, model._replace(card=card, scale_head=head))
    return config.output


def train_scout(config: ScoutConfig, report: Callable[[str], None]) -> Path:
    """Gives a trained network a scout, newly trained or another's, and writes both to one weights file.

    Raises:
        ShipdetError: the weights or the data are not as expected.
    """
    from shipdet.evaluation.scout_threshold import scout_facts  # noqa: PLC0415 - needs the extra `train`
    from shipdet.training.pictures import load_pictures, render_harbours  # noqa: PLC0415 - likewise
    from shipdet.training.scout import SEA_SIZE, ScoutSchedule, train_scout  # noqa: PLC0415 - likewise

    made_folder(config.output.parent)
    model, device = load_weights(config.model), choose_device()
    folders = _folders(config)
    scout = None if config.take_from is None else load_weights(config.take_from).scout
    if scout is None and config.take_from is not None:
        raise WeightsError(f"{config.take_from} has no scout to take over; name weights that pipelines/scout.py wrote")
    if scout is None:
        pictures = [picture for folder in folders for picture in load_pictures(folder)]
        pictures += render_harbours(config.drawn, SEA_SIZE, config.seed)
        scout = round_to_half(train_scout(pictures, ScoutSchedule(steps=config.steps, seed=config.seed), report))
    held_back, split = _validation(folders)
    facts = scout_facts(model._replace(scout=scout), device, held_back, split, report)
    card = model.card.model_copy(update={"scout": facts})
    save_weights(config.output, model._replace(card=card, scout=scout))
    return config.output


def train_sharpeners(config: SharpenConfig, report: Callable[[str], None]) -> list[Path]:
    """Trains what sharpens coarse scenes, a weights file for each factor.

    Raises:
        ShipdetError: the data are not as expected, or the network would look too far around.
    """
    layout = Layout(config.groups, config.blocks, config.width)
    if (far := reach(layout)) > MOST_REACH:
        raise ConfigError(f"groups, blocks: such a network looks {far} pixels around, expected at most {MOST_REACH}")
    made_folder(config.output)
    return [_train_sharpener(config, layout, factor, report) for factor in config.factors]


def _train_sharpener(
    config: SharpenConfig, layout: Layout, factor: Literal[2, 4], report: Callable[[str], None]
) -> Path:
    from shipdet.training.sharpening import SharpenSchedule, judge, photographs, train_sharpener  # noqa: PLC0415 - as they

    folders = _folders(config)
    device = choose_device(config.device, config.precision)
    schedule = SharpenSchedule(
        factor, layout, config.steps, config.batch, config.crop, config.learning_rate, seed=config.seed
    )
    learnt = [photographs(folder, "train", factor) for folder in folders]
    trained = train_sharpener([picture for some in learnt for picture in some], schedule, device, report)
    network = round_to_half(trained)
    worth = judge(network, photographs(folders[0], "validation", factor), device)
    report(f"sharpen x{factor}: {worth.psnr_db:.2f} dB on validation pictures, bicubic {worth.bicubic_db:.2f} dB")
    card = SharpenerCard(
        factor=factor,
        **layout._asdict(),
        trained_on=tuple(
            f"{folder.name} train, {len(some)} pictures" for folder, some in zip(folders, learnt, strict=True)
        ),
        terms=config.terms,
        steps=config.steps,
        split=f"{folders[0].name} validation",
        psnr_db=round(worth.psnr_db, 3),
        gain_db=round(worth.psnr_db - worth.bicubic_db, 3),
    )
    path = config.output / f"x{factor}.safetensors"
    save_sharpener(path, Sharpener(network, card))
    return path


def train_bow_classifier(config: BowClassifierConfig, report: Callable[[str], None]) -> Path:
    """Teaches a trained network to look again at ships whose bow is in doubt, and writes both to one weights file.

    Raises:
        ShipdetError: the weights or the data are not as expected.
    """
    from shipdet.evaluation.bow_weight import second_look_facts  # noqa: PLC0415 - needs the extra `train`
    from shipdet.evaluation.validation import rescored  # noqa: PLC0415 - likewise
    from shipdet.training.bow_classifier import BowSchedule, hulls_of, train_bow_classifier  # noqa: PLC0415 - likewise
    from shipdet.training.pictures import load_pictures, render_harbours  # noqa: PLC0415 - likewise
    from shipdet.training.run import SYNTHETIC_SIZE  # noqa: PLC0415 - likewise

    made_folder(config.output.parent)
    model = load_weights(config.model)
    folders = _folders(config)
    real = hulls_of([picture for folder in folders for picture in load_pictures(folder)])
    if not real:
        raise LabelsError(f"{config.inshore} labels no ship whose bow is known; there is nothing to learn from")
    drawn = hulls_of(render_harbours(config.drawn, SYNTHETIC_SIZE, config.seed))
    report(f"{len(real)} hulls with known bows, and {len(drawn)} drawn ones")
    schedule = BowSchedule(steps=config.steps, seed=config.seed)
    classifier = round_to_half(train_bow_classifier(real, drawn, schedule, report))
    held_back, split = _validation(folders)
    device = choose_device()
    facts = second_look_facts(model, classifier, device, held_back, split, report)
    card = model.card.model_copy(update={"second_look": facts})
    taught = model._replace(card=card, bow_classifier=classifier)
    save_weights(config.output, taught._replace(card=rescored(taught, device, folders)))
    return config.output


def train_type_classifier(config: TypeClassifierConfig, report: Callable[[str], None]) -> Path:
    """Teaches a trained network to tell types by a look at each hull, and writes both to one weights file.

    Raises:
        ShipdetError: the weights or the data are not as expected.
    """
    from shipdet.evaluation.type_look import type_look_facts  # noqa: PLC0415 - needs the extra `train`
    from shipdet.training.pictures import load_pictures  # noqa: PLC0415 - likewise
    from shipdet.training.type_classifier import TypeSchedule, train_type_classifier, typed_hulls  # noqa: PLC0415
    from shipdet.training.type_mosaics import load_type_mosaics  # noqa: PLC0415 - likewise

    made_folder(config.output.parent)
    model = load_weights(config.model)
    if model.card.types != SHIP_TYPES:
        raise LabelsError(f"{config.model} tells no types of ship; expected weights that tell {', '.join(SHIP_TYPES)}")
    folders = _folders(config)
    pictures = [picture for folder in folders for picture in load_pictures(folder)]
    chips = [] if config.ship_types is None else load_type_mosaics(config.ship_types, config.seed)
    hulls = typed_hulls(pictures) + typed_hulls(chips, difficult=True)
    if not hulls:
        raise LabelsError(f"{config.inshore} labels no ship whose type is known; there is nothing to learn from")
    report(f"{len(hulls)} hulls of known types")
    schedule = TypeSchedule(steps=config.steps, seed=config.seed)
    classifier = round_to_half(train_type_classifier(hulls, schedule, report))
    held_back, split = _validation(folders)
    facts = type_look_facts(model, classifier, choose_device(), held_back, split, report)
    card = model.card.model_copy(update={"type_look": facts})
    save_weights(config.output, model._replace(card=card, type_classifier=classifier))
    return config.output


def _folders(config: ScoutConfig | SharpenConfig | BowClassifierConfig | TypeClassifierConfig) -> list[Folder]:
    """The folders of pictures that a config names, `inshore` first."""
    return [inshore(config.inshore), *([civil(config.civil)] if config.civil is not None else [])]


def _validation(folders: Sequence[Folder]) -> tuple[list[LabelledPicture], str]:
    """The pictures that are held back in some folders, and what to call them."""
    pictures = [picture for folder in folders for picture in read_folder(folder, "validation")]
    return pictures, " and ".join(folder.name for folder in folders) + " validation"


def _finder(config: TrainConfig) -> Callable[[Path], Hulls] | None:
    """What completes incomplete labels, where the config names a teacher."""
    if config.teacher is None:
        return None
    model, device = load_weights(config.teacher), choose_device("auto", config.precision)
    return lambda path: detect_hulls(open_scene(str(path), gsd_m=model.card.gsd_m), model, device).hulls
