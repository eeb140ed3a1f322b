"""Text files of labels, line by line."""

from collections.abc import Iterator, Sequence
from pathlib import Path

from shipdet.errors import LabelsError

FARTHEST = 1e9
"""Pixels, or shares, beyond which no picture reaches: a number as large is an error, and its square may overflow."""


def read_lines(path: Path) -> Iterator[tuple[int, str]]:
    """Lines that hold something, with their numbers from 1, without blanks around them.

    Raises:
        LabelsError: the file is not there, or is no text.
    """
    try:
        text = path.read_text(encoding="utf-8-sig")
    except (OSError, ValueError) as error:
        raise LabelsError(f"{path}: expected a text file of labels, got {error}") from error
    for number, line in enumerate(text.splitlines(), start=1):
        if line.strip():
            yield number, line.strip()


def finite_numbers(words: Sequence[str]) -> list[float]:
    """Words as numbers.

    Raises:
        ValueError: a word is no number, or none that a place can have.
    """
    numbers = [float(word) for word in words]
    if not all(abs(number) <= FARTHEST for number in numbers):  # nor is NaN
        raise ValueError("a place is a finite number")
    return numbers
