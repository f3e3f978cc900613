"""Ways from one latent to another: straight, or along an arc, which keeps the length that likely codes
have."""

from collections.abc import Callable
from typing import Any

import torch
from einops import rearrange
from jaxtyping import Float
from torch import Tensor

from motes.errors import UserError
from motes.models.base import Model, device_of
from motes.types.latents import Code, Image


def line(
    first: Float[Tensor, "B F"], second: Float[Tensor, "B F"], share: Float[Tensor, "T 1 1"]
) -> Float[Tensor, "T B F"]:
    return first + share * (second - first)


def arc(
    first: Float[Tensor, "B F"], second: Float[Tensor, "B F"], share: Float[Tensor, "T 1 1"]
) -> Float[Tensor, "T B F"]:
    """On a great circle, the length going evenly from the one to the other (Shoemake 1985); straight where
    they point the same way.

    The middle of a straight way between two draws of a wide Gaussian is far shorter than any draw.
    """
    lengths = [one.norm(dim=-1, keepdim=True).clamp_min(1e-12) for one in (first, second)]
    units = [one / length for one, length in zip((first, second), lengths, strict=True)]
    angle = (units[0] * units[1]).sum(-1, keepdim=True).clamp(-1, 1).acos()
    sine = angle.sin()
    turned = ((1 - share) * angle).sin() / sine.clamp_min(1e-12) * units[0] + (
        share * angle
    ).sin() / sine.clamp_min(1e-12) * units[1]
    return torch.where(sine > 1e-4, turned * line(lengths[0], lengths[1], share), line(first, second, share))


WAYS: dict[str, Callable[[Tensor, Tensor, Tensor], Tensor]] = {"line": line, "arc": arc}


def between(
    first: Float[Tensor, "B F"], second: Float[Tensor, "B F"], steps: int, way: str = "line"
) -> Float[Tensor, "T B F"]:
    """So many points of the way, both ends among them."""
    if way not in WAYS:
        raise UserError(f"there is no way {way!r}; choose one of {', '.join(WAYS)}")
    if steps < 2:
        raise UserError(f"a way has at least its 2 ends, not {steps} steps")
    return WAYS[way](first, second, torch.linspace(0, 1, steps, device=first.device)[:, None, None])


def drawn_between(
    model: Model, first: Any, second: Any, steps: int, way: str = "line"
) -> Float[Tensor, "B T C H W"]:
    """The pictures along the ways between latents that are one vector each."""
    if not isinstance(first, Code) or not isinstance(second, Code):
        raise UserError("ways are drawn of models whose latent is one vector a picture; this one's is not")
    if first.vector.shape != second.vector.shape:
        raise UserError(
            f"there are {len(first.vector)} codes to start from and {len(second.vector)} to end at; there must be as many"
        )
    along = between(first.vector, second.vector, steps, way).to(device_of(model))
    with torch.no_grad():
        drawn: Image = model.decode(Code(rearrange(along, "t b f -> (t b) f")))
    return rearrange(drawn, "(t b) ... -> b t ...", t=steps)
