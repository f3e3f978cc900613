"""DDLP: what clips teach, what a causal network may know, and that things in other slots are the same things."""

from dataclasses import replace

import pytest
import torch
from few_pictures import FewPictures
from safetensors.torch import load_file
from small import SMALL
from watchers import StopAt

from motes.data.source import Source
from motes.errors import UserError
from motes.evaluation.question import EncodedBatch
from motes.models import MODELS
from motes.models.motion.causal import CausalMotion, Expected
from motes.models.particles.encoding import DiagonalNormal
from motes.models.video.clip_losses import States, _other_frames, next_places, surprise
from motes.models.video.ddlp_config import DdlpConfig
from motes.models.video.tracking_posterior import clip_of_motion
from motes.nn.blocks.space_time import SpaceTime
from motes.training import loop
from motes.training.recipe import Recipe, Training
from motes.types.batch import Batch


def small(**changes):
    return MODELS["ddlp"](MODELS["ddlp"].Config(**{**SMALL["ddlp"], **changes}))


def network(interaction, slots=4, frames=5):
    random = torch.Generator().manual_seed(1)

    def numbers(*shape):
        return torch.randn(shape, generator=random)

    torch.manual_seed(0)
    same = torch.ones(2, slots, frames, frames, dtype=torch.bool)
    inputs = (
        numbers(2, frames, slots, 7),
        numbers(2, frames, slots, slots, 5),
        torch.ones(2, frames, slots),
        same,
    )
    return SpaceTime(7, 5, 16, frames, interaction, 2), inputs


@pytest.mark.parametrize("interaction", ["attention", "graph", "none"])
def test_a_frame_knows_nothing_of_later_ones(interaction):
    model, (nodes, edges, presence, same) = network(interaction)
    before = model(nodes, edges, presence, same)
    nodes[:, 3:] += 1
    edges[:, 3:] -= 1
    after = model(nodes, edges, presence, same)
    assert torch.equal(before[:, :3], after[:, :3])
    assert (before[:, 3:] != after[:, 3:]).any()


@pytest.mark.parametrize("interaction", ["attention", "graph", "none"])
def test_things_in_other_slots_are_the_same_things(interaction):
    model, (nodes, edges, presence, same) = network(interaction)
    order = [2, 0, 3, 1]
    before = model(nodes, edges, presence, same)
    after = model(nodes[:, :, order], edges[:, :, order][:, :, :, order], presence, same)
    torch.testing.assert_close(after, before[:, :, order])


def test_a_thing_does_not_look_back_on_what_was_in_its_slot_before():
    model, (nodes, edges, presence, same) = network("none")
    same[:, :, 3:, :3] = False
    before = model(nodes, edges, presence, same)
    nodes[:, :3] += 1
    assert torch.equal(before[:, 3:], model(nodes, edges, presence, same)[:, 3:])


def moving(step, frames=6, seen=None):
    """Two things at constant velocity, in one clip."""
    places = torch.tensor([[-0.3, 0.1], [0.4, -0.2]]) + step * torch.arange(frames)[:, None, None]
    number = torch.arange(2).expand(frames, -1)
    seen = torch.ones(frames, 2, dtype=torch.bool) if seen is None else seen
    return clip_of_motion(places, torch.ones(frames, 2), number, seen, frames)


def test_a_new_network_expects_constant_velocity_and_errors_are_in_units_of_steps():
    motion = CausalMotion(DdlpConfig(width=16))
    clip = moving(torch.tensor([[0.05, 0.02], [-0.03, 0.0]]))
    steady = next_places(clip, motion)
    assert steady.item() < 0.2
    jump = clip.particles.position.clone()
    jump[5, 0, 0] += 0.1
    changed = replace(clip, particles=replace(clip.particles, position=jump))
    # 0.1 at a pace of 20, in one of eight places that count
    torch.testing.assert_close(
        next_places(changed, motion) - steady, torch.tensor([2 / 8]), atol=0.05, rtol=0
    )
    unseen = torch.ones(6, 2, dtype=torch.bool)
    unseen[5, 0] = False
    hidden = replace(changed, source=changed.track.where(unseen, -1))
    torch.testing.assert_close(next_places(hidden, motion), steady, atol=0.1, rtol=0)


def states(frames=4, slots=2):
    random = torch.Generator().manual_seed(0)

    def normal(*shape):
        mean = torch.randn(1, frames, slots, *shape, generator=random)
        return DiagonalNormal(mean.requires_grad_(), torch.zeros_like(mean).requires_grad_())

    number = torch.arange(slots).expand(1, frames, -1).clone()
    seen = torch.ones(1, frames, slots, dtype=torch.bool)
    presence = torch.full((1, frames, slots), 0.9).requires_grad_()
    return States(normal(2), normal(2), normal(), normal(3), presence, number, seen)


def test_what_is_as_expected_costs_nothing_and_both_sides_learn_from_the_rest():
    given = states()
    position = given.position.mean[:, 1:].detach()
    expected = Expected(
        position.clone().requires_grad_(), torch.zeros_like(position), torch.full((1, 3, 2), 0.9).logit()
    )
    terms = surprise(given, expected)
    torch.testing.assert_close(terms["place_kl"], torch.zeros(1, 3))
    torch.testing.assert_close(terms["presence_kl_to_expected"], torch.zeros(1, 3), atol=1e-5, rtol=0)
    wrong = Expected((position + 1).requires_grad_(), torch.zeros_like(position), expected.presence)
    surprise(given, wrong)["place_kl"].sum().backward()
    of_prior = wrong.position.grad
    of_posterior = given.position.mean.grad[:, 1:]
    torch.testing.assert_close(
        of_prior, -4 * of_posterior, msg="four fifths of the slope go to what is expected"
    )


def test_only_things_that_were_seen_before_surprise():
    given = states()
    given.number[0, 2:, 1] = 7
    position = torch.zeros(1, 3, 2, 2)
    expected = Expected(position, position, torch.zeros(1, 3, 2))
    whole = surprise(given, expected)["place_kl"]
    given.seen[0, 1, 0] = False
    without = surprise(given, expected)["place_kl"]
    assert whole[0, 0] > without[0, 0] > 0, "the other thing is there in both frames"
    assert without[0, 1] == 0, "one was hidden before, the other one is new"


def test_looks_come_from_other_frames_of_the_same_thing():
    number = torch.tensor([[0, 1], [0, 1], [0, 2], [0, -1]]).expand(200, -1, -1)
    seen = number >= 0
    seen = seen.clone()
    seen[:, 1, 0] = False
    torch.manual_seed(0)
    source = _other_frames(number, seen)
    assert set(source[:, 0, 0].tolist()) == {0, 2, 3}, "frames in which it is seen"
    assert set(source[:, 0, 1].tolist()) == {0, 1} and set(source[:, 2, 1].tolist()) == {2}
    assert set(source[:, 3, 1].tolist()) == {3}, "of no thing, its own"


def test_stages_follow_one_another_and_the_last_learns_motion_alone():
    model = small()
    stages = model.stages()
    assert [stage.name for stage in stages] == ["warm-up", "noisy", "stills", "clips", "motion", "roll-outs"]
    motion = {id(parameter) for parameter in model.dynamics.parameters()}
    assert {id(parameter) for parameter in stages[-1].parameters} == motion
    assert not motion & {id(parameter) for parameter in stages[2].parameters}
    assert motion < {id(parameter) for parameter in stages[3].parameters}


def test_the_last_stage_draws_windows_from_all_clips_and_is_the_same_when_it_is_prepared_again():
    model = small(mirrors=True)
    torch.manual_seed(0)
    # clips in which a square moves on black
    image = torch.zeros(20, 3, 32, 32)
    for frame in range(20):
        start = 3 + 2 * (frame % 10)
        image[frame, :, start : start + 6, 12:18] = 1
    model.decoder.start(torch.cat([image, torch.zeros(80, 3, 32, 32)]))
    pictures = FewPictures(Batch(image, torch.arange(20), frames=10))
    last = model.stages()[-1]
    last.prepare(pictures)
    tracks = model._clips
    batch = Batch(image[:8], torch.arange(8), frames=4)
    torch.manual_seed(1)
    first = last.loss(batch).total
    model._clips = None
    last.prepare(pictures)
    assert model._clips is not tracks
    torch.manual_seed(1)
    assert torch.equal(last.loss(batch).total, first) and first > 0


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"frames": 2}, "frames must be at least 3"),
        ({"width": 6}, "width must be a multiple of 4"),
        ({"phases": (0.5, 0.5, 0.1, 0.0)}, "must be shares that sum to at most 1"),
    ],
)
def test_options_that_cannot_work_are_refused(options, message):
    with pytest.raises(UserError, match=message):
        small(**options)


BALLS = {"image_size": (32, 32), "count": 4, "held_out": 2, "frames": 10}
OPTIONS = {**SMALL["ddlp"], "image_size": (32, 32), "phases": (0.2, 0.0, 0.3, 0.3), "presence_weight": 1.5}
SHORT = Training(steps=20, batch_size=8, learning_rate=1e-3, evaluate_every=9, validation_pictures=10)


@pytest.mark.parametrize("stop", [9, 18])
def test_a_run_that_is_stopped_in_a_stage_of_clips_ends_in_the_same_weights(stop, tmp_path):
    recipe = Recipe("ddlp", Source("balls", BALLS), OPTIONS, SHORT)
    straight = loop.train(recipe, tmp_path / "straight")
    with pytest.raises(loop.Stopped):
        loop.train(recipe, tmp_path / "stopped", StopAt(stop))
    resumed = loop.resume(tmp_path / "stopped")
    weights = [load_file(run / "checkpoints" / "last" / "model.safetensors") for run in (straight, resumed)]
    for name, value in weights[0].items():
        assert torch.equal(value, weights[1][name]), name


def test_a_model_that_follows_things_itself_is_scored_by_what_it_follows():
    model = small(presence_weight=0.1).eval()
    image = torch.rand(8, 3, 32, 32)
    with torch.no_grad():
        encoded = EncodedBatch(model, Batch(image, torch.arange(8), frames=4), model.encode(image))
        assert torch.equal(encoded.followed.particles.position, model.track(image, 4).particles.position)
