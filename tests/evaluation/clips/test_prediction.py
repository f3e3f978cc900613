"""Prediction scores count what they say, clip by clip, and stand beside rivals."""

from dataclasses import replace

import pytest
import torch

from motes.evaluation.clips.prediction import QUESTION
from motes.evaluation.question import GIVEN, Evidence, missing
from motes.types.truth import Truth

FRAMES = 16


@pytest.fixture
def oracle(see):
    """Pictures of discs, and a model that draws such and predicts that they go on as they went."""

    def oracle(latent, truth, frames=FRAMES):
        encoded = see(latent, truth, frames=frames, predicts=True)
        return replace(encoded, batch=replace(encoded.batch, image=encoded.model.decode(latent)))

    return oracle


def scores_of(encoded):
    statistics = QUESTION.score(Evidence(QUESTION.measure(encoded)))
    every = torch.ones(1, len(encoded.batch))
    return {name: statistic(every).item() for name, statistic in statistics.items()}


def paths(turn=FRAMES):
    """Two things that move by 1 pixel a frame along columns, and turn round at a frame: N 2 2, in pixels."""
    time = torch.arange(float(FRAMES))
    way = torch.where(time <= turn, time, 2 * turn - time)
    rows = torch.tensor([8.0, 22.0])
    return torch.stack([torch.stack([rows[n].expand(FRAMES), 6 + way], -1) for n in range(2)], 1)


def seen_as(pixels, make_particles, on_points, presence=None):
    points = 2 * pixels / 31 - 1
    grey = torch.ones(*points.shape[:2], 1)
    return make_particles(on_points(points), presence, features=grey), points


def test_things_that_go_on_are_predicted_by_their_velocity(oracle, make_particles, on_points):
    latent, points = seen_as(paths(), make_particles, on_points)
    scores = scores_of(oracle(latent, Truth(torch.ones(FRAMES, 2, dtype=torch.bool), points)))
    for horizon in (1, 5):
        assert scores[f"predicted_error_px_{horizon}"] == pytest.approx(0, abs=1e-3)
        assert scores[f"copy_error_px_{horizon}"] == pytest.approx(horizon, abs=1e-3)
        assert scores[f"predicted_psnr_{horizon}"] > 60 > 30 > scores[f"copy_psnr_{horizon}"]
        assert scores[f"predicted_lost_{horizon}"] == 0
    assert "predicted_error_px_10" not in scores


def test_errors_are_of_the_pairs_of_the_last_given_frame(oracle, make_particles, on_points):
    """The things turn round right after what is given, by which velocity errs twice the way."""
    latent, points = seen_as(paths(turn=GIVEN - 1), make_particles, on_points)
    scores = scores_of(oracle(latent, Truth(torch.ones(FRAMES, 2, dtype=torch.bool), points)))
    assert scores["predicted_error_px_5"] == pytest.approx(10, abs=1e-2)
    assert scores["predicted_error_px_1"] == pytest.approx(2, abs=1e-2)


def test_things_without_a_particle_are_lost_and_have_no_error(oracle, make_particles, on_points):
    pixels = paths()
    presence = torch.ones(FRAMES, 2)
    presence[:, 1] = 0
    latent, points = seen_as(pixels, make_particles, on_points, presence)
    scores = scores_of(oracle(latent, Truth(torch.ones(FRAMES, 2, dtype=torch.bool), points)))
    assert scores["predicted_lost_5"] == 0.5
    assert scores["predicted_error_px_5"] == pytest.approx(0, abs=1e-3)


def test_a_thing_that_is_away_counts_nowhere(oracle, make_particles, on_points):
    latent, points = seen_as(paths(), make_particles, on_points)
    present = torch.ones(FRAMES, 2, dtype=torch.bool)
    present[GIVEN + 4, 1] = False
    measured = QUESTION.measure(oracle(latent, Truth(present, points)))
    assert measured["predicted_truths_1"].sum() == 2 and measured["predicted_truths_5"].sum() == 1


def test_films_without_truth_have_the_scores_of_pictures(oracle, make_particles, on_points):
    latent, _ = seen_as(paths(), make_particles, on_points)
    scores = scores_of(oracle(latent, None))
    assert scores["predicted_psnr_5"] > scores["copy_psnr_5"]
    assert not any("error" in name for name in scores)


def test_long_clips_tell_whether_things_keep_their_speed(oracle, make_particles, on_points):
    frames = 60
    column = 4 + 0.4 * torch.arange(float(frames))
    pixels = torch.stack([torch.full_like(column, 16.0), column], -1)[:, None]
    latent, points = seen_as(pixels, make_particles, on_points)
    encoded = oracle(latent, Truth(torch.ones(frames, 1, dtype=torch.bool), points), frames=frames)
    scores = scores_of(encoded)
    assert scores["predicted_speed"] == pytest.approx(1, abs=1e-3) and scores["predicted_inside"] == 1
    assert scores["copy_speed"] == 0


def test_models_and_data_without_a_future_are_told_so(see, oracle, make_particles, on_points):
    latent, points = seen_as(paths(), make_particles, on_points)
    truth = Truth(torch.ones(FRAMES, 2, dtype=torch.bool), points)
    assert "does not predict" in missing(QUESTION, see(latent, truth, frames=FRAMES))
    short = oracle(latent[:8], truth[:8], frames=8)
    assert "too short" in missing(QUESTION, short)
    assert missing(QUESTION, oracle(latent, truth)) is None


def test_every_score_is_explained_and_those_of_the_model_have_rivals(oracle, make_particles, on_points):
    from motes.evaluation.explanations import explanation

    latent, points = seen_as(paths(), make_particles, on_points)
    scores = scores_of(oracle(latent, Truth(torch.ones(FRAMES, 2, dtype=torch.bool), points)))
    for name in scores:
        assert explanation(name), name
        if name.startswith("predicted"):
            assert QUESTION.rivals[name] in scores
