"""A mixture of Gaussians, fitted by expectation and maximisation, as many components as the Bayesian
criterion wants."""

import math
from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor

FLOOR = (
    1e-3  # of a component's variances, as a share of the mean variance of all: none shrinks onto one point
)
# at most; nats a point, below which a step is the last
STEPS = 100
TOLERANCE = 1e-4


@dataclass(frozen=True)
class Mixture:
    """sum_k share_k N(mean_k, covariance_k)."""

    share: Float[Tensor, " K"]
    mean: Float[Tensor, "K F"]
    covariance: Float[Tensor, "K F F"]

    def log_density(self, points: Float[Tensor, "N F"]) -> Float[Tensor, " N"]:
        return self.log_parts(points).logsumexp(1)

    def log_parts(self, points: Float[Tensor, "N F"]) -> Float[Tensor, "N K"]:
        """log share_k + log N(x; mean_k, covariance_k)."""
        root = torch.linalg.cholesky(self.covariance)
        apart = torch.linalg.solve_triangular(root, (points[None] - self.mean[:, None]).mT, upper=False)
        size = 2 * root.diagonal(dim1=1, dim2=2).log().sum(1) + points.shape[1] * math.log(2 * math.pi)
        return (self.share.log()[:, None] - 0.5 * (apart.square().sum(1) + size[:, None])).T

    def draw(self, count: int) -> Float[Tensor, "M F"]:
        rows = torch.multinomial(self.share, count, replacement=True)
        noise = torch.randn(count, self.mean.shape[1], dtype=self.mean.dtype, device=self.mean.device)
        return self.mean[rows] + torch.einsum(
            "mfg,mg->mf", torch.linalg.cholesky(self.covariance)[rows], noise
        )


def fit_mixture(points: Float[Tensor, "N F"], components: int) -> tuple[Mixture, list[float]]:
    """And the mean log density before each step, which never falls."""
    mixture = _begin(points, components)
    history = []
    for _ in range(STEPS):
        parts = mixture.log_parts(points)
        history.append(parts.logsumexp(1).mean().item())
        if len(history) > 1 and history[-1] - history[-2] < TOLERANCE:
            break
        mixture = _maximise(points, parts.softmax(1))
    return mixture, history


def choose_mixture(points: Float[Tensor, "N F"], sizes: tuple[int, ...] = (1, 2, 4, 8, 16)) -> Mixture:
    """Of these numbers of components the one with the least -2 log p + parameters log N (Schwarz 1978)."""
    count, width = points.shape
    each = 1 + width + width * (width + 1) / 2
    fits = [fit_mixture(points, size)[0] for size in sizes if size * (width + 1) <= count or size == 1]
    costs = [
        -2 * float(one.log_density(points).sum()) + len(one.share) * each * math.log(count) for one in fits
    ]
    return fits[costs.index(min(costs))]


def _begin(points: Float[Tensor, "N F"], components: int) -> Mixture:
    """Every point belongs to the nearest of some points, each drawn far from those before it (Arthur &
    Vassilvitskii 2007)."""
    chosen = points[torch.randint(len(points), (1,), device=points.device)]
    while len(chosen) < components:
        apart = torch.cdist(points, chosen).amin(1).square() + 1e-12
        chosen = torch.cat([chosen, points[torch.multinomial(apart, 1)]])
    nearest = torch.cdist(points, chosen).argmin(1)
    return _maximise(points, torch.nn.functional.one_hot(nearest, components).to(points))


def _maximise(points: Float[Tensor, "N F"], belongs: Float[Tensor, "N K"]) -> Mixture:
    weight = belongs.sum(0).clamp_min(1e-9)
    mean = belongs.T @ points / weight[:, None]
    apart = points[None] - mean[:, None]
    covariance = torch.einsum("nk,knf,kng->kfg", belongs, apart, apart) / weight[:, None, None]
    floor = (
        FLOOR * points.var(0).mean() * torch.eye(points.shape[1], dtype=points.dtype, device=points.device)
    )
    return Mixture(weight / weight.sum(), mean, covariance + floor)
