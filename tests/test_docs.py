"""README and docs are true: links resolve, what they name exists, commands parse, printed Python runs."""

import ast
import importlib
import io
import re
import tokenize
from pathlib import Path

import pytest
from small import SMALL

from motes.apps.cli.main import GROUPS, build_parser, main, split_dotted
from motes.data import DATASETS
from motes.data.recognise import ENDINGS
from motes.evaluation import SCORES
from motes.models import MODELS
from motes.plain.options import options_of, read_options
from motes.training.presets import PRESETS

ROOT = Path(__file__).parents[1]
README = ROOT / "README.md"
DOCS = ROOT / "docs"
PAGES = [README, *sorted(DOCS.rglob("*.md"))]
FOLDERS = ("motes", "tests", "benchmarks", "examples")
SOURCES = [
    path
    for folder in FOLDERS
    for path in sorted((ROOT / folder).rglob("*.*"))
    if path.suffix in (".py", ".js", ".css")
]
PROGRAMS = [path for path in SOURCES if path.suffix == ".py"]
TRAINING = "training/recipe:Training"
FENCE = re.compile(r"^```(\w*)\n(.*?)^```", re.DOTALL | re.MULTILINE)
# by which packages add presets: it is named like a module, and is none
ENTRY_POINTS = "motes.presets"
# what stands for a name or a value that the reader chooses
BLANK = re.compile(r"[\[|]|\.\.\.|\b(?:OPTION|VALUE|NAME|PRESET|PLACE|N|FILE|DIR|FOLDER)\b")


def name_of(path):
    return str(path.relative_to(ROOT))


def prose_of(page):
    return FENCE.sub("", page.read_text())


def python_of(page):
    return [code for language, code in FENCE.findall(page.read_text()) if language == "python"]


def added_by_recipes():
    """Files, and models, that docs/extending.md adds."""
    text = (DOCS / "extending.md").read_text()
    files = re.findall(r"^(?:#|//) (motes/[\w/]+\.\w+)$", text, re.MULTILINE)
    return set(files), set(re.findall(r'^ +"([\w-]+)": Row\(', text, re.MULTILINE))


ADDED_FILES, ADDED_NAMES = added_by_recipes()


# links


def anchors(page):
    """The anchors of a page's headings, as GitHub makes them."""
    headings = re.findall(r"^#+ (.+)$", prose_of(page), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_links_and_anchors_resolve(page):
    for link in re.findall(r"\]\(([^)\s]+)\)", prose_of(page)):
        if link.startswith(("http://", "https://")):
            continue
        file, _, anchor = link.partition("#")
        target = (page.parent / file).resolve() if file else page
        assert target.exists(), link
        assert not anchor or anchor in anchors(target), link


def test_readme_leads_to_every_page():
    links = set(re.findall(r"\]\((docs/[\w/-]+\.md)", README.read_text()))
    assert {name_of(page) for page in DOCS.glob("*.md")} <= links


# modules and files


def documentation_of(program):
    """Docstrings and comments."""
    source = program.read_text()
    tokens = tokenize.generate_tokens(io.StringIO(source).readline)
    comments = [token.string for token in tokens if token.type == tokenize.COMMENT]
    documented = (ast.Module, ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)
    nodes = [node for node in ast.walk(ast.parse(source)) if isinstance(node, documented)]
    return "\n".join([*comments, *filter(None, map(ast.get_docstring, nodes))])


def missing_modules(text):
    """The dotted names below motes that are neither a module nor a name in one."""
    names = set(re.findall(r"(?<![\w./-])motes(?:\.[A-Za-z_]\w*)+", text)) - {ENTRY_POINTS}
    return [
        name for name in names if f"{name.replace('.', '/')}.py" not in ADDED_FILES and not is_there(name)
    ]


def is_there(dotted):
    words = dotted.split(".")
    for end in range(len(words), 0, -1):
        place = ROOT.joinpath(*words[:end])
        if place.with_suffix(".py").is_file() or place.is_dir():
            return has(importlib.import_module(".".join(words[:end])), words[end:])
    return False


def has(target, words):
    for word in words:
        if not hasattr(target, word):
            # a field of a dataclass without a default
            return word in getattr(target, "__annotations__", {})
        target = getattr(target, word)
    return True


def missing_files(text):
    names = set(re.findall(rf"(?<![\w./-])(?:{'|'.join(FOLDERS)})/[\w./-]*\w/?", text))
    return [name for name in names if name not in ADDED_FILES and not (ROOT / name).exists()]


@pytest.mark.slow
@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_modules_that_pages_name_exist(page):
    assert not missing_modules(page.read_text())
    for code in python_of(page):
        for node in ast.walk(ast.parse(code.strip())) if page.name != "extending.md" else ():
            if isinstance(node, ast.ImportFrom) and node.module.partition(".")[0] == "motes":
                for alias in node.names:
                    assert has(importlib.import_module(node.module), [alias.name]), alias.name


@pytest.mark.slow
def test_modules_and_files_that_docstrings_and_comments_name_exist():
    for program in PROGRAMS:
        text = documentation_of(program)
        assert not missing_modules(text), name_of(program)
        assert not missing_files(text), name_of(program)


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_files_that_pages_name_exist(page):
    """Also those that are named from their room on, such as `ops/rendering/canvas.py`."""
    text = page.read_text()
    assert not missing_files(text)
    for file in set(re.findall(r"`([\w/]+\.(?:py|js|css))`", text)):
        assert any(f"/{name_of(path)}".endswith(f"/{file}") for path in SOURCES), file


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_functions_are_in_the_file_that_is_named(page):
    """As in: `render` in `motes/ops/rendering/composite.py`."""
    pattern = r"`(\w+)`(?: and `(\w+)`)? in `(motes/[\w/]+\.py)`"
    for *names, file in re.findall(pattern, page.read_text()):
        for name in filter(None, names):
            assert re.search(rf"^(?:def |class )?{name}\b", (ROOT / file).read_text(), re.MULTILINE), name


def test_messages_of_the_troubleshooting_page_are_those_of_the_code():
    messages = re.findall(r"^\*\*`([^`]+)`\*\*", (DOCS / "troubleshooting.md").read_text(), re.MULTILINE)
    assert len(messages) > 3
    # a sentence may go on in the next line of the code
    code = "".join(
        re.sub(r'"\s+f?"', "", path.read_text()) for path in PROGRAMS if path.is_relative_to(ROOT / "motes")
    )
    for message in messages:
        parts = [re.escape(part) for part in re.split(r"\b(?:\d+|cuda:0|RUN|FOLDER)\b", message)]
        assert re.search(r"\{\w+\}".join(parts), code), message


# commands


def commands(page):
    """Each `motes` command of a page, in a block, indented or within a sentence; without its comment."""
    text = page.read_text().replace("python -m motes.apps.cli.main", "motes")
    blocks = [code for language, code in FENCE.findall(text) if language in ("", "bash")]
    # a synopsis may go on in the next line
    lines = [line for block in blocks for line in re.sub(r"\n +(?=\[)", " ", block).splitlines()]
    prose = FENCE.sub("", text)
    lines += re.findall(r"^    (motes .*)$", prose, re.MULTILINE)
    lines += re.findall(r"`(motes [^`]+)`", prose)
    return [re.sub(r"\s+#.*", "", line) for line in lines if line.startswith("motes ")]


def named(table, words):
    return [word for word in words if word in table]


def places(home, words):
    """Where options before whose dot `home` stands may be defined, for what the words of a command name."""
    if home == "training":
        return [TRAINING]
    recipes = [PRESETS[word].recipe for word in named(PRESETS, words)]
    if home == "model":
        names = [recipe.model for recipe in recipes] or named(MODELS, words)
        return [MODELS.source(name) for name in names or MODELS]
    by_ending = [ENDINGS[Path(word).suffix] for word in words if Path(word).suffix in ENDINGS]
    names = named(DATASETS, words) or by_ending
    if "--data" not in words:
        names = names or [recipe.data.name for recipe in recipes]
    return [DATASETS.source(name) for name in names or DATASETS]


def is_dotted_option(option, words):
    home, _, name = option.removeprefix("--").partition(".")
    if name == "OPTION":
        return home in ("model", "data", "training")
    return any(name.replace("-", "_") in options_of(place) for place in places(home, words))


def test_commands_are_found():
    assert sum(len(commands(page)) for page in PAGES) > 80


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_commands_and_their_options_exist(page):
    _, parsers = build_parser()
    for command in commands(page):
        words = re.sub(r"[\[\]|]", " ", command).split()[1:]
        name = " ".join(words[:2]) if words[0] in GROUPS else words[0]
        assert name in parsers, command
        for option in re.findall(r"--[\w.-]+", command):
            if "." in option:
                assert is_dotted_option(option, words), command
            else:
                assert option in parsers[name]._option_string_actions, command


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_commands_without_blanks_parse(page):
    """All that is needed is there, values are of the right kind, and what they name exists."""
    parser, _ = build_parser()
    for command in commands(page):
        words, dotted = split_dotted(command.split()[1:])
        # a command that is only named
        if (
            BLANK.search(command)
            or "--help" in words
            or not set(words[1:]) - {"prepare", "show", "fit", "read"}
        ):
            continue
        arguments = parser.parse_args(words)
        preset = getattr(arguments, "preset", None)
        # a file or a folder is data
        is_place = preset is not None and ("/" in preset or "." in preset)
        assert is_place or preset in {None, *PRESETS, *MODELS, *DATASETS, *ADDED_NAMES}, command
        assert set(",".join(getattr(arguments, "scores", None) or ()).split(",")) <= {
            "",
            "colour",
            *SCORES,
        }, command
        for option, *values in re.findall(r"(--\w+\.\S+)((?: [^-\s]\S*| -\d\S*)*)", " ".join(dotted)):
            home = option.removeprefix("--").partition(".")[0]
            place = next(p for p in places(home, words) if option_name(option) in options_of(p))
            read_options([option, *values[0].split()], {home: place})


def option_name(option):
    return option.partition(".")[2].replace("-", "_")


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_options_named_in_sentences_exist(page):
    """Of the presets that the page trains, or of any where it trains none or several."""
    _, parsers = build_parser()
    plain = {option for parser in parsers.values() for option in parser._option_string_actions}
    words = [word for command in commands(page) for word in command.split()] if "family" in page.parts else []
    for code in re.findall(r"`(--[^`]+)`", prose_of(page)):
        for option in re.findall(r"--[\w.-]+", code):
            exists = is_dotted_option(option, words) if "." in option else option in plain
            assert exists, option


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_make_targets_exist(page):
    makefile = (ROOT / "Makefile").read_text()
    for target in re.findall(r"(?:^|`)make (\w+)", page.read_text(), re.MULTILINE):
        assert re.search(rf"^{target}:", makefile, re.MULTILINE), target


# Python


@pytest.fixture(scope="module")
def runs(tmp_path_factory):
    """A folder with runs/shapes and runs/vae-quick, trained for a moment."""
    folder = tmp_path_factory.mktemp("docs")
    words = ["--steps", "2", "--data.count", "16", "--data.held-out", "4", "--training.batch-size", "4"]
    for preset, name in (("dlp-quick", "shapes"), ("vae-quick", "vae-quick")):
        with pytest.raises(SystemExit) as end:
            main(["train", preset, *words, "--out", str(folder / "runs" / name)])
        assert end.value.code == 0
    return folder


@pytest.mark.slow
def test_the_python_page_runs_from_top_to_bottom(runs, monkeypatch):
    monkeypatch.chdir(runs)
    namespace = {}
    for code in python_of(DOCS / "python.md"):
        exec(compile(code, "docs/python.md", "exec"), namespace)
    assert namespace["drawn"].shape == (64, 3, 64, 64)


@pytest.mark.slow
def test_the_python_of_the_readme_runs(runs, monkeypatch):
    import torch

    monkeypatch.chdir(runs)
    for code in python_of(README):
        exec(compile(code, "README.md", "exec"), {"pictures": torch.rand(2, 3, 64, 64)})


def of_family():
    """For a page: its model, changes to the small configuration, and the names that its Python assumes."""
    import torch

    pictures = torch.rand(4, 3, 32, 32)
    pairs = {
        "before": pictures,
        "after": pictures.flip(0),
        "picture": pictures,
        "amount": torch.arange(1.0, 5),
    }
    labels = {"smiling": torch.tensor([0.0, 1, 0, 1]), "ages": torch.rand(4)}
    holes = {"known": torch.ones(4, 1, 32, 32), "training_pictures": pictures.flip(0)}
    return {
        "vae": ("vae", {"reconstruction": "bernoulli"}, {"pictures": pictures}),
        "directions": ("vae", {}, {**pairs, **labels}),
        "restoration": ("vae", {}, {"pictures": pictures, **holes}),
        "paired": ("paired", {}, {"image": pictures}),
        "conditional": ("conditional", {"classes": 10}, {}),
        "denoising": ("denoising", {}, {}),
    }


@pytest.mark.slow
@pytest.mark.parametrize(
    "page", [page for page in PAGES if "family" in page.parts and python_of(page)], ids=name_of
)
def test_the_python_of_the_family_runs(page, tmp_path, monkeypatch):
    import torch

    name, changes, namespace = of_family()[page.stem]
    torch.manual_seed(0)
    model = MODELS[name](MODELS[name].Config(**SMALL[name] | changes)).eval()
    model.save(tmp_path / "runs" / "denoising-leaves")
    monkeypatch.chdir(tmp_path)
    with torch.no_grad():
        latent = model.encode(torch.rand(4, 3, 32, 32)) if name == "vae" else None
    for code in python_of(page):
        exec(compile(code, name_of(page), "exec"), {"model": model, "latent": latent, **namespace})
