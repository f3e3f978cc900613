"""How a model's latents look over some pictures: numbers, and a sentence on what to try where something has
collapsed."""

from typing import Any

import torch
from torch import Tensor

from motes.apps.session.kinds import kind_of
from motes.models.abilities import HasCode
from motes.types.latents import Particles

STILL = 0.02  # a number that varies by less than this share of the liveliest one carries nothing


def checked(latent: Any) -> dict[str, Any]:
    """Of a batch of latents: `numbers` (name, value in words) and `sentences`."""
    check = CHECKS.get(kind_of(latent).name)
    return {"numbers": [], "sentences": []} if check is None else check(latent)


def _particles(latent: Particles) -> dict[str, Any]:
    count = latent.count
    there = latent.confident().presence > 0.5
    mean = there.sum(1).float().mean().item()
    unsure = ((latent.presence > 0.2) & (latent.presence < 0.8)).float().mean().item()
    numbers = [("there, in a picture", f"{mean:.1f} of {count}"), ("half there", f"{unsure:.0%}")]
    sentences = []
    if mean < 0.5:
        sentences.append(
            "Hardly any particle is there; train longer, or try a smaller --model.presence-weight."
        )
    elif mean > 0.95 * count and latent.certainty is not None:
        sentences.append(
            "Nearly all particles are always there; if things are fewer, try a larger --model.presence-weight, else more --model.num-particles."
        )
    if unsure > 0.3:
        sentences.append("Many particles are half there; a larger --model.presence-weight makes them decide.")
    wander = latent.position.std(0, correction=0).mean().item()
    numbers.append(("places vary by, in half pictures", f"{wander:.2f}"))
    if wander < 0.01 and len(latent.position) > 1:
        sentences.append(
            "The particles lie at the same places in all pictures: they do not follow what is there. Train longer, or a larger --model.prior-std."
        )
    looks = latent.features[there] if there.sum() > 8 else latent.features.flatten(0, 1)
    return _lively(looks, "look", numbers, sentences)


def _code(latent: HasCode) -> dict[str, Any]:
    return _lively(latent.code, "code", [], [])


def _lively(
    values: Tensor, what: str, numbers: list[tuple[str, str]], sentences: list[str]
) -> dict[str, Any]:
    """How many of a vector's numbers vary."""
    if values.shape[1]:
        spread = values.std(0, correction=0)
        used = int((spread > STILL * spread.max().clamp_min(1e-6)).sum())
        numbers.append((f"numbers of a {what} that vary", f"{used} of {len(spread)}"))
        if spread.max() < 1e-3:
            sentences.append(f"The {what} is the same everywhere: it carries nothing yet.")
        elif used < 0.5 * len(spread):
            sentences.append(
                f"{len(spread) - used} numbers of a {what} hardly vary; fewer would do, or try a smaller weight of its KL."
            )
        if not torch.isfinite(values).all():
            sentences.append(
                f"Some numbers of a {what} are not finite; try a smaller --training.learning-rate."
            )
    return {"numbers": numbers, "sentences": sentences}


# kind of latent -> what is checked
CHECKS = {"particles": _particles, "code": _code}
