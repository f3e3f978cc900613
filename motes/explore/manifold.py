"""A map of what a model can draw: equal steps of probability along two numbers of its code, through the
inverse Gaussian CDF."""

import torch
from jaxtyping import Float
from torch import Tensor

from motes.errors import UserError
from motes.explore.sample import Gaussian, pictures_of
from motes.models.abilities import Samples
from motes.models.base import Model
from motes.types.latents import Code


def gaussian_grid(side: int, edge: float = 0.02) -> Float[Tensor, "side side 2"]:
    """Points such that each cell between them holds the same share of a standard normal; rows first. `edge`:
    what is left out at each end."""
    steps = torch.special.ndtri(torch.linspace(edge, 1 - edge, side))
    return torch.stack(torch.meshgrid(steps, steps, indexing="ij"), -1)


def manifold(
    model: Model, side: int, law: Gaussian, numbers: tuple[int, int] = (0, 1)
) -> Float[Tensor, "side side C H W"]:
    """Pictures over a grid in two axes of the law, the others at their middle (Kingma & Welling 2013, fig.
    4)."""
    return pictures_of(model, map_of(law, side, numbers))


def map_of(law: Gaussian, side: int, numbers: tuple[int, int] = (0, 1)) -> Float[Tensor, "side side F"]:
    """The codes of that grid."""
    size = law.axes.shape[1]
    if not all(0 <= number < size for number in numbers) or numbers[0] == numbers[1]:
        raise UserError(
            f"a map needs two different numbers of a code that has {size}, from 0 up; asked for {numbers[0]} and {numbers[1]}"
        )
    noise = torch.zeros(side, side, size, device=law.axes.device)
    noise[..., list(numbers)] = gaussian_grid(side).to(noise)
    return law.at(noise)


def standard_normal(model: Model) -> Gaussian:
    """The law of a model whose prior it is; others refuse."""
    if not getattr(model, "standard_normal", False) or not isinstance(model, Samples):
        raise UserError(
            "a map needs a Gaussian law of codes, and this model has none of its own: fit one (--prior gaussian)"
        )
    code: Code = model.sample(1)
    return Gaussian(
        torch.zeros_like(code.vector[0]), torch.eye(code.vector.shape[1], device=code.vector.device)
    )
