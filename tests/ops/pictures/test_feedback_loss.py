"""A correction costs nothing once it has contracted the error by the share asked for."""

import torch

from motes.ops.pictures.feedback_loss import contraction_loss, squares_loss


def test_zero_when_contracted_and_the_excess_otherwise():
    wanted = torch.randn(3, 6)
    start = wanted + torch.randn(3, 6)
    left = torch.tensor([[0.5], [0.6], [1.0]])
    found = (wanted + left * (start - wanted)).requires_grad_()
    loss = contraction_loss(found, wanted, start, 0.6)
    torch.testing.assert_close(
        loss, (left[:, 0] - 0.6).clamp_min(0) * (start - wanted).norm(dim=1), atol=1e-5, rtol=1e-5
    )
    loss.sum().backward()
    assert (found.grad[0] == 0).all(), "what is contracted enough is left alone"
    torch.testing.assert_close(found.grad[2], (start - wanted)[2] / (start - wanted)[2].norm())


def test_squares_ask_the_same_of_every_start():
    wanted, found = torch.zeros(2, 4), torch.full((2, 4), 0.5)
    assert squares_loss(found, wanted, torch.randn(2, 4), 0.6).tolist() == [1.0, 1.0]
