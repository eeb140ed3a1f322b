"""One HTML file that tells all of an evaluation and needs nothing else: no network, no files beside it."""

import base64
from collections.abc import Sequence
from itertools import groupby
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from matplotlib.figure import Figure

from shipdet.evaluation import marks, plots
from shipdet.evaluation.cases import Judged
from shipdet.evaluation.crops import Crop, worst_false_alarms, worst_misses
from shipdet.evaluation.report import calibration_rows, figures, share
from shipdet.evaluation.summary import Evaluation
from shipdet.files import whole_file
from shipdet.models.weights import Card

CHIEF = ("AP", "F1", "AP50", "heading", "length error", "gate recall")
"""Figures that stand on top."""
LEGEND = (marks.HIT_MARK, marks.MISS_MARK, marks.FALSE_MARK, marks.IGNORED_MARK)


def write_html(evaluation: Evaluation, judged: Sequence[Judged], card: Card, path: Path) -> None:
    """Write the report of an evaluation.

    Args:
        evaluation: what is told.
        judged: the pictures that it was made of, for plots and crops.
        card: of the model.
        path: the file.

    Raises:
        OutputError: `path` cannot be written.
    """
    with whole_file(path) as temporary:
        temporary.write_text(to_html(evaluation, judged, card), encoding="utf-8")


def to_html(evaluation: Evaluation, judged: Sequence[Judged], card: Card) -> str:
    """The report as text; arguments as `write_html`."""
    threshold = evaluation.scores.threshold or 0.0
    environment = Environment(
        loader=FileSystemLoader(Path(__file__).parent), autoescape=True, undefined=StrictUndefined, trim_blocks=True
    )
    rows = figures(evaluation)
    return environment.get_template("report.html.jinja").render(
        evaluation=evaluation,
        card=card,
        chief=[row for name in CHIEF for row in rows if row[0] == name],
        figures=rows,
        strata=[(by, list(group)) for by, group in groupby(evaluation.strata, lambda row: row.by)],
        calibration=calibration_rows(evaluation.reliability),
        plots=_plots(evaluation, judged),
        misses=[_shown(crop) for crop in worst_misses(judged, threshold, card.gsd_m)],
        false_alarms=[_shown(crop) for crop in worst_false_alarms(judged, threshold, card.gsd_m)],
        legend=LEGEND,
        bow_wrong=marks.BOW_WRONG,
        share=share,
    )


def _plots(evaluation: Evaluation, judged: Sequence[Judged]) -> list[tuple[str, str, str]]:
    """Title, source and a line of explanation each."""
    drawn: list[tuple[str, Figure, str]] = [
        (
            "Precision and recall",
            plots.precision_recall_plot(evaluation, judged),
            "By ends, a ship is found when both lie within 0.2 of its length of the labelled ones; by overlap, when "
            "the rectangles bow to stern by beam reach the IoU.",
        ),
        (
            "Heading",
            plots.heading_plot(evaluation, judged),
            "Of the ships found whose bow is known. At 180 degrees the stern was taken for the bow. Logarithmic "
            "above 10 ships.",
        ),
        ("Length and beam", plots.size_plot(evaluation, judged), "Of the ships found; lines are medians."),
        (
            "Reliability of scores",
            plots.reliability_plot(evaluation),
            "On the dashed line a score is a probability. Larger dots are more predictions.",
        ),
    ]
    return [(title, _source("svg+xml", plots.svg(figure)), note) for title, figure, note in drawn]


def _shown(crop: Crop) -> tuple[str, str, str]:
    return _source("jpeg", crop.jpeg), crop.picture, crop.note


def _source(kind: str, content: bytes) -> str:
    return f"data:image/{kind};base64,{base64.b64encode(content).decode('ascii')}"
