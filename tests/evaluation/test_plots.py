"""Plots show the numbers that the tables tell."""

from xml.etree import ElementTree

import numpy as np
import pytest

from shipdet.evaluation.cases import Judged
from shipdet.evaluation.plots import heading_plot, precision_recall_plot, reliability_plot, size_plot, svg
from shipdet.evaluation.summary import Evaluation, summarise
from shipdet.models.weights import Card


@pytest.fixture
def evaluation(judged: list[Judged], card: Card) -> Evaluation:
    return summarise(judged, "two pictures", card, 0.5)


def test_precision_and_recall_pass_through_the_threshold(evaluation: Evaluation, judged: list[Judged]):
    (axes,) = precision_recall_plot(evaluation, judged).axes
    lines = {str(line.get_label()).split(":")[0]: line for line in axes.lines}
    assert set(lines) == {"ends", "IoU ≥ 0.50", "IoU ≥ 0.75", "threshold 0.50, F1 0.667"}
    (at,) = zip(*lines["threshold 0.50, F1 0.667"].get_data(), strict=True)
    assert at == (3 / 5, 3 / 4)
    curve = list(zip(*lines["ends"].get_data(), strict=True))
    assert at in curve
    assert curve[0] == (0.0, 1.0)


def test_a_bow_taken_for_the_stern_shows_at_the_far_end(evaluation: Evaluation, judged: list[Judged]):
    (axes,) = heading_plot(evaluation, judged).axes
    heights = [patch.get_height() for patch in axes.patches]
    assert (heights[0], heights[-1], sum(heights)) == (2, 1, 3)
    assert "66.7% of 3 within 10 degrees" in [text.get_text() for text in axes.texts]


def test_lengths_and_beams_are_told_with_their_medians(evaluation: Evaluation, judged: list[Judged]):
    (axes,) = size_plot(evaluation, judged).axes
    labels = axes.get_legend_handles_labels()[1]
    assert labels == ["length: median 1.00, median error 0.0%", "beam: median 1.00, median error 0.0%"]


def test_reliability_has_a_line_for_each_way_of_making_scores(evaluation: Evaluation):
    (axes,) = reliability_plot(evaluation).axes
    diagonal, raw = axes.lines
    np.testing.assert_array_equal(*diagonal.get_data())
    assert raw.get_label() == "the network's own scores"


def test_the_same_plot_gives_the_same_bytes(evaluation: Evaluation):
    one, other = svg(reliability_plot(evaluation)), svg(reliability_plot(evaluation))
    assert one == other
    assert ElementTree.fromstring(one).tag.endswith("svg")  # noqa: S314 - our own


def test_nothing_to_show_is_drawn_too(card: Card):
    nothing = summarise([], "nothing", card)
    for figure in (precision_recall_plot(nothing, []), heading_plot(nothing, []), size_plot(nothing, [])):
        assert figure.axes
