"""docs/extending.md, followed word for word in a copy of the project: what it adds is trained, encoded, scored and opened in the studio."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

pytestmark = pytest.mark.slow

ROOT = Path(__file__).parents[1]
BLOCK = re.compile(
    r"```(?:python|js|css)\n(?:#|//|/\*) ([^\n,*]+?)(?:, ([^\n*]+?))?(?: \*/)?\n(.*?)```", re.DOTALL
)


@pytest.fixture(scope="module")
def extended(tmp_path_factory):
    """A copy of the package and its small configurations, with all that the page adds."""
    copy = tmp_path_factory.mktemp("extended")
    shutil.copytree(ROOT / "motes", copy / "motes", ignore=shutil.ignore_patterns("__pycache__"))
    (copy / "tests").mkdir()
    for name in ("small.py", "few_pictures.py", "test_contract.py"):
        shutil.copy(ROOT / "tests" / name, copy / "tests" / name)
    blocks = BLOCK.findall((ROOT / "docs" / "extending.md").read_text())
    assert len(blocks) > 15
    for file, where, code in blocks:
        add(copy / file, where, code)
    return copy


def add(file, where, code):
    if not where:
        assert not file.exists(), f"{file.name} is there already"
        file.parent.mkdir(exist_ok=True)
        file.write_text(code)
        return
    lines = file.read_text().splitlines(keepends=True)
    if where.startswith("a line of "):
        table = next(
            n for n, line in enumerate(lines) if re.search(rf"^(export const )?{where[10:]}\b.*=", line)
        )
        first = next(
            n
            for n in range(table, len(lines))
            if lines[n].rstrip().endswith(("{", "(", "[")) and not lines[n].rstrip().endswith("Registry(")
        )
        lines.insert(first + 1, code)
    elif where == "an import":
        lines.insert(next(n for n, line in enumerate(lines) if line.startswith("from motes")), code)
    else:
        assert where == "at its end"
        lines.append(code)
    file.write_text("".join(lines))


def run(copy, *words, code=0, module="motes.apps.cli.main"):
    environment = {**os.environ, "PYTHONPATH": str(copy), "OMP_NUM_THREADS": "1"}
    done = subprocess.run(
        [sys.executable, "-m", module, *map(str, words)],
        cwd=copy,
        env=environment,
        capture_output=True,
        text=True,
    )
    assert done.returncode == code, done.stderr + done.stdout
    assert "Traceback" not in done.stderr
    return done.stdout + done.stderr


@pytest.fixture(scope="module")
def pictures(extended):
    folder = extended / "pictures"
    folder.mkdir()
    for n in range(3):
        Image.effect_noise((40, 30), 90).convert("RGB").save(folder / f"{n}.png")
    return folder


SIZE = [
    "--data.image-size",
    "32",
    "32",
    "--steps",
    "4",
    "--training.batch-size",
    "8",
    "--data.count",
    "16",
    "--data.held-out",
    "8",
]
TRAINED = {
    "blocks": ["--data", "shapes", *SIZE],
    "bands": ["--data", "shapes", *SIZE],
    "grid-of-blocks": ["--data", "shapes", *SIZE],
    "drift": ["--data", "balls", "--data.frames", "8", *SIZE],
}


@pytest.fixture(scope="module")
def runs(extended):
    for name, words in TRAINED.items():
        run(extended, "train", name, *words, "--out", f"runs/{name}")
    return {name: extended / "runs" / name for name in TRAINED}


@pytest.mark.parametrize("name", TRAINED)
def test_what_was_added_is_trained_encoded_and_scored(extended, runs, pictures, name):
    run(extended, "encode", runs[name], pictures, "--out", f"encoded/{name}")
    written = next((extended / "encoded" / name).glob("*.npz"))
    assert all(len(value) == 3 for value in np.load(written).values())
    run(extended, "reconstruct", runs[name], pictures, "--out", f"drawn/{name}")
    scores = run(extended, "evaluate", runs[name])
    assert "psnr" in scores and "colour_error" in scores
    assert ("ari_fg" in scores) == (name == "bands")
    assert name in run(extended, "list") and "blocks a side" in run(extended, "list", "blocks")
    assert run(extended, "info", runs[name])
    assert (runs[name] / "report.html").is_file()


@pytest.mark.parametrize("name", TRAINED)
def test_every_other_command_serves_it_or_says_why_not(extended, runs, pictures, name):
    for words in (
        ["sample", runs[name], "--out", "sampled"],
        ["sample", runs[name], "--prior", "gaussian", "--count", "4", "--out", "sampled"],
        [
            "restore",
            runs[name],
            pictures / "0.png",
            "--noise",
            "0.1",
            "--steps",
            "2",
            "--pictures",
            "8",
            "--out",
            "restored.png",
        ],
    ):
        environment = {**os.environ, "PYTHONPATH": str(extended), "OMP_NUM_THREADS": "1"}
        done = subprocess.run(
            [sys.executable, "-m", "motes.apps.cli.main", *map(str, words)],
            cwd=extended,
            env=environment,
            capture_output=True,
            text=True,
        )
        assert done.returncode in (0, 2) and "Traceback" not in done.stderr, done.stderr
        if done.returncode == 2:
            assert done.stderr.count("motes: ") == 1, done.stderr


def test_clips_shorter_than_a_window_are_refused(extended):
    said = run(
        extended,
        "train",
        "drift",
        "--data",
        "balls",
        "--data.frames",
        "2",
        *SIZE,
        "--out",
        "runs/short",
        code=2,
    )
    assert "runs of 4 neighbouring frames" in said and not (extended / "runs" / "short").exists()


def test_the_added_format_is_recognised_split_and_refused_when_damaged(extended):
    folder = extended / "notes"
    folder.mkdir()
    for n in range(20):
        digits = np.random.default_rng(n).integers(0, 10, (16, 16))
        (folder / f"{n}.digits").write_text("\n".join("".join(map(str, line)) for line in digits))
    words = [
        "--data",
        "notes",
        "--data.image-size",
        "16",
        "16",
        "--steps",
        "4",
        "--training.batch-size",
        "8",
        "--out",
    ]
    run(extended, "train", "blocks", *words, "runs/notes")
    assert "psnr" in run(extended, "evaluate", "runs/notes")
    for n in range(20):
        (folder / f"{n}.digits").write_text("12x")
    assert "should hold 16 lines of 16 digits" in run(
        extended, "train", "blocks", *words, "runs/damaged", code=2
    )


def test_the_contract_holds_for_what_was_added(extended):
    environment = {
        **os.environ,
        "PYTHONPATH": f"{extended}{os.pathsep}{extended / 'tests'}",
        "OMP_NUM_THREADS": "1",
    }
    names = "blocks or drift or bands"
    command = [
        sys.executable,
        "-m",
        "pytest",
        "-q",
        "-p",
        "no:cacheprovider",
        "tests/test_contract.py",
        "-k",
        names,
    ]
    done = subprocess.run(command, cwd=extended, env=environment, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout[-3000:]


STUDIO = """
import sys
from pathlib import Path
from motes.apps.studio.desk import Desk
from motes.apps.studio.messages import unpack
from motes.apps.studio.shelf import Shelf

desk = Desk(Shelf([Path(folder) for folder in sys.argv[1:]]))
for number, folder in enumerate(sys.argv[1:]):
    name = Path(folder).name
    def ask(ask, **words):
        return unpack(desk.answer({"ask": ask, "run": number, "n": 1, **words}))
    picture = ask("enter")[0]["facts"]["pictures"][0]
    opened, arrays = ask("open", picture=picture)
    assert arrays["drawn"].shape[:2] == (32, 32), opened
    assert opened["kind"] == {"bands": "slots", "grid-of-blocks": "grid"}.get(name, "code")
    edits = {"particles": {"0": {"presence": 0.0}}} if name == "bands" else {"code": {"0": 0.9}}
    changed, after = ask("decode", picture=picture, edits=edits)
    assert "problem" not in changed and (after["drawn"] != arrays["drawn"]).any(), changed
    for words in ({"ask": "ranges"}, {"ask": "health"}, {"ask": "renew"}, {"ask": "python", "picture": picture, "edits": {}}, {"ask": "sample"}):
        answer = ask(**words)[0]
        assert "problem" in answer or answer["ask"] == words["ask"], answer
    foreign = ask("decode", picture=picture, edits={"particles": {"0": {"position": [0, 0]}}})[0]
    assert "problem" in foreign, foreign
print("served")
"""


def test_the_studio_opens_and_edits_what_was_added(extended, runs):
    pytest.importorskip("starlette", reason="needs pip install 'motes[studio]'")
    (extended / "studio_talk.py").write_text(STUDIO)
    assert "served" in run(extended, *runs.values(), module="studio_talk")


BROWSER = """
import sys, threading, time
from pathlib import Path
import uvicorn
from playwright.sync_api import sync_playwright
from motes.apps.studio.server import Studio, settings
from motes.apps.studio.shelf import Shelf

server = uvicorn.Server(uvicorn.Config(Studio(Shelf([Path(sys.argv[2])])).app(), port=0, **settings()))
threading.Thread(target=server.run, daemon=True).start()
while not server.started:
    time.sleep(0.02)
with sync_playwright() as control:
    page = control.chromium.launch(executable_path=sys.argv[1], args=["--no-sandbox"]).new_page()
    page.goto(f"http://127.0.0.1:{server.servers[0].sockets[0].getsockname()[1]}/")
    for _ in range(400):
        if page.evaluate("Boolean(document.querySelector('#brightness .bar')?.style.width)"):
            break
        page.wait_for_timeout(50)
    width, height = page.evaluate("[document.querySelector('#brightness .bar').style.width, getComputedStyle(document.getElementById('brightness')).height]")
    assert 0 < int(width.rstrip("%")) <= 100 and height == "8px", (width, height)
    print("panel", width)
"""


def test_the_added_panel_is_on_the_page(extended, runs):
    pytest.importorskip("playwright", reason="needs pip install playwright")
    pytest.importorskip("uvicorn", reason="needs pip install 'motes[studio]'")
    chromium = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
    if chromium is None:
        pytest.skip("Chromium is not here")
    (extended / "studio_page.py").write_text(BROWSER)
    assert "panel" in run(extended, chromium, runs["blocks"], module="studio_page")
