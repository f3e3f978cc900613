"""`Offers`: what a model and its latent can do, found by trying, so that a new model needs no entry in a table."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import torch

from motes.apps.session.kind import Kind
from motes.apps.session.kinds import kind_of
from motes.models.abilities import Paints, Proposes, Samples
from motes.models.base import Model
from motes.types.latents import Image

Decode = Callable[[Any], Image]


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
