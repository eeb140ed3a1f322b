from collections.abc import Callable

import numpy as np
import pytest

from shipdet.errors import LabelsError
from shipdet.evaluation.cases import Judged
from shipdet.evaluation.type_look import TypeLooks, best_weight, type_look_facts
from shipdet.geometry import Hulls
from shipdet.models.device import choose_device
from shipdet.models.type_classifier import TypeClassifier
from shipdet.models.weights import Card, Model, load_weights


@pytest.fixture
def model(card: Card) -> Model:
    return load_weights("inshore-vhr")._replace(card=card)


@pytest.fixture
def see(monkeypatch: pytest.MonkeyPatch) -> Callable[[list[Judged], list[float]], None]:
    """Has some pictures judged, and a classifier say the same of each ship."""

    def fake(judged: list[Judged], told: list[float]) -> None:
        monkeypatch.setattr("shipdet.evaluation.type_look.judge", lambda *_: judged)

        def types_seen(hulls: Hulls, *_: object) -> object:
            return np.tile(told, (len(hulls), 1))

        monkeypatch.setattr("shipdet.evaluation.type_look.types_seen", types_seen)

    return fake


def test_what_a_classifier_of_types_gains_is_told(judged: list[Judged], model: Model, see):
    """The network takes the warship for one (0.8) and is all but sure of the tanker as one (0.7), which stays."""
    see(judged, [0.0, 1.0])
    lines: list[str] = []
    facts = type_look_facts(model, TypeClassifier(2, width=4), choose_device(), [], "some", lines.append)
    assert (facts.split, facts.ships, facts.width, facts.weight) == ("some", 2, 4, 0.0)
    assert (facts.accuracy_before, facts.balanced_before) == (0.5, 0.5)
    assert (facts.accuracy_after, facts.balanced_after) == (0.5, 0.5)
    assert lines == [
        "some: weight 0.00, 50.0% of 2 types right, then 50.0%",
        "the mean over types: 50.0%, then 50.0%",
    ]


def test_the_weight_is_what_makes_the_truth_likeliest():
    first = np.tile([0.5, 0.5], (4, 1))
    right, wrong = [1.0, 0.0], [0.0, 1.0]
    true = np.zeros(4, np.intp)
    assert best_weight(TypeLooks(first, np.array([right] * 4), true)) == 1
    assert best_weight(TypeLooks(first, np.array([wrong] * 4), true)) == 0
    assert best_weight(TypeLooks(first, np.array([right, right, right, wrong]), true)) == pytest.approx(0.5)


def test_pictures_without_types_tell_nothing(judged: list[Judged], model: Model, see):
    see(judged[1:], [0.5, 0.5])
    with pytest.raises(LabelsError, match="no ship of some whose type is labelled"):
        type_look_facts(model, TypeClassifier(2, width=4), choose_device(), [], "some", print)
