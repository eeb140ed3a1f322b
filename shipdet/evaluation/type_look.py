"""What a look at each hull alone is worth for types of ship."""

from collections.abc import Callable, Sequence

from shipdet.errors import LabelsError
from shipdet.evaluation.confusion import Confusion, confusion
from shipdet.evaluation.run import judge
from shipdet.labels.folders import LabelledPicture
from shipdet.models.device import Device
from shipdet.models.type_classifier import TypeClassifier
from shipdet.models.weights import Model, TypeLookFacts


def type_look_facts(
    model: Model,
    classifier: TypeClassifier,
    device: Device,
    pictures: Sequence[LabelledPicture],
    split: str,
    report: Callable[[str], None],
) -> TypeLookFacts:
    """How many types are right with the network's own word, and with the classifier's.

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

    def told(one: Model) -> Confusion:
        found = confusion(judge(one, device, pictures), one.card.score_threshold, one.card.types)
        if found is None:
            raise LabelsError(f"no ship of {split} whose type is labelled is found; name pictures with types of ships")
        return found

    before = told(model._replace(type_classifier=None))
    after = told(model._replace(type_classifier=classifier))
    ships = int(after.counts.sum())
    report(f"{split}: types of {ships} ships, {before.accuracy:.1%} right, then {after.accuracy:.1%}")
    report(f"the mean over types: {before.balanced:.1%}, then {after.balanced:.1%}")
    return TypeLookFacts(
        width=classifier.width, split=split, ships=ships, accuracy_before=before.accuracy,
        accuracy_after=after.accuracy, balanced_before=before.balanced, balanced_after=after.balanced,
    )  # fmt: skip
