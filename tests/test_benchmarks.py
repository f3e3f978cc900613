"""Benchmarks can be started, and what they share does what it says."""

import importlib
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT))

from benchmarks.clocks import by_turns  # noqa: E402
from benchmarks.report import Table  # noqa: E402
from benchmarks.systems.latent import SYSTEMS  # noqa: E402
from benchmarks.systems.system import Bar  # noqa: E402
from tests.celeba_replica import generated_celeba  # noqa: E402

MODULES = [path.relative_to(ROOT).with_suffix("") for path in sorted((ROOT / "benchmarks").rglob("*.py"))]
NEED_A_BROWSER = {"studio_rate", "first_drag"}


@pytest.mark.parametrize("module", MODULES, ids=str)
def test_every_benchmark_can_be_imported_and_names_its_options(module, monkeypatch, capsys):
    if module.name in NEED_A_BROWSER:
        pytest.importorskip("playwright")
    imported = importlib.import_module(".".join(module.parts))
    if hasattr(imported, "main"):
        monkeypatch.setattr(sys, "argv", [module.name, "--help"])
        with pytest.raises(SystemExit) as stopped:
            imported.main()
        assert stopped.value.code == 0
        assert "--format" in capsys.readouterr().out


@pytest.mark.parametrize("system", SYSTEMS)
def test_a_system_has_bars_for_different_measures(system):
    module = importlib.import_module(f"benchmarks.systems.{system}")
    measures = [bar.measure for bar in module.BARS]
    assert measures
    assert len(set(measures)) == len(measures)
    assert callable(module.run)


def test_tables_are_printed_as_markdown_or_as_text(capsys):
    for style in ("markdown", "text"):
        Table(("seed", "found"), style).row(0, "0.9")
    markdown, text = capsys.readouterr().out.split("| 0 | 0.9 |\n")
    assert markdown == "| seed | found |\n|---|---|\n"
    assert [line.split() for line in text.splitlines()] == [["seed", "found"], ["0", "0.9"]]


def test_variants_are_measured_by_turns_and_their_medians_compared():
    order = []
    values = {"a": iter([3.0, 1.0, 2.0]), "b": iter([6.0, 5.0, 4.0])}

    def variant(name):
        def measure():
            order.append(name)
            return {"seconds": next(values[name])}

        return measure

    assert by_turns({name: variant(name) for name in "ab"}, 3) == {
        "a": {"seconds": 2.0},
        "b": {"seconds": 5.0},
    }
    assert order == list("ababab")


@pytest.mark.parametrize(
    ("side", "value", "verdict"),
    [("<=", 0.9, "yes"), ("<=", 1.1, "NO"), (">=", 1.1, "yes"), (">=", 0.9, "NO")],
)
def test_a_bar_is_met_on_its_side(side, value, verdict):
    assert Bar("error", "an error", side, 1.0).verdict(value) == verdict
    assert Bar("error", "an error").verdict(value) == ""


@pytest.mark.slow
def test_the_table_of_landmarks_can_be_made_from_celeba(tmp_path):
    root = generated_celeba(tmp_path / "celeba", (60, 40, 20, 20))
    script = ROOT / "benchmarks" / "quality" / "landmarks.py"
    options = [
        "--celeba",
        root,
        "--side",
        "32",
        "--methods",
        "untrained",
        "dlp",
        "--counts",
        "6",
        "--seeds",
        "0",
    ]
    options += ["--cpu-minutes", "0.02", "--out", tmp_path / "runs"]
    done = subprocess.run([sys.executable, script, *options], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    rows = [line.strip("| ").split(" | ") for line in done.stdout.splitlines() if line.startswith("| ")]
    errors = {row[0]: row[4] for row in rows if row[0] in ("mean pose", "untrained", "dlp")}
    assert len(errors) == 3
    assert all(2 < float(error) < 60 for error in errors.values())
