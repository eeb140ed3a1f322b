"""Scores as probabilities: a line through the logit, fitted where the truth was known (Platt, 1999).

The line only ever rises, so calibration changes what a score says and never which ship comes before which.
"""

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, Field
from scipy.special import expit, logit

Array = NDArray[np.float64]

LEAST = 1e-9
"""Scores nearer than this to 0 or 1 are taken as this near, where the logit is finite."""


class Calibration(BaseModel):
    """logit(calibrated) = slope * logit(score) + intercept."""

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)
    slope: float = Field(gt=0)
    intercept: float


def calibrated(score: Array, calibration: Calibration | None) -> Array:
    """Scores (N,) of the network as probabilities; without a calibration, as they are."""
    if calibration is None:
        return score
    return np.asarray(expit(calibration.slope * bounded_logit(score) + calibration.intercept))


def uncalibrated(score: Array, calibration: Calibration | None) -> Array:
    """Scores (N,) of the network that `calibrated` made these of."""
    if calibration is None:
        return score
    return np.asarray(expit((bounded_logit(score) - calibration.intercept) / calibration.slope))


def bounded_logit(score: Array) -> Array:
    """log(score / (1 - score)), kept finite."""
    return np.asarray(logit(np.clip(score, LEAST, 1 - LEAST)))
