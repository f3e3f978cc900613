"""Mixtures of Gaussians, fitted by expectation maximisation.

The Bayesian information criterion chooses the number of components.
"""

import math
from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor

# Of a component's variances, as a share of the mean variance of all: none shrinks onto one point.
FLOOR = 1e-3
STEPS = 100  # at most
TOLERANCE = 1e-4  # nats a point: a step that gains less is the last


@dataclass(frozen=True)
class Mixture:
    """A mixture of Gaussians: the density sum_k share_k N(mean_k, covariance_k)."""

    share: Float[Tensor, " K"]
    mean: Float[Tensor, "K F"]
    covariance: Float[Tensor, "K F F"]

    def log_density(self, points: Float[Tensor, "N F"]) -> Float[Tensor, " N"]:
        return self.log_parts(points).logsumexp(1)

    def log_parts(self, points: Float[Tensor, "N F"]) -> Float[Tensor, "N K"]:
        """log share_k + log N(x; mean_k, covariance_k) for each point x and component k."""
        root = torch.linalg.cholesky(self.covariance)
        offsets = (points[None] - self.mean[:, None]).mT
        whitened = torch.linalg.solve_triangular(root, offsets, upper=False)
        size = 2 * root.diagonal(dim1=1, dim2=2).log().sum(1) + points.shape[1] * math.log(2 * math.pi)
        return (self.share.log()[:, None] - 0.5 * (whitened.square().sum(1) + size[:, None])).T

    def draw(self, count: int) -> Float[Tensor, "M F"]:
        rows = torch.multinomial(self.share, count, replacement=True)
        noise = torch.randn(count, self.mean.shape[1], dtype=self.mean.dtype, device=self.mean.device)
        root = torch.linalg.cholesky(self.covariance)[rows]
        return self.mean[rows] + torch.einsum("mfg,mg->mf", root, noise)


def fit_mixture(points: Float[Tensor, "N F"], components: int) -> tuple[Mixture, list[float]]:
    """A mixture fitted to the points, and the mean log density before each step, which never falls."""
    mixture = _initial(points, components)
    history = []
    for _ in range(STEPS):
        parts = mixture.log_parts(points)
        history.append(parts.logsumexp(1).mean().item())
        if len(history) > 1 and history[-1] - history[-2] < TOLERANCE:
            break
        mixture = _maximise(points, parts.softmax(1))
    return mixture, history


def choose_mixture(points: Float[Tensor, "N F"], sizes: tuple[int, ...] = (1, 2, 4, 8, 16)) -> Mixture:
    """The mixture with the least Bayesian information criterion among these numbers of components (Schwarz
    1978)."""
    count, width = points.shape
    fits = [fit_mixture(points, size)[0] for size in sizes if size * (width + 1) <= count or size == 1]
    costs = [_information_criterion(mixture, points) for mixture in fits]
    return fits[costs.index(min(costs))]


def _information_criterion(mixture: Mixture, points: Float[Tensor, "N F"]) -> float:
    """The Bayesian information criterion: -2 log p + (number of parameters) log N."""
    count, width = points.shape
    per_component = 1 + width + width * (width + 1) / 2
    parameters = len(mixture.share) * per_component
    return -2 * float(mixture.log_density(points).sum()) + parameters * math.log(count)


def _initial(points: Float[Tensor, "N F"], components: int) -> Mixture:
    """The first mixture: each point belongs to the nearest of `components` points that are drawn far from
    each other.

    This is k-means++ (Arthur & Vassilvitskii 2007).
    """
    chosen = points[torch.randint(len(points), (1,), device=points.device)]
    while len(chosen) < components:
        distance = torch.cdist(points, chosen).amin(1).square() + 1e-12
        chosen = torch.cat([chosen, points[torch.multinomial(distance, 1)]])
    nearest = torch.cdist(points, chosen).argmin(1)
    return _maximise(points, torch.nn.functional.one_hot(nearest, components).to(points))


def _maximise(points: Float[Tensor, "N F"], responsibility: Float[Tensor, "N K"]) -> Mixture:
    weight = responsibility.sum(0).clamp_min(1e-9)
    mean = responsibility.T @ points / weight[:, None]
    offsets = points[None] - mean[:, None]
    scatter = torch.einsum("nk,knf,kng->kfg", responsibility, offsets, offsets)
    covariance = scatter / weight[:, None, None]
    return Mixture(weight / weight.sum(), mean, covariance + _floor(points))


def _floor(points: Float[Tensor, "N F"]) -> Float[Tensor, "F F"]:
    unit = torch.eye(points.shape[1], dtype=points.dtype, device=points.device)
    return FLOOR * points.var(0).mean() * unit
