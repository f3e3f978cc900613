"""The nearest sample of each code, which implicit maximum likelihood estimation assigns to it.

Li & Malik 2018, https://arxiv.org/abs/1809.09087.
"""

import torch
from jaxtyping import Float, Int
from torch import Tensor

AT_ONCE = 2**22  # distances kept in memory


def nearest_samples(
    codes: Float[Tensor, "N F"], samples: Float[Tensor, "M F"]
) -> tuple[Int[Tensor, " N"], Float[Tensor, " N"]]:
    """The row of the sample nearest to each code, and its squared distance.

    The codes z are taken in parts. Up to |z|^2, which is the same for all samples s, |z - s|^2 is |s|^2 - 2 z
    . s: one product of matrices. Both are centred first, for precision.
    """
    middle = samples.mean(0)
    centred = samples - middle
    sizes = centred.square().sum(1)
    rows = []
    for part in codes.split(max(AT_ONCE // max(len(samples), 1), 1)):
        rows.append(torch.addmm(sizes, part - middle, centred.T, alpha=-2).argmin(1))
    nearest = torch.cat(rows)
    return nearest, (codes - samples[nearest]).square().sum(1)
