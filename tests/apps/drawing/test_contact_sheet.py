"""Contact sheets: every data set has one, the truth is drawn where it is, and what cannot be is said in a sentence."""

import subprocess
import sys

import numpy as np
import pytest
import torch
from PIL import Image

from motes.apps.drawing.contact_sheet import SIDE, contact_sheet, drawn_rows
from motes.data import DATASETS
from motes.data.worlds.flat.shapes import Shapes, ShapesConfig
from motes.errors import UserError
from motes.types.truth import Truth


def motes(*words):
    return subprocess.run(
        [sys.executable, "-m", "motes.apps.cli.main", *map(str, words)], capture_output=True, text=True
    )


def test_ink_is_near_the_truth_and_nowhere_else():
    data = Shapes(ShapesConfig(count=3))
    truth = data.truth([0])
    plain = data.pixels([0])[0].transpose(1, 2, 0).repeat(SIDE // 64, 0).repeat(SIDE // 64, 1)
    drawn = np.asarray(drawn_rows(data, [0])[0])
    changed = (plain != drawn).any(-1)
    zoom, near = SIDE // 64, np.zeros_like(changed)
    for box in truth.boxes[0][truth.present[0]].tolist():
        top, left, bottom, right = (round(edge * zoom) for edge in box)
        near[max(top - 3, 0) : bottom + zoom + 3, max(left - 3, 0) : right + zoom + 3] = True
        assert changed[top : bottom + zoom, left : right + zoom].any()
    assert not changed[~near].any() and near.mean() < 0.6


def test_a_row_of_frames_for_each_clip():
    made = DATASETS["balls"]
    sheet = contact_sheet(made(made.Config(frames=12, count=5)), 3)
    assert sheet.size == (8 * (SIDE + 6) - 6, 3 * (SIDE + 6) - 6)


def test_data_that_knows_little_is_drawn_too():
    class Points(Shapes):
        def truth(self, rows):
            return Truth(torch.zeros(len(rows), 0, dtype=torch.bool), points=torch.zeros(len(rows), 1, 2))

    class Nothing(Shapes):
        def truth(self, rows):
            return None

    bare, pointed = (
        np.asarray(contact_sheet(made(ShapesConfig(count=2)), 2)).astype(int) for made in (Nothing, Points)
    )
    changed = np.argwhere(np.abs(bare - pointed).sum(-1)[:, :SIDE])
    assert len(changed) and np.abs(changed - SIDE / 2).max() < 8, "one point, in the middle"


@pytest.mark.slow
def test_show_from_the_command_line(tmp_path):
    done = motes(
        "data",
        "show",
        "tetrominoes",
        "--out",
        tmp_path / "new" / "sheet.png",
        "--count",
        7,
        "--data.pieces",
        2,
    )
    assert done.returncode == 0, done.stderr
    assert "7 of 60,000 pictures" in done.stdout and "masks" in done.stdout
    assert Image.open(tmp_path / "new" / "sheet.png").width == 6 * (SIDE - SIDE % 35 + 6) - 6
    Image.new("RGB", (40, 30)).save(tmp_path / "one.png")
    done = motes("data", "show", tmp_path, "--out", tmp_path / "folder.png")
    assert done.returncode == 0 and "nothing else is known" in done.stdout, done.stderr


@pytest.mark.parametrize(
    ("words", "answer"),
    [
        (("data", "shwo", "balls"), "did you mean 'data show'?"),
        (("data", "show", "tetromino"), "did you mean 'tetrominoes'?"),
        (("data", "show", "balls", "--data.recipe", "occlusoin"), "did you mean 'occlusion'?"),
        (("data", "show", "balls", "--cuont", "3"), "did you mean '--count'?"),
        (("data", "show", "balls", "--out", "x.txt"), "should end in .png"),
        (("data", "show", "balls", "--count", "0"), "from 1 up"),
    ],
)
def test_wrong_words_are_answered(words, answer):
    from motes.apps.cli.main import run_command

    with pytest.raises(UserError) as said:
        run_command(list(words))
    assert answer in str(said.value)


def test_help_names_the_options_of_the_data():
    done = motes("data", "show", "scenes", "--help")
    assert done.returncode == 0 and "--data.objects" in done.stdout and "--split" in done.stdout
