"""Which sample is nearest to each code: the assignment of implicit maximum likelihood estimation (Li & Malik 2018, https://arxiv.org/abs/1809.09087)."""

import torch
from jaxtyping import Float, Int
from torch import Tensor

AT_ONCE = 2**22  # distances kept in memory


def nearest_samples(codes: Float[Tensor, "N F"], samples: Float[Tensor, "M F"]) -> tuple[Int[Tensor, " N"], Float[Tensor, " N"]]:
    """For each code the row of the nearest sample, the first of equals, and its distance, squared; some codes at a time."""
    rows, distances = [], []
    for part in codes.split(max(AT_ONCE // max(len(samples), 1), 1)):
        found = torch.cdist(part, samples, compute_mode="donot_use_mm_for_euclid_dist").min(1)
        rows.append(found.indices)
        distances.append(found.values.square())
    return torch.cat(rows), torch.cat(distances)
