"""Rays enter solids where marching along them says, and surfaces face outwards."""

import pytest
import torch

from motes.data.worlds.solid.solids import (
    BOX,
    CYLINDER,
    ENTER,
    NEVER,
    NORMAL,
    SPHERE,
    Rays,
    square_root,
    turned,
    turned_back,
)

EACH = pytest.mark.parametrize("kind", [SPHERE, BOX, CYLINDER])


def rays(count=400):
    random = torch.Generator().manual_seed(0)
    origin = torch.randn(3, count, generator=random, dtype=torch.float64)
    origin = 3 * origin / origin.norm(dim=0)
    way = 1.4 * torch.rand(3, count, generator=random, dtype=torch.float64) - 0.7 - origin
    radius = torch.full((count,), 0.8, dtype=torch.float64)
    return Rays(origin.float(), way.float(), radius.float(), (radius * 0.6).float())


def inside(kind, point, radius, half):
    if kind == SPHERE:
        return point.norm(dim=0) < radius
    if kind == BOX:
        return (point.abs() < half).all(0)
    return (point[:2].norm(dim=0) < radius) & (point[2].abs() < half)


@EACH
def test_where_a_ray_enters(kind):
    some = rays()
    found = ENTER[kind](some)
    steps = torch.linspace(0, 2, 4001)
    marched = torch.stack(
        [inside(kind, some.origin + step * some.direction, some.radius, some.half) for step in steps]
    )
    meets, first = marched.any(0), steps[marched.float().argmax(0)]
    assert 0.2 < meets.float().mean() < 0.98
    assert ((found < NEVER) == meets).float().mean() > 0.985, "but for rays that graze"
    both = meets & (found < NEVER)
    assert (found - first)[both].abs().max() < 0.02 and (found - first)[both].abs().median() < 6e-4


@EACH
def test_a_ray_that_points_away_enters_nothing(kind):
    some = rays()
    assert (ENTER[kind](Rays(some.origin, -some.direction, some.radius, some.half)) == NEVER).all()


@EACH
def test_surfaces_face_outwards(kind):
    some = rays()
    found = ENTER[kind](some)
    hit = found < NEVER
    point = (some.origin + torch.where(hit, found, 0) * some.direction)[:, hit]
    normal = NORMAL[kind](point, some.radius[hit], some.half[hit])
    torch.testing.assert_close(normal.norm(dim=0), torch.ones(hit.sum()), atol=1e-4, rtol=0)
    assert ((normal * some.direction[:, hit]).sum(0) < 1e-3).all(), "towards where the ray came from"
    assert not inside(kind, point + 1e-3 * normal, some.radius[hit], some.half[hit]).any()
    assert inside(kind, point - 1e-3 * normal, some.radius[hit], some.half[hit]).float().mean() > 0.97


def test_turning_back_undoes_turning():
    some = rays(50)
    angle = torch.rand(50)
    turn = torch.stack([angle.cos(), angle.sin()])
    torch.testing.assert_close(turned_back(turned(some.direction, turn), turn), some.direction)
    torch.testing.assert_close(
        turned(torch.tensor([[1.0], [0], [5]]), torch.tensor([[0.0], [1.0]])),
        torch.tensor([[0.0], [1.0], [5]]),
    )


def test_square_roots_are_rounded_as_the_standard_says():
    values = torch.rand(100_000, generator=torch.Generator().manual_seed(0)) * 10
    # a root in double precision, rounded once, is the nearest number of single precision
    nearest = values.double().numpy() ** 0.5
    assert (square_root(values).numpy() == nearest.astype("float32")).all()
