"""A picture of which not all was seen, completed by any model that draws: the likeliest latent that agrees
with what was seen."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from math import cos, pi
from typing import Any, Literal

import torch
from einops import rearrange
from jaxtyping import Float
from torch import Tensor

from motes.errors import UserError
from motes.explore.latents import drawn_parts
from motes.explore.observation import Observation
from motes.explore.prior import Prior, learn_prior
from motes.models.abilities import Bounded
from motes.models.base import Model, device_of, refuse_other_sizes
from motes.types.latents import Image
from motes.types.rows import Rows

TOGETHER = 64  # pictures searched at once


@dataclass(frozen=True)
class Memory:
    """Training pictures, and what the model makes of them."""

    image: Float[Tensor, "M C H W"]
    latent: Any
    prior: Prior
    # mean squared error of a number when these pictures are drawn again
    residual: float


@dataclass(frozen=True)
class Search:
    """How the latent is looked for."""

    steps: int = 200
    # of the first steps, in standard deviations of the training latents; it falls to nothing
    rate: float = 0.05
    # starts from the latents of the training pictures that agree best with what was seen
    neighbours: int = 4
    # a start from what the encoder sees in the picture with its holes filled by the mean of the training
    # pictures
    encoder: bool = True
    # weight of the prior, in residuals: more = likelier pictures, less = nearer to what was seen
    caution: float = 3.0
    # of the starts' pictures, each by exp(-energy / temperature): fewer large errors; or the best one
    mode: Literal["mean", "best"] = "mean"
    # in weights of the prior
    temperature: float = 10.0


@dataclass(frozen=True)
class Restored:
    """What was found."""

    # with what was seen as it was
    image: Image
    # by the model alone
    drawn: Image
    # of the best start
    latent: Any
    # of all starts
    energy: Float[Tensor, "B R"]


def remember(model: Model, image: Image, together: int = 128) -> Memory:
    """From training pictures: a few hundred are enough, a thousand are better."""
    refuse_other_sizes(model.config, image)
    if len(image) < 2:
        raise UserError(
            "what is likely is learnt from training pictures: give two at least, better a thousand"
        )
    image = image.to(device_of(model))
    latents = []
    squares = 0.0
    with frozen(model), torch.no_grad():
        for part in image.split(together):
            latents.append(model.encode(part))
            squares += float((model.decode(latents[-1]) - part).square().sum())
    latent = Rows.cat(latents)
    return Memory(
        image, latent, learn_prior(latent, drawn_parts(model, latent)), max(squares / image.numel(), 1e-6)
    )


def restore(model: Model, observation: Observation, memory: Memory, search: Search | None = None) -> Restored:
    """min over the latent z of |seen(decode(z)) - values|^2 + (caution residual + noise^2) distance(z), from
    several starts.

    With a linear decoder this is ridge regression. Each picture is searched by itself, whatever others are
    with it.
    """
    search = search or Search()
    if observation.picture_shape != tuple(memory.image.shape[1:]):
        raise UserError(
            f"what was seen is of pictures of {observation.picture_shape}, the model draws {tuple(memory.image.shape[1:])}"
        )
    if search.neighbours + search.encoder < 1 or search.steps < 0:
        raise UserError("a search needs a start: neighbours or the encoder, and steps from 0 up")
    found = []
    with frozen(model):
        for start in range(0, len(observation), TOGETHER):
            found.append(_restored(model, observation.rows(slice(start, start + TOGETHER)), memory, search))
    return Restored(
        torch.cat([one.image for one in found]),
        torch.cat([one.drawn for one in found]),
        Rows.cat([one.latent for one in found]),
        torch.cat([one.energy for one in found]),
    )


def _restored(model: Model, observation: Observation, memory: Memory, search: Search) -> Restored:
    count = len(observation)
    weight = search.caution * memory.residual + observation.noise**2
    begun = starts(model, observation, memory, search)
    tries = len(next(iter(begun.tensors().values()))) // count
    many = observation.rows(torch.arange(count, device=observation.values.device).repeat_interleave(tries))
    latent, energy = descend(model, many, memory.prior, begun, weight, search)
    with torch.no_grad():
        drawn = rearrange(model.decode(latent), "(b r) c h w -> b r c h w", b=count)
    energy = rearrange(energy, "(b r) -> b r", b=count)
    shares = MODES[search.mode](energy, search.temperature * weight)
    picture = (shares[..., None, None, None] * drawn).sum(1)
    best = torch.arange(count, device=energy.device) * tries + energy.argmin(1)
    return Restored(observation.composed(picture), picture, latent[best], energy)


def starts(model: Model, observation: Observation, memory: Memory, search: Search) -> Any:
    """Latents, those of one picture together: the encoder's, then the neighbours'."""
    found = []
    count = len(observation)
    if search.encoder:
        with torch.no_grad():
            found.append(model.encode(observation.filled(memory.image.mean(0, keepdim=True))))
    if search.neighbours:
        few = min(search.neighbours, len(memory.image))
        nearest = observation.distances(memory.image).topk(few, largest=False).indices
        found += [memory.latent[nearest[:, number]] for number in range(few)]
    order = rearrange(torch.arange(len(found) * count), "(r b) -> (b r)", b=count)
    return Rows.cat(found)[order.to(observation.values.device)]


def descend(
    model: Model, observation: Observation, prior: Prior, latent: Any, weight: float, search: Search
) -> tuple[Any, Float[Tensor, "B"]]:
    """Adam on the parts that are drawn, each number in units of its spread; and the energies where it
    ends."""
    scale = prior.scale
    free = {name: (latent.tensors()[name] / scale[name]).detach().requires_grad_() for name in scale}
    optimizer = torch.optim.Adam(free.values(), lr=search.rate)

    def current() -> Any:
        return replace(latent, **{name: value * scale[name] for name, value in free.items()})

    def energy(now: Any) -> Float[Tensor, "B"]:
        return observation.error(model.decode(now)) + weight * prior.distance(now)

    for step in range(search.steps):
        for group in optimizer.param_groups:
            group["lr"] = search.rate * (1 + cos(pi * step / search.steps)) / 2
        with torch.enable_grad():
            slopes = torch.autograd.grad(
                energy(current()).sum(), list(free.values())
            )  # a sum: no picture's steps depend on the others
        for value, slope in zip(free.values(), slopes, strict=True):
            value.grad = slope
        optimizer.step()
        with torch.no_grad():
            kept = confined(model, prior.kept(current()))
            for name, value in free.items():
                value.copy_(kept.tensors()[name] / scale[name])
    with torch.no_grad():
        now = current()
        return now, energy(now)


def confined(model: Model, latent: Any) -> Any:
    """Where the model's codes may be, for a model that says so."""
    return replace(latent, vector=model.within(latent.vector)) if isinstance(model, Bounded) else latent


@contextmanager
def frozen(model: Model) -> Iterator[None]:
    """The model as it is used, and no gradient for its weights: what learns is the latent."""
    training = model.training
    learning = [one for one in model.parameters() if one.requires_grad]
    model.eval()
    for one in learning:
        one.requires_grad_(False)
    try:
        yield
    finally:
        model.train(training)
        for one in learning:
            one.requires_grad_(True)


def _soft(energy: Float[Tensor, "B R"], temperature: float) -> Float[Tensor, "B R"]:
    return (-energy / temperature).softmax(1)


def _hard(energy: Float[Tensor, "B R"], temperature: float) -> Float[Tensor, "B R"]:
    return torch.zeros_like(energy).scatter(1, energy.argmin(1, keepdim=True), 1.0)


MODES = {"mean": _soft, "best": _hard}
