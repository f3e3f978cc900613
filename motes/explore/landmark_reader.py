"""Points that people annotated in some pictures, read off the latents of others by ridge regression.

A latent has few numbers, so few annotated pictures do. What is read (places alone, or with log-variances, or with looks ...)
and the penalty are chosen by cross-validation: blocks of neighbouring pictures are left out by turns.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import torch
from einops import einsum
from jaxtyping import Float
from torch import Tensor

from motes.errors import UserError
from motes.explore.latents import code_of
from motes.models.base import Model
from motes.models.middles import particle_middles
from motes.ops.points.keypoints import gaussian_maps
from motes.ops.scores.regression import by_known, ridges, standardised
from motes.types.latents import Particles

PENALTIES = tuple(10 ** (exponent / 2) for exponent in range(-10, 5))
BLOCKS = 5
# of log-variances: if they hardly vary, they tell nothing
LEAST_VARIATION = 1e-6
# fewest annotated pictures
LEAST = 4
# of the maps of particles without order: cells, and width in halves of a picture
GRID = (8, 8)
WIDTH = 0.25


@dataclass(frozen=True)
class PointFit:
    """The linear map to the coordinates of some points, from standardised columns, and how sure it is."""

    # which coordinates: 2 p is the row of point p, 2 p + 1 its column
    targets: tuple[int, ...]
    middle: Float[Tensor, " n"]
    spread: Float[Tensor, " n"]
    weight: Float[Tensor, "n q"]
    offset: Float[Tensor, " q"]
    # of an annotated picture that was left out
    deviation: Float[Tensor, " q"]
    # inverse of the second moments of the standardised columns, with the penalty
    inverse: Float[Tensor, "n n"]

    def read(self, columns: Float[Tensor, "B n"]) -> tuple[Float[Tensor, "B q"], Float[Tensor, "B q"]]:
        """The coordinates and their standard deviations, which are larger for pictures unlike the annotated ones."""
        x = (columns - self.middle) / self.spread
        unlike = einsum(x, self.inverse, x, "b n, n m, b m -> b")
        return x @ self.weight + self.offset, self.deviation * (1 + unlike[:, None]).sqrt()


@dataclass(frozen=True)
class Doubt:
    """How errors grow where particles are less sure of their places.

    The logarithm of a squared error grows by `slope` with the mean log-variance of a picture's particles. One slope for
    all points: few annotated pictures tell no more.
    """

    middle: float
    slope: float

    def factor(self, latent: Any) -> Float[Tensor, "B"]:
        """By which deviations are larger than in the usual annotated picture."""
        return (self.slope * (mean_log_variance(latent) - self.middle) / 2).exp()


def mean_log_variance(latent: Any) -> Float[Tensor, "B"]:
    """Of the particles' places, for each picture; 0 for other latents, which have none."""
    if not isinstance(latent, Particles):
        return torch.zeros(len(latent), dtype=torch.float64)
    return latent.log_variance.double().mean((1, 2))


@dataclass(frozen=True)
class LandmarkReader:
    """Reads the coordinates of named points off the latents of one model, in shares of a picture's height and width."""

    names: tuple[str, ...]
    # a key of READINGS
    reading: str
    penalty: float
    fits: tuple[PointFit, ...]
    doubt: Doubt

    def read(self, model: Model, latent: Any) -> tuple[Float[Tensor, "B P 2"], Float[Tensor, "B P 2"]]:
        """(row, column) of each point and their standard deviations."""
        columns = READINGS[self.reading](model, latent)
        points = columns.new_full((len(columns), 2 * len(self.names)), torch.nan)
        deviations = points.clone()
        for fit in self.fits:
            targets = list(fit.targets)
            points[:, targets], deviations[:, targets] = fit.read(columns)
        deviations = deviations * self.doubt.factor(latent).to(deviations)[:, None]
        return points.unflatten(1, (-1, 2)), deviations.unflatten(1, (-1, 2))


Columns = Callable[[Model, Any], Float[Tensor, "B n"]]


def _places(model: Model, latent: Any) -> Float[Tensor, "B n"]:
    middles = particle_middles(model, latent)
    assert middles is not None
    return middles.flatten(1).double()


def _variances(model: Model, latent: Any) -> Float[Tensor, "B n"]:
    return torch.cat([_places(model, latent), latent.log_variance.flatten(1).double()], 1)


def _looks(model: Model, latent: Any) -> Float[Tensor, "B n"]:
    return torch.cat([_variances(model, latent), latent.features.flatten(1).double()], 1)


def _maps(model: Model, latent: Any) -> Float[Tensor, "B n"]:
    """Where particles are, and with what looks, whatever their order: sums of wide Gaussian maps.

    The particles of most models are numbered by what lies nearest or is most salient: one number is a paw in one picture,
    and an ear in the next.
    """
    weight = latent.confident().presence[..., None, None] * gaussian_maps(latent.position, GRID, WIDTH)
    looks = torch.cat([torch.ones_like(latent.presence)[..., None], latent.features], 2)
    return einsum(weight, looks, "b k h w, b k f -> b f h w").flatten(1).double()


def _code(model: Model, latent: Any) -> Float[Tensor, "B n"]:
    return code_of(latent, "landmarks").code.double()


READINGS: dict[str, Columns] = {
    "places": _places,
    "places and variances": _variances,
    "places, variances and looks": _looks,
    "maps of places and looks": _maps,
    "code": _code,
}


@dataclass(frozen=True)
class Fitted:
    """A reader, and the errors of the pictures that were left out by turns: the distance of points, in the units given."""

    reader: LandmarkReader
    error: float
    # of the mean of the annotated pictures
    mean_pose: float
    # by reading, with the penalty that is best for it
    errors: Mapping[str, float]
    predicted: Float[Tensor, "B P 2"]


def fit_reader(
    model: Model,
    latent: Any,
    points: Float[Tensor, "B P 2"],
    names: tuple[str, ...],
    units: Float[Tensor, "B 2"],
) -> Fitted:
    """A reader from the latents of annotated pictures, whose points are in shares of height and width; NaN: unknown.

    `units` are the height and width in which errors are measured, such as pixels of each picture.
    """
    points = points.double()
    _refuse_few(points, names)
    kinds = (
        ("code",) if not isinstance(latent, Particles) else tuple(name for name in READINGS if name != "code")
    )
    block = torch.arange(len(points)) * min(BLOCKS, len(points)) // len(points)
    guess = torch.stack([points[block != part].nanmean(0) for part in block.tolist()])
    columns_of = {kind: READINGS[kind](model, latent) for kind in kinds}
    trials = {
        (kind, penalty): predicted
        for kind, columns in columns_of.items()
        for penalty, predicted in zip(PENALTIES, _left_out(columns, points, block), strict=True)
    }
    errors = {trial: _error(predicted, points, units) for trial, predicted in trials.items()}
    reading, penalty = min(errors, key=lambda trial: errors[trial])
    predicted = trials[reading, penalty]
    doubt = _doubt(latent, predicted - points)
    fits = _fits(
        columns_of[reading],
        points,
        penalty,
        (predicted - points) / doubt.factor(latent).to(points)[:, None, None],
    )
    best = {kind: min(error for (name, _), error in errors.items() if name == kind) for kind in kinds}
    reader = LandmarkReader(names, reading, penalty, fits, doubt)
    return Fitted(reader, errors[reading, penalty], _error(guess, points, units), best, predicted)


def _refuse_few(points: Float[Tensor, "B P 2"], names: tuple[str, ...]) -> None:
    if len(points) < LEAST:
        raise UserError(
            f"{len(points)} annotated pictures are too few to learn from and to check by; it takes {LEAST}"
        )
    annotated = ~points.isnan().any(2)
    if bare := [name for name, count in zip(names, annotated.sum(0).tolist(), strict=True) if count < LEAST]:
        raise UserError(
            f"{bare[0]} is annotated in fewer than {LEAST} pictures; annotate more, or leave its columns out"
        )


def _error(
    predicted: Float[Tensor, "B P 2"], points: Float[Tensor, "B P 2"], units: Float[Tensor, "B 2"]
) -> float:
    return ((predicted - points) * units[:, None]).norm(dim=2).nanmean().item()


def _doubt(latent: Any, errors: Float[Tensor, "B P 2"]) -> Doubt:
    """By least squares from the log-variances to the logarithms of the squared errors of pictures that were left out."""
    log_variance = mean_log_variance(latent).to(errors)
    middle = log_variance.mean()
    squares = errors.square().sum(2)
    # an error of nearly nothing is chance, and its logarithm would count most
    logarithms = (squares + 0.01 * squares.nanmean(0)).log()
    away = (log_variance - middle)[:, None].expand_as(logarithms)
    finite = ~logarithms.isnan()
    rise = (away * (logarithms - logarithms.nanmean(0)))[finite].sum()
    slope = rise / away[finite].square().sum().clamp_min(LEAST_VARIATION)
    return Doubt(middle.item(), slope.clamp_min(0).item())


def _left_out(
    columns: Float[Tensor, "B n"], points: Float[Tensor, "B P 2"], block: Tensor
) -> list[Float[Tensor, "B P 2"]]:
    """The points of each block, read by what the other blocks teach, for each penalty."""
    flat = points.flatten(1)
    predicted = [torch.full_like(flat, torch.nan) for _ in PENALTIES]
    for part in block.unique().tolist():
        test = block == part
        for rows, targets in by_known(~flat[~test].isnan()):
            if not rows.any():
                continue
            linears = ridges(columns[~test][rows], flat[~test][rows][:, targets], PENALTIES)
            for of_penalty, linear in zip(predicted, linears, strict=True):
                of_penalty[test.nonzero(), targets.nonzero()[:, 0]] = linear(columns[test])
    return [of_penalty.unflatten(1, (-1, 2)) for of_penalty in predicted]


def _fits(
    columns: Float[Tensor, "B n"],
    points: Float[Tensor, "B P 2"],
    penalty: float,
    errors: Float[Tensor, "B P 2"],
) -> tuple[PointFit, ...]:
    """A fit from all annotated pictures for each group of points that are known in the same ones.

    `errors` are those of pictures that were left out, as they would be at the usual doubt.
    """
    flat = points.flatten(1)
    deviation = errors.flatten(1).square().nanmean(0).sqrt()
    fits = []
    for rows, targets in by_known(~flat.isnan()):
        x = columns[rows]
        middle = x.mean(0)
        scaled, spread = standardised(x - middle, middle)
        # a column that does not vary says nothing of other pictures either
        spread = spread.masked_fill(~scaled.any(0), torch.inf)
        y = flat[rows][:, targets]
        moments = scaled.T @ scaled + len(x) * penalty * torch.eye(x.shape[1], dtype=x.dtype)
        inverse = torch.linalg.inv(moments)
        weight = inverse @ scaled.T @ (y - y.mean(0))
        numbers = tuple(targets.nonzero()[:, 0].tolist())
        fits.append(PointFit(numbers, middle, spread, weight, y.mean(0), deviation[targets], inverse))
    return tuple(fits)
