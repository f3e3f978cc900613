"""Prediction scores count what they say, clip by clip, and stand beside rivals."""

import math
from dataclasses import replace

import numpy as np
import pytest
import torch

from motes.evaluation.clips.prediction import QUESTION
from motes.evaluation.question import GIVEN, Evidence, missing
from motes.types.truth import Truth
from tests.evaluation.conftest import PredictingDiscs

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


def test_things_that_were_hit_are_scored_apart(oracle, make_particles, on_points):
    """The first thing turns round right after what is given, by a hit in frame 11; the second goes on."""
    pixels = torch.stack([paths(turn=GIVEN)[:, 0], paths()[:, 1]], 1)
    latent, points = seen_as(pixels, make_particles, on_points)
    collisions = torch.zeros(FRAMES, 2, 2, dtype=torch.bool)
    collisions[GIVEN + 1, 0, 1] = True
    truth = Truth(torch.ones(FRAMES, 2, dtype=torch.bool), points, scene={"collisions": collisions})
    scores = scores_of(oracle(latent, truth))
    assert scores["predicted_hit_error_px_5"] == pytest.approx(8, abs=1e-2)
    assert scores["predicted_free_error_px_5"] == pytest.approx(0, abs=1e-2)
    assert scores["predicted_error_px_5"] == pytest.approx(4, abs=1e-2)
    # nothing is hit in the first frame
    assert math.isnan(scores["predicted_hit_error_px_1"])


class Turning:
    """A world in which all things stop after two frames."""

    def simulated(self, position, velocity, frames):
        time = np.minimum(np.arange(1, frames + 1), 2)[:, None, None]
        return position[:, None] + time * velocity[:, None]


def test_the_true_laws_are_a_rival_from_true_and_from_seen_starts(oracle, make_particles, on_points):
    pixels = paths()
    seen, _ = seen_as(pixels + torch.tensor([0.5, 0.0]), make_particles, on_points)
    points = 2 * pixels / 31 - 1
    velocity = torch.tensor([0.0, 1.0]).expand(FRAMES, 2, 2)
    truth = Truth(torch.ones(FRAMES, 2, dtype=torch.bool), points, factors={"velocity": velocity})
    scores = scores_of(replace(oracle(seen, truth), world=Turning()))
    assert scores["laws_error_px_1"] == pytest.approx(0, abs=1e-3)
    assert scores["laws_encoded_error_px_1"] == pytest.approx(0.5, abs=1e-3)
    assert scores["laws_error_px_5"] == pytest.approx(3, abs=1e-3)


class Shaking(PredictingDiscs):
    """Discs that go on as they went, but for a shift of a pixel along rows, to either side in turn."""

    varies = True

    def predict(self, seen, frames, steps, actions=None, samples=0, seed=0):
        future = super().predict(seen, frames, steps, actions, samples, seed)
        position = future.by_clip(future.particles.position).clone()
        if samples:
            position[::2, ..., 0] += 2 / 32
            position[1::2, ..., 0] -= 2 / 32
        return replace(future, particles=future.particles.with_tensors({"position": position.flatten(0, 1)}))


def test_samples_are_scored_by_how_near_and_how_different_they_are(oracle, make_particles, on_points):
    latent, points = seen_as(paths(), make_particles, on_points)
    encoded = oracle(latent, Truth(torch.ones(FRAMES, 2, dtype=torch.bool), points))
    scores = scores_of(replace(encoded, model=Shaking()))
    # four samples on each side, two pixels apart: 4 * 4 of 28 pairs
    assert scores["samples_diversity_px_5"] == pytest.approx(2 * 16 / 28, abs=1e-3)
    assert scores["samples_energy_px_5"] == pytest.approx(1 - 16 / 28, abs=1e-3)
    assert scores["samples_covered_5"] == 0
    assert QUESTION.rivals["samples_energy_px_5"] in scores


class Forked:
    """Data in which both things may go on as they went, half a picture to one side of that, or to the other."""

    def __init__(self, points):
        self.points = points

    def ways(self, rows):
        later = self.points[rows[0] :]
        sides = torch.tensor([0.0, 1.0, -1.0])[:, None] * torch.tensor([1.0, 0.0])
        return (later[:, :, None] + sides).permute(1, 2, 0, 3)[None]


def test_the_ways_that_futures_take_are_counted(oracle, make_particles, on_points):
    """Half of the futures go on near enough to the way that things went; nobody takes the others."""
    latent, points = seen_as(paths(), make_particles, on_points)
    encoded = oracle(latent, Truth(torch.ones(FRAMES, 2, dtype=torch.bool), points))
    assert "samples_ways_5" not in scores_of(replace(encoded, model=Shaking()))
    scores = scores_of(replace(encoded, model=Shaking(), branches=Forked(encoded.centres)))
    assert scores["samples_ways_5"] == pytest.approx(1 / 3)
    assert scores["samples_on_way_5"] == 1


class Told(PredictingDiscs):
    """Discs that go so many pixels along rows as their action says."""

    needs = ("actions",)

    def predict(self, seen, frames, steps, actions=None, samples=0, seed=0):
        future = super().predict(seen, frames, steps)
        position = future.by_clip(future.particles.position).clone()
        if actions is not None:
            position[..., 0] += 2 / 32 * actions.cumsum(1)
        return replace(future, particles=future.particles.with_tensors({"position": position.flatten(0, 1)}))


def test_other_actions_and_none_are_rivals_of_the_true_ones(oracle, make_particles, on_points):
    """Things go one row a frame from the last given frame on; half a clip later their actions say two."""
    pixels = paths()
    time = torch.arange(float(FRAMES))
    pixels[..., 0] += (time - (GIVEN - 1)).clamp_min(0)[:, None]
    latent, points = seen_as(pixels, make_particles, on_points)
    encoded = oracle(latent, Truth(torch.ones(FRAMES, 2, dtype=torch.bool), points))
    actions = torch.ones(FRAMES, 1)
    actions[: FRAMES // 2] = 2
    encoded = replace(encoded, model=Told())
    assert "lacks the actions" in missing(QUESTION, encoded)
    scores = scores_of(replace(encoded, batch=replace(encoded.batch, actions=actions)))
    assert scores["predicted_error_px_5"] == pytest.approx(0, abs=1e-3)
    assert scores["shuffled_error_px_5"] == pytest.approx(5, abs=1e-2)
    assert scores["untold_error_px_5"] == pytest.approx(5, abs=1e-2)
    assert scores["over_shuffled_5"] == pytest.approx(0, abs=1e-3)


def test_long_clips_tell_of_looks_and_overlaps(oracle, make_particles, on_points):
    """Two things stand a quarter of a window apart; nothing is predicted to change."""
    frames = 60
    pixels = torch.tensor([[16.0, 10.0], [16.0, 20.0]]).expand(frames, 2, 2)
    latent, points = seen_as(pixels, make_particles, on_points)
    truth = Truth(torch.ones(frames, 2, dtype=torch.bool), points)
    scores = scores_of(oracle(latent, truth, frames=frames))
    # the diameter of unknown things is a quarter of the picture
    assert scores["true_overlap"] == 0 and scores["predicted_look_drift"] == 0
    near, points = seen_as(pixels * torch.tensor([1.0, 0.2]), make_particles, on_points)
    scores = scores_of(oracle(near, replace(truth, centres=points), frames=frames))
    assert scores["true_overlap"] == pytest.approx(1 - 2 / 8, abs=1e-3)
    assert scores["predicted_overlap"] == pytest.approx(1 - 2 / 8, abs=1e-3)


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
