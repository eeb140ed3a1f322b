"""The house holds to its plan, and its papers to the house."""

import ast
import re
import shlex
from pathlib import Path

import pytest
import typer

from shipdet.cli import app

REPO = Path(__file__).resolve().parents[1]
PACKAGE = REPO / "shipdet"
MODULES = sorted(PACKAGE.rglob("*.py"))
PIPELINES = sorted((REPO / "pipelines").glob("*.py"))
BLOCKS = re.findall(r"```(\w+)\n(.*?)```", (REPO / "README.md").read_text(), re.DOTALL)

LAYERS = {
    "errors": 0, "redaction": 0, "config_fields": 0, "files": 1, "geometry": 1, "config": 1, "config_parts": 1,
    "raster": 2, "labels": 2, "attention": 2, "models": 3, "conversion": 3, "inference": 4, "training": 4,
    "evaluation": 5, "export": 5, "api": 6,
    "learning": 6, "batch": 7, "console": 7, "commands": 8, "cli": 9,
}  # fmt: skip
"""A room may import those of smaller numbers. `shipdet/__init__.py` is the door, not a room."""


FOR_TRAINING = {"albumentations", "cv2", "lightning", "tensorboard", "torchmetrics"}
"""What the extra `train` brings, and `shipdet detect` has to do without."""


def room(path: Path) -> str:
    return path.relative_to(PACKAGE).parts[0].removesuffix(".py")


def imported_rooms(path: Path) -> set[str]:
    """Rooms of the package that a module imports, anywhere in it."""
    folder = ("shipdet", *path.relative_to(PACKAGE).parts[:-1])
    names = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            base = ".".join(folder[: len(folder) - node.level + 1]) if node.level else ""
            module = ".".join(filter(None, [base, node.module]))
            names |= {f"{module}.{alias.name}" for alias in node.names}
    return {name.split(".")[1] for name in names if name.startswith("shipdet.")} & set(LAYERS)


def commands(program: str) -> list[str]:
    """Lines of README's shell blocks that start with a program."""
    lines = [line for language, block in BLOCKS if language == "sh" for line in block.splitlines()]
    return [line for line in lines if line.split(maxsplit=1)[:1] == [program]]


@pytest.mark.parametrize("path", MODULES, ids=lambda path: str(path.relative_to(REPO)))
def test_imports_point_downward_only(path: Path):
    mine = room(path)
    if mine == "__init__":
        return
    assert mine in LAYERS, f"give the room {mine} a layer"
    upward = {other for other in imported_rooms(path) if other != mine and LAYERS[other] >= LAYERS[mine]}
    assert not upward


def test_upward_imports_would_be_seen(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setitem(globals(), "PACKAGE", tmp_path)
    (tmp_path / "raster").mkdir()
    path = tmp_path / "raster" / "scene.py"
    path.write_text("from ..models import weights\nfrom . import tiling\ndef f():\n    import shipdet.cli\n")
    assert imported_rooms(path) == {"models", "raster", "cli"}


@pytest.mark.parametrize("path", MODULES, ids=lambda path: str(path.relative_to(REPO)))
def test_only_training_takes_the_packages_of_training(path: Path):
    tree = ast.walk(ast.parse(path.read_text()))
    names = [alias.name for node in tree if isinstance(node, ast.Import) for alias in node.names]
    names += [node.module or "" for node in ast.walk(ast.parse(path.read_text())) if isinstance(node, ast.ImportFrom)]
    taken = {name.split(".")[0] for name in names} & FOR_TRAINING
    assert room(path) == "training" or not taken


def test_attention_imports_no_other_room():
    for path in (PACKAGE / "attention").glob("*.py"):
        assert imported_rooms(path) <= {"attention"}, path.name


@pytest.mark.parametrize("path", PIPELINES, ids=lambda path: path.name)
def test_pipelines_are_short(path: Path):
    assert len(path.read_text().splitlines()) <= 60


def test_no_file_is_longer_than_300_lines():
    assert PIPELINES
    assert MODULES
    for path in [*MODULES, *PIPELINES]:
        assert len(path.read_text().splitlines()) <= 300, path


def test_every_module_tells_its_responsibility_first():
    for path in [*MODULES, *PIPELINES]:
        assert ast.get_docstring(ast.parse(path.read_text())), path


def test_readme_shows_each_command():
    shown = {shlex.split(line)[1] for line in commands("shipdet")}
    assert shown == set(typer.main.get_command(app).commands)


@pytest.mark.parametrize("line", commands("shipdet"))
def test_shipdet_commands_in_readme_parse(line: str):
    words = shlex.split(line, comments=True)[1:]
    command = typer.main.get_command(app)
    with command.make_context("shipdet", words[:1]) as context:
        command.commands[words[0]].make_context(words[0], words[1:], parent=context)


@pytest.mark.parametrize("line", commands("make"))
def test_make_commands_in_readme_have_a_rule(line: str):
    targets = shlex.split(line, comments=True)[1:]
    assert targets
    for target in targets:
        assert re.search(rf"^{re.escape(target)}:", (REPO / "Makefile").read_text(), re.MULTILINE)


def test_files_of_this_repository_that_readme_names_exist():
    """In commands, pictures and links; the user's own files lie in no folder of ours."""
    text = (REPO / "README.md").read_text()
    ours = r"(?:configs|pipelines|data_samples|benchmarks|docs|shipdet|tests)/[\w./-]*\w"
    named = {*re.findall(rf"(?<![\w/.]){ours}", text), *re.findall(r"\]\((?!https?:)([^)#]+)\)", text)}
    assert {"pipelines/detect.py", "LICENSE"} <= named
    assert not [name for name in sorted(named) if not (REPO / name).exists()]


def test_python_in_readme_compiles():
    blocks = [block for language, block in BLOCKS if language == "python"]
    assert blocks
    for block in blocks:
        compile(block, "README.md", "exec")


def test_shell_commands_in_readme_are_all_of_a_known_program():
    lines = [line for language, block in BLOCKS if language == "sh" for line in block.splitlines() if line.strip()]
    known = {program: commands(program) for program in ("shipdet", "make", "python", "pip")}
    assert set(lines) == {line for found in known.values() for line in found}
