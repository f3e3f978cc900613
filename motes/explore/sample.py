"""New pictures from any model whose latent is one vector: from its own law of codes, or from one that is
fitted to codes of pictures.

A model without a law of its own refuses: decoding noise that its codes never looked like draws nothing.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any, Protocol, runtime_checkable

import torch
from jaxtyping import Float
from torch import Tensor

from motes.errors import UserError
from motes.explore.interpolate import between
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
class Law(Protocol):
    """Of codes."""

    def draw(self, count: int, /) -> Float[Tensor, "M F"]: ...

    def ways(self, count: int, steps: int) -> Float[Tensor, "T M F"]:
        """From a draw to another, past likely codes."""
        ...


@runtime_checkable
class FromNoise(Protocol):
    """A model that makes codes of noise."""

    def noise(self, count: int) -> Tensor: ...

    def from_noise(self, noise: Tensor) -> Code: ...


@dataclass(frozen=True)
class Gaussian:
    """N(mean, axes axes^T): axes are the principal ones, widest first, each one standard deviation long."""

    mean: Float[Tensor, " F"]
    axes: Float[Tensor, "F E"]

    def draw(self, count: int) -> Float[Tensor, "M F"]:
        return self.at(self._noise(count))

    def ways(self, count: int, steps: int) -> Float[Tensor, "T M F"]:
        return self.at(between(self._noise(count), self._noise(count), steps, "arc"))

    def at(self, noise: Float[Tensor, "*M E"]) -> Float[Tensor, "*M F"]:
        return self.mean + noise @ self.axes.T

    def _noise(self, count: int) -> Tensor:
        return torch.randn(count, self.axes.shape[1], dtype=self.axes.dtype, device=self.axes.device)


@dataclass(frozen=True)
class Learnt:
    """mean + spread * T(e), by a sampler that learnt to leave no code out."""

    sampler: Sampler
    mean: Float[Tensor, " F"]
    spread: Float[Tensor, " F"]

    def draw(self, count: int) -> Float[Tensor, "M F"]:
        return self._at(self.sampler.noise(count))

    def ways(self, count: int, steps: int) -> Float[Tensor, "T M F"]:
        return self._at(between(self.sampler.noise(count), self.sampler.noise(count), steps, "arc"))

    @torch.no_grad()
    def _at(self, noise: Tensor) -> Tensor:
        return self.mean + self.spread * self.sampler(noise)


@dataclass(frozen=True)
class Drawn:
    """Whatever draws codes; ways between its draws are straight."""

    draw: Callable[[int], Tensor]

    def ways(self, count: int, steps: int) -> Float[Tensor, "T M F"]:
        return between(self.draw(count), self.draw(count), steps)


@dataclass(frozen=True)
class OfNoise:
    """Of a model that makes codes of noise: ways are arcs between noises."""

    model: FromNoise

    def draw(self, count: int) -> Float[Tensor, "M F"]:
        return self.model.from_noise(self.model.noise(count)).vector

    def ways(self, count: int, steps: int) -> Float[Tensor, "T M F"]:
        along = between(self.model.noise(count), self.model.noise(count), steps, "arc")
        return self.model.from_noise(along.flatten(0, 1)).vector.unflatten(0, (steps, count))


def fit_gaussian(codes: Float[Tensor, "N F"]) -> Law:
    values, axes = torch.linalg.eigh(torch.cov(codes.T).reshape(codes.shape[1], -1))
    return Gaussian(codes.mean(0), (axes * values.clamp_min(0).sqrt()).flip(1))


def fit_mixture_law(codes: Float[Tensor, "N F"]) -> Law:
    return Drawn(choose_mixture(codes).draw)


def fit_imle(codes: Float[Tensor, "N F"]) -> Law:
    """As the second stage of GLANN, on codes brought to unit spread; noises are chosen anew at every
    epoch."""
    mean = codes.mean(0)
    spread = codes.std(0).clamp_min(1e-6)
    scaled = (codes - mean) / spread
    width = codes.shape[1]
    sampler = Sampler(min(32, width), 128, width).to(codes.device)
    with torch.enable_grad():
        optimizer = torch.optim.Adam(sampler.parameters(), IMLE_RATE)
        schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, IMLE_EPOCHS)
        for _ in range(IMLE_EPOCHS):
            noise = sampler.assign(scaled, 2 * len(codes))
            for rows in torch.randperm(len(codes)).split(IMLE_BATCH):
                optimizer.zero_grad()
                (sampler(noise[rows]) - scaled[rows]).square().sum(1).mean().backward()
                optimizer.step()
            schedule.step()
    return Learnt(sampler.requires_grad_(False), mean, spread)


LAWS: dict[str, Callable[[Tensor], Law]] = {
    "gaussian": fit_gaussian,
    "mixture": fit_mixture_law,
    "imle": fit_imle,
}


def fitted(model: Model, batches: Iterable[Batch], name: str) -> Law:
    """A law of the codes of these pictures."""
    if name not in LAWS:
        raise UserError(f"there is no law {name!r}; choose one of {', '.join(LAWS)}")
    vectors = []
    for batch in batches:
        with torch.no_grad():
            code = model.encode(batch.image.to(device_of(model)))
        if not isinstance(code, Code):
            raise UserError(
                "a law is fitted to codes of one vector a picture; this model's latent is of another kind"
            )
        vectors.append(code.vector)
    if sum(map(len, vectors)) < 2:
        raise UserError("a law cannot be fitted to the codes of fewer than 2 pictures")
    return LAWS[name](torch.cat(vectors))


OWN: dict[bool, Callable[[Any], Law]] = {
    True: OfNoise,
    False: lambda model: Drawn(lambda count: model.sample(count).vector),
}


def law_of(model: Model) -> Law:
    """The model's own; one that has none refuses."""
    if not isinstance(model, Samples):
        raise UserError(
            "this model knows no law of its codes, and noise that does not look like them would draw nothing: "
            f"fit one to codes of pictures first (--prior {' or '.join(LAWS)})"
        )
    if not isinstance(model.sample(1), Code):
        raise UserError("this model does not draw its latents as one vector a picture")
    return OWN[isinstance(model, FromNoise)](model)


def pictures_of(
    model: Model, vectors: Float[Tensor, "*M F"], at_once: int = 256
) -> Float[Tensor, "*M C H W"]:
    """What these codes draw, after they were brought to where the model's codes live."""
    flat = vectors.flatten(0, -2).float()
    inside = model.within(flat) if isinstance(model, Bounded) else flat
    with torch.no_grad():
        drawn = torch.cat([model.decode(Code(part)) for part in inside.split(at_once)])
    return drawn.unflatten(0, vectors.shape[:-1])
