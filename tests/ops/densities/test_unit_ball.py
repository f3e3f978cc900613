"""Projections onto balls: inside they change nothing, and no point of the ball is nearer."""

import pytest
import torch

from motes.ops.densities.unit_ball import BALLS

NORM = {"1": 1, "2": 2, "inf": torch.inf}


@pytest.fixture
def far():
    return torch.randn(40, 6, generator=torch.Generator().manual_seed(0)) * torch.logspace(-1, 1, 40)[:, None]


@pytest.mark.parametrize("p", BALLS)
def test_the_projection_is_in_the_ball_and_done_again_changes_nothing(p, far):
    inside = BALLS[p](far)
    size = torch.linalg.vector_norm(inside, NORM[p], dim=1)
    assert (size <= 1 + 1e-5).all() and (size > 0.999).sum() >= 15
    torch.testing.assert_close(BALLS[p](inside), inside, atol=1e-6, rtol=0)
    already = torch.linalg.vector_norm(far, NORM[p], dim=1) <= 1
    assert already.any() and torch.equal(inside[already], far[already])


@pytest.mark.parametrize("p", BALLS)
def test_no_point_of_the_ball_is_nearer(p, far):
    """Of a convex set the nearest point y to x has (x - y) . (z - y) <= 0 for all z of the set."""
    inside = BALLS[p](far)
    others = BALLS[p](torch.randn(500, 6, generator=torch.Generator().manual_seed(1)))
    angle = torch.einsum("bf,bnf->bn", far - inside, others[None] - inside[:, None])
    assert angle.max() <= 1e-5
