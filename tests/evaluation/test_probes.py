"""Probes: what is written in the particles is read, by a straight map or only by the network; what is not there is not read."""

import math

import pytest
import torch
from extents import extent_of

from motes.evaluation.probes import QUESTION
from motes.evaluation.question import Evidence
from motes.types.truth import Truth

EVERY = ("size", "area", "shape", "colour")


def part(see, make_particles, count, seed, lost=False, names=EVERY, sized=False):
    """Three things a picture, their particles in another order; looks hold a number, a product's factors, and a class."""
    random = torch.Generator().manual_seed(seed)
    centres = torch.rand(count, 3, 2, generator=random) * 0.3 + torch.tensor(
        [[-0.8, -0.8], [0.0, 0.0], [0.7, 0.2]]
    )
    hidden, kind = (
        torch.randn(count, 3, 3, generator=random),
        torch.randint(0, 3, (count, 3), generator=random),
    )
    features = torch.cat(
        [hidden, torch.nn.functional.one_hot(kind, 3) + 0.1 * torch.randn(count, 3, 3, generator=random)], 2
    )
    factors = {
        "size": 3 * hidden[..., 0] + 7,
        "area": hidden[..., 1] * hidden[..., 2],
        "shape": 4 * kind + 1,
        "colour": torch.rand(count, 3, 3, generator=random),
    }
    scale = (0.3 * torch.randn(count, 3, 2, generator=random)).exp() if sized else None
    if scale is not None:
        factors["area"] = scale.prod(2).log()
    factors = {name: factors[name] for name in names}
    turn = [2, 0, 1]
    presence = torch.ones(count, 3).index_fill(1, torch.tensor([0]), 0.0 if lost else 1.0)
    extent = None if scale is None else extent_of(scale[:, turn])
    latent = make_particles(centres[:, turn], presence, features=features[:, turn], extent=extent)
    present = torch.ones(count, 3, dtype=torch.bool)
    return QUESTION.measure(see(latent, Truth(present, centres, factors=factors)))


@pytest.fixture
def scores(see, make_particles):
    def scores(**more):
        test, learn, choose = (
            part(see, make_particles, count, seed, **more) for count, seed in ((60, 2), (300, 0), (60, 1))
        )
        return {
            name: one(torch.ones(1, 60)).item()
            for name, one in QUESTION.score(Evidence(test, learn, choose)).items()
        }

    return scores


@pytest.mark.slow
def test_sizes_are_read_where_particles_have_them(scores):
    assert scores(sized=True, names=("area",))["probes/area/linear/r2"] > 0.999


@pytest.mark.slow
def test_what_is_written_is_read(scores):
    got = scores()
    assert got["probes/matched"] == 1
    assert got["probes/size/linear/r2"] > 0.999 and got["probes/size/mlp/r2"] > 0.95
    assert abs(got["probes/area/linear/r2"]) < 0.1 and got["probes/area/mlp/r2"] > 0.7, (
        "a product is not linear"
    )
    assert (
        got["probes/shape/linear/accuracy"] > 0.99
        and got["probes/shape/mlp/accuracy"] > 0.99
        and got["probes/shape/commonest"] < 0.5
    )
    assert got["probes/colour/linear/r2"] < 0.1 and got["probes/colour/mlp/r2"] < 0.1


@pytest.mark.usefixtures("brief_readouts")
def test_a_thing_without_particle_is_guessed(scores):
    got = scores(lost=True, names=("size", "shape"))
    assert got["probes/matched"] == pytest.approx(2 / 3)
    assert got["probes/size/linear/r2"] == pytest.approx(2 / 3, abs=0.1)
    assert got["probes/shape/linear/accuracy"] == pytest.approx(
        (2 + got["probes/shape/commonest"]) / 3, abs=0.1
    )


@pytest.mark.usefixtures("brief_readouts")
def test_r2_agrees_with_scikit_learn(see, make_particles):
    metrics = pytest.importorskip("sklearn.metrics", reason="scikit-learn is not installed")
    linear = pytest.importorskip("sklearn.linear_model", reason="scikit-learn is not installed")
    test, learn, choose = (
        part(see, make_particles, count, seed, names=("colour",))
        for count, seed in ((60, 2), (300, 0), (60, 1))
    )
    choose = learn  # so that no penalty is best
    name = "factor colour"
    x, y = ([one[key].flatten(0, 1).double().numpy() for one in (learn, test)] for key in ("read", name))
    wanted = metrics.r2_score(y[1], linear.LinearRegression().fit(x[0], y[0]).predict(x[1]))
    ours = QUESTION.score(Evidence(test, learn, choose))["probes/colour/linear/r2"](torch.ones(1, 60)).item()
    assert ours == pytest.approx(wanted, abs=1e-5)


def test_matched_by_masks_where_centres_are_not_known(see, make_particles):
    places = torch.tensor([[[-0.5, -0.5], [0.5, 0.5]]])
    latent = make_particles(places, features=torch.tensor([[[1.0, 0.0], [2.0, 0.0]]]))
    owners = see(latent, None).owners
    masks = torch.stack([owners == 2, owners == 1], 1)
    measured = QUESTION.measure(
        see(latent, Truth(masks.any((2, 3)), masks=masks, factors={"n": torch.tensor([[2, 1]])}))
    )
    assert measured["read"][0, :, 4].tolist() == [2, 1] and measured["matched"].all()


@pytest.mark.usefixtures("brief_readouts")
def test_no_thing_at_all(see, make_particles):
    test, learn = (part(see, make_particles, count, 0, names=("size", "shape")) for count in (4, 20))
    nothing = {
        **test,
        "present": torch.zeros_like(test["present"]),
        "matched": torch.zeros_like(test["matched"]),
    }
    assert all(
        math.isnan(one(torch.ones(1, 4)).item())
        for one in QUESTION.score(Evidence(nothing, learn, learn)).values()
    )


def test_a_model_without_any_particle_is_told_so(see, make_particles):
    one = part(see, make_particles, 20, 1)
    nobody = {**one, "matched": torch.zeros_like(one["matched"])}
    statistics = QUESTION.score(Evidence(nobody, nobody, nobody))
    assert {name: statistic(torch.ones(1, 20)).item() for name, statistic in statistics.items()} == {
        "probes/matched": 0
    }
