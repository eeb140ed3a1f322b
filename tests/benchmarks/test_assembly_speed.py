import importlib.util
import sys
from pathlib import Path

import numpy as np
import pytest

SCRIPT = Path(__file__).resolve().parents[2] / "benchmarks" / "assembly_speed.py"


def test_all_rafts_come_apart_into_their_ships(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]):
    spec = importlib.util.spec_from_file_location("assembly_speed", SCRIPT)
    assert spec is not None
    assert spec.loader is not None
    bench = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(bench)
    rafts = bench.make_rafts(400)
    assert rafts.tips.xy.shape == (400, 2)
    near = np.hypot(*(rafts.tips.xy[:200] - rafts.tips.xy[200:]).T)
    assert 55 < near.min() < near.max() < 125
    monkeypatch.setattr(sys, "argv", ["assembly_speed.py", "--ends", "400", "--report-only"])
    assert bench.main() == 0
    assert "400 ends: 200 ships" in capsys.readouterr().out
