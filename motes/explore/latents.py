"""On which parts of a latent the drawn picture depends."""

from dataclasses import replace

import torch

from motes.models.base import Model
from motes.types.rows import Rows


def drawn_parts(model: Model, latent: Rows) -> tuple[str, ...]:
    """Names of the tensors on which the picture depends: found by trying, so that it holds for models to come."""
    first = {
        name: value[:1].detach().clone().requires_grad_()
        for name, value in latent.tensors().items()
        if value.is_floating_point()
    }
    with torch.enable_grad():
        picture = model.decode(replace(latent[:1], **first))
        gradients = torch.autograd.grad(picture.sum(), list(first.values()), allow_unused=True)
    return tuple(
        name
        for name, gradient in zip(first, gradients, strict=True)
        if gradient is not None and first[name].numel()
    )
