"""A network that maps noise to codes, and learns to have a sample near every code, whatever their
distribution."""

import torch
from jaxtyping import Float
from torch import Tensor, nn

from motes.nn.blocks.mlp import mlp
from motes.ops.densities.imle import nearest_samples


class Sampler(nn.Module):
    """A sampler T(e), e ~ N(0, 1), with two hidden layers.

    It does not normalise, so that a sample does not depend on the samples drawn with it.
    """

    def __init__(self, noise_dim: int, width: int, code_dim: int):
        super().__init__()
        self.noise_dim = noise_dim
        self.body = mlp(noise_dim, width, width, code_dim)

    def forward(self, noise: Float[Tensor, "*M E"]) -> Float[Tensor, "*M F"]:
        return self.body(noise)

    def noise(self, count: int) -> Float[Tensor, "M E"]:
        return torch.randn(count, self.noise_dim, device=next(self.parameters()).device)

    @torch.no_grad()
    def assign(self, codes: Float[Tensor, "N F"], count: int) -> Float[Tensor, "N E"]:
        """For each code z, the noise e_m whose sample is nearest, among `count` new noises: argmin_m |z -
        T(e_m)|^2."""
        noise = self.noise(count)
        return noise[nearest_samples(codes, self(noise))[0]]

    @torch.no_grad()
    def coverage(self, codes: Float[Tensor, "N F"], count: int) -> Float[Tensor, " N"]:
        """The squared distance from each code to the nearest of `count` new samples."""
        return nearest_samples(codes, self(self.noise(count)))[1]
