"""Points that follow warped copies: they learn it in few steps, stay apart, do not see light, and know where they err."""

from dataclasses import replace

import pytest
import torch

from motes.data.worlds.animals.animal import Animal, AnimalConfig
from motes.data.worlds.faces.faces import Faces, FacesConfig
from motes.models import MODELS
from motes.models.particles.followed import SIDE, WARPS
from motes.ops.pictures.relit import relit
from motes.ops.points.warp import bent, warped_points
from motes.types.batch import Batch

Masked = MODELS["dlp-masked"]
CONFIG = Masked.Config(
    (64, 64),
    num_particles=8,
    encoder_channels=(8, 16, 16),
    reconstruction="mse",
    architecture="followed",
)


@pytest.fixture(scope="module")
def faces():
    return Faces(FacesConfig(wild=True)).batch(range(0, 640, 10)).image


@pytest.fixture(scope="module")
def learnt(faces):
    torch.manual_seed(4)
    model = Masked(CONFIG)
    points, _ = model.stages()
    optimizer = torch.optim.Adam(points.parameters, 3e-3)
    for _ in range(120):
        rows = torch.randint(len(faces), (16,))
        optimizer.zero_grad()
        points.loss(Batch(faces[rows], rows)).total.backward()
        optimizer.step()
    return model


def followed_error(model, faces):
    """The squared distance of points from where a warp puts them, and from where they would be had they stayed."""
    torch.manual_seed(1)
    away, weights = bent(faces, WARPS)
    model.eval()
    with torch.no_grad():
        here, there = (model.networks.places(image).mean for image in (faces, away))
    back = warped_points(there, weights)
    stayed = warped_points(here, weights)
    return (back - here).square().sum(2).mean().item(), (stayed - here).square().sum(2).mean().item()


def test_points_follow_a_warp(learnt, faces):
    error, stayed = followed_error(learnt, faces)
    assert error < 0.75 * stayed


def test_points_stay_apart(learnt, faces):
    points = learnt.encode(faces).position
    apart = torch.cdist(points, points) + 9 * torch.eye(points.shape[1])
    assert apart.min(2).values.mean() > 0.08


def test_light_moves_points_little(learnt, faces):
    torch.manual_seed(2)
    one = learnt.encode(faces).position
    other = learnt.networks.places(relit(faces)).mean
    assert (one - other).norm(dim=2).mean() < 0.5 * (one - one.mean(0)).norm(dim=2).mean()
    darker = learnt.networks.places(0.5 * faces + 0.1).mean
    assert (one - darker).norm(dim=2).mean() < 0.05


def test_the_variance_is_that_of_the_errors(learnt, faces):
    torch.manual_seed(3)
    terms = learnt.networks.place_losses(faces)
    assert set(terms) == {"equivariance", "separation", "unlikelihood"}
    with torch.no_grad():
        away, weights = bent(faces, WARPS)
        here = learnt.networks.places(faces)
        there = learnt.networks.places(away)
        square = (warped_points(there.mean, weights) - here.mean).square()
        expected = here.log_variance.exp() + there.log_variance.exp()
    assert 0.1 < square.mean() / expected.mean() < 5


def test_points_stay_while_the_looks_learn(learnt, faces):
    _, looks = learnt.stages()
    assert not {id(one) for one in looks.parameters} & {id(one) for one in learnt.networks.place_parameters()}
    learnt.train()
    learnt.zero_grad()
    looks.loss(Batch(faces[:8], torch.arange(8))).total.backward()
    assert all(one.grad is None or not one.grad.any() for one in learnt.networks.place_parameters())
    assert all(one.grad is not None for one in learnt.networks.look.parameters())


def test_large_pictures_are_looked_at_small():
    model = Masked(
        Masked.Config((4 * SIDE, 2 * SIDE), num_particles=3, architecture="followed", reconstruction="mse")
    ).eval()
    image = torch.rand(2, 3, 4 * SIDE, 2 * SIDE)
    shapes = []
    model.networks.maps.first.register_forward_hook(lambda layer, given, out: shapes.append(given[0].shape))
    model.networks.places(image)
    assert shapes == [(2, 3, SIDE, SIDE // 2)]


def test_grey_pictures_are_learnt_as_well():
    animals = Animal(AnimalConfig()).batch(range(0, 80, 10))
    torch.manual_seed(0)
    model = Masked(replace(CONFIG, channels=1))
    for stage in model.stages():
        losses = stage.loss(animals)
        losses.total.backward()
        assert losses.total.isfinite()
        assert all(parameter.grad is not None for parameter in stage.parameters)
    model.eval()
    latent = model.encode(animals.image)
    assert latent.position.shape == (8, 8, 2)
    assert model.decode(latent).shape == animals.image.shape
