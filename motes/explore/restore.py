"""Restores pictures that are partly hidden, noisy or of low resolution.

It searches for the likeliest latent whose picture agrees with the observation.
"""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from math import cos, pi
from typing import Any, Literal

import torch
from einops import rearrange
from jaxtyping import Float
from torch import Tensor

from motes.errors import UserError
from motes.explore.latents import code_of, drawn_parts, searchable
from motes.explore.observation import Observation
from motes.explore.prior import Prior, learn_prior
from motes.models.abilities import Bounded
from motes.models.base import Model, device_of, refuse_other_sizes
from motes.types.latents import Image
from motes.types.rows import Rows

SEARCHED_AT_ONCE = 64  # pictures


@dataclass(frozen=True)
class Memory:
    """Training pictures, their latents, and what a search needs to know about them."""

    image: Float[Tensor, "M C H W"]
    latent: Any
    prior: Prior
    # mean squared error of one number of a picture when the model reconstructs these pictures
    residual: float


@dataclass(frozen=True)
class Search:
    """The options of a search for a latent."""

    steps: int = 200
    # size of the first steps, in standard deviations of the training latents; it falls to 0
    rate: float = 0.05
    # number of starts at the latents of the training pictures that agree best with the observation
    neighbours: int = 4
    # whether one start is the encoder's latent of the observation, whose holes are filled by the mean of the
    # training pictures
    encoder: bool = True
    # weight of the prior, as a multiple of the residual: more = likelier pictures, less = nearer to the
    # observation
    caution: float = 3.0
    # "mean": weigh the pictures of all starts by exp(-energy / temperature), for fewer large errors; "best":
    # take the picture of the start with the least energy
    mode: Literal["mean", "best"] = "mean"
    # temperature of the mode "mean", as a multiple of the prior's weight
    temperature: float = 10.0


@dataclass(frozen=True)
class Restored:
    """The restored pictures, with the latents that were found and the energies of all starts."""

    # the restored pictures: `drawn`, with exactly observed pixels as they were observed
    image: Image
    # the pictures as the model alone draws them
    drawn: Image
    # the latents that the best starts led to
    latent: Any
    # the energy that each of the R starts led to
    energy: Float[Tensor, "B R"]


def remember(model: Model, image: Image, batch_size: int = 128) -> Memory:
    """Encode training pictures for a search: a few hundred are enough, a thousand are better."""
    refuse_other_sizes(model.config, image)
    _refuse_few(image)
    image = image.to(device_of(model))
    latents = []
    squares = 0.0
    with frozen(model), torch.no_grad():
        for pictures in image.split(batch_size):
            latents.append(searchable(model.encode(pictures)))
            squares += float((model.decode(latents[-1]) - pictures).square().sum())
    latent = Rows.cat(latents)
    prior = learn_prior(latent, drawn_parts(model, latent))
    return Memory(image, latent, prior, max(squares / image.numel(), 1e-6))


def restore(model: Model, observation: Observation, memory: Memory, search: Search | None = None) -> Restored:
    """The observed pictures, completed by a search for the latent z of the least energy, from several starts.

    The energy is |observe(decode(z)) - values|^2 + (caution residual + noise^2) distance(z).

    `caution` is an option of `search`, `residual` is the memory's, `values` and `noise` are the
    observation's, and `distance` is that of the memory's prior. With a linear decoder this is ridge
    regression. Each picture's result is independent of the other pictures.
    """
    search = search or Search()
    _refuse_impossible(observation, memory, search)
    parts = [slice(start, start + SEARCHED_AT_ONCE) for start in range(0, len(observation), SEARCHED_AT_ONCE)]
    with frozen(model):
        results = [_restored(model, observation.rows(part), memory, search) for part in parts]
    return Restored(
        torch.cat([result.image for result in results]),
        torch.cat([result.drawn for result in results]),
        Rows.cat([result.latent for result in results]),
        torch.cat([result.energy for result in results]),
    )


def _refuse_few(image: Image) -> None:
    if len(image) < 2:
        raise UserError(
            "what is likely is learnt from training pictures: give two at least, better a thousand"
        )


def _refuse_impossible(observation: Observation, memory: Memory, search: Search) -> None:
    drawn_shape = tuple(memory.image.shape[1:])
    if observation.picture_shape != drawn_shape:
        raise UserError(
            f"the observation is of pictures of {observation.picture_shape}, the model draws {drawn_shape}"
        )
    if search.neighbours + search.encoder < 1 or search.steps < 0:
        raise UserError("a search needs a start: neighbours or the encoder, and steps from 0 up")


def _restored(model: Model, observation: Observation, memory: Memory, search: Search) -> Restored:
    count = len(observation)
    weight = search.caution * memory.residual + observation.noise**2
    latent = starts(model, observation, memory, search)
    tries = len(latent) // count
    picture = torch.arange(count, device=observation.values.device)
    repeated = observation.rows(picture.repeat_interleave(tries))
    latent, energy = descend(model, repeated, memory.prior, latent, weight, search)
    with torch.no_grad():
        drawn = rearrange(model.decode(latent), "(b r) c h w -> b r c h w", b=count)
    energy = rearrange(energy, "(b r) -> b r", b=count)
    shares = MODES[search.mode](energy, search.temperature * weight)
    mixed = (shares[..., None, None, None] * drawn).sum(1)
    best = picture * tries + energy.argmin(1)
    return Restored(observation.composed(mixed), mixed, latent[best], energy)


def starts(model: Model, observation: Observation, memory: Memory, search: Search) -> Any:
    """The latents at which a search starts: the encoder's, then those of similar training pictures.

    All starts of one picture are neighbours.
    """
    latents = []
    count = len(observation)
    if search.encoder:
        filled = observation.filled(memory.image.mean(0, keepdim=True))
        with torch.no_grad():
            latents.append(searchable(model.encode(filled)))
    if search.neighbours:
        latents += _neighbours(observation, memory, search.neighbours)
    order = rearrange(torch.arange(len(latents) * count), "(r b) -> (b r)", b=count)
    return Rows.cat(latents)[order.to(observation.values.device)]


def _neighbours(observation: Observation, memory: Memory, most: int) -> list[Any]:
    """The latents of the `most` training pictures nearest to each observed picture, the nearest first."""
    count = min(most, len(memory.image))
    nearest = observation.distances(memory.image).topk(count, largest=False).indices
    return [memory.latent[nearest[:, number]] for number in range(count)]


def descend(
    model: Model, observation: Observation, prior: Prior, latent: Any, weight: float, search: Search
) -> tuple[Any, Float[Tensor, "B"]]:
    """The latents at the end of a search by Adam, and their energies.

    The parts of the latent that `prior.scale` names are changed, each number in units of its spread.
    """
    unknowns = _Unknowns(latent, prior.scale)
    optimizer = torch.optim.Adam(unknowns.scaled.values(), lr=search.rate)

    def energy(now: Any) -> Float[Tensor, "B"]:
        return observation.error(model.decode(now)) + weight * prior.distance(now)

    for step in range(search.steps):
        for group in optimizer.param_groups:
            group["lr"] = search.rate * (1 + cos(pi * step / search.steps)) / 2
        with torch.enable_grad():
            # a sum: no picture's steps depend on the others
            unknowns.differentiate(energy(unknowns.latent()).sum())
        optimizer.step()
        with torch.no_grad():
            unknowns.move_to(confined(model, prior.projected(unknowns.latent())))
    with torch.no_grad():
        final = unknowns.latent()
        return final, energy(final)


class _Unknowns:
    """The numbers of a latent that a search changes, in units of their spreads."""

    def __init__(self, latent: Any, scale: Mapping[str, Tensor]):
        self._start = latent
        self._scale = scale
        parts = latent.tensors()
        self.scaled = {name: (parts[name] / scale[name]).detach().requires_grad_() for name in scale}

    def latent(self) -> Any:
        parts = {name: value * self._scale[name] for name, value in self.scaled.items()}
        return self._start.with_tensors(parts)

    def differentiate(self, energy: Float[Tensor, ""]) -> None:
        gradients = torch.autograd.grad(energy, list(self.scaled.values()))
        for value, gradient in zip(self.scaled.values(), gradients, strict=True):
            value.grad = gradient

    def move_to(self, latent: Any) -> None:
        parts = latent.tensors()
        for name, value in self.scaled.items():
            value.copy_(parts[name] / self._scale[name])


def confined(model: Model, latent: Any) -> Any:
    """The latent with its codes moved to the nearest ones that the model allows, if the model bounds its
    codes."""
    if not isinstance(model, Bounded):
        return latent
    code = code_of(latent, "a bounded set of codes")
    return code.with_code(model.within(code.code))


@contextmanager
def frozen(model: Model) -> Iterator[None]:
    """Inside the block the model is in eval mode and its weights need no gradients: only the latent is
    changed."""
    training = model.training
    learning = [parameter for parameter in model.parameters() if parameter.requires_grad]
    model.eval()
    for parameter in learning:
        parameter.requires_grad_(False)
    try:
        yield
    finally:
        model.train(training)
        for parameter in learning:
            parameter.requires_grad_(True)


def _soft(energy: Float[Tensor, "B R"], temperature: float) -> Float[Tensor, "B R"]:
    return (-energy / temperature).softmax(1)


def _hard(energy: Float[Tensor, "B R"], temperature: float) -> Float[Tensor, "B R"]:
    return torch.zeros_like(energy).scatter(1, energy.argmin(1, keepdim=True), 1.0)


MODES = {"mean": _soft, "best": _hard}
