"""A map of what a model can draw: equal steps of probability along two numbers of its code, through the inverse Gaussian CDF."""

import torch
from einops import rearrange
from jaxtyping import Float
from torch import Tensor

from motes.errors import UserError
from motes.models.base import Model, Samples, device_of
from motes.ops.types import Code


def gaussian_grid(side: int, edge: float = 0.02) -> Float[Tensor, "side side 2"]:
    """Points such that each cell between them holds the same share of a standard normal; rows first. `edge`: what is left out at each end."""
    steps = torch.special.ndtri(torch.linspace(edge, 1 - edge, side))
    return torch.stack(torch.meshgrid(steps, steps, indexing="ij"), -1)


def manifold(model: Model, side: int, numbers: tuple[int, int] = (0, 1)) -> Float[Tensor, "side side C H W"]:
    """Pictures over a grid in two numbers of the code, the others at 0: the middle of a standard normal prior (Kingma & Welling 2013, fig. 4)."""
    if not isinstance(model, Samples):
        raise UserError("this model's codes follow no known law, so that there is no map of them; fit one and map that (manifold_of)")
    start = model.sample(1)
    if not isinstance(start, Code):
        raise UserError("a map is drawn of models whose latent is one vector a picture; this one's is not")
    size = start.vector.shape[1]
    if not all(0 <= number < size for number in numbers) or numbers[0] == numbers[1]:
        raise UserError(f"a map needs two different numbers of a code that has {size}, from 0 up; asked for {numbers[0]} and {numbers[1]}")
    codes = torch.zeros(side * side, size, device=device_of(model))
    codes[:, list(numbers)] = rearrange(gaussian_grid(side), "r c two -> (r c) two").to(codes)
    with torch.no_grad():
        return rearrange(model.decode(Code(codes)), "(r c) ... -> r c ...", r=side)
