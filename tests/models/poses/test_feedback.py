"""The loop: as many updates as asked for, from anywhere; a pool of errors that grows and forgets the oldest."""

import pytest
import torch

from motes.errors import UserError
from motes.models.poses.feedback import FeedbackConfig, FeedbackLoop
from motes.types.batch import Batch


def made(**options):
    torch.manual_seed(0)
    return FeedbackLoop(
        FeedbackConfig(**{"image_size": (16, 24), "joints": 3, "width": 8, "pool": 10, **options})
    ).eval()


def poses(count, joints=3):
    return Batch(
        torch.rand(count, 1, 16, 24),
        torch.arange(count),
        labels={"points": torch.rand(count, joints, 2) - 0.5},
    )


def test_updates_follow_one_another_from_any_start():
    model, image, pose = made(updates=3), torch.rand(4, 1, 16, 24), torch.randn(4, 6)
    with torch.no_grad():
        assert torch.equal(model.refine(image, pose, 0), pose)
        twice = model.refine(image, model.refine(image, pose, 1), 1)
        assert torch.equal(model.refine(image, pose, 2), twice) and not torch.equal(twice, pose)
        assert torch.equal(model.encode(image).vector, model.refine(image, model.guess(image), 3))


def test_an_update_that_does_nothing_costs_what_it_should_have_taken_away():
    model, batch = made(contraction=0.6), poses(5)
    for parameter in model.updater.head.parameters():
        torch.nn.init.zeros_(parameter)
    with torch.no_grad():
        terms, away = model.loss(batch).terms, model.guess(batch.image) - batch.labels["points"].flatten(1)
    torch.testing.assert_close(terms["from guess"], 0.4 * away.norm(dim=1))
    assert torch.equal(terms["from own"], terms["from guess"]) and (terms["from pool"] == 0).all(), (
        "the pool is empty: starts are the truth"
    )


def test_the_pool_begins_with_the_guesses_errors_and_grows_by_what_updates_leave():
    model, batch = made(), poses(4)
    with torch.no_grad():
        model.start_pool([batch])
        errors = model.guess(batch.image) - batch.labels["points"].flatten(1)
        assert torch.equal(model.pool[:4], errors) and model.thrown_in == 4 and not model.pool[4:].any()
        model.grow_pool(batch)
        assert (
            torch.equal(model.pool[:4], errors) and model.pool[4:8].any(1).all() and not model.pool[8:].any()
        )
        kept = model.pool.clone()
        model.grow_pool(batch)
    assert model.thrown_in == 12 and torch.equal(model.pool[2:8], kept[2:8])
    assert not torch.equal(model.pool[:2], kept[:2]), "the oldest go"


def test_what_is_remembered_is_saved_with_the_weights():
    model = made()
    with torch.no_grad():
        model.start_pool([poses(4)])
    assert {"pool", "thrown_in"} <= set(model.state_dict())


def test_wrong_words_and_poses_get_a_sentence():
    with pytest.raises(UserError, match=r"poses of 3 joints, and these data of 5; set model\.joints"):
        made().prediction_loss(poses(2, joints=5))
    with pytest.raises(UserError, match="one of contraction, squares"):
        made(update_loss="hinge")


def test_while_the_updater_learns_the_others_stay_as_they_are():
    """Batch statistics too: a drawing of a far start is no picture that the synthesiser learned from."""
    model, batch = made().train(), poses(6)
    before = {
        name: value.clone()
        for name, value in model.state_dict().items()
        if not name.startswith(("updater", "pool", "thrown"))
    }
    alone = Batch(batch.image[:1], batch.index[:1], labels={"points": batch.labels["points"][:1]})
    guessed = model.loss(batch).terms["from guess"][0]
    assert all(torch.equal(model.state_dict()[name], value) for name, value in before.items())
    torch.testing.assert_close(model.loss(alone).terms["from guess"][0], guessed)
    assert model.predictor.training and model.synthesiser.training
