"""DC-IGN on the ball: each clamped unit against its factor, what leaks into others, relighting; and a plain VAE for comparison.

A factor's unit is the one that was told to it; of the plain VAE, the one that follows the factor best, by the training pictures.
"""

from dataclasses import replace
from pathlib import Path

import numpy as np
import torch
from bar import Bar
from PIL import Image as Pictures
from runs import finished, seeded

from motes import load
from motes.apps.draw import sheet, to_picture
from motes.data.ball import Ball
from motes.data.base import Dataset
from motes.models.dcign import InverseGraphicsNetwork
from motes.ops.divergence import sample_normal
from motes.ops.types import Code
from motes.training.loop import open_data
from motes.training.presets import PRESETS

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
ROOT = Path(__file__).parents[2]
PAIRS = 200


def measure(seed: int, folder: Path) -> dict[str, float]:
    recipe = seeded(PRESETS["dcign-ball"].recipe, seed)
    never = replace(
        recipe, model_config={**recipe.model_config, "plain": 1 - 1e-6}
    )  # of the same shape, and never clamped
    clamped, plain = (
        load(finished(one, folder / place)).eval() for one, place in ((recipe, "clamped"), (never, "plain"))
    )
    assert isinstance(clamped, InverseGraphicsNetwork) and isinstance(plain, InverseGraphicsNetwork)
    seen, unseen = open_data(recipe, "train"), open_data(recipe, "test")
    assert isinstance(unseen, Ball)
    with torch.no_grad():
        torch.manual_seed(0)
        own = [(clamped.owner == number).nonzero()[:, 0] for number in range(3)]
        found = scores(clamped, own, seen, unseen)
        found |= {
            f"{name}_plain": value for name, value in scores(plain, best(plain, seen), seen, unseen).items()
        }
        if seed == 0:
            picture(clamped, own, unseen).save(ROOT / "docs/family/dcign.png", optimize=True)
    return found


def scores(
    model: InverseGraphicsNetwork, units: list[torch.Tensor], seen: Dataset, unseen: Ball
) -> dict[str, float]:
    """`units`: those that stand for each factor."""
    (_, _, codes, factors), (image, latent, new_codes, new_factors) = (
        told(model, data) for data in (seen, unseen)
    )
    found = {
        "drawn": float((model.decode(latent) - image).square().mean()),
        "relit": relit(model, units[2], unseen),
    }
    for number, name in enumerate(FACTORS):
        rest = torch.ones(codes.shape[1], dtype=torch.bool)
        rest[units[number]] = False
        found[name] = correlation(latent.vector[:, units[number]], new_factors[:, number])
        found[f"{name}_leak"] = predicted(
            codes[:, rest], factors[:, number], new_codes[:, rest], new_factors[:, number]
        )
    return found


def told(
    model: InverseGraphicsNetwork, data: Dataset, count: int = 2000
) -> tuple[torch.Tensor, Code, torch.Tensor, torch.Tensor]:
    """Pictures, their latents, units sampled from these, and factors."""
    batch = data.batch_with(range(min(count, len(data))), FACTORS)
    latent = model.encode(batch.image)
    assert latent.log_variance is not None
    return (
        batch.image,
        latent,
        sample_normal(latent.vector, latent.log_variance),
        torch.stack([batch.facts[name] for name in FACTORS], 1),
    )


def best(model: InverseGraphicsNetwork, seen: Dataset) -> list[torch.Tensor]:
    _, latent, _, factors = told(model, seen)
    found = [
        [correlation(latent.vector[:, [unit]], factors[:, number]) for unit in range(model.count)]
        for number in range(3)
    ]
    return [torch.tensor([int(np.argmax(one))]) for one in found]


def correlation(units: torch.Tensor, factor: torch.Tensor) -> float:
    """Of one unit, without sign; of several, multiple."""
    return max(predicted(units, factor, units, factor), 0.0) ** 0.5


def predicted(
    units: torch.Tensor, factor: torch.Tensor, new_units: torch.Tensor, new_factor: torch.Tensor
) -> float:
    """R2 on new pictures of a line fitted to others."""
    known, new = (torch.cat([one, torch.ones(len(one), 1)], 1).double() for one in (units, new_units))
    line = torch.linalg.lstsq(known, factor[:, None].double()).solution[:, 0]
    return float(1 - (new @ line - new_factor).square().mean() / new_factor.double().var(correction=0))


def relit(model: InverseGraphicsNetwork, light: torch.Tensor, data: Ball) -> float:
    """Each picture with the light's unit of another one, against the picture drawn in that light; over the same with its own unit."""
    rows, other, wanted, latent = exchanged(model, data)
    changed = latent.vector[rows].clone()
    changed[:, light] = latent.vector[other][:, light]
    edited, still = (model.decode(Code(one)) for one in (changed, latent.vector[rows]))
    return float((edited - wanted).square().mean() / (still - wanted).square().mean())


def exchanged(
    model: InverseGraphicsNetwork, data: Ball
) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor, Code]:
    """Rows, rows whose light they get, these pictures drawn in that light, and the latents of all."""
    rows, other = (
        torch.randint(len(data), (PAIRS,), generator=torch.Generator().manual_seed(seed)) for seed in (1, 2)
    )
    factors = data.factors(rows.numpy())
    lit = data.drawn({**factors, "light": data.factors(other.numpy())["light"]})
    wanted = torch.from_numpy(lit).permute(0, 3, 1, 2).float() / 255
    return rows, other, wanted, model.encode(data.batch(range(len(data))).image)


def picture(model: InverseGraphicsNetwork, units: list[torch.Tensor], data: Ball) -> Pictures.Image:
    """Read and drawn again; then azimuth, elevation and light of the first by their units; then relit: read, light from, drawn, truth."""
    rows, other, wanted, latent = exchanged(model, data)
    image = data.batch(range(len(data))).image
    shown = [image[rows[:8]], model.decode(Code(latent.vector[rows[:8]]))]
    for own in units:
        walk = latent.vector[rows[:1]].repeat(8, 1)
        low, high = latent.vector[:, own].quantile(0.03, 0), latent.vector[:, own].quantile(0.97, 0)
        walk[:, own] = low + (high - low) * torch.linspace(0, 1, 8)[:, None]
        shown.append(model.decode(Code(walk)))
    changed = latent.vector[rows[:8]].clone()
    changed[:, units[2]] = latent.vector[other[:8]][:, units[2]]
    shown += [image[other[:8]], model.decode(Code(changed)), wanted[:8]]
    return sheet([[to_picture(one, 64) for one in row] for row in shown])
