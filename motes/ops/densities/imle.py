"""Which sample is nearest to each code: the assignment of implicit maximum likelihood estimation (Li & Malik
2018, https://arxiv.org/abs/1809.09087)."""

import torch
from jaxtyping import Float, Int
from torch import Tensor

AT_ONCE = 2**22  # distances kept in memory


def nearest_samples(
    codes: Float[Tensor, "N F"], samples: Float[Tensor, "M F"]
) -> tuple[Int[Tensor, " N"], Float[Tensor, " N"]]:
    """For each code the row of the nearest sample and its distance, squared; some codes at a time.

    |z - s|^2 but for |z|^2, which all samples share, is |s|^2 - 2 z . s: one product of matrices, about
    their common middle.
    """
    middle = samples.mean(0)
    centred = samples - middle
    sizes = centred.square().sum(1)
    rows = []
    for part in codes.split(max(AT_ONCE // max(len(samples), 1), 1)):
        rows.append(torch.addmm(sizes, part - middle, centred.T, alpha=-2).argmin(1))
    nearest = torch.cat(rows)
    return nearest, (codes - samples[nearest]).square().sum(1)
