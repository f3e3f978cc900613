"""Finds the numbers of a latent that may be changed: its code, or the parts that affect the picture."""

from dataclasses import replace
from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor

from motes.errors import UserError
from motes.models.abilities import HasCode
from motes.models.base import Model
from motes.types.latents import Code
from motes.types.rows import Rows
from motes.types.slots import Slots


def code_of(latent: Any, tool: str) -> HasCode:
    """The latent itself, if its picture is drawn from one code; other latents are refused.

    `tool` begins the error sentence.
    """
    if not isinstance(latent, HasCode):
        raise UserError(
            f"{tool} needs a model whose latent is one code a picture; "
            f"the latent of this one is of another kind, {type(latent).__name__}"
        )
    return latent


def code_field(latent: HasCode) -> str:
    """The name of the latent's field that holds the code; "code" if the code is computed from other
    fields."""
    fields = latent.tensors() if isinstance(latent, Rows) else {}
    return next((name for name, value in fields.items() if value is latent.code), "code")


def vector_of(latent: Any, tool: str) -> Float[Tensor, "B F"]:
    """The vector of a `Code`; all other latents are refused.

    `tool` begins the error sentence.
    """
    if not isinstance(latent, Code):
        raise UserError(
            f"{tool} needs a model whose latent is one vector a picture and nothing else; "
            f"the latent of this one is of another kind, {type(latent).__name__}"
        )
    return latent.vector


def searchable(latent: Any) -> Any:
    """The latent without parts that a search must not change.

    Slots are returned without their layers: these were drawn from the codes, and a search of layers would be
    a search of pixels.
    """
    if not isinstance(latent, Rows):
        raise UserError(
            "a search needs a latent that is a record of tensors, motes.types.rows.Rows; "
            f"the latent of this model is of another kind, {type(latent).__name__}"
        )
    return (
        replace(latent, mask_logits=None, colours=None, bound=None) if isinstance(latent, Slots) else latent
    )


def drawn_parts(model: Model, latent: Rows) -> tuple[str, ...]:
    """The names of the latent's tensors on which the decoded picture depends differentiably.

    They are found by decoding with gradients, so that new models need no entry in a table.
    """
    numbers = {name: value for name, value in latent.tensors().items() if value.is_floating_point()}
    parts = {name: value[:1].detach().clone().requires_grad_() for name, value in numbers.items()}
    with torch.enable_grad():
        picture = model.decode(latent[:1].with_tensors(parts))
    if not parts or not picture.requires_grad:
        raise UserError(
            f"no number of this model's latent, {type(latent).__name__}, changes the picture smoothly, "
            "so there is nothing to search"
        )
    gradients = torch.autograd.grad(picture.sum(), list(parts.values()), allow_unused=True)
    return tuple(
        name
        for name, gradient in zip(parts, gradients, strict=True)
        if gradient is not None and parts[name].numel()
    )
