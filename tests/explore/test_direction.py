"""Directions: what was put into codes is found again, particles are matched first, and leakage counts what it should."""

from dataclasses import replace

import pytest
import torch
from extents import extent_of

from motes.errors import UserError
from motes.explore.direction import Direction, bending, of_labels, of_pairs, of_unpaired
from motes.explore.edit_scores import follows, leakage
from motes.types.latents import Code, Particles


@pytest.fixture(autouse=True)
def seeded():
    torch.manual_seed(0)


def test_pairs_give_the_mean_change_and_the_change_a_unit():
    before, way = Code(torch.randn(200, 5)), torch.randn(5)
    amount = torch.rand(200) * 2 - 0.5
    after = Code(before.vector + amount[:, None] * way + 0.01 * torch.randn(200, 5))
    found = of_pairs(before, after)
    torch.testing.assert_close(found.step["vector"], (after.vector - before.vector).mean(0))
    unit = of_pairs(before, after, amount)
    torch.testing.assert_close(unit.step["vector"], way, atol=0.01, rtol=0)
    assert unit.agreement > 0.95 > of_pairs(before, Code(torch.randn(200, 5))).agreement
    strength = torch.linspace(-1, 2, 200)
    torch.testing.assert_close(
        unit.moved(before, strength).vector, before.vector + strength[:, None] * unit.step["vector"]
    )


def circle(angle):
    """A factor that runs along a circle of the code, beside three numbers of no matter."""
    return Code(torch.cat([angle.cos()[:, None], angle.sin()[:, None], torch.randn(len(angle), 3)], 1))


@pytest.mark.slow
def test_a_direction_that_bends_follows_a_circle_and_a_straight_one_leaves_it():
    first, amount = torch.rand(400) * 2 - 1, torch.rand(400) * 0.6
    before, after = circle(first), circle(first + amount)
    after = Code(torch.cat([after.vector[:, :2], before.vector[:, 2:]], 1))
    asked = torch.rand(400) * 2 - 1

    def error(direction):
        return (
            (direction.moved(before, asked).vector[:, :2] - circle(first + asked).vector[:, :2])
            .norm(dim=1)
            .mean()
        )

    assert error(bending(before, after, amount)) < 0.05 < 0.2 < error(of_pairs(before, after, amount))


def test_labels_give_what_goes_with_them_and_ridge_leaves_what_goes_with_others():
    mixing, factors = torch.randn(3, 6), torch.randn(2000, 3)
    factors[:, 1] += 0.8 * factors[:, 0]  # this one comes along
    latent = Code(factors @ mixing + 0.01 * torch.randn(2000, 6))
    alone = of_labels(latent, factors[:, 0])
    torch.testing.assert_close(
        of_labels(latent, factors[:, 0], covariates=factors[:, 1:]).step["vector"],
        mixing[0],
        atol=0.02,
        rtol=0,
    )
    torch.testing.assert_close(alone.step["vector"], mixing[0] + 0.8 * mixing[1], atol=0.1, rtol=0)
    label = (factors[:, 0] > 0).float()
    wanted = latent.vector[label == 1].mean(0) - latent.vector[label == 0].mean(0)
    torch.testing.assert_close(of_labels(latent, label, "means").step["vector"], wanted)
    heaps = (Code(latent.vector[label == value]) for value in (0, 1))
    torch.testing.assert_close(of_unpaired(*heaps).step["vector"], wanted)


def particles(position, features, presence=None):
    shape = position.shape[:2]
    presence = torch.ones(shape) if presence is None else presence
    return Particles(
        position,
        torch.zeros(*shape, 2),
        features,
        torch.zeros_like(features),
        presence,
        torch.zeros(shape[0], features.shape[-1]),
    )


def shuffled(latent, order):
    return replace(
        latent,
        position=latent.position[:, order],
        features=latent.features[:, order],
        presence=latent.presence[:, order],
        extent=None if latent.extent is None else latent.extent.mapped(lambda value: value[:, order]),
    )


def test_particles_are_matched_before_they_are_compared():
    corners = torch.tensor([[-0.7, -0.7], [-0.7, 0.7], [0.7, -0.7], [0.7, 0.7]])
    before = particles(corners + 0.05 * torch.randn(30, 4, 2), torch.randn(30, 4, 3))
    which, move, look = torch.randint(0, 4, (30,)), torch.tensor([0.1, -0.3]), torch.tensor([0.0, 1.0, 0.0])
    position, features = before.position.clone(), before.features.clone()
    for n, k in enumerate(which):
        position[n, k] += move
        features[n, k] += look
    found = of_pairs(before, shuffled(particles(position, features), [2, 0, 3, 1]))
    torch.testing.assert_close(found.step["position"], move, atol=1e-5, rtol=0)
    torch.testing.assert_close(found.step["features"], look, atol=1e-5, rtol=0)
    moved = found.moved(before, 2.0, which)
    torch.testing.assert_close(moved.position[0, which[0]], before.position[0, which[0]] + 2 * move)
    others = torch.ones(30, 4, dtype=torch.bool).scatter(1, which[:, None], False)
    assert torch.equal(moved.position[others], before.position[others]) and torch.equal(
        moved.features[others], before.features[others]
    )
    everyone = found.moved(before, 0.5)
    torch.testing.assert_close(everyone.position, before.position + 0.5 * move)


def sized(latent, scale):
    return replace(latent, extent=extent_of(scale))


def test_sizes_change_by_factors():
    scale = torch.rand(30, 4, 2) + 0.5
    corners = torch.tensor([[-0.7, -0.7], [-0.7, 0.7], [0.7, -0.7], [0.7, 0.7]])
    before = sized(particles(corners.expand(30, 4, 2), torch.randn(30, 4, 3)), scale)
    which = torch.randint(0, 4, (30,))
    grown = scale.clone()
    grown[torch.arange(30), which] *= torch.tensor([2.0, 0.5])
    found = of_pairs(before, shuffled(sized(before, grown), [2, 0, 3, 1]))
    torch.testing.assert_close(found.step["log_scale"].exp(), torch.tensor([2.0, 0.5]), atol=1e-4, rtol=0)
    moved = found.moved(before, -1.0, which).extent.scale
    first = moved[0, which[0]]
    torch.testing.assert_close(first, scale[0, which[0]] / torch.tensor([2.0, 0.5]), atol=1e-4, rtol=0)
    others = torch.ones(30, 4, dtype=torch.bool).scatter(1, which[:, None], False)
    assert torch.equal(moved[others], scale[others])
    assert torch.equal(Direction({"position": torch.zeros(2)}).moved(before, 1.0).extent.scale, scale)
    with pytest.raises(UserError, match="changes sizes"):
        found.moved(replace(before, extent=None), 1.0)


def test_amounts_go_with_the_pairs_that_have_particles():
    there = torch.ones(3, 2)
    there[1] = 0
    before = particles(torch.rand(3, 2, 2) * 0.2, torch.zeros(3, 2, 3), there)
    amount = torch.tensor([1.0, 5.0, 2.0])
    position = before.position.clone()
    position[:, 0, 1] += 0.1 * amount
    found = of_pairs(before, particles(position, before.features, there), amount)
    torch.testing.assert_close(found.step["position"], torch.tensor([0.0, 0.1]), atol=1e-5, rtol=0)
    with pytest.raises(UserError, match="no particle is there"):
        of_pairs(replace(before, presence=0 * there), before)


def test_leakage_is_in_percent_of_the_spread_and_asking_is_compared_on_the_line_of_slope_one():
    before = {"asked": torch.zeros(100), "still": torch.randn(100), "other": 3 * torch.randn(100)}
    after = {
        "asked": torch.ones(100),
        "still": before["still"],
        "other": before["other"] + 0.3 * before["other"].std(0),
    }
    found = leakage(before, after, "asked")
    assert found["still"] == 0 and found["other"] == pytest.approx(30, abs=0.1) and "asked" not in found
    asked = torch.randn(50)
    assert (
        follows(asked, asked) == 1
        and follows(asked, 0.5 * asked) < 0.8
        and follows(asked, torch.zeros(50)) < 0.05
    )
    with pytest.raises(UserError, match="no factor"):
        leakage(before, after, "gaze")


def test_what_cannot_be_is_said():
    code, some = Code(torch.randn(4, 3)), particles(torch.rand(4, 2, 2), torch.rand(4, 2, 3))
    for wrong, sentence in (
        (lambda: of_pairs(code, Code(torch.randn(3, 3))), "as many pictures"),
        (lambda: of_pairs(code, some), "as many pictures"),
        (lambda: of_pairs(code, code, torch.zeros(4)), "must not all be 0"),
        (lambda: bending(some, some), "straight"),
        (lambda: of_unpaired(some, some), "from pairs only"),
        (lambda: of_labels(code, torch.ones(4)), "not all the same"),
        (lambda: of_labels(code, torch.arange(4.0), "svm"), "choose one of"),
        (lambda: of_labels(code, torch.arange(4.0), "means", torch.rand(4, 1)), "method ridge"),
        (lambda: of_pairs(code, code).moved(code, 1.0, 2), "no particles"),
        (lambda: of_pairs(some, some).moved(some, 1.0, 2), "no particle 2"),
    ):
        with pytest.raises(UserError, match=sentence):
            wrong()
