"""`shipdet evaluate` on scenes, as README.md has it."""

from pathlib import Path

import pytest
from PIL import Image

from shipdet.cli import main

ROOT = Path(__file__).resolve().parents[2]


def run(*arguments: str | Path) -> int:
    with pytest.raises(SystemExit) as stop:
        main(["evaluate", "configs/evaluate_scenes.yaml", *map(str, arguments)])
    return int(stop.value.code or 0)


def test_the_sample_is_scored_drawn_and_reported(tmp_path: Path, monkeypatch, capfd):
    monkeypatch.chdir(ROOT)
    sheet, report = tmp_path / "sheet.png", tmp_path / "report.html"
    assert run("--sheet", sheet, "--report", report) == 0
    out, _ = capfd.readouterr()
    figures = dict(line.split()[:2] for line in out.splitlines() if line.startswith(("ships  ", "recall  ", "AP  ")))
    assert figures["ships"] == "40"
    assert float(figures["recall"]) >= 0.8
    assert float(figures["AP"]) >= 0.75
    with Image.open(sheet) as drawn:
        assert drawn.width > 500
    assert report.read_text(encoding="utf-8").count("data:image/jpeg") >= 5  # the worst misses and false alarms


def test_another_folder_instead_of_scenes_is_refused(tmp_path: Path, monkeypatch, capfd):
    monkeypatch.chdir(ROOT)
    assert run("--data", tmp_path) == 2
    assert "names scenes; leave it out" in capfd.readouterr().err
