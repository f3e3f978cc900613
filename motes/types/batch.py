"""What a data set hands to a model, and what a model wants lowered."""

from collections.abc import Mapping
from dataclasses import dataclass, field

import torch
from jaxtyping import Float, Int
from torch import Tensor


@dataclass(frozen=True)
class Batch:
    """What a data set hands to a model: pictures and their rows in the data set."""

    image: Float[Tensor, "B C H W"]
    index: Int[Tensor, "B"]
    # the other picture of a warped pair; proposals come from it
    prior_image: Float[Tensor, "B C H W"] | None = None
    # what a model that learns with labels needs: name -> one entry a picture
    facts: Mapping[str, Tensor] = field(default_factory=dict)

    def to(self, device: torch.device | str) -> "Batch":
        prior = None if self.prior_image is None else self.prior_image.to(device, non_blocking=True)
        facts = {name: value.to(device, non_blocking=True) for name, value in self.facts.items()}
        return Batch(
            self.image.to(device, non_blocking=True), self.index.to(device, non_blocking=True), prior, facts
        )

    def __len__(self) -> int:
        return len(self.image)


@dataclass(frozen=True)
class Losses:
    """What a model wants lowered: one scalar to differentiate, and its unweighted parts, one number a
    picture."""

    total: Float[Tensor, ""]
    terms: Mapping[str, Float[Tensor, "B"]]
