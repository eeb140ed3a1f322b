"""Plots of an evaluation: precision and recall, headings, lengths and beams, reliability."""

from collections.abc import Sequence
from io import BytesIO

import matplotlib
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import PercentFormatter
from numpy.typing import NDArray

from shipdet.evaluation.calibration import Trust
from shipdet.evaluation.cases import Judged
from shipdet.evaluation.iou import match_by_overlap
from shipdet.evaluation.matching import HIT, Matched
from shipdet.evaluation.metrics import HEADING_TOLERANCE_DEG, Curve, average_precision, precision_recall_curve
from shipdet.evaluation.report import calibration_rows
from shipdet.evaluation.summary import Evaluation

Array = NDArray[np.float64]

SIZE = (6.0, 4.0)
"""Inches."""
INK, FAINT, GRID = "#1f2933", "#7b8794", "#e4e7eb"
BLUE, TEAL, ORANGE, RED = "#1f6feb", "#0f9d8a", "#e8890c", "#d1344b"


def precision_recall_plot(evaluation: Evaluation, judged: Sequence[Judged]) -> Figure:
    """Precision over recall, by ends and by overlap, with the threshold marked."""
    figure, axes = _axes("recall", "precision")
    curves = [("ends", BLUE, [j.matched for j in judged]), *_overlap_curves(judged)]
    for name, colour, matched in curves:
        curve = precision_recall_curve(matched)
        recall, precision = _from_nothing(curve)
        label = f"{name}: {average_precision(curve):.3f}"
        axes.plot(recall, precision, color=colour, linewidth=2 if name == "ends" else 1.4, label=label)
    scores = evaluation.scores
    if scores.recall is not None and scores.precision is not None:
        at = f"threshold {scores.threshold:.2f}, F1 {scores.f1:.3f}"
        axes.plot(scores.recall, scores.precision, "o", color=BLUE, mec="white", ms=9, zorder=5, label=at)
    axes.set(xlim=(0, 1.01), ylim=(0, 1.03))
    axes.legend(loc="lower left", frameon=False, fontsize=9, title="average precision by", title_fontsize=9)
    return figure


def _overlap_curves(judged: Sequence[Judged]) -> list[tuple[str, str, list[Matched]]]:
    least = (0.5, 0.75)
    matched = [match_by_overlap(j.hulls, j.picture.labels, least, ~j.matched.counted) for j in judged]
    if not any(picture[0].counted.any() for picture in matched):
        return []
    colours = (TEAL, ORANGE)
    return [
        (f"IoU ≥ {value:.2f}", colour, [picture[k] for picture in matched])
        for k, (value, colour) in enumerate(zip(least, colours, strict=True))
    ]


def _from_nothing(curve: Curve) -> tuple[Array, Array]:
    """Recall and precision, led on to a recall of 0."""
    start = min(1, len(curve.recall))
    return np.concatenate([np.zeros(start), curve.recall]), np.concatenate([curve.precision[:start], curve.precision])


def heading_plot(evaluation: Evaluation, judged: Sequence[Judged]) -> Figure:
    """How far headings of the ships found are off: bow for stern shows at 180 degrees."""
    figure, axes = _axes("heading error, degrees", "ships found, bow known")
    error = np.concatenate([np.zeros(0), *(_found(j, evaluation)[0] for j in judged)])
    error = error[~np.isnan(error)]
    bins = np.linspace(0, 180, 37)
    right = bins[:-1] < HEADING_TOLERANCE_DEG
    counts = np.histogram(error, bins)[0]
    axes.bar(bins[:-1] + 2.5, counts, 4.4, color=np.where(right, BLUE, RED))
    axes.set_yscale("symlog", linthresh=10)
    axes.set(xlim=(0, 180), xticks=range(0, 181, 30), ylim=(0, max(10, counts.max(initial=0)) * 1.6))
    ticks = [
        tick for tick in (0, 2, 5, 10, 20, 50, 100, 200, 500, 1000, 5000) if tick <= max(10, counts.max(initial=0))
    ]
    axes.set_yticks(ticks, [str(tick) for tick in ticks])
    axes.minorticks_off()
    if len(error):
        share = float(np.mean(error <= HEADING_TOLERANCE_DEG))
        text = f"{share:.1%} of {len(error)} within {HEADING_TOLERANCE_DEG:.0f} degrees"
        axes.text(0.98, 0.95, text, transform=axes.transAxes, color=INK, fontsize=9, ha="right", va="top")
    return figure


def size_plot(evaluation: Evaluation, judged: Sequence[Judged]) -> Figure:
    """Predicted over labelled length and beam of the ships found."""
    figure, axes = _axes("predicted over labelled", "ships found")
    bins = np.geomspace(0.5, 2.0, 41)
    for k, (name, colour) in enumerate((("length", BLUE), ("beam", ORANGE)), start=1):
        ratio = np.concatenate([np.zeros(0), *(_found(j, evaluation)[k] for j in judged)])
        ratio = ratio[np.isfinite(ratio)]
        if len(ratio):
            median, off = float(np.median(ratio)), float(np.median(np.abs(ratio - 1)))
            label = f"{name}: median {median:.2f}, median error {off:.1%}"
            axes.hist(np.clip(ratio, bins[0], bins[-1]), bins.tolist(), color=colour, alpha=0.55, label=label)
            axes.axvline(median, color=colour, linewidth=1.4)
    axes.set_xscale("log")
    ticks = (0.5, 0.7, 0.8, 0.9, 1.0, 1.1, 1.25, 1.5, 2.0)
    axes.set_xticks(ticks, [f"{tick:g}" for tick in ticks])
    axes.minorticks_off()
    if axes.get_legend_handles_labels()[0]:
        axes.legend(loc="lower left", bbox_to_anchor=(0, 1), frameon=False, fontsize=9, borderaxespad=0.2)
    return figure


def reliability_plot(evaluation: Evaluation) -> Figure:
    """Share of ships over score, before and after calibration; dots are as large as they are predictions."""
    figure, axes = _axes("score", "share that are ships")
    axes.plot([0, 1], [0, 1], color=FAINT, linewidth=1, linestyle="--")
    for (name, trust), colour in zip(calibration_rows(evaluation.reliability), (RED, BLUE, TEAL), strict=False):
        _draw_bins(axes, trust, colour, name)
    axes.set(xlim=(0, 1), ylim=(-0.02, 1.04))
    axes.xaxis.set_major_formatter(PercentFormatter(1.0))
    axes.yaxis.set_major_formatter(PercentFormatter(1.0))
    axes.legend(loc="lower right", frameon=False, fontsize=8)
    return figure


def svg(figure: Figure) -> bytes:
    """A plot as SVG with its letters as outlines; the same plot gives the same bytes."""
    file = BytesIO()
    with matplotlib.rc_context({"svg.hashsalt": "shipdet", "svg.fonttype": "path"}):
        figure.savefig(file, format="svg", metadata={"Date": None})
    return file.getvalue()


def _found(judged: Judged, evaluation: Evaluation) -> tuple[Array, Array, Array]:
    """Heading error, length ratio and beam ratio of the ships found at the threshold in one picture."""
    matched, labels = judged.matched, judged.picture.labels
    hit = np.flatnonzero((matched.status == HIT) & (matched.score >= (evaluation.scores.threshold or 0.0)))
    ship = matched.label[hit]
    length = judged.hulls.length[hit] / np.maximum(labels.length[ship], 1e-9)
    return matched.heading_error_deg[hit], length, judged.hulls.beam[hit] / np.maximum(labels.beam[ship], 1e-9)


def _draw_bins(axes: Axes, trust: Trust, colour: str, name: str) -> None:
    bins = trust.bins
    axes.plot(bins.score, bins.share, color=colour, linewidth=1.6, label=name)
    axes.scatter(bins.score, bins.share, 12 + 14 * np.log10(np.maximum(bins.size, 1)) ** 2, color=colour, zorder=4)


def _axes(x: str, y: str) -> tuple[Figure, Axes]:
    figure = Figure(figsize=SIZE, layout="constrained", facecolor="white")
    axes = figure.add_subplot()
    axes.set_xlabel(x, color=INK)
    axes.set_ylabel(y, color=INK)
    axes.tick_params(colors=FAINT, labelcolor=INK, labelsize=9)
    axes.grid(color=GRID, linewidth=0.8)
    axes.set_axisbelow(True)
    for name, spine in axes.spines.items():
        spine.set(visible=name in ("left", "bottom"), color=FAINT)
    return figure, axes
