"""Findings about a model's latents of some pictures.

They are numbers, and where something has collapsed a sentence on what to try.
"""

from dataclasses import dataclass, field
from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor

from motes.apps.session.kinds import kind_of
from motes.models.abilities import HasCode
from motes.types.latents import Particles
from motes.types.slots import Slots

# a number that varies by less than this share of the one that varies most carries nothing
STILL = 0.02


@dataclass
class Findings:
    """What the studio shows about the latents of some pictures."""

    # name and value, both as text
    numbers: list[tuple[str, str]] = field(default_factory=list)
    # what is wrong, and what to try
    sentences: list[str] = field(default_factory=list)


def checked(latent: Any) -> dict[str, Any]:
    """The findings about a batch of latents, as plain values; empty for kinds of latents without a check."""
    findings = Findings()
    if check := CHECKS.get(kind_of(latent).name):
        check(latent, findings)
    return vars(findings)


def _check_particles(latent: Particles, findings: Findings) -> None:
    believed = latent.believed
    _check_presence(latent, findings)
    _check_positions(latent, findings)
    features = latent.features[believed] if believed.sum() > 8 else latent.features.flatten(0, 1)
    _check_spread(features, "look", findings)


def _check_presence(latent: Particles, findings: Findings) -> None:
    mean = latent.believed.sum(1).float().mean().item()
    unsure = ((latent.presence > 0.2) & (latent.presence < 0.8)).float().mean().item()
    findings.numbers.append(("there, in a picture", f"{mean:.1f} of {latent.count}"))
    findings.numbers.append(("half there", f"{unsure:.0%}"))
    if mean < 0.5:
        findings.sentences.append(
            "Hardly any particle is there; train longer, or try a smaller --model.presence-weight."
        )
    elif mean > 0.95 * latent.count and latent.certainty is not None:
        findings.sentences.append(
            "Nearly all particles are always there; if things are fewer, try a larger "
            "--model.presence-weight, else more --model.num-particles."
        )
    if unsure > 0.3:
        findings.sentences.append(
            "Many particles are half there; a larger --model.presence-weight makes them decide."
        )


def _check_positions(latent: Particles, findings: Findings) -> None:
    deviation = latent.position.std(0, correction=0).mean().item()
    findings.numbers.append(("places vary by, in half pictures", f"{deviation:.2f}"))
    if deviation < 0.01 and len(latent) > 1:
        findings.sentences.append(
            "The particles lie at the same places in all pictures: they do not follow what is there. "
            "Train longer, or a larger --model.prior-std."
        )


def _check_slots(latent: Slots, findings: Findings) -> None:
    mean = latent.believed.sum(1).float().mean().item()
    findings.numbers.append(("there, in a picture", f"{mean:.1f} of {latent.count}"))
    _check_spread(latent.codes.flatten(0, 1), "slot's code", findings)


def _check_code(latent: HasCode, findings: Findings) -> None:
    _check_spread(latent.code, "code", findings)


def _check_spread(vectors: Float[Tensor, "M F"], what: str, findings: Findings) -> None:
    """Add to the findings how many numbers of the vectors vary, and a sentence if few do.

    `what` names the vectors in the text.
    """
    count = vectors.shape[1]
    if not count:
        return
    deviations = vectors.std(0, correction=0)
    largest = deviations.max()
    varying = int((deviations > STILL * largest.clamp_min(1e-6)).sum())
    findings.numbers.append((f"numbers of a {what} that vary", f"{varying} of {count}"))
    if largest < 1e-3:
        findings.sentences.append(f"The {what} is the same everywhere: it carries nothing yet.")
    elif varying < 0.5 * count:
        findings.sentences.append(
            f"{count - varying} numbers of a {what} hardly vary; fewer would do, "
            "or try a smaller weight of its KL."
        )
    if not torch.isfinite(vectors).all():
        findings.sentences.append(
            f"Some numbers of a {what} are not finite; try a smaller --training.learning-rate."
        )


# kind of latent -> its check
CHECKS = {"particles": _check_particles, "slots": _check_slots, "code": _check_code}
