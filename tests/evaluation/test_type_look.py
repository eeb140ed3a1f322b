from dataclasses import replace

import numpy as np
import pytest

from shipdet.errors import LabelsError
from shipdet.evaluation.cases import Judged
from shipdet.evaluation.type_look import type_look_facts
from shipdet.models.device import choose_device
from shipdet.models.type_classifier import TypeClassifier
from shipdet.models.weights import Card, Model, load_weights


def test_what_a_classifier_of_types_gains_is_told(judged: list[Judged], card: Card, monkeypatch: pytest.MonkeyPatch):
    """The network takes the tanker for a warship, the classifier the warship for a tanker as well."""

    def judge(model: Model, *_: object) -> list[Judged]:
        if model.type_classifier is None:
            return judged
        return [j._replace(hulls=replace(j.hulls, types=np.roll(j.hulls.types, 1, axis=0))) for j in judged]

    monkeypatch.setattr("shipdet.evaluation.type_look.judge", judge)
    lines: list[str] = []
    model = load_weights("inshore-vhr")._replace(card=card)
    facts = type_look_facts(model, TypeClassifier(2, width=4), choose_device(), [], "some", lines.append)
    assert (facts.split, facts.ships, facts.width) == ("some", 2, 4)
    assert (facts.accuracy_before, facts.balanced_before) == (0.5, 0.5)
    assert (facts.accuracy_after, facts.balanced_after) == (0.0, 0.0)
    assert lines == ["some: types of 2 ships, 50.0% right, then 0.0%", "the mean over types: 50.0%, then 0.0%"]


def test_pictures_without_types_tell_nothing(judged: list[Judged], card: Card, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("shipdet.evaluation.type_look.judge", lambda *_: judged[1:])
    model = load_weights("inshore-vhr")._replace(card=card)
    with pytest.raises(LabelsError, match="no ship of some whose type is labelled"):
        type_look_facts(model, TypeClassifier(2, width=4), choose_device(), [], "some", print)
