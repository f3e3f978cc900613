"""Codes: in the ball, and begun for a new picture where training began for it."""

import torch

from motes.models import glo
from motes.ops.types import Batch


def test_a_new_picture_begins_where_it_would_have_in_training(monkeypatch):
    torch.manual_seed(0)
    model = glo.GenerativeLatentOptimisation(glo.Config(image_size=(16, 24), pictures=12, code_dim=5, width=16)).eval()
    image = torch.rand(12, 3, 16, 24)
    order = torch.randperm(12)
    model.start_codes(Batch(image[rows], rows) for rows in order.split(5))
    monkeypatch.setattr(glo, "ENCODING_STEPS", 0)
    torch.testing.assert_close(model.encode(image).vector, model.codes.detach())
    assert (model.codes.norm(dim=1) <= 1 + 1e-6).all() and model.codes.std() > 0.05


def test_codes_stay_in_the_ball_while_they_are_optimised():
    torch.manual_seed(0)
    model = glo.GenerativeLatentOptimisation(glo.Config(image_size=(16, 16), pictures=4, code_dim=3, width=16)).eval()
    assert (model.encode(torch.rand(4, 3, 16, 16)).vector.norm(dim=1) <= 1 + 1e-6).all()
