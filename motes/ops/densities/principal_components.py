"""Principal components, from pictures or from their covariance.

They are the directions in which pictures vary most, each with its variance.
"""

from collections.abc import Iterable
from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor

from motes.errors import UserError


@dataclass(frozen=True)
class Components:
    """Orthonormal directions, the strongest first, with the variance along each, and the total variance of
    all others."""

    axes: Float[Tensor, "P F"]
    variance: Float[Tensor, " F"]
    dropped: Float[Tensor, ""]


def components_of_pictures(centred: Float[Tensor, "B P"], count: int) -> Components:
    """The first `count` components, from the Gram matrix, which is small if there are fewer pictures than
    pixels.

    If u is an eigenvector of X X' with eigenvalue l, X' u is one of X' X, with the same l and the length
    sqrt(l) (Turk & Pentland 1991).
    """
    value, vector = torch.linalg.eigh(centred @ centred.T)
    strongest = value.flip(0)[:count].clamp_min(0)
    axes = torch.nn.functional.normalize(centred.T @ vector.flip(1)[:, :count], dim=0)
    return _components(axes, strongest / len(centred), value.sum() / len(centred))


def mean_and_covariance(
    parts: Iterable[Float[Tensor, "_ P"]],
) -> tuple[Float[Tensor, " P"], Float[Tensor, "P P"]]:
    """The mean and the covariance of all rows of all parts, in double precision.

    Only sums are kept. They are sums of differences from the mean of the first part, so that no large numbers
    cancel.
    """
    first = None
    total = 0.0
    moment = 0.0
    count = 0
    for part in parts:
        first = part.double().mean(0) if first is None else first
        offset = part.double() - first
        total = total + offset.sum(0)
        moment = moment + offset.T @ offset
        count = count + len(part)
    if first is None:
        raise UserError("there are no pictures to find components of")
    shift = torch.as_tensor(total) / count
    return first + shift, torch.as_tensor(moment) / count - torch.outer(shift, shift)


def components_of_covariance(covariance: Float[Tensor, "P P"], count: int) -> Components:
    value, vector = torch.linalg.eigh(covariance)
    return _components(vector.flip(1)[:, :count], value.flip(0)[:count].clamp_min(0), value.sum())


def _components(
    axes: Float[Tensor, "P F"], variance: Float[Tensor, " F"], total: Float[Tensor, ""]
) -> Components:
    """Components, each with the sign that makes its largest entry positive.

    Either sign would do; this choice is the same on every machine.
    """
    largest = axes.gather(0, axes.abs().argmax(0, keepdim=True))
    signed = axes * torch.where(largest < 0, -1.0, 1.0)
    return Components(signed, variance, (total - variance.sum()).clamp_min(0))
