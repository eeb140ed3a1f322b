import importlib.util
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
import torch

from shipdet.models.decode import PATCH

SCRIPT = Path(__file__).resolve().parents[2] / "benchmarks" / "network_speed.py"
SIDE = 256


@pytest.fixture(scope="module")
def bench() -> ModuleType:
    spec = importlib.util.spec_from_file_location("network_speed", SCRIPT)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="module")
def rows(bench: ModuleType) -> dict[str, Any]:
    return {row.part: row for row in bench.measure(bench.make_network(), SIDE, torch.float32, repeats=1)}


def test_trunk_and_deep_branch_cost_at_most_ten_gflop_a_megapixel(bench: ModuleType, rows: dict[str, Any]) -> None:
    assert 1 < rows[bench.EVERYWHERE].gflop <= 10


def test_a_multiply_add_counts_as_two(bench: ModuleType, rows: dict[str, Any]) -> None:
    by_hand = 2 * (3 * 3 * 3) * 32 / 2**2 * 1e6 / 1e9
    assert rows[bench.FLOOR].gflop == pytest.approx(by_hand, rel=1e-9)


def test_dense_costs_what_its_parts_cost(bench: ModuleType, rows: dict[str, Any]) -> None:
    """The gated branch is computed on three patches of 64, with two coarse cells around each."""
    patch_with_halo = ((PATCH + 4) / PATCH) ** 2
    shallow = rows[bench.DENSE].gflop - rows[bench.EVERYWHERE].gflop
    assert rows[bench.GATED].gflop == pytest.approx(shallow * 3 / 64 * patch_with_halo, rel=1e-6)


def test_every_part_is_timed(rows: dict[str, Any]) -> None:
    assert len(rows) == 4
    assert all(row.speed > 0 for row in rows.values())


def test_cost_does_not_depend_on_precision(bench: ModuleType, rows: dict[str, Any]) -> None:
    found = bench.measure(bench.make_network(), SIDE, torch.bfloat16, repeats=1)
    assert {row.part: row.gflop for row in found} == pytest.approx({name: row.gflop for name, row in rows.items()})


@pytest.mark.parametrize(("side", "opened"), [(256, 3), (1024, 51)])
def test_the_synthetic_gate_opens_whole_patches_five_in_a_hundred(bench: ModuleType, side: int, opened: int) -> None:
    gate = bench.synthetic_gate(side)
    patches = gate.reshape(side // 8 // PATCH, PATCH, side // 8 // PATCH, PATCH).sum(dim=(1, 3))
    assert gate.shape == (side // 8, side // 8)
    assert set(patches.flatten().tolist()) == {0, PATCH**2}
    assert int((patches > 0).sum()) == opened


@pytest.mark.parametrize(
    ("gflop", "speed", "faults"), [(9.9, 15.1, 0), (10.1, 15.1, 1), (9.9, 14.9, 1), (10.1, 14.9, 2)]
)
def test_the_contract_is_judged_on_cost_and_speed(bench: ModuleType, gflop: float, speed: float, faults: int) -> None:
    assert len(bench.unmet((bench.Speed(bench.EVERYWHERE, gflop, speed),))) == faults


def test_the_contract_cannot_be_met_without_bfloat16(bench: ModuleType) -> None:
    assert len(bench.unmet(None)) == 1
