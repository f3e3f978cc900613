"""New pictures from any model whose latent is one vector.

Codes are drawn from the model's own distribution, or from one that is fitted to codes of pictures. A model
without its own distribution refuses to draw, because its decoder would draw nothing useful from noise that is
unlike its codes.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any, Protocol, runtime_checkable

import torch
from jaxtyping import Float
from torch import Tensor

from motes.errors import UserError
from motes.explore.interpolate import interpolate
from motes.explore.latents import vector_of
from motes.models.abilities import Bounded, Samples
from motes.models.base import Model, device_of
from motes.nn.coders.sampler import Sampler
from motes.ops.densities.mixture import choose_mixture
from motes.types.batch import Batch
from motes.types.latents import Code

IMLE_EPOCHS = 200
IMLE_BATCH = 64
IMLE_RATE = 2e-3


@runtime_checkable
class CodeDistribution(Protocol):
    """A distribution from which codes can be drawn."""

    def draw(self, count: int, /) -> Float[Tensor, "M F"]: ...

    def paths(self, count: int, steps: int) -> Float[Tensor, "T M F"]:
        """`count` paths of `steps` codes, each from one draw to another along likely codes."""
        ...


@runtime_checkable
class FromNoise(Protocol):
    """A model that can map noise to codes."""

    def noise(self, count: int) -> Tensor: ...

    def from_noise(self, noise: Tensor) -> Code: ...


@dataclass(frozen=True)
class GaussianCodes:
    """N(mean, axes axes^T): a Gaussian distribution of codes.

    `axes` are the principal ones, the widest first, each as long as one standard deviation.
    """

    mean: Float[Tensor, " F"]
    axes: Float[Tensor, "F E"]

    def draw(self, count: int) -> Float[Tensor, "M F"]:
        return self.at(self._noise(count))

    def paths(self, count: int, steps: int) -> Float[Tensor, "T M F"]:
        return self.at(interpolate(self._noise(count), self._noise(count), steps, "arc"))

    def at(self, noise: Float[Tensor, "*M E"]) -> Float[Tensor, "*M F"]:
        """The codes mean + axes noise: each number of the noise counts standard deviations along one axis."""
        return self.mean + noise @ self.axes.T

    def _noise(self, count: int) -> Tensor:
        return torch.randn(count, self.axes.shape[1], dtype=self.axes.dtype, device=self.axes.device)


@dataclass(frozen=True)
class ImleCodes:
    """A distribution of codes mean + spread * T(e), with noise e.

    The sampler T was trained by IMLE, which makes it come near every code.
    """

    sampler: Sampler
    mean: Float[Tensor, " F"]
    spread: Float[Tensor, " F"]

    def draw(self, count: int) -> Float[Tensor, "M F"]:
        return self._at(self.sampler.noise(count))

    def paths(self, count: int, steps: int) -> Float[Tensor, "T M F"]:
        noise = interpolate(self.sampler.noise(count), self.sampler.noise(count), steps, "arc")
        return self._at(noise)

    @torch.no_grad()
    def _at(self, noise: Tensor) -> Tensor:
        return self.mean + self.spread * self.sampler(noise)


@dataclass(frozen=True)
class CodesByFunction:
    """A distribution given by a function that draws codes; paths between its draws are straight."""

    draw: Callable[[int], Tensor]

    def paths(self, count: int, steps: int) -> Float[Tensor, "T M F"]:
        return interpolate(self.draw(count), self.draw(count), steps)


@dataclass(frozen=True)
class CodesFromNoise:
    """The distribution of codes of a model that maps noise to codes; paths are arcs between two noises."""

    model: FromNoise

    def draw(self, count: int) -> Float[Tensor, "M F"]:
        return self.model.from_noise(self.model.noise(count)).vector

    def paths(self, count: int, steps: int) -> Float[Tensor, "T M F"]:
        noise = interpolate(self.model.noise(count), self.model.noise(count), steps, "arc")
        return self.model.from_noise(noise.flatten(0, 1)).vector.unflatten(0, (steps, count))


def own_distribution(model: Model) -> CodeDistribution:
    """The model's own distribution of codes; a model without one is refused."""
    if not isinstance(model, Samples):
        raise UserError(
            "this model knows no distribution of its codes, and noise that does not look like them would draw "
            f"nothing: fit one to codes of pictures first (--prior {' or '.join(DISTRIBUTIONS)})"
        )
    vector_of(model.sample(1), "a distribution of codes")
    if isinstance(model, FromNoise):
        return CodesFromNoise(model)
    return CodesByFunction(lambda count: model.sample(count).vector)


def fit_distribution(model: Model, batches: Iterable[Batch], name: str) -> CodeDistribution:
    """A distribution fitted to the codes of the pictures in `batches`; `name` is a key of DISTRIBUTIONS."""
    if name not in DISTRIBUTIONS:
        raise UserError(f"there is no distribution {name!r}; choose one of {', '.join(DISTRIBUTIONS)}")
    vectors = [vector_of(_encoded(model, batch), "a distribution of codes") for batch in batches]
    if sum(map(len, vectors)) < 2:
        raise UserError("a distribution cannot be fitted to the codes of fewer than 2 pictures")
    return DISTRIBUTIONS[name](torch.cat(vectors))


def decode_codes(
    model: Model, codes: Float[Tensor, "*M F"], batch_size: int = 256
) -> Float[Tensor, "*M C H W"]:
    """The pictures of these codes, which are first moved to the nearest codes that the model allows."""
    flat = codes.flatten(0, -2).float()
    inside = model.within(flat) if isinstance(model, Bounded) else flat
    with torch.no_grad():
        pictures = torch.cat([model.decode(Code(vectors)) for vectors in inside.split(batch_size)])
    return pictures.unflatten(0, codes.shape[:-1])


def _encoded(model: Model, batch: Batch) -> Any:
    with torch.no_grad():
        return model.encode(batch.image.to(device_of(model)))


def _fit_gaussian(codes: Float[Tensor, "N F"]) -> CodeDistribution:
    values, axes = torch.linalg.eigh(torch.atleast_2d(torch.cov(codes.T)))
    return GaussianCodes(codes.mean(0), (axes * values.clamp_min(0).sqrt()).flip(1))


def _fit_mixture(codes: Float[Tensor, "N F"]) -> CodeDistribution:
    return CodesByFunction(choose_mixture(codes).draw)


def _fit_imle(codes: Float[Tensor, "N F"]) -> CodeDistribution:
    """The distribution of the second stage of GLANN, fitted to codes scaled to mean 0 and standard deviation
    1."""
    mean = codes.mean(0)
    spread = codes.std(0).clamp_min(1e-6)
    width = codes.shape[1]
    sampler = Sampler(min(32, width), 128, width).to(codes.device)
    with torch.enable_grad():
        _train_imle(sampler, (codes - mean) / spread)
    return ImleCodes(sampler.requires_grad_(False), mean, spread)


def _train_imle(sampler: Sampler, codes: Float[Tensor, "N F"]) -> None:
    """Train the sampler on the codes.

    In every epoch each code chooses the nearest of new noise samples again.
    """
    optimizer = torch.optim.Adam(sampler.parameters(), IMLE_RATE)
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, IMLE_EPOCHS)
    for _ in range(IMLE_EPOCHS):
        noise = sampler.assign(codes, 2 * len(codes))
        for rows in torch.randperm(len(codes)).split(IMLE_BATCH):
            optimizer.zero_grad()
            (sampler(noise[rows]) - codes[rows]).square().sum(1).mean().backward()
            optimizer.step()
        schedule.step()


DISTRIBUTIONS: dict[str, Callable[[Tensor], CodeDistribution]] = {
    "gaussian": _fit_gaussian,
    "mixture": _fit_mixture,
    "imle": _fit_imle,
}
