"""DC-IGN on the ball: each clamped unit against its factor, what
leaks into others, relighting; and a plain VAE for comparison.

A factor's unit is the one that was clamped to it; of the plain VAE, the one that follows the factor best, by
the training pictures.
"""

from pathlib import Path
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor

from benchmarks.systems.system import Bar, Figures, changed, picture_rows, save_page_picture, seeded, trained
from motes.apps.drawing.marks import sheet
from motes.data.base import Dataset
from motes.data.worlds.solid.shaded_ball import Ball
from motes.models.factors.dcign import InverseGraphicsNetwork
from motes.ops.densities.divergence import sample_normal
from motes.training.presets import PRESETS
from motes.types.latents import Code

FACTORS = ("azimuth", "elevation", "light")
BARS = [
    *[
        Bar(f"{name}", f"correlation of the {name}'s unit with it, without sign", ">=", 0.9)
        for name in FACTORS
    ],
    *[
        Bar(f"{name}_leak", f"linear R2 of the {name} from sampled units of all else", "<=", 0.2)
        for name in FACTORS
    ],
    Bar(
        "relit",
        "relit by the light's unit: squared error against the true picture over that of no edit",
        "<=",
        0.999,
    ),
    *[Bar(f"{name}_plain", f"plain VAE: correlation of the best unit with the {name}") for name in FACTORS],
    *[
        Bar(f"{name}_leak_plain", f"plain VAE: linear R2 of the {name} from all other units")
        for name in FACTORS
    ],
    Bar("relit_plain", "plain VAE: relit by its best unit, over no edit"),
    Bar("drawn", "squared error of reconstruction, a number of the picture"),
    Bar("drawn_plain", "the same, plain VAE"),
]
PAIRS = 200


class Encoded(NamedTuple):
    """Pictures, their latents, units sampled from these, and factors."""

    image: Tensor
    latent: Code
    units: Tensor
    factors: Tensor


class Exchange(NamedTuple):
    """Rows, rows whose light they get, these pictures drawn in that light, and the latents of all."""

    rows: Tensor
    light_rows: Tensor
    image: Tensor
    latent: Code


def run(seed: int, folder: Path) -> Figures:
    recipe = seeded(PRESETS["dcign-ball"].recipe, seed)
    clamped = trained(recipe, folder / "clamped")
    # A network of the same shape that is never clamped.
    plain = trained(changed(recipe, plain=1 - 1e-6), folder / "plain")
    assert isinstance(clamped, InverseGraphicsNetwork) and isinstance(plain, InverseGraphicsNetwork)
    learnt = recipe.data.open("train")
    tested = recipe.data.open("test")
    assert isinstance(tested, Ball)
    with torch.no_grad():
        torch.manual_seed(0)
        units = [(clamped.owner == number).nonzero()[:, 0] for number in range(3)]
        figures = unit_figures(clamped, units, learnt, tested)
        plain_figures = unit_figures(plain, best_units(plain, learnt), learnt, tested)
        figures |= {f"{name}_plain": value for name, value in plain_figures.items()}
        if seed == 0:
            draw_relit(clamped, units, tested)
    return figures


def unit_figures(
    model: InverseGraphicsNetwork, units: list[Tensor], learnt: Dataset, tested: Ball
) -> Figures:
    """`units`: those that stand for each factor."""
    train = encoded(model, learnt)
    test = encoded(model, tested)
    error = (model.decode(test.latent) - test.image).square().mean()
    figures = {"drawn": float(error), "relit": relit_ratio(model, units[2], tested)}
    for number, name in enumerate(FACTORS):
        unit = units[number]
        remaining = torch.ones(train.units.shape[1], dtype=torch.bool)
        remaining[unit] = False
        factor = train.factors[:, number]
        test_factor = test.factors[:, number]
        figures[name] = correlation(test.latent.vector[:, unit], test_factor)
        leak = linear_r2(train.units[:, remaining], factor, test.units[:, remaining], test_factor)
        figures[f"{name}_leak"] = leak
    return figures


def encoded(model: InverseGraphicsNetwork, data: Dataset, count: int = 2000) -> Encoded:
    batch = data.batch(range(min(count, len(data))), FACTORS)
    latent = model.encode(batch.image)
    assert latent.log_variance is not None
    units = sample_normal(latent.vector, latent.log_variance)
    return Encoded(batch.image, latent, units, torch.stack([batch.labels[name] for name in FACTORS], 1))


def best_units(model: InverseGraphicsNetwork, learnt: Dataset) -> list[Tensor]:
    data = encoded(model, learnt)
    best = []
    for factor in data.factors.unbind(1):
        correlations = [correlation(data.latent.vector[:, [unit]], factor) for unit in range(model.count)]
        best.append(torch.tensor([int(np.argmax(correlations))]))
    return best


def correlation(units: Tensor, factor: Tensor) -> float:
    """Of one unit, without sign; of several, multiple."""
    return max(linear_r2(units, factor, units, factor), 0.0) ** 0.5


def linear_r2(units: Tensor, factor: Tensor, test_units: Tensor, test_factor: Tensor) -> float:
    """R2 on test pictures of a line fitted to others."""
    inputs, test_inputs = (
        torch.cat([rows, torch.ones(len(rows), 1)], 1).double() for rows in (units, test_units)
    )
    line = torch.linalg.lstsq(inputs, factor[:, None].double()).solution[:, 0]
    error = (test_inputs @ line - test_factor).square().mean()
    return float(1 - error / test_factor.double().var(correction=0))


def relit_ratio(model: InverseGraphicsNetwork, light: Tensor, data: Ball) -> float:
    """Each picture with the light's unit of another one, against the
    picture drawn in that light; over the same with its own unit.
    """
    exchange = exchange_light(model, data)
    vector = exchange.latent.vector[exchange.rows]
    relit_vector = vector.clone()
    relit_vector[:, light] = exchange.latent.vector[exchange.light_rows][:, light]
    edited = model.decode(Code(relit_vector))
    unedited = model.decode(Code(vector))
    return float((edited - exchange.image).square().mean() / (unedited - exchange.image).square().mean())


def exchange_light(model: InverseGraphicsNetwork, data: Ball) -> Exchange:
    generators = (torch.Generator().manual_seed(seed) for seed in (1, 2))
    rows, light_rows = (torch.randint(len(data), (PAIRS,), generator=generator) for generator in generators)
    factors = data.factors(rows.numpy())
    drawn = data.drawn({**factors, "light": data.factors(light_rows.numpy())["light"]})
    image = torch.from_numpy(drawn).permute(0, 3, 1, 2).float() / 255
    return Exchange(rows, light_rows, image, model.encode(data.batch(range(len(data))).image))


def draw_relit(model: InverseGraphicsNetwork, units: list[Tensor], data: Ball) -> None:
    """Read and drawn again; then azimuth, elevation and light of the
    first by their units; then relit: read, light from, drawn, truth.
    """
    rows, light_rows, relit, latent = exchange_light(model, data)
    image = data.batch(range(len(data))).image
    shown = [image[rows[:8]], model.decode(Code(latent.vector[rows[:8]]))]
    for unit in units:
        walk = latent.vector[rows[:1]].repeat(8, 1)
        low, high = (latent.vector[:, unit].quantile(share, 0) for share in (0.03, 0.97))
        walk[:, unit] = low + (high - low) * torch.linspace(0, 1, 8)[:, None]
        shown.append(model.decode(Code(walk)))
    vector = latent.vector[rows[:8]].clone()
    vector[:, units[2]] = latent.vector[light_rows[:8]][:, units[2]]
    shown += [image[light_rows[:8]], model.decode(Code(vector)), relit[:8]]
    save_page_picture(sheet(picture_rows(shown, 64)), "dcign")
