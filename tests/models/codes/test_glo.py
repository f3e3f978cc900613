"""Codes: in the ball, and begun for a new picture where training began for it."""

import pytest
import torch
from few_pictures import FewPictures

from motes.errors import UserError
from motes.models.codes import glo
from motes.types.batch import Batch
from motes.types.latents import Code


def test_a_new_picture_begins_where_it_would_have_in_training(monkeypatch):
    torch.manual_seed(0)
    model = glo.GenerativeLatentOptimisation(
        glo.GloConfig(image_size=(16, 24), pictures=12, code_dim=5, width=16)
    ).eval()
    image = torch.rand(12, 3, 16, 24)
    order = torch.randperm(12)
    model.start_codes([Batch(image[rows], rows) for rows in order.split(5)])
    monkeypatch.setattr(glo, "ENCODING_STEPS", 0)
    torch.testing.assert_close(model.encode(image).vector, model.codes.detach())
    assert (model.codes.norm(dim=1) <= 1 + 1e-6).all() and model.codes.std() > 0.05


def test_codes_stay_in_the_ball_while_they_are_optimised():
    torch.manual_seed(0)
    model = glo.GenerativeLatentOptimisation(
        glo.GloConfig(image_size=(16, 16), pictures=4, code_dim=3, width=16)
    ).eval()
    assert (model.encode(torch.rand(4, 3, 16, 16)).vector.norm(dim=1) <= 1 + 1e-6).all()


@pytest.mark.parametrize(("ball", "norm"), [("1", 1), ("2", 2), ("inf", torch.inf)])
def test_every_step_keeps_every_code_in_its_ball(ball, norm):
    torch.manual_seed(0)
    options = {
        "image_size": (8, 8),
        "channels": 1,
        "pictures": 6,
        "code_dim": 3,
        "network": "dense",
        "width": 8,
        "code_rate": 100.0,
    }
    model = glo.GenerativeLatentOptimisation(glo.GloConfig(**options, ball=ball))
    batch, (stage,) = Batch(torch.rand(6, 1, 8, 8), torch.arange(6)), model.stages()
    stage.begin(FewPictures(batch))
    optimizer, left = stage.optimizer(0.01), False
    for _ in range(5):
        optimizer.zero_grad()
        stage.loss(batch).total.backward()
        optimizer.step()
        left |= bool((torch.linalg.vector_norm(model.codes, norm, dim=1) > 1.01).any())
        with torch.no_grad():
            stage.after_step(batch)
        assert (torch.linalg.vector_norm(model.codes, norm, dim=1) <= 1 + 1e-5).all()
    assert left  # the steps alone would have left it


def test_a_random_start_searches_from_the_likest_training_code(monkeypatch):
    torch.manual_seed(0)
    options = {"image_size": (8, 8), "channels": 1, "pictures": 20, "code_dim": 3, "network": "linear"}
    model = glo.GenerativeLatentOptimisation(glo.GloConfig(**options, start="random")).eval()
    image = model.decode(Code(model.codes)).detach()
    monkeypatch.setattr(glo, "ENCODING_STEPS", 0)
    assert torch.equal(model.encode(image).vector, model.codes.detach())


def test_unknown_choices_are_refused():
    with pytest.raises(UserError, match="start one of pca, random"):
        glo.GenerativeLatentOptimisation(glo.GloConfig(start="pac"))
