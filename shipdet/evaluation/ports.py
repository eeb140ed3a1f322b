"""Ports that Sentinel-2 saw as evaluation takes them: ships are matched by their middles, in metres."""

from collections.abc import Sequence
from functools import partial

import numpy as np

from shipdet.evaluation.cases import Case, as_it_is
from shipdet.evaluation.centres import DEFAULT_RULE
from shipdet.labels.sen2ships import LabelledPort
from shipdet.models.weights import Card
from shipdet.raster.scene import open_scene


def port_cases(ports: Sequence[LabelledPort], card: Card) -> list[Case]:
    """Ports with the bands that a model reads.

    Raises:
        SceneError: a band is missing.
    """
    return [_case(port, len(card.bands)) for port in ports]


def _case(port: LabelledPort, bands: int) -> Case:
    scene = open_scene(port.bands[:bands], bands=range(1, bands + 1))
    gsd_m = None if scene.gsd_m is None else float(np.sqrt(np.prod(scene.gsd_m)))
    return Case(port.name, port.labels, partial(as_it_is, scene), gsd_m, by_middles=DEFAULT_RULE)
