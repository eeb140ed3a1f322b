"""Self-training: what an earlier model is sure of completes incomplete labels (Lee, ICML workshop 2013)."""

import numpy as np
import shapely
from numpy.typing import NDArray

from shipdet.geometry import Hulls, rectangle_corners
from shipdet.labels.types import Labels
from shipdet.training.targets import BEAM_OF_LENGTH

CERTAIN, DOUBTFUL = 0.5, 0.1
"""Scores from which a prediction becomes a label, and from which it is a place that teaches nothing."""
SURE_OF_BOW = 0.9
SAME = 0.2
"""Share of a prediction on a labelled ship from which it is that ship."""


def completed(labels: Labels, hulls: Hulls) -> Labels:
    """Labels with the predictions that they leave out: certain ones as ships, doubtful ones as difficult.

    Where neither people nor the model saw a ship there is none: the result is complete.

    Args:
        labels: of one picture, incomplete.
        hulls: predictions in the same picture.
    """
    new = hulls[(hulls.score >= DOUBTFUL) & ~_on_labelled(hulls, labels)]
    certain = new.score >= CERTAIN
    return Labels(
        bow=np.concatenate([labels.bow, new.bow]),
        stern=np.concatenate([labels.stern, new.stern]),
        beam=np.concatenate([labels.beam, new.beam]),
        bow_known=np.concatenate([labels.bow_known, new.bow_score >= SURE_OF_BOW]),
        difficult=np.concatenate([labels.difficult, ~certain]),
        type=(*labels.type, *["unknown"] * len(new)),
        regions=np.zeros((0, 4)),
        complete=True,
    )


def _on_labelled(hulls: Hulls, labels: Labels) -> NDArray[np.bool_]:
    """Predictions (N,) that lie on a labelled ship."""
    on = np.zeros(len(hulls), bool)
    if not len(hulls) or not len(labels):
        return on
    beam = np.where(np.isnan(labels.beam), BEAM_OF_LENGTH * labels.length, labels.beam)
    known = shapely.polygons(rectangle_corners(labels.bow, labels.stern, beam))
    seen = shapely.polygons(rectangle_corners(hulls.bow, hulls.stern, hulls.beam))
    i, j = shapely.STRtree(known).query(seen, predicate="intersects")
    on[i[shapely.area(shapely.intersection(seen[i], known[j])) > SAME * shapely.area(seen[i])]] = True
    return on
