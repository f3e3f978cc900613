"""Maps of what a model can draw: pictures on a grid over two numbers of its code.

Neighbours on the grid are equal steps of probability apart, by the inverse Gaussian CDF.
"""

from typing import Protocol, runtime_checkable

import torch
from jaxtyping import Float
from torch import Tensor

from motes.errors import UserError
from motes.explore.latents import vector_of
from motes.explore.sample import GaussianCodes, decode_codes
from motes.models.abilities import Samples
from motes.models.base import Model


@runtime_checkable
class StandardNormalPrior(Protocol):
    """A model that says by `standard_normal` whether the prior of its codes is a standard normal."""

    standard_normal: bool


def draw_manifold(
    model: Model, side: int, distribution: GaussianCodes, axes: tuple[int, int] = (0, 1)
) -> Float[Tensor, "side side C H W"]:
    """The pictures of a grid in two axes of the distribution; along all other axes the codes stay at the
    mean.

    As in fig. 4 of Kingma & Welling 2013.
    """
    return decode_codes(model, manifold_codes(distribution, side, axes))


def manifold_codes(
    distribution: GaussianCodes, side: int, axes: tuple[int, int] = (0, 1)
) -> Float[Tensor, "side side F"]:
    """The codes of the grid that `draw_manifold` draws."""
    count = distribution.axes.shape[1]
    if not all(0 <= axis < count for axis in axes) or axes[0] == axes[1]:
        raise UserError(
            f"a map needs two different numbers of a code that has {count}, from 0 up; "
            f"{axes[0]} and {axes[1]} are not"
        )
    noise = torch.zeros(side, side, count, device=distribution.axes.device)
    noise[..., list(axes)] = gaussian_grid(side).to(noise)
    return distribution.at(noise)


def gaussian_grid(side: int, edge: float = 0.02) -> Float[Tensor, "side side 2"]:
    """Points (row, column) on a grid, between which each cell holds the same share of a standard normal.

    `edge` is the share that is left out at each end.
    """
    steps = torch.special.ndtri(torch.linspace(edge, 1 - edge, side))
    return torch.stack(torch.meshgrid(steps, steps, indexing="ij"), -1)


def standard_normal_codes(model: Model) -> GaussianCodes:
    """The distribution of the codes of a model whose prior is a standard normal; other models are refused."""
    if not (isinstance(model, StandardNormalPrior) and model.standard_normal and isinstance(model, Samples)):
        raise UserError(
            "a map needs a Gaussian distribution of codes, and this model has none of its own: fit one "
            "(--prior gaussian)"
        )
    vector = vector_of(model.sample(1), "a map of codes")
    return GaussianCodes(torch.zeros_like(vector[0]), torch.eye(vector.shape[1], device=vector.device))
