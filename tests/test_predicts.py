"""What everything that predicts clips of particles promises: models, and the rivals that need no learning."""

from dataclasses import replace

import pytest
import torch
from small import SMALL

from motes.errors import UserError
from motes.models import MODELS
from motes.models.abilities import Predicts, Varies
from motes.models.base import Model
from motes.models.motion.rivals import rivals
from motes.types.clips import ParticleClip
from motes.types.latents import Extent, Particles

SIZE = (32, 32)
GIVEN, SLOTS = 5, 4
RIVALS = tuple(rivals(SIZE))


def predicting_models():
    """Those of a latent of particles that say that they predict."""
    for name in SMALL:
        if issubclass(MODELS[name], Predicts):
            yield name, {}
    yield "dlp-graph", {"interaction": "attention"}
    yield "dlp-graph", {"interaction": "none", "history": 4}
    yield "ddlp", {"interaction": "graph", "frames": 9}
    yield "ddlp", {"interaction": "none", "image_size": (32, 48)}
    yield "dlp-graph", {"motion": "gaussian", "history": 3}
    yield "dlp-graph", {"motion": "latent", "history": 3}
    yield "dlp-graph", {"actions": 3, "motion": "gaussian"}
    yield "dlp-graph", {"rounds": 2, "history": 7, "looks": True, "image_size": (32, 48)}


CASES = [*((name, {}) for name in RIVALS), *predicting_models()]


@pytest.fixture(params=CASES, ids=lambda case: f"{case[0]}-{'-'.join(map(str, case[1].values()))}")
def predictor(request):
    name, options = request.param
    if name in RIVALS:
        return rivals(SIZE)[name]
    torch.manual_seed(0)
    options = {**SMALL[name], **options}
    if "still" in options:
        options["still"] = {**options["still"], "image_size": options["image_size"]}
    model = MODELS[name](MODELS[name].Config(**options)).eval()
    with torch.no_grad():
        # far from constant velocity, so that things change each other
        model.dynamics.last.weight.mul_(100)
    return model


@pytest.fixture
def clip():
    return moving_clip(torch.Generator().manual_seed(3))


def moving_clip(random, clips=2):
    """Things that move and look alike from frame to frame; the last slot of the first clip is empty."""
    rows = clips * GIVEN

    def numbers(*shape):
        return torch.rand(rows, SLOTS, *shape, generator=random)

    start = torch.rand(clips, 1, SLOTS, 2, generator=random) - 0.5
    step = 0.1 * (torch.rand(clips, 1, SLOTS, 2, generator=random) - 0.5)
    place = start + step * torch.arange(GIVEN)[:, None, None]
    presence = torch.ones(rows, SLOTS)
    presence[:GIVEN, -1] = 0
    particles = Particles(
        position=place.flatten(0, 1),
        log_variance=numbers(2),
        features=numbers(3),
        feature_log_variance=numbers(3),
        presence=presence,
        background=torch.rand(rows, 3, generator=random),
        certainty=0.5 + numbers() / 2,
        extent=Extent(0.5 + numbers(2), numbers(2), numbers(), numbers()),
    )
    track = torch.arange(SLOTS).expand(rows, -1).where(presence > 0, -1)
    return ParticleClip(particles, track, track, 32 * numbers(4), GIVEN)


def assert_equal(clip, other):
    assert clip.frames == other.frames
    assert clip.tensors().keys() == other.tensors().keys()
    for name, value in clip.tensors().items():
        assert torch.equal(value, other.tensors()[name]), name


def test_the_future_of_the_future_is_the_future(predictor, clip):
    with torch.no_grad():
        at_once = predictor.predict(clip, GIVEN, 7)
        first = predictor.predict(clip, GIVEN, 3)
        rest = predictor.predict(clip.joined(first), GIVEN + 3, 4)
    assert_equal(at_once, first.joined(rest))


def test_slots_in_another_order_give_the_same_things_in_that_order(predictor, clip):
    order = [2, 0, 3, 1]
    with torch.no_grad():
        predicted = predictor.predict(clip, GIVEN, 6)
        assert_equal(predictor.predict(clip.only(order), GIVEN, 6), predicted.only(order))


def test_the_same_clip_gives_the_same_answer(predictor, clip):
    with torch.no_grad():
        first = predictor.predict(clip, GIVEN, 4)
        torch.manual_seed(1)
        assert_equal(predictor.predict(clip, GIVEN, 4), first)


def test_an_empty_slot_changes_nobody_and_stays_empty(predictor, clip):
    """The first clip with its empty slot and without it."""
    rows = slice(0, GIVEN)
    with_empty = replace(clip[rows], frames=GIVEN)
    with torch.no_grad():
        predicted = predictor.predict(with_empty, GIVEN, 5)
        without = predictor.predict(with_empty.only([0, 1, 2]), GIVEN, 5)
    torch.testing.assert_close(predicted.particles.position[:, :3], without.particles.position)
    assert not predicted.particles.presence[:, 3].any() and (predicted.track[:, 3] == -1).all()


def test_a_clip_alone_is_predicted_as_in_a_batch(predictor, clip):
    with torch.no_grad():
        together = predictor.predict(clip, GIVEN, 5)
        alone = predictor.predict(replace(clip[GIVEN:], frames=GIVEN), GIVEN, 5)
    torch.testing.assert_close(together.particles.position[5:], alone.particles.position)


def can_vary(predictor):
    """Rivals and models that can draw futures; the rivals' are all the same."""
    return not isinstance(predictor, Model) or (isinstance(predictor, Varies) and predictor.varies)


def test_samples_are_rows_clip_after_clip_and_their_seed_decides(predictor, clip):
    if not can_vary(predictor):
        with pytest.raises(UserError, match="motion gaussian"):
            predictor.predict(clip, GIVEN, 4, samples=2)
        return
    with torch.no_grad():
        expected = predictor.predict(clip, GIVEN, 4)
        drawn = predictor.predict(clip, GIVEN, 4, samples=3, seed=5)
        torch.manual_seed(1)
        assert_equal(predictor.predict(clip, GIVEN, 4, samples=3, seed=5), drawn)
        other = predictor.predict(clip, GIVEN, 4, samples=3, seed=6)
    assert drawn.clips == 6 and drawn.frames == 4
    assert torch.equal(drawn.track[::4], expected.track[::4].repeat_interleave(3, 0))
    is_there = drawn.track[::4] >= 0
    ends = drawn.by_clip(drawn.particles.position)[:, -1]
    if isinstance(predictor, Model):
        differ = (ends[:3, :3, None] != ends[None, 0, :3]).any(-1)
        assert differ[1:].any() and not torch.equal(other.particles.position, drawn.particles.position)
    else:
        assert torch.equal(ends[0], ends[2]) and is_there.any()


def test_samples_of_slots_in_another_order_and_of_a_clip_alone(predictor, clip):
    if not can_vary(predictor):
        pytest.skip("this model knows one future")
    order = [2, 0, 3, 1]
    with torch.no_grad():
        drawn = predictor.predict(clip, GIVEN, 4, samples=2)
        assert_equal(predictor.predict(clip.only(order), GIVEN, 4, samples=2), drawn.only(order))
        alone = predictor.predict(replace(clip[GIVEN:], frames=GIVEN), GIVEN, 4, samples=2)
    torch.testing.assert_close(drawn.particles.position[8:], alone.particles.position)


def test_nothing_that_was_predicted_was_seen_and_looks_stay(predictor, clip):
    with torch.no_grad():
        predicted = predictor.predict(clip, GIVEN, 5)
    assert len(predicted) == 2 * 5 and not predicted.seen.any()
    for name in ("features", "extent.scale", "background"):
        values = predicted.by_clip(predicted.particles.tensors()[name])
        assert torch.equal(values, values[:, :1].expand_as(values)), name


def test_longer_histories_than_the_clip_are_no_matter(predictor, clip):
    with torch.no_grad():
        predicted = predictor.predict(clip.window(GIVEN - 1, 1), 1, 3)
    assert predicted.particles.position.isfinite().all()


def test_boxes_move_with_their_things(predictor, clip):
    with torch.no_grad():
        predicted = predictor.predict(clip, GIVEN, 4)
    box = predicted.by_clip(predicted.box)
    size = getattr(predictor, "size", None) or predictor.config.image_size
    middle = (box[..., :2] + box[..., 2:]) / 2
    gone = predicted.by_clip(predicted.particles.position).diff(dim=1) * torch.tensor(size) / 2
    torch.testing.assert_close(middle.diff(dim=1), gone, atol=2e-3, rtol=0)


def test_actions_change_what_follows_and_only_from_then_on():
    torch.manual_seed(0)
    options = {**SMALL["dlp-graph"], "actions": 3}
    model = MODELS["dlp-graph"](MODELS["dlp-graph"].Config(**options)).eval()
    clip = moving_clip(torch.Generator().manual_seed(3))
    actions = torch.full((2, 6, 3), 0.5)
    later = actions.clone()
    later[:, 4:] = 1
    with torch.no_grad():
        model.dynamics.last.weight.mul_(100)
        first, second, untold = (model.predict(clip, GIVEN, 6, told) for told in (actions, later, None))
        again = model.predict(clip.joined(first.window(0, 2)), GIVEN + 2, 4, actions[:, 2:])
    assert_equal(first.window(0, 4), second.window(0, 4))
    assert_equal(first.window(2, 4), again)
    for other in (second, untold):
        assert (other.particles.position != first.particles.position).any()


@pytest.mark.parametrize("name", ["dlp-graph", "ddlp"])
def test_models_refuse_to_predict_nothing_and_to_follow_actions_they_never_learnt(name, clip):
    model = MODELS[name](MODELS[name].Config(**SMALL[name]))
    with pytest.raises(UserError, match="at least one step"):
        model.predict(clip, GIVEN, 0)
    with pytest.raises(UserError, match="learnt without actions"):
        model.predict(clip, GIVEN, 2, torch.zeros(2, 2, 1))
    options = {**SMALL["dlp-graph"], "actions": 1}
    model = MODELS["dlp-graph"](MODELS["dlp-graph"].Config(**options))
    wrong = {
        "have 3 numbers each": torch.zeros(2, 2, 3),
        "each of the 2 frames": torch.zeros(2, 1, 1),
        "are not numbers": torch.full((2, 2, 1), torch.nan),
    }
    for words, actions in wrong.items():
        with pytest.raises(UserError, match=words):
            model.predict(clip, GIVEN, 2, actions)
