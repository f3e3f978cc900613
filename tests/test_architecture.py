"""The house: imports go down only, files and functions fit the eye, and asking for help loads no torch."""

import ast
import subprocess
import sys
from collections import Counter
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1] / "motes"
FILES = sorted(ROOT.rglob("*.py"))
FOLDERS = sorted({path.parent for path in FILES})

# room -> the rooms it may import, beside itself; a room in a room may import what the outer room may
BELOW = {
    "types": {"plain"},
    "plain": set(),
    "ops": {"types", "plain"},
    "nn": {"ops", "types", "plain"},
    "weights": {"nn", "ops", "types", "plain"},
    "models": {"weights", "nn", "ops", "types", "plain"},
    "data": {"ops", "types", "plain"},
    "training": {"data", "models", "weights", "nn", "ops", "types", "plain"},
    "evaluation": {"data", "models", "weights", "nn", "ops", "types", "plain"},
    "explore": {"data", "models", "nn", "ops", "types", "plain"},
    "apps": {"explore", "evaluation", "training", "data", "models", "weights", "nn", "ops", "types", "plain"},
}
# within a room, its own rooms, and files that stand above some: which may import which
WITHIN = {
    "ops": {
        "rendering": {"points", "densities"},
        "points": {"densities"},
        "densities": set(),
        "pictures": {"points", "densities"},
        "scores": {"points", "densities", "rendering"},
        "tracks": {"points", "rendering"},
    },
    "nn": {"blocks": set(), "coders": {"blocks"}, "losses": {"blocks"}},
    "models": {
        "keypoints": {"particles"},
        "particles": set(),
        "codes": set(),
        "factors": {"codes"},
        "poses": set(),
        "video": {"particles"},
        "tracking.py": {"particles", "video"},
        "slots": set(),
    },
    "data": {
        "files": set(),
        "worlds": set(),
        "tracks": {"files"},
        "poses": {"files"},
        "published": {"files", "worlds"},
        "prepared": {"files"},
        "recognise.py": {"files"},
    },
    "apps": {
        "session": set(),
        "bulk": {"session"},
        "drawing": {"session"},
        "report": {"session", "drawing"},
        "studio": {"session", "drawing", "report"},
        "export": {"session"},
        "landmarks": {"session", "bulk", "drawing"},
        "cli": {"session", "bulk", "drawing", "report", "studio", "export", "landmarks"},
    },
}
FREE = {"errors", "version"}  # of no room: anyone may import them
MOST_FILES = 17  # in a room, without its __init__.py
FORBIDDEN = {"utils", "common", "core", "misc", "helpers"}


def imports(path):
    """Each import of a motes module: its parts below motes."""
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.ImportFrom):
            assert node.level == 0, "imports are written in full"
            if node.module == "motes":
                yield from ([alias.name] for alias in node.names)
            elif node.module and node.module.startswith("motes."):
                for alias in node.names:
                    yield [*node.module.split(".")[1:], alias.name]
        if isinstance(node, ast.Import):
            yield from (alias.name.split(".")[1:] for alias in node.names if alias.name.startswith("motes."))


@pytest.mark.parametrize(
    "path", [path for path in FILES if path.parent != ROOT], ids=lambda path: str(path.relative_to(ROOT))
)
def test_imports_go_down(path):
    room, *inner = path.relative_to(ROOT).parts
    for other in imports(path):
        if other[0] in FREE:
            continue
        assert other[0] == room or other[0] in BELOW[room], f"{room} imports {other[0]}"
        rooms = WITHIN.get(room, {})
        if other[0] == room and other[1] in rooms and other[1] != inner[0]:
            assert other[1] in rooms.get(inner[0], ()), f"{room}/{inner[0]} imports {room}/{other[1]}"


NETWORKS = [path for path in FILES if path.relative_to(ROOT).parts[0] == "nn"]


@pytest.mark.parametrize("path", NETWORKS, ids=lambda path: str(path.relative_to(ROOT)))
def test_networks_know_no_path_no_environment_and_no_download(path):
    modules = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            modules |= {alias.name.partition(".")[0] for alias in node.names}
        if isinstance(node, ast.ImportFrom):
            modules.add((node.module or "").partition(".")[0])
    assert not modules & {"pathlib", "os", "urllib"}


def test_modules_import_each_other_in_no_circle():
    """Imports at the top of files; those within functions are there to load late."""
    modules = {module_name(path): path for path in FILES}
    graph = {name: set(top_imports(path, modules)) - {name} for name, path in modules.items()}
    while leaves := {name for name, targets in graph.items() if not targets & graph.keys()}:
        graph = {name: targets for name, targets in graph.items() if name not in leaves}
    assert not graph, f"in or above circles: {sorted(graph)}"


def module_name(path):
    return ".".join(("motes", *path.relative_to(ROOT).with_suffix("").parts)).removesuffix(".__init__")


def top_imports(path, modules):
    for node in ast.parse(path.read_text()).body:
        if isinstance(node, ast.ImportFrom) and node.module and node.module.startswith("motes"):
            for alias in node.names:
                full = f"{node.module}.{alias.name}"
                yield full if full in modules else node.module


@pytest.mark.parametrize("folder", FOLDERS, ids=lambda folder: str(folder.relative_to(ROOT)))
def test_rooms_are_not_crowded(folder):
    assert sum(path.parent == folder and path.name != "__init__.py" for path in FILES) <= MOST_FILES


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
                one.arg
                for one in (*node.args.posonlyargs, *node.args.args, *node.args.kwonlyargs)
                if one.arg not in ("self", "ctx")
            ]
            assert len(parameters) <= 6, f"{node.name} has too many parameters"


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(ROOT)))
def test_choices_are_tables_and_no_ladders_over_words(path):
    """A function that compares one value with two words, or a value called name with one, chooses by a ladder."""
    for function in ast.walk(ast.parse(path.read_text())):
        if isinstance(function, ast.FunctionDef):
            compared = [subject for subject in map(compared_with_word, ast.walk(function)) if subject]
            ladders = [
                subject for subject, words in Counter(compared).items() if words > 1 or subject == "name"
            ]
            assert not ladders, f"{function.name} chooses by {', '.join(ladders)}: make it a table"


def compared_with_word(node):
    """What a condition compares with a word, as `kind == "gif"` does."""
    if not isinstance(node, ast.If | ast.IfExp):
        return None
    for test in ast.walk(node.test):
        if isinstance(test, ast.Compare) and isinstance(test.ops[0], ast.Eq):
            sides = [test.left, *test.comparators]
            words = [side for side in sides if isinstance(side, ast.Constant) and isinstance(side.value, str)]
            if words and words[0].value:
                return ast.unparse(next(side for side in sides if side is not words[0]))
    return None


def test_models_share_blocks_and_not_lines():
    """Lines that stand in runs of six in two places are at most a twentieth; imports do not count."""
    places, total = {}, 0
    for path in sorted((ROOT / "models").rglob("*.py")):
        lines = [line.strip() for line in path.read_text().splitlines()]
        lines = [line for line in lines if line and not line.startswith(("import ", "from ", "#"))]
        total += len(lines)
        for start in range(len(lines) - 5):
            places.setdefault(tuple(lines[start : start + 6]), []).append((path.name, start))
    again = {
        (name, start + n)
        for found in places.values()
        if len(found) > 1
        for name, start in found
        for n in range(6)
    }
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
    code = f"import sys\nfrom motes.apps.cli.main import main\ntry:\n    main({arguments!r})\nexcept SystemExit as end:\n    assert 'torch' not in sys.modules and 'numpy' not in sys.modules\n    sys.exit(end.code)"
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


TESTS = Path(__file__).parent


@pytest.mark.parametrize(
    "folder",
    sorted({path.parent for path in TESTS.rglob("*.py")} - {TESTS}),
    ids=lambda folder: str(folder.relative_to(TESTS)),
)
def test_tests_lie_in_the_room_of_what_they_test(folder):
    """Tests of several rooms lie at the top; folders without a program hold fixtures."""
    room = ROOT / folder.relative_to(TESTS)
    assert room in FOLDERS, f"{folder} is no room of motes"
