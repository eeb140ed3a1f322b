"""Which types of ship are taken for which."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from shipdet.evaluation.cases import Judged
from shipdet.evaluation.matching import HIT


class Confusion(NamedTuple):
    """Ships found whose type is labelled with one of the R types that a model tells apart."""

    names: tuple[str, ...]
    """The R types that are labelled or predicted, in the model's order"""
    counts: NDArray[np.int64]
    """(R, R) ships labelled as the row and predicted as the column"""

    @property
    def accuracy(self) -> float:
        """Share of ships whose type is right."""
        return float(np.trace(self.counts) / self.counts.sum())

    @property
    def balanced(self) -> float:
        """The mean over labelled types of their own shares: rare types count as much as common ones."""
        labelled = self.counts.sum(axis=1)
        return float((np.diag(self.counts)[labelled > 0] / labelled[labelled > 0]).mean())


def confusion(judged: Sequence[Judged], threshold: float, types: tuple[str, ...]) -> Confusion | None:
    """The most likely type of each ship found at a threshold against its labelled type.

    Args:
        judged: pictures; their hulls carry a probability for each of `types`.
        threshold: lowest score that counts.
        types: what the model tells apart.

    Returns:
        None where the model tells no types, or nothing was found whose type is labelled.
    """
    counts = np.zeros((len(types), len(types)), dtype=np.int64)
    for picture in judged:
        predicted = picture.hulls.types
        if predicted.shape[1] != len(types) or not len(types):
            continue
        matched, labelled = picture.matched, picture.picture.labels.type
        for hull in np.flatnonzero((matched.status == HIT) & (matched.score >= threshold)).tolist():
            name = labelled[matched.label[hull]]
            if name in types:
                counts[types.index(name), int(np.argmax(predicted[hull]))] += 1
    if not counts.sum():
        return None
    seen = np.flatnonzero(counts.sum(axis=0) + counts.sum(axis=1))
    return Confusion(tuple(types[k] for k in seen.tolist()), counts[np.ix_(seen, seen)])
