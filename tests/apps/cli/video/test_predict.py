"""`motes predict`: its files agree with each other, appear whole or not at all, and what is wrong is said."""

from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest
import torch

from motes.apps.cli.main import run_command
from motes.apps.drawing.prediction import HEAD, film_frames
from motes.apps.session.foresight import Shot
from motes.apps.session.session import Session
from motes.data.files.video_file import VideoFile
from motes.errors import UserError
from motes.models.motion.future import in_drawing_order
from motes.models.motion.rivals import SteadyMotion
from motes.models.tracking import followed
from motes.types.clips import ParticleClip
from tests.apps.spots import Spots, command_of, picture, table

FRAMES = 12
SIZE = (48, 64)


class GoingSpots(Spots):
    """Spots that are predicted to go on as they went, and drawn as blots."""

    def predict(self, seen, frames, steps, actions=None, samples=0, seed=0):
        clip = seen if isinstance(seen, ParticleClip) else followed(self, seen, frames, SIZE)
        return SteadyMotion(SIZE).predict(clip, frames, steps, samples=samples)

    def decode(self, latent):
        particles = in_drawing_order(latent) if isinstance(latent, ParticleClip) else latent
        return torch.zeros(len(particles), 3, *SIZE)


@pytest.fixture
def film(tmp_path):
    """A folder of numbered pictures in which two spots move."""
    folder = tmp_path / "film"
    folder.mkdir()
    for frame in range(FRAMES):
        picture(frame).save(folder / f"{frame:03}.png")
    return folder


@pytest.fixture
def predict(tmp_path, monkeypatch):
    return command_of(GoingSpots(), "predict", tmp_path, monkeypatch)


def test_the_table_has_what_was_given_and_what_was_predicted(predict, film, capsys):
    out = predict(film, "--given", 4, "--steps", 6, "--from", 1, "--no-film")
    assert sorted(file.name for file in out.iterdir()) == ["tracks.csv", "tracks.png"]
    rows = table(out)
    assert [int(row["frame"]) for row in rows[::2]] == list(range(1, 11))
    for row in rows:
        is_predicted = int(row["frame"]) >= 5
        assert row["predicted"] == str(is_predicted) and row["seen"] == str(not is_predicted)
    ways = {row["track"]: [other for other in rows if other["track"] == row["track"]] for row in rows}
    assert len(ways) == 2
    for way in ways.values():
        columns = [float(row["column"]) for row in way]
        steps = [after - before for before, after in pairwise(columns[3:])]
        assert steps == pytest.approx([steps[0]] * len(steps), abs=0.01)
    printed = capsys.readouterr().out
    assert "4 frames given, 2 things, 6 predicted" in printed
    assert "PSNR after 5 frames" in printed and "of the last given frame" in printed


def test_samples_are_rows_of_the_table_and_lines_of_the_picture(predict, film):
    plain = predict(film, "--given", 4, "--steps", 6, "--no-film")
    expected = table(plain)
    lines = (plain / "tracks.png").read_bytes()
    out = predict(film, "--given", 4, "--steps", 6, "--samples", 3, "--no-film")
    rows = table(out)
    assert [row for row in rows if row["sample"] == "0"] == expected
    for sample in ("1", "2", "3"):
        future = [{**row, "sample": "0"} for row in rows if row["sample"] == sample]
        # this model draws what it expects
        assert future == [row for row in expected if row["predicted"] == "True"]
    assert len(rows) == len(expected) + 3 * 2 * 6
    assert (out / "tracks.png").read_bytes() != lines


def test_a_model_with_one_future_draws_no_others(tmp_path, make_run):
    run = make_run(tmp_path / "run", "dlp-graph")
    with pytest.raises(UserError, match="motion gaussian"):
        words = ["balls", "--given", "3", "--steps", "2", "--samples", "2", "--out", str(tmp_path / "out")]
        run_command(["predict", str(run), *words])
    assert not (tmp_path / "out").exists()


def test_a_model_of_stills_draws_no_futures(film, tmp_path, make_run):
    run = make_run(tmp_path / "run")
    with pytest.raises(UserError, match="did not learn how things move"):
        run_command(
            ["predict", str(run), "balls", "--samples", "2", "--steps", "4", "--out", str(tmp_path / "out")]
        )
    assert not (tmp_path / "out").exists()


def test_actions_come_from_a_file_or_from_the_data(tmp_path, make_run):
    run = make_run(tmp_path / "run", "dlp-graph", actions=2)
    np.save(tmp_path / "actions.npy", np.full((4, 2), 2.0))
    words = ["predict", str(run), "pushing", "--given", "3", "--steps", "4", "--no-film", "--out"]
    run_command([*words, str(tmp_path / "recorded")])
    run_command([*words, str(tmp_path / "told"), "--actions", str(tmp_path / "actions.npy")])
    assert len(table(tmp_path / "told")) == len(table(tmp_path / "recorded")) > 0
    assert table(tmp_path / "told") != table(tmp_path / "recorded")


def test_actions_that_cannot_be_followed_are_refused(tmp_path, make_run):
    run = make_run(tmp_path / "run", "dlp-graph", actions=2)
    cases = {
        "has 3 actions, and 4 frames": np.zeros((3, 2)),
        "have 5 numbers each": np.zeros((4, 5)),
        "action 1 is not a number": np.array([[0, 0], [np.nan, 0], [0, 0], [0, 0]]),
        "steps x numbers": np.zeros(4),
        "array of numbers": np.full((4, 2), "left"),
    }
    for words, actions in cases.items():
        np.save(tmp_path / "actions.npy", actions)
        with pytest.raises(UserError, match=words):
            _predict_with_actions(run, tmp_path)
        assert not (tmp_path / "out").exists(), words
    (tmp_path / "actions.npy").write_text("left, right")
    with pytest.raises(UserError, match="cannot be read"):
        _predict_with_actions(run, tmp_path)
    (tmp_path / "actions.npy").unlink()
    with pytest.raises(UserError, match="does not exist"):
        _predict_with_actions(run, tmp_path)


def _predict_with_actions(run, folder):
    words = ["predict", str(run), "pushing", "--given", "3", "--steps", "4", "--no-film"]
    run_command([*words, "--actions", str(folder / "actions.npy"), "--out", str(folder / "out")])


def test_a_prediction_beyond_the_end_of_the_film_has_no_truth(predict, film, capsys):
    out = predict(film, "--given", FRAMES, "--steps", 5, "--no-film")
    assert len(table(out)) == 2 * (FRAMES + 5)
    assert "PSNR" not in capsys.readouterr().out


def test_the_film_has_given_predicted_and_truth_side_by_side(film):
    session = Session(GoingSpots())
    shot = Shot.of_video(film, 0, FRAMES)
    foresight = session.foresee(shot, 4, FRAMES - 4)
    frames = list(film_frames(foresight))
    assert len(frames) == FRAMES and len({frame.size for frame in frames}) == 1
    alone = session.foresee(replace(shot, pictures=shot.pictures[:4]), 4, 8)
    assert next(film_frames(alone)).width < frames[0].width
    longer = list(film_frames(session.foresee(shot, 4, FRAMES)))
    assert len({frame.size for frame in longer}) == 1
    # what is drawn of the prediction is black, the truth is not
    width = (frames[-1].width - 16) // 3
    middle = frames[-1].crop((width + 8, HEAD, 2 * width + 8, frames[-1].height))
    right = frames[-1].crop((2 * (width + 8), HEAD, frames[-1].width, frames[-1].height))
    assert middle.getextrema() == ((0, 0),) * 3 and right.getextrema() != ((0, 0),) * 3


def test_the_film_is_a_video(predict, film):
    pytest.importorskip("av", reason="needs pip install 'motes[video]'")
    out = predict(film, "--given", 4, "--steps", 6)
    assert len(VideoFile(out / "predicted.mp4")) == 10


def test_what_is_wrong_is_said_before_anything_is_written(predict, film, tmp_path):
    wrong = {
        "motes track": (film, "--steps", 0),
        "whole number": (film, "--steps", "-1"),
        "at least 2": (film, "--given", 1),
        "has 12 frames from frame 0 on, and 20": (film, "--given", 20),
        "has 2 frames from frame 10 on": (film, "--from", 10),
        "does not exist": (tmp_path / "nowhere.mp4",),
        "single pictures": ("shapes",),
        "there is no clip 4000": ("rolling", "--clip", 4000),
    }
    alone = tmp_path / "alone"
    alone.mkdir()
    picture(0).save(alone / "1.png")
    wrong["has a single frame"] = (alone,)
    for words, options in wrong.items():
        with pytest.raises(UserError, match=words):
            predict(*options)
        assert not (tmp_path / "out").exists(), words


def test_things_that_stand_still_are_predicted_to_and_that_is_said(predict, tmp_path, capsys):
    folder = tmp_path / "still"
    folder.mkdir()
    for frame in range(6):
        picture(0).save(folder / f"{frame}.png")
    predict(folder, "--given", 4, "--steps", 2, "--no-film")
    assert "nothing moves in the given frames" in capsys.readouterr().out


def test_frames_in_which_nothing_is_found_stay_as_they_are(predict, tmp_path, capsys):
    folder = tmp_path / "empty"
    folder.mkdir()
    for frame in range(6):
        picture(0).point(lambda value: 255).save(folder / f"{frame}.png")
    out = predict(folder, "--given", 4, "--steps", 2, "--no-film")
    assert table(out) == []
    assert "0 things" in capsys.readouterr().out


def test_a_model_of_stills_predicts_that_things_go_on(film, tmp_path, monkeypatch, capsys):
    out = command_of(Spots(), "predict", tmp_path, monkeypatch)(film, "--given", 8, "--steps", 2, "--no-film")
    ways = {row["track"]: row for row in table(out) if row["frame"] == "9"}
    assert len(ways) == 2
    for row in ways.values():
        column = float(row["column"])
        # of red, and of green
        assert abs(column - (20 + 3 * 9)) < 1.5 or abs(column - (100 - 3 * 9)) < 1.5
    assert "as they went" in capsys.readouterr().out


def test_clips_of_data_are_predicted_by_an_untrained_model(tmp_path, make_run):
    run = make_run(tmp_path / "run", "dlp-graph")
    out = tmp_path / "out"
    run_command(
        ["predict", str(run), "balls", "--given", "3", "--steps", "2", "--no-film", "--out", str(out)]
    )
    assert {row["predicted"] for row in table(out)} == {"True", "False"}
