"""What a look at each hull alone is worth for types of ship, and how much it should weigh."""

from collections.abc import Callable, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from shipdet.errors import LabelsError
from shipdet.evaluation.cases import Judged
from shipdet.evaluation.confusion import Confusion
from shipdet.evaluation.matching import HIT
from shipdet.evaluation.run import judge
from shipdet.geometry import Array
from shipdet.inference.type_look import together, types_seen
from shipdet.labels.folders import LabelledPicture
from shipdet.models.device import Device
from shipdet.models.type_classifier import TypeClassifier
from shipdet.models.weights import Model, TypeLookFacts
from shipdet.raster.sampling import model_sampling

WEIGHTS = np.linspace(0, 1, 21)
LEAST = 1e-6
"""What probabilities are clipped to before their logarithm is taken."""


class TypeLooks(NamedTuple):
    """Of N ships that were found and whose type is labelled: what both looks say, (N, K), and what it is, (N,)."""

    first: Array
    second: Array
    true: NDArray[np.intp]


def type_look_facts(
    model: Model,
    classifier: TypeClassifier,
    device: Device,
    pictures: Sequence[LabelledPicture],
    split: str,
    report: Callable[[str], None],
) -> TypeLookFacts:
    """The weight of a classifier's word beside the network's, by which validation is likeliest, and what it gains.

    Args:
        model: with or without a classifier of its own.
        classifier: newly trained.
        device: where it computes.
        pictures: of validation.
        split: what to call them.
        report: is told the outcome.

    Raises:
        LabelsError: no ship of a known type is found in the pictures.
    """
    judged = judge(model._replace(type_classifier=None), device, pictures)
    each = [_looks(one, model, classifier, device) for one in judged]
    looks = TypeLooks(*(np.concatenate(parts) for parts in zip(*each, strict=True)))
    if not len(looks.true):
        raise LabelsError(f"no ship of {split} whose type is labelled is found; name pictures with types of ships")
    weight = best_weight(looks)
    before, after = (_confusion(together(looks.first, looks.second, w), looks.true, model) for w in (0.0, weight))
    ships = len(looks.true)
    report(f"{split}: weight {weight:.2f}, {before.accuracy:.1%} of {ships} types right, then {after.accuracy:.1%}")
    report(f"the mean over types: {before.balanced:.1%}, then {after.balanced:.1%}")
    return TypeLookFacts(
        width=classifier.width, weight=weight, split=split, ships=ships, accuracy_before=before.accuracy,
        accuracy_after=after.accuracy, balanced_before=before.balanced, balanced_after=after.balanced,
    )  # fmt: skip


def best_weight(looks: TypeLooks) -> float:
    """The weight of the second look that makes what is true of the ships likeliest; the least where several do."""
    rows = np.arange(len(looks.true))
    told = [together(looks.first, looks.second, weight)[rows, looks.true] for weight in WEIGHTS]
    return float(WEIGHTS[np.argmax([np.log(p.clip(LEAST)).sum() for p in told])])


def _confusion(types: Array, true: NDArray[np.intp], model: Model) -> Confusion:
    counts = np.zeros((len(model.card.types),) * 2, np.int64)
    np.add.at(counts, (true, types.argmax(axis=1)), 1)
    return Confusion(model.card.types, counts)


def _looks(judged: Judged, model: Model, classifier: TypeClassifier, device: Device) -> TypeLooks:
    """Of one picture."""
    matched, hulls, labelled = judged.matched, judged.hulls, judged.picture.labels.type
    found = np.flatnonzero((matched.status == HIT) & (matched.score >= model.card.score_threshold))
    known = np.array([row for row in found.tolist() if labelled[matched.label[row]] in model.card.types], np.intp)
    scene = judged.picture.open(model.card.gsd_m)
    second = types_seen(hulls[known], scene, model_sampling(scene, model.card.gsd_m), classifier, device)
    true = [model.card.types.index(labelled[matched.label[row]]) for row in known]
    return TypeLooks(hulls.types[known], second, np.array(true, np.intp))
