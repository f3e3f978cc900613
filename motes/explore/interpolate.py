"""Paths from one latent to another: straight lines, or arcs along codes of likely length."""

from collections.abc import Callable
from typing import Any

import torch
from einops import rearrange
from jaxtyping import Float
from torch import Tensor

from motes.errors import UserError
from motes.explore.latents import code_of
from motes.models.base import Model, device_of
from motes.types.latents import Image


def interpolate(
    first: Float[Tensor, "B F"], second: Float[Tensor, "B F"], steps: int, path: str = "line"
) -> Float[Tensor, "T B F"]:
    """`steps` codes on the path from `first` to `second`, both ends included; `path` is a key of PATHS."""
    if path not in PATHS:
        raise UserError(f"there is no path {path!r}; choose one of {', '.join(PATHS)}")
    if steps < 2:
        raise UserError(f"a path has at least its 2 ends, not {steps} steps")
    return PATHS[path](first, second, torch.linspace(0, 1, steps, device=first.device)[:, None, None])


def interpolated_pictures(
    model: Model, first: Any, second: Any, steps: int, path: str = "line"
) -> Float[Tensor, "B T C H W"]:
    """The pictures along the paths between the codes of two latents, `steps` per path.

    All other parts of the latents, such as a domain or a view, are those of `first`.
    """
    start = code_of(first, "a path from picture to picture").code
    end = code_of(second, "a path from picture to picture").code
    if type(first) is not type(second) or start.shape != end.shape:
        raise UserError(
            f"there are {len(start)} codes to start from and {len(end)} to end at; "
            "there must be as many, of one model"
        )
    codes = interpolate(start, end, steps, path).to(device_of(model))
    rows = torch.arange(len(start), device=start.device).repeat(steps)
    latent = first[rows].to(codes.device).with_code(rearrange(codes, "t b f -> (t b) f"))
    with torch.no_grad():
        pictures: Image = model.decode(latent)
    return rearrange(pictures, "(t b) ... -> b t ...", t=steps)


def line(
    first: Float[Tensor, "B F"], second: Float[Tensor, "B F"], share: Float[Tensor, "T 1 1"]
) -> Float[Tensor, "T B F"]:
    return first + share * (second - first)


def arc(
    first: Float[Tensor, "B F"], second: Float[Tensor, "B F"], share: Float[Tensor, "T 1 1"]
) -> Float[Tensor, "T B F"]:
    """The codes at the shares of an arc on a great circle, along which the length changes evenly (Shoemake
    1985).

    The path is straight where both codes have the same direction.

    An arc is used because the middle of a straight path between two draws of a high-dimensional Gaussian is
    far shorter than any draw.
    """
    lengths = [code.norm(dim=-1, keepdim=True).clamp_min(1e-12) for code in (first, second)]
    start = first / lengths[0]
    end = second / lengths[1]
    angle = (start * end).sum(-1, keepdim=True).clamp(-1, 1).acos()
    sine = angle.sin()
    divisor = sine.clamp_min(1e-12)
    turned = ((1 - share) * angle).sin() / divisor * start + (share * angle).sin() / divisor * end
    curved = turned * line(lengths[0], lengths[1], share)
    return torch.where(sine > 1e-4, curved, line(first, second, share))


PATHS: dict[str, Callable[[Tensor, Tensor, Tensor], Tensor]] = {"line": line, "arc": arc}
