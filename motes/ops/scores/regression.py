"""Linear read-outs by least squares, in double precision.

Fits with many penalties cost about as much as a fit with one.
"""

from dataclasses import dataclass

import torch
from jaxtyping import Bool, Float
from torch import Tensor


@dataclass(frozen=True)
class Linear:
    """A linear map: y = x weight + offset."""

    weight: Float[Tensor, "P Q"]
    offset: Float[Tensor, "Q"]

    def __call__(self, x: Float[Tensor, "n P"]) -> Float[Tensor, "n Q"]:
        return x.double() @ self.weight + self.offset


def least_squares(x: Float[Tensor, "n P"], y: Float[Tensor, "n Q"]) -> Linear:
    """Least squares through the origin, without a penalty.

    Of all best weights these are the shortest, as in the landmark protocol of 2022.
    """
    return _ridges(x.double(), y.double(), (0.0,))[0]


def ridges(x: Float[Tensor, "n P"], y: Float[Tensor, "n Q"], penalties: tuple[float, ...]) -> list[Linear]:
    """Ridge regression with an offset that is not penalised, one fit for each penalty.

    min sum |y - x w - b|^2 + n penalty |w|^2. Every column counts in units of its spread, and n is the number
    of rows. Columns that do not vary get weight 0.
    """
    x = x.double()
    y = y.double()
    middle = x.mean(0)
    mean = y.mean(0)
    scaled, spread = standardised(x - middle, middle)
    fits = _ridges(scaled, y - mean, tuple(penalty * len(x) for penalty in penalties))
    weights = [fit.weight / spread[:, None] for fit in fits]
    return [Linear(weight, mean - middle @ weight) for weight in weights]


def standardised(
    centred: Float[Tensor, "n P"], middle: Float[Tensor, " P"]
) -> tuple[Float[Tensor, "n P"], Float[Tensor, " P"]]:
    """The columns divided by their standard deviation, and that deviation.

    A column that does not vary becomes 0, and its deviation 1.
    """
    spread = centred.square().mean(0).sqrt()
    # what is left of a constant is rounding
    flat = spread <= 1e-9 * (1 + middle.abs())
    spread = spread.masked_fill(flat, 1)
    return centred.masked_fill(flat, 0) / spread, spread


def by_known(known: Bool[Tensor, "n Q"]) -> list[tuple[Bool[Tensor, "n"], Bool[Tensor, "Q"]]]:
    """Groups of columns of y that are known in the same rows: for each group, its rows and its columns.

    The columns of a group are fitted together.
    """
    kinds, kind = known.unique(dim=1, return_inverse=True)
    return [(kinds[:, number], kind == number) for number in range(kinds.shape[1])]


def _ridges(x: Tensor, y: Tensor, penalties: tuple[float, ...]) -> list[Linear]:
    """Ridge regression by singular values, one fit for each penalty.

    A direction in which x does not vary gets no weight; rounding gives it a small singular value, which
    counts as 0.
    """
    if len(x) > x.shape[1]:
        basis, x = torch.linalg.qr(x)
        y = basis.T @ y
    left, values, right = torch.linalg.svd(x, full_matrices=False)
    least = torch.finfo(x.dtype).eps * max(x.shape) * values.max() if len(values) else 0
    projected = left.T @ y
    varies = values > least
    fits = []
    for penalty in penalties:
        gain = torch.where(varies, values / torch.where(varies, values.square() + penalty, 1), 0)
        fits.append(Linear(right.T @ (gain[:, None] * projected), y.new_zeros(y.shape[1])))
    return fits
