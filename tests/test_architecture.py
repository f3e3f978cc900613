"""The house: imports go down only, files and functions fit the eye, and asking for help loads no torch."""

import ast
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1] / "motes"
FILES = sorted(ROOT.rglob("*.py"))
FLOOR = {"ops": 0, "nn": 1, "models": 2, "data": 2, "training": 3, "evaluation": 3, "explore": 3, "apps": 4}
GROUND = {"errors", "version"}  # of no floor: anyone may import them
FORBIDDEN = {"utils", "common", "core", "misc", "helpers"}


def imports(path):
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.ImportFrom):
            assert node.level == 0, "imports are written in full"
            if node.module == "motes":
                yield from (alias.name for alias in node.names)
            elif node.module and node.module.startswith("motes."):
                yield node.module.split(".")[1]
        if isinstance(node, ast.Import):
            yield from (alias.name.split(".")[1] for alias in node.names if alias.name.startswith("motes."))


@pytest.mark.parametrize("path", [path for path in FILES if path.parent != ROOT], ids=lambda path: str(path.relative_to(ROOT)))
def test_imports_go_down(path):
    room = path.relative_to(ROOT).parts[0]
    for other in set(imports(path)) - GROUND - {room}:
        assert FLOOR[other] < FLOOR[room], f"{room} imports {other}"


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(ROOT)))
def test_files_and_functions_fit_the_eye(path):
    source = path.read_text()
    assert len(source.splitlines()) <= 300
    assert not FORBIDDEN & set(path.relative_to(ROOT).with_suffix("").parts)
    tree = ast.parse(source)
    assert ast.get_docstring(tree), "the first line says what the file is for"
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            assert node.end_lineno - node.lineno < 42, f"{node.name} is too long"
            parameters = [
                one.arg for one in (*node.args.posonlyargs, *node.args.args, *node.args.kwonlyargs) if one.arg not in ("self", "ctx")
            ]
            assert len(parameters) <= 6, f"{node.name} has too many parameters"


DECIDING = [path for path in FILES if path.relative_to(ROOT).parts[0] != "data"]  # there, names are parts of files


@pytest.mark.parametrize("path", DECIDING, ids=lambda path: str(path.relative_to(ROOT)))
def test_choices_are_tables_and_no_ladders_over_names(path):
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.If | ast.IfExp) and isinstance(node.test, ast.Compare) and isinstance(node.test.ops[0], ast.Eq):
            sides = (node.test.left, *node.test.comparators)
            words = any(isinstance(side, ast.Constant) and isinstance(side.value, str) for side in sides)
            assert not (words and any(isinstance(side, ast.Name) and side.id == "name" for side in sides)), f"line {node.lineno}"


def test_models_share_blocks_and_not_lines():
    """Lines that stand in runs of six in two places are at most a twentieth; imports do not count."""
    places, total = {}, 0
    for path in sorted((ROOT / "models").glob("*.py")):
        lines = [line.strip() for line in path.read_text().splitlines()]
        lines = [line for line in lines if line and not line.startswith(("import ", "from ", "#"))]
        total += len(lines)
        for start in range(len(lines) - 5):
            places.setdefault(tuple(lines[start : start + 6]), []).append((path.name, start))
    again = {(name, start + n) for found in places.values() if len(found) > 1 for name, start in found for n in range(6)}
    assert len(again) <= 0.05 * total, sorted(again)


@pytest.mark.parametrize(
    "arguments",
    [
        ["--help"],
        ["train", "--help"],
        ["sample", "--help"],
        ["data", "show", "balls", "--help"],
        ["data", "prepare", "--help"],
        ["data", "prepare", "shaps", "--out", "x"],
        ["train", "--data", "celeba:nowhere", "--data.chanels", "3"],
        ["sample", ".", "--out", "x", "--show", "drwas"],
        ["trian"],
        ["train", "dlp-quik"],
        ["train", "--model.num-particle", "3"],
        ["evaluate", ".", "--scores", "objcts"],
        ["data", "show", "balls", "--data.recipee", "occlusion"],
    ],
)
def test_help_and_errors_about_words_load_no_torch(arguments):
    code = f"import sys\nfrom motes.apps.cli import main\ntry:\n    main({arguments!r})\nexcept SystemExit as end:\n    assert 'torch' not in sys.modules and 'numpy' not in sys.modules\n    sys.exit(end.code)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.returncode == (0 if "--help" in arguments else 2), done.stderr
    assert "Traceback" not in done.stderr
    if "--help" not in arguments:
        assert "did you mean" in done.stderr


def test_importing_motes_loads_no_torch():
    assert (
        subprocess.run(
            [
                sys.executable,
                "-c",
                "import motes, sys; assert 'torch' not in sys.modules; motes.MODELS; assert 'torch' not in sys.modules",
            ]
        ).returncode
        == 0
    )
