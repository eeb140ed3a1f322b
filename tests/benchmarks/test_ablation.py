import json
from pathlib import Path

import ablation
import numpy as np
import pytest
import torch
from outcomes import Outcome
from PIL import Image

from shipdet.config import TrainConfig
from shipdet.models.task_partition import TaskPartition
from shipdet.training.module import Judged, TaskPartitionTraining
from shipdet.training.run import GATE_THRESHOLD, SIZES
from shipdet.training.synthetic import HarbourOptions, render_harbour

CONFIG = TrainConfig(name="tiny", inshore=Path("nowhere"), output=Path("nowhere"), steps=4, crop=64)


@pytest.fixture
def data(tmp_path: Path) -> Path:
    """Drawn harbours in place of real ones: two to learn from, one for validation."""
    folder = tmp_path / "harbours"
    folder.mkdir()
    for number in (1, 2, 5):
        drawn = render_harbour(np.random.default_rng(number), 192, HarbourOptions(open_sea=0.0))
        Image.fromarray(drawn.pixels).save(folder / f"{number}.jpg")
        rows = zip(drawn.bow.tolist(), drawn.stern.tolist(), drawn.beam.tolist(), strict=True)
        ships = [{"bow": bow, "stern": stern, "beam": beam} for bow, stern, beam in rows]
        (folder / f"{number}.json").write_text(json.dumps(ships))
    return folder


def build(name: str) -> TaskPartitionTraining:
    row = next(row for row in (*ablation.ROWS, *ablation.FURTHER_ROWS) if row.name == name)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        return row.build(CONFIG, lambda _: [], lambda _: Judged(0, 0, 0))


def test_every_row_of_a_seed_starts_from_the_same_weights() -> None:
    full = build("full").network.state_dict()
    for row in ablation.ROWS:
        training = build(row.name)
        for network in (training.network, training.averaged()):
            for name, value in network.state_dict().items():
                torch.testing.assert_close(value, full[name], rtol=0, atol=0)


def test_deep_only_learns_from_the_coarse_loss_alone() -> None:
    weights = build("deep only").weights
    assert weights.coarse > 0
    assert sum(weights) == weights.coarse


def test_the_gate_is_open_everywhere_in_training_where_it_is_for_test_only() -> None:
    assert build("gate at test only").schedule.gate_threshold == 0
    assert build("full").schedule.gate_threshold == GATE_THRESHOLD


def test_shallow_only_opens_the_gate_everywhere_and_hears_no_context() -> None:
    network = ablation.without_deep_layers(TaskPartition(SIZES)).eval()
    with torch.no_grad():
        coarse = network.coarse(torch.randn(1, 3, 96, 64))
    assert coarse.attention.shape == (1, 12, 8)
    assert (coarse.attention > 0.99).all()
    assert not coarse.context.any()


def test_shallow_only_sees_no_further_than_its_first_stages() -> None:
    network = ablation.without_deep_layers(TaskPartition(SIZES)).eval()
    pixels = torch.randn(1, 3, 192, 192)
    changed = pixels.clone()
    changed[:, :, :, 160:] = 0
    with torch.no_grad():
        before, after = network(pixels).ends, network(changed).ends
    torch.testing.assert_close(before[..., :32], after[..., :32], rtol=0, atol=0)
    assert not torch.equal(before[..., 40:], after[..., 40:])


def test_the_ablation_runs_prints_a_table_and_goes_on_where_it_was(
    data: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    output = tmp_path / "kept"
    words = ["--data", data, "--output", output, "--steps", 2, "--batch", 2, "--crop", 64, "--seeds", 1, "--workers", 0]
    words += ["--threads", torch.get_num_threads(), "--precision", "float32"]
    code = ablation.main([str(word) for word in words])
    first = capsys.readouterr().out
    assert code in {0, 1}
    assert ("contract met" in first) == (code == 0)
    rows = [line.split("|")[1:-1] for line in first.splitlines() if line.startswith("|")]
    assert [row[0].strip() for row in rows[2:]] == ["deep only", "shallow only", "gate at test only", "full"]
    assert all(float(row[-1]) > 0 for row in rows[2:])
    assert len(list(output.glob("*.json"))) == 4
    monkeypatch.setattr(ablation, "train_quietly", lambda *_, **__: pytest.fail("trained again"))
    assert ablation.main([str(word) for word in words]) == code
    assert capsys.readouterr().out.splitlines()[4:] == first.splitlines()[4:]


def test_other_settings_in_the_same_folder_are_refused(
    data: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ablation, "train_quietly", lambda *_, **__: pytest.fail("trained"))
    finished = {"outcome": dict.fromkeys(Outcome._fields, 0), "settings": {"steps": 1}}
    (tmp_path / "full-1.json").write_text(json.dumps(finished))
    words = ["--data", data, "--output", tmp_path, "--steps", 2, "--seeds", 1, "--rows", "full"]
    assert ablation.main([*map(str, words), "--threads", str(torch.get_num_threads())]) == 2
    assert "full-1.json was run with other settings" in capsys.readouterr().err


def test_a_folder_without_pictures_is_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert ablation.main(["--data", str(tmp_path), "--output", str(tmp_path)]) == 2
    assert "no validation pictures" in capsys.readouterr().err


def test_further_rows_start_from_the_same_weights_too() -> None:
    full = build("full").network.state_dict()
    for row in ablation.FURTHER_ROWS:
        training = build(row.name)
        state = training.averaged().state_dict()
        state = {name.replace("deep.deep.", "deep."): value for name, value in state.items()}  # of muted deep branches
        assert (len(state) > len(full)) == ("trunk" in row.name), row.name
        for name, value in full.items():
            torch.testing.assert_close(state[name], value, rtol=0, atol=0)


def test_rows_are_chosen_by_name_and_the_contract_then_stays_open(
    data: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    words = ["--data", data, "--output", tmp_path / "kept", "--steps", 1, "--batch", 2, "--crop", 64, "--seeds", 1]
    words += ["--workers", 0, "--threads", torch.get_num_threads(), "--precision", "float32"]
    words += ["--rows", "residual trunk", "se trunk"]
    assert ablation.main([str(word) for word in words]) == 0
    told = capsys.readouterr().out
    rows = [line.split("|")[1:-1] for line in told.splitlines() if line.startswith("|")]
    assert [row[0].strip() for row in rows[2:]] == ["residual trunk", "se trunk"]
    assert all(float(row[-1]) > 0 for row in rows[2:])
    assert "contract not judged" in told
