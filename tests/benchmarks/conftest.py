"""Lets tests import the benchmarks as they import each other: as files of one folder."""

import sys
from pathlib import Path

sys.path.append(str(Path(__file__).resolve().parents[2] / "benchmarks"))
