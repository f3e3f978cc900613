"""Particles that move: what they learn from, what a resumed run makes again, and what cannot be learnt."""

import json
from dataclasses import replace

import pytest
import torch
from few_pictures import FewPictures
from safetensors.torch import load_file
from watchers import StopAt

from motes import load
from motes.data.source import Source
from motes.errors import UserError
from motes.models import MODELS
from motes.models.base import Model
from motes.models.motion.dynamics import Dynamics
from motes.models.motion.history import History
from motes.models.motion.rollouts import rollout_losses
from motes.models.video.training_clips import TrainingClips, mirrored
from motes.training import loop
from motes.training.recipe import Recipe, Training
from motes.types.batch import Batch
from motes.types.clips import ParticleClip
from motes.types.latents import Particles

STILL = {"num_particles": 4, "num_proposals": 6, "glimpse_size": 12, "feature_dim": 3}
BALLS = {"image_size": (32, 32), "count": 4, "held_out": 2, "frames": 14}
SHORT = Training(steps=8, batch_size=16, learning_rate=1e-3, evaluate_every=4, validation_pictures=14)
SMALL_GRAPH = {"history": 3, "steps": 1, "width": 8}


@pytest.fixture(scope="module")
def still(tmp_path_factory):
    """The run of a model of stills that has learnt little: what it finds stays where the balls are."""
    folder = tmp_path_factory.mktemp("stills") / "still"
    training = Training(
        steps=30, batch_size=16, learning_rate=3e-3, evaluate_every=30, validation_pictures=14
    )
    loop_recipe = Recipe("dlp", Source("balls", BALLS), {**STILL, "presence_weight": 1.5}, training)
    return loop.train(loop_recipe, folder)


def recipe(still, **changes):
    data = Source("balls", {**BALLS, **changes.pop("data", {})})
    training = replace(SHORT, **changes.pop("training", {}))
    options = {**SMALL_GRAPH, "start_from": str(still), **changes}
    return Recipe("dlp-graph", data, options, training)


def clips_of(places, seen=None):
    """Clips of things at these places, B T K 2, which all look alike."""
    clips, frames, count = places.shape[:3]
    rows = clips * frames
    particles = Particles(
        position=places.flatten(0, 1),
        log_variance=torch.zeros(rows, count, 2),
        features=torch.randn(rows, count, 3, generator=torch.Generator().manual_seed(0)),
        feature_log_variance=torch.zeros(rows, count, 3),
        presence=torch.ones(rows, count),
        background=torch.zeros(rows, 1),
    )
    number = torch.arange(count).expand(rows, -1)
    source = number if seen is None else number.where(seen.flatten(0, 1), -1)
    return ParticleClip(particles, number, source, None, frames)


def test_a_new_network_moves_things_at_constant_velocity():
    config = MODELS["dlp-graph"].Config(still={"feature_dim": 3})
    dynamics = Dynamics(config, 3)
    step = torch.tensor([[0.05, -0.02], [-0.04, 0.03]])
    places = torch.arange(6)[:, None, None] * step
    history = History.of(clips_of(places[None]), 6)
    place = dynamics(history).position
    torch.testing.assert_close(place[0], 6 * step, atol=0.005, rtol=0)


def test_a_network_learns_that_things_fall():
    """Acceleration that is the same everywhere, which constant velocity misses."""
    torch.manual_seed(0)
    config = MODELS["dlp-graph"].Config(still={"feature_dim": 3}, history=3, width=16)
    time = torch.arange(8.0)
    start = torch.rand(64, 1, 3, 2) - 0.5
    speed = 0.05 * (torch.rand(64, 1, 3, 2) - 0.5)
    fall = torch.tensor([0.005, 0.0])
    places = start + speed * time[:, None, None] + fall * time.square()[:, None, None]
    clip = clips_of(places)
    dynamics = Dynamics(config, 3)
    history = History.of(clip.window(0, 3), 3)
    optimizer = torch.optim.Adam(dynamics.parameters(), lr=3e-3)
    before = error = None
    for _ in range(150):
        future = torch.stack([outlook.position for outlook in dynamics.rolled_out(history, 5)], 1)
        error = (future - places[:, 3:]).norm(dim=-1).mean()
        before = error.item() if before is None else before
        optimizer.zero_grad()
        error.backward()
        optimizer.step()
    assert error.item() < 0.2 * before


def test_variances_learn_how_far_things_stray_and_leave_all_else_as_it_was():
    """Things of constant velocity, of which those in the left half are shaken: the network's places are those of one
    without variances, and the samples spread as the things do."""
    networks = {}
    for motion in ("certain", "gaussian"):
        torch.manual_seed(0)
        config = MODELS["dlp-graph"].Config(still={"feature_dim": 3}, history=3, width=16, motion=motion)
        networks[motion] = dynamics = Dynamics(config, 3).eval()
        optimizer = torch.optim.Adam(dynamics.parameters(), lr=1e-2)
        random = torch.Generator().manual_seed(0)
        for _ in range(500):
            optimizer.zero_grad()
            rollout_losses(dynamics, _shaken_in_the_left_half(random)[0], 3)[0].mean().backward()
            optimizer.step()
    windows, is_left = _shaken_in_the_left_half(random)
    history = History.of(windows.window(0, 3), 3)
    with torch.no_grad():
        certain, gaussian = (network(history) for network in networks.values())
    assert torch.equal(certain.position, gaussian.position) and not certain.deviation.any()
    shaken = gaussian.deviation[is_left].mean().item()
    steady = gaussian.deviation[~is_left].mean().item()

    assert shaken == pytest.approx(0.02, rel=0.5) and steady < 0.6 * shaken
    assert gaussian.deviation.min() >= 0.02 * 2 / 64


def _shaken_in_the_left_half(random):
    """Windows of five frames, one thing in each, and whether its last step was disturbed by .02."""
    start = torch.rand(256, 1, 1, 2, generator=random) - 0.5
    step = 0.03 * (torch.rand(256, 1, 1, 2, generator=random) - 0.5)
    places = start + step * torch.arange(4.0)[:, None, None]
    is_left = start[..., 1] < 0
    places[:, 3:] += 0.02 * is_left[..., None] * torch.randn(256, 1, 1, 2, generator=random)
    return clips_of(places), is_left[:, 0]


def test_windows_are_drawn_to_where_velocities_change():
    """One clip in which things turn round at frame 30, and nothing else happens."""
    time = torch.arange(60.0)
    way = torch.where(time < 30, time, 60 - time) / 60
    places = torch.stack([way, torch.zeros(60)], -1)[None, :, None]
    clips = clips_of(places)
    training = TrainingClips.of_tracks(clips)
    torch.manual_seed(0)
    first = torch.zeros(400, dtype=torch.int64)
    windows = training.windows(first, history=4, steps=2, events=1.0)
    ways = windows.by_clip(windows.particles.position)[:, :, 0, 0]
    changes = ways.diff(n=2, dim=1).abs()
    # the frames after the fourth hold the change
    assert ((changes[:, 2:] > 0.01).any(1)).float().mean() > 0.8
    assert torch.equal(
        training.windows(first + 7, 4, 2, events=0.0).particles.position,
        clips.particles.position[7:13].repeat(400, 1, 1),
    )


def test_mirror_images_are_of_whole_windows():
    """What lies between things keeps its length, and each of the eight images turns up."""
    random = torch.Generator().manual_seed(0)
    places = (torch.rand(1, 4, 3, 2, generator=random) - 0.5).repeat(200, 1, 1, 1)
    windows = clips_of(places)
    torch.manual_seed(0)
    images = mirrored(windows, is_square=True)
    position = images.by_clip(images.particles.position)
    ways = position.diff(dim=1).norm(dim=-1)
    torch.testing.assert_close(ways, places.diff(dim=1).norm(dim=-1))
    assert len(position.flatten(1).unique(dim=0)) == 8
    flat = mirrored(windows, is_square=False)
    assert torch.equal(flat.particles.position.abs(), windows.particles.position.abs())


def test_a_history_knows_which_frames_it_lacks():
    places = torch.linspace(0, 0.3, 4)[None, :, None, None].expand(1, 4, 2, 2)
    clip = clips_of(places)
    history = History.of(clip, 6)
    assert history.tracked.tolist() == [[[False, False, True, True, True, True]] * 2]
    assert torch.equal(history.position[0, 0, :3], places[0, :1, 0].expand(3, 2))
    alone = History.of(clip.window(3, 1), 6)
    assert not alone.step.any()


def test_looks_are_means_of_what_was_seen():
    places = torch.zeros(1, 4, 2, 2)
    seen = torch.tensor([[[True, True], [True, True], [False, True], [True, False]]])
    clip = clips_of(places, seen)
    looks = clip.particles.features
    history = History.of(clip, 4)
    torch.testing.assert_close(history.look[0, 0], looks[[0, 1, 3], 0].mean(0))
    assert torch.equal(history.look[0, 1], looks[3, 1])


def test_the_model_of_stills_stays_as_it_is(still, tmp_path):
    run = loop.train(recipe(still), tmp_path / "run")
    before = load(still)
    after = load(run)
    image = Source("balls", BALLS).open("test").batch(range(4)).image
    with torch.no_grad():
        assert torch.equal(before.encode(image).position, after.encode(image).position)
        assert torch.equal(before.decode(before.encode(image)), after.decode(after.encode(image)))
    for name, value in before.state_dict().items():
        assert torch.equal(value, after.still.state_dict()[name]), name


# windows that hold all frames of a latent action; the run is stopped in the stage that learns them
LATENT = {"motion": "latent", "data": {"frames": 24}, "training": {"batch_size": 46, "evaluate_every": 6}}


@pytest.mark.parametrize("changes, stop", [({}, 4), (LATENT, 6)], ids=["certain", "latent"])
def test_a_resumed_run_makes_its_tracks_again_and_ends_in_the_same_weights(still, tmp_path, changes, stop):
    straight = loop.train(recipe(still, **changes), tmp_path / "straight")
    with pytest.raises(loop.Stopped):
        loop.train(recipe(still, **changes), tmp_path / "stopped", StopAt(stop))
    resumed = loop.resume(tmp_path / "stopped")
    weights = [load_file(run / "checkpoints" / "last" / "model.safetensors") for run in (straight, resumed)]
    for name, value in weights[0].items():
        assert torch.equal(value, weights[1][name]), name


def test_a_run_killed_before_its_first_checkpoint_still_starts_from_the_run(still, tmp_path):
    loop.train(recipe(still), tmp_path / "straight")
    (tmp_path / "killed").mkdir()
    facts = json.loads((tmp_path / "straight" / "run.json").read_text())
    (tmp_path / "killed" / "run.json").write_text(json.dumps(facts))
    run = loop.resume(tmp_path / "killed")
    assert torch.equal(_any_weight(load(run).still), _any_weight(load(still)))


def test_a_trained_run_needs_the_other_no_more(still, tmp_path):
    run = loop.train(recipe(still), tmp_path / "run")
    moved = still.rename(still.with_name("moved"))
    try:
        model = load(run)
    finally:
        moved.rename(still)
    assert model.config == load(run).config


def test_steps_read_no_pictures(still, tmp_path, monkeypatch):
    seen = []
    original = MODELS["dlp-graph"]._loss

    def watched(self, measure, steps, events, batch):
        seen.append(batch.image.shape)
        return original(self, measure, steps, events, batch)

    monkeypatch.setattr(MODELS["dlp-graph"], "_loss", watched)
    loop.train(recipe(still), tmp_path / "run")
    assert len(seen) == 8 and all(shape == (16, 3, 0, 0) for shape in seen)


def _any_weight(model: Model):
    return next(iter(model.state_dict().values()))


def test_what_cannot_be_learnt_is_refused_in_sentences(still, tmp_path):
    other = tmp_path / "other"
    MODELS["vae"](MODELS["vae"].Config(image_size=(16, 16), width=8)).save(other)
    cases = {
        "name the run of one": {"start_from": ""},
        "another model than dlp": {"start_from": str(other)},
        "does not exist": {"start_from": str(tmp_path / "nowhere")},
        "set --data.image-size": {"data": {"image_size": (48, 48)}},
        "runs of 9 neighbouring frames, and these data have clips of 8": {
            "data": {"frames": 8},
            "history": 8,
        },
        "must be a multiple of": {"training": {"batch_size": 15}},
        "history must be at least 2": {"history": 1},
        "multiple of 4": {"width": 6},
        "share from 0 to 1": {"events": 1.5},
        "one of certain, gaussian": {"motion": "sometimes"},
        "graph or attention": {"actions": 2, "interaction": "none"},
        "mirrors must be off": {"actions": 2, "mirrors": True},
    }
    for words, changes in cases.items():
        with pytest.raises(UserError, match=words):
            loop.train(recipe(still, **changes), tmp_path / "never")
        assert not (tmp_path / "never").exists(), words


PUSHED = {"image_size": (32, 32), "count": 4, "held_out": 2, "frames": 14}


def test_a_model_that_learns_actions_is_told_them(still, tmp_path):
    """Those of data with actions of another width are refused; a resumed run fits the same constants."""
    told = replace(recipe(still, actions=2), data=Source("pushing", PUSHED))
    straight = loop.train(told, tmp_path / "straight")
    with pytest.raises(loop.Stopped):
        loop.train(told, tmp_path / "stopped", StopAt(4))
    resumed = loop.resume(tmp_path / "stopped")
    weights = [load_file(run / "checkpoints" / "last" / "model.safetensors") for run in (straight, resumed)]
    for name, value in weights[0].items():
        assert torch.equal(value, weights[1][name]), name
    agent = load(straight).dynamics.agent
    assert (agent.low < agent.high - 0.5).all() and agent.unknown.abs().sum() > 0
    with pytest.raises(UserError, match="know nothing"):
        loop.train(recipe(still, actions=2), tmp_path / "without")
    with pytest.raises(UserError, match="have 2 numbers each, and the model has"):
        loop.train(replace(told, model_config={**told.model_config, "actions": 3}), tmp_path / "never")


def test_things_that_are_moved_by_actions_are_predicted_from_them_and_not_from_others():
    """A thing goes where it is told; with the actions of other windows the error is larger, without any between."""
    torch.manual_seed(0)
    config = MODELS["dlp-graph"].Config(still={"feature_dim": 3}, history=2, width=32, actions=2)
    dynamics = Dynamics(config, 3)
    dynamics.agent.fit(0.1 * torch.randn(99, 2))
    optimizer = torch.optim.Adam(dynamics.parameters(), lr=1e-2)
    random = torch.Generator().manual_seed(0)
    for _ in range(250):
        optimizer.zero_grad()
        rollout_losses(dynamics, *_moved_by_actions(random))[0].mean().backward()
        optimizer.step()
    windows, _, actions = _moved_by_actions(random)
    dynamics.eval()
    with torch.no_grad():
        true, shuffled, unknown = (
            rollout_losses(dynamics, windows, 2, told)[1]["place"].mean().item()
            for told in (actions, actions.roll(1, 0), None)
        )
    assert true < 0.3 * unknown < 0.3 * shuffled


def _moved_by_actions(random):
    """Windows of two given frames and one to predict, which goes where the action says, for `rollout_losses`."""
    start = torch.rand(64, 1, 1, 2, generator=random) - 0.5
    actions = 0.1 * torch.randn(64, 1, 2, generator=random)
    places = torch.cat([start, start, start + actions[:, :, None]], 1)
    return clips_of(places), 2, actions


def test_clips_in_which_nothing_moves_are_refused(still):
    model = MODELS["dlp-graph"](MODELS["dlp-graph"].Config((32, 32), start_from=str(still), **SMALL_GRAPH))
    picture = Source("balls", BALLS).open("train").batch([0]).image
    frozen = Batch(picture.repeat(200, 1, 1, 1), torch.arange(200), frames=200)
    with pytest.raises(UserError, match="nothing moves"):
        model.stages()[0].prepare(FewPictures(frozen))
