"""What Lightning says of itself, kept from the people who train."""

import logging
import warnings
from collections.abc import Iterator
from contextlib import contextmanager

EXPECTED_WARNINGS = (
    r"Checkpoint directory .* exists and is not empty",  # a resumed run's is
    r"The '\w+' does not have many workers",  # more than few cores can feed
    r"`isinstance\(treespec, LeafSpec\)` is deprecated",  # between Lightning and torch
)
"""What Lightning warns of although it is meant so: regular expressions."""
LIGHTNING_LOGGERS = ("lightning.pytorch", "lightning.fabric")


@contextmanager
def quiet_lightning() -> Iterator[None]:
    """Lightning says nothing but what is wrong; the rest of the process is left as it was."""
    loggers = [logging.getLogger(name) for name in LIGHTNING_LOGGERS]
    levels = [logger.level for logger in loggers]
    with warnings.catch_warnings():
        for message in EXPECTED_WARNINGS:
            warnings.filterwarnings("ignore", message=message)
        for logger in loggers:
            logger.setLevel(logging.WARNING)
        try:
            yield
        finally:
            for logger, level in zip(loggers, levels, strict=True):
                logger.setLevel(level)
