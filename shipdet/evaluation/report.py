"""Scores as JSON for programs and as plain lines for people."""

import json
import math
from collections.abc import Sequence
from itertools import groupby
from pathlib import Path
from typing import Any

from shipdet.evaluation.calibration import Reliability, Trust
from shipdet.evaluation.confusion import Confusion
from shipdet.evaluation.metrics import HEADING_TOLERANCE_DEG
from shipdet.evaluation.strata import Stratum
from shipdet.evaluation.summary import Evaluation
from shipdet.files import whole_file

UNKNOWN = "-"


def to_json(evaluation: Evaluation) -> str:
    """One JSON object: a key for each field of `Scores`, then overlaps, recalls, calibration and types.

    What could not be measured is null.
    """
    overlap = evaluation.overlap
    values: dict[str, Any] = {"name": evaluation.name, "model": evaluation.model, "pictures": evaluation.pictures}
    values |= {key: _finite(value) for key, value in evaluation.scores._asdict().items()}
    values |= {"ships_with_beam": overlap.ships, "ap50": overlap.ap50, "ap75": overlap.ap75, "ap50_95": overlap.ap50_95}
    values["recalls"] = [{**stratum._asdict(), "recall": stratum.recall} for stratum in evaluation.strata]
    values["calibration"] = {name: _errors(trust) for name, trust in evaluation.reliability._asdict().items()}
    values["types"] = _types(evaluation.confusion)
    return json.dumps(values, indent=2, allow_nan=False, ensure_ascii=False)


def write_json(evaluation: Evaluation, path: Path) -> None:
    """Write `to_json` to a file, whole or not at all.

    Raises:
        OutputError: `path` cannot be written.
    """
    with whole_file(path) as temporary:
        temporary.write_text(to_json(evaluation) + "\n", encoding="utf-8")


def table(evaluation: Evaluation) -> str:
    """Lines of plain text: a figure each, then a block each for recalls, calibration and types."""
    lines = [f"{evaluation.name}, {_counted(evaluation.pictures, 'picture')}, {evaluation.model}", ""]
    lines += [f"{name:<13}{value:>7}   {note}" for name, value, note in figures(evaluation)]
    lines += ["", *_recalls(evaluation.strata), "", *_calibration(evaluation.reliability)]
    if evaluation.confusion is not None:
        lines += ["", *_confusion(evaluation.confusion)]
    return "\n".join(lines)


def figures(evaluation: Evaluation) -> list[tuple[str, str, str]]:
    """The chief figures as name, value and note."""
    scores, overlap = evaluation.scores, evaluation.overlap
    beams = "" if overlap.ships == scores.ships else f", of {_counted(overlap.ships, 'ship')} with a labelled beam"
    return [
        ("ships", str(scores.ships), f"{scores.hits} found, {_counted(scores.false_alarms, 'false alarm')}"),
        ("AP", share(scores.ap), "both ends near the labelled ones; average precision, all points"),
        ("AP50", share(overlap.ap50), f"rotated IoU of at least 0.50{beams}"),
        ("AP75", share(overlap.ap75), "of at least 0.75"),
        ("AP50:95", share(overlap.ap50_95), "mean over 0.50 to 0.95 in steps of 0.05"),
        ("F1", share(scores.f1), "at the threshold"),
        ("precision", share(scores.precision), "at the threshold"),
        ("recall", share(scores.recall), "at the threshold"),
        ("threshold", share(scores.threshold), "lowest score kept"),
        ("heading", share(scores.heading_accuracy), f"within {HEADING_TOLERANCE_DEG:.0f} degrees, of ships found"),
        ("length error", share(scores.length_error), "median, relative, of ships found"),
        ("gate recall", share(scores.gate_recall), "of what the gate should let through"),
    ]


def calibration_rows(found: Reliability) -> list[tuple[str, Trust]]:
    """The ways of making scores that were measured, told in words."""
    named = (
        ("the network's own scores", found.raw),
        ("as reported: calibrated as the card says", found.reported),
        ("fitted on every other picture, measured on the rest", found.refitted),
    )
    return [(name, trust) for name, trust in named if trust is not None]


def share(value: float | None) -> str:
    """Three decimals, or a dash for what was not measured."""
    return UNKNOWN if value is None else f"{value:.3f}"


def _recalls(strata: Sequence[Stratum]) -> list[str]:
    lines = [f"{'recall by':<32}{'ships':>6}{'recall':>8}{'heading':>9}"]
    for by, group in groupby(strata, lambda stratum: stratum.by):
        lines.append(by)
        for row in group:
            lines.append(f"  {row.name:<30}{row.ships:>6}{row.recall:>8.3f}{share(row.heading_accuracy):>9}")
    return lines


def _calibration(found: Reliability) -> list[str]:
    lines = [f"{'expected calibration error':<58}{'all':>6}{'kept':>8}"]
    lines += [
        f"  {name:<56}{share(trust.error):>6}{share(trust.error_kept):>8}" for name, trust in calibration_rows(found)
    ]
    return lines


def _confusion(found: Confusion) -> list[str]:
    wide = max(9, *map(len, found.names)) + 2
    lines = [f"types: {found.accuracy:.3f} right of {found.counts.sum()}; labelled down, predicted across"]
    lines.append(" " * (wide + 2) + "".join(f"{name[:6]:>7}" for name in found.names))
    rows = zip(found.names, found.counts.tolist(), strict=True)
    lines += [f"  {name:<{wide}}" + "".join(f"{count or '.':>7}" for count in counts) for name, counts in rows]
    return lines


def _counted(count: int, what: str) -> str:
    return f"{count} {what}" if count == 1 else f"{count} {what}s"


def _errors(trust: Trust | None) -> dict[str, Any] | None:
    if trust is None:
        return None
    bins = {name: values.tolist() for name, values in trust.bins._asdict().items()}
    return {"error": trust.error, "error_kept": trust.error_kept, "bins": bins}


def _types(found: Confusion | None) -> dict[str, Any] | None:
    if found is None:
        return None
    return {"names": list(found.names), "counts": found.counts.tolist(), "accuracy": found.accuracy}


def _finite(value: float | None) -> float | None:
    return value if value is None or math.isfinite(value) else None
