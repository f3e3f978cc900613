"""Completion: what may follow is what the parser takes, and the shells' own programs accept the lines."""

import shutil
import subprocess
import sys

import pytest

from motes.apps.cli.completion import SHELLS, following
from motes.apps.cli.main import COMMANDS, run_command
from motes.models import MODELS


def test_what_may_follow():
    assert set(following([])) == {name.partition(" ")[0] for name in COMMANDS}
    assert list(following(["data"])) == ["show", "prepare"]
    assert {"--out", "--steps", "dlp-quick", *MODELS} <= set(following(["train"]))
    assert "--model.num-particles" not in following(["train"])
    assert "--model.num-particles" in following(["train", "dlp-quick", "--steps", "3"])
    assert list(following(["encode", "run", "--fit"])) == ["fit", "stretch", "crop"]
    assert "shapes" in following(["train", "dlp", "--data"])
    # a file, which the shell knows
    assert list(following(["track", "run", "--out"])) == []


def test_words_of_a_line_are_printed_and_unfinished_quotes_are_not_answered(capsys):
    run_command(["completion", "words", "data show balls"])
    assert "--data.recipe" in capsys.readouterr().out.splitlines()
    run_command(["completion", "words", "train 'my"])
    assert capsys.readouterr().out == ""


@pytest.mark.parametrize("shell", SHELLS)
def test_the_lines_are_of_the_shell(shell, capsys):
    run_command(["completion", shell])
    lines = capsys.readouterr().out
    if shutil.which(shell) is None:
        pytest.skip(f"{shell} is not installed")
    done = subprocess.run([shell, "-n"], input=lines, text=True, capture_output=True)
    assert done.returncode == 0, done.stderr


def test_bash_completes_a_command(tmp_path, capsys):
    if shutil.which("bash") is None:
        pytest.skip("bash is not installed")
    run_command(["completion", "bash"])
    program = tmp_path / "motes"
    program.write_text(f'#!/bin/sh\nexec {sys.executable} -m motes.apps.cli.main "$@"\n')
    program.chmod(0o755)
    script = (
        capsys.readouterr().out
        + "\nCOMP_WORDS=(motes encode run --fi); COMP_CWORD=3; _motes; echo ${COMPREPLY[@]}"
    )
    done = subprocess.run(
        ["bash", "-c", f"PATH={tmp_path}:$PATH\n{script}"], text=True, capture_output=True, check=True
    )
    assert done.stdout.strip() == "--fit"
