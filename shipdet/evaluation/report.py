"""Scores as JSON for programs and as plain lines for people."""

import json
import math
from pathlib import Path

from shipdet.evaluation.metrics import HEADING_TOLERANCE_DEG, Scores
from shipdet.files import whole_file

UNKNOWN = "-"


def to_json(scores: Scores, name: str | None = None) -> str:
    """One JSON object with a key for each field of `Scores`; what could not be measured is null.

    Args:
        scores: what to tell.
        name: what was scored, such as "inshore validation"; adds a key `name`.
    """
    values = {key: _finite(value) for key, value in scores._asdict().items()}
    named = values if name is None else {"name": name, **values}
    return json.dumps(named, indent=2, allow_nan=False, ensure_ascii=False)


def write_json(scores: Scores, path: Path, name: str | None = None) -> None:
    """Write `to_json` to a file, whole or not at all.

    Raises:
        OutputError: `path` cannot be written.
    """
    with whole_file(path) as temporary:
        temporary.write_text(to_json(scores, name) + "\n", encoding="utf-8")


def table(scores: Scores) -> str:
    """Lines of plain text, one a figure."""
    rows = [
        ("ships", str(scores.ships), f"{scores.hits} found, {scores.false_alarms} false alarms"),
        ("AP", _share(scores.ap), "average precision, all points"),
        ("F1", _share(scores.f1), "at the threshold"),
        ("precision", _share(scores.precision), "at the threshold"),
        ("recall", _share(scores.recall), "at the threshold"),
        ("threshold", _share(scores.threshold), "lowest score kept"),
        ("heading", _share(scores.heading_accuracy), f"within {HEADING_TOLERANCE_DEG:.0f} degrees, of ships found"),
        ("length error", _share(scores.length_error), "median, relative, of ships found"),
        ("gate recall", _share(scores.gate_recall), "of what the gate should let through"),
    ]
    return "\n".join(f"{name:<13}{value:>7}   {note}" for name, value, note in rows)


def _finite(value: float | None) -> float | None:
    return value if value is None or math.isfinite(value) else None


def _share(value: float | None) -> str:
    return UNKNOWN if value is None else f"{value:.3f}"
