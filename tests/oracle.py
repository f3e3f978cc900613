"""Compares a fast computation with a slow one that is right, in value and gradient."""

import torch


def compare(fast, slow, variables, kind, single=1e-5):
    """The slow way in double precision is the truth for both kinds; `single` is the tolerance in single precision.

    Slopes along positions add up a thousand products of tens.
    """
    tolerance = 1e-9 if kind == torch.float64 else single
    exact = [tensor.detach().double().requires_grad_() for tensor in variables]
    ours, theirs = fast(*variables), slow(*exact)
    torch.testing.assert_close(ours.double(), theirs, atol=tolerance, rtol=tolerance)
    weight = torch.randn_like(theirs)
    mine = torch.autograd.grad((ours * weight).sum(), variables)
    for gradient, oracle in zip(mine, torch.autograd.grad((theirs * weight).sum(), exact), strict=True):
        largest = max(1, float(oracle.abs().max()))
        torch.testing.assert_close(gradient.double(), oracle, atol=tolerance * largest, rtol=0)
