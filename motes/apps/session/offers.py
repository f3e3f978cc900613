"""What is offered to who edits a latent: `Offers`, what the model can do with it, found by trying, so that a new
model needs no entry in a table; and `Spread`, the ranges over which its features or codes may be changed."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor

from motes.apps.session.kind import Kind
from motes.apps.session.kinds import kind_of
from motes.models.abilities import Paints, Proposes, Samples
from motes.models.base import Model
from motes.types.latents import Image

Decode = Callable[[Any], Image]

# pictures from which the spread of features is taken
SPREAD_OF = 32
# principal directions that are shown
AXES = 8


@dataclass(frozen=True)
class Offers:
    """What a model and its latent can do."""

    # the latent is a set of particles
    particles: bool
    # the picture is composed of glimpses over a background, so that a page can compose it again without the
    # model
    layers: bool
    # particles may be added
    more: bool
    # a particle or slot with presence 0 is not drawn
    presence: bool
    # the model's prior proposes points
    proposals: bool
    # the model draws new pictures
    samples: bool
    # particles differ in size, and may be resized
    sizes: bool


def offers_of(model: Model, latent: Any, decode: Decode) -> Offers:
    """What the model can do with the latent of one picture; `decode` draws latents."""
    kind = kind_of(latent)
    return Offers(
        particles=kind.has_positions,
        layers=kind.has_positions and isinstance(model, Paints),
        more=_draws(decode, kind.with_one_more(latent)),
        presence=_draws_by_presence(decode, kind, latent),
        proposals=isinstance(model, Proposes),
        samples=isinstance(model, Samples),
        sizes=kind.has_sizes(latent),
    )


def _draws(decode: Decode, latent: Any) -> bool:
    """Whether the model can decode the latent to finite numbers; the latent may be unlike any that it encodes
    to."""
    if latent is None:
        return False
    try:
        return bool(decode(latent).isfinite().all())
    # a model may fail in any way
    except Exception:
        return False


def _draws_by_presence(decode: Decode, kind: Kind, latent: Any) -> bool:
    """Whether a particle or slot with presence 0 disappears from the picture."""
    present = kind.with_presence(latent, 1.0)
    absent = kind.with_presence(latent, 0.0)
    if present is None or absent is None:
        return False
    return not torch.equal(decode(present), decode(absent))


@dataclass(frozen=True)
class Spread:
    """How the features (or codes) of some pictures are spread; it sets the ranges of sliders."""

    low: Float[Tensor, " F"]
    high: Float[Tensor, " F"]
    middle: Float[Tensor, " F"]
    # principal directions, unit length
    axes: Float[Tensor, "n F"]
    # two standard deviations along each axis
    reach: Float[Tensor, "n"]


def spread_of(latent: Any) -> Spread | None:
    """The spread of the features of all particles of a latent, or of its codes; None where it has neither."""
    vectors = kind_of(latent).vectors(latent)
    if vectors is None:
        return None
    middle = vectors.mean(0)
    if not vectors.shape[1]:
        return Spread(middle, middle, middle, vectors.new_zeros(0, 0), vectors.new_zeros(0))
    low = vectors.quantile(0.02, 0)
    high = vectors.quantile(0.98, 0)
    margin = (high - low).clamp_min(0.5) * 0.25
    _, deviations, axes = torch.linalg.svd(vectors - middle, full_matrices=False)
    reach = 2 * deviations / max(len(vectors) - 1, 1) ** 0.5
    return Spread(low - margin, high + margin, middle, axes[:AXES], reach[:AXES].clamp_min(1e-3))
