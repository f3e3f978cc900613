"""A latent of any model, a frozen dataclass of tensors with pictures first, as parts that can be taken,
joined and varied."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import torch
from jaxtyping import Int
from torch import Tensor

from motes.models.base import Model


def parts(latent: Any) -> dict[str, Tensor]:
    """By name, without those that are missing."""
    return {name: value for name, value in vars(latent).items() if value is not None}


def rows(latent: Any, index: slice | Int[Tensor, "n"]) -> Any:
    """Of some pictures."""
    return replace(latent, **{name: value[index] for name, value in parts(latent).items()})


def joined(latents: Sequence[Any]) -> Any:
    """Of the pictures of all, one after the other."""
    return replace(
        latents[0], **{name: torch.cat([getattr(one, name) for one in latents]) for name in parts(latents[0])}
    )


def drawn_parts(model: Model, latent: Any) -> tuple[str, ...]:
    """The parts on which the drawn picture depends: found by trying, so that it holds for models to come."""
    one = {
        name: value[:1].detach().clone().requires_grad_()
        for name, value in parts(latent).items()
        if value.is_floating_point()
    }
    with torch.enable_grad():
        picture = model.decode(replace(rows(latent, slice(0, 1)), **one))
        slopes = torch.autograd.grad(picture.sum(), list(one.values()), allow_unused=True)
    return tuple(
        name for name, slope in zip(one, slopes, strict=True) if slope is not None and one[name].numel()
    )
