"""Sheets of users' own pictures show the background alone, boxes around things, and windows."""

import numpy as np
import pytest
from PIL import Image

from motes.apps.cli.main import run_command
from motes.apps.drawing.contact_sheet import SIDE
from motes.apps.drawing.marks import PROPOSED
from motes.apps.drawing.survey_sheet import survey_sheet
from motes.data.source import Source
from motes.data.survey.survey import survey


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Shapes without their truth, in a folder."""
    place = tmp_path_factory.mktemp("shapes")
    pixels = Source("shapes").open("train").pixels(range(40))
    for number, picture in enumerate(pixels):
        Image.fromarray(picture.transpose(1, 2, 0)).save(place / f"{number:02d}.png")
    return place


def test_a_sheet_shows_the_background_and_then_pictures_with_boxes_and_windows(folder):
    data = Source("folder", {"path": str(folder), "image_size": (64, 64)}).open("train")
    drawn = np.asarray(survey_sheet(data, survey(data), 5))
    assert drawn.shape[:2] == (SIDE, 6 * (SIDE + 6) - 6)
    background, first = drawn[:, :SIDE], drawn[:, SIDE + 6 : 2 * SIDE + 6]
    assert (background == (0, 255, 255)).all(), "nothing but the ground of shapes"
    near_amber = np.abs(first.astype(int) - PROPOSED).sum(-1) < 60
    assert near_amber.sum() > 100


def test_data_show_prints_what_train_would_choose(folder, tmp_path, capsys):
    run_command(["data", "show", str(folder), "--out", str(tmp_path / "sheet.png"), "--count", "3"])
    first, seen, chosen = capsys.readouterr().out.splitlines()
    assert "3 of 32 pictures of folder" in first and "a still background" in seen
    assert "--model.glimpse-size" in chosen and "--data.image-size" in chosen
    assert Image.open(tmp_path / "sheet.png").width == 4 * (SIDE + 6) - 6
