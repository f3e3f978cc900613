"""The configuration of a 2022 particle model, from its weights' shapes and its constructor's arguments."""

import re
from collections.abc import Mapping
from typing import Any

from torch import Tensor

from motes.errors import UserError
from motes.models.particles.dlp import DlpConfig
from motes.models.particles.dlp_masked import DlpMaskedConfig
from motes.models.particles.parts import HeatMapSizes

Weights = Mapping[str, Tensor]
Arguments = Mapping[str, Any]

# their argument -> our field
NUMBERS = {
    "n_kp_enc": "num_particles",
    "learned_feature_dim": "feature_dim",
    "patch_size": "patch_size",
    "cdim": "channels",
}
WIDTHS = {"enc_channels": "encoder_channels", "prior_channels": "prior_channels"}
FIRST_CONVOLUTION = "in_block_1.main.conv_"


def is_masked(weights: Weights) -> bool:
    """Whether the weights are of the masked model, which has no decoder of glimpses."""
    return "object_dec.fc.0.weight" not in weights


def object_config(weights: Weights, arguments: Arguments) -> DlpConfig:
    exclusive = arguments.get("exclusive_patches")
    return DlpConfig(
        num_proposals=int(arguments.get("n_kp_prior", 20)),
        glimpse_size=_glimpse_side(weights, arguments, _object_glimpse_side(weights)),
        architecture="published-exclusive" if exclusive else "published",
        **_sizes(weights, arguments),
    )


def masked_config(weights: Weights, arguments: Arguments) -> DlpMaskedConfig:
    return DlpMaskedConfig(
        num_proposals=int(arguments.get("n_kp_prior", 50)),
        glimpse_size=_glimpse_side(weights, arguments, _masked_glimpse_side(weights, arguments)),
        mask_threshold=float(arguments.get("mask_threshold", 0.2)),
        **_sizes(weights, arguments),
    )


def refuse_contradictions(config: HeatMapSizes, arguments: Arguments) -> None:
    """Refuse arguments that contradict the weights: one of the two is the wrong file."""
    given = {name: int(arguments[name]) for name in NUMBERS if name in arguments}
    given |= {name: tuple(arguments[name]) for name in WIDTHS if name in arguments}
    for name, value in given.items():
        inferred = getattr(config, (NUMBERS | WIDTHS)[name])
        if value != inferred:
            raise UserError(
                f"the kwargs say {name}={value}, the weights {inferred}; they do not belong together"
            )


def _sizes(weights: Weights, arguments: Arguments) -> dict[str, Any]:
    """The options that both models have, as they follow from weights and arguments."""
    side = _image_side(weights, arguments)
    first = next(value for key, value in weights.items() if key.startswith(f"enc.main.{FIRST_CONVOLUTION}"))
    patches = (re.match(r"prior\.enc\.main\.conv_in_(\d+)_0\.", key) for key in weights)
    return {
        "image_size": (side, side),
        "channels": first.shape[1],
        "num_particles": _count(weights),
        "feature_dim": weights["object_enc.4.weight"].shape[0] // 2,
        "patch_size": max(int(match[1]) for match in patches if match),
        "encoder_channels": _widths(weights, "enc.main"),
        "prior_channels": _widths(weights, "prior.enc.main"),
        "prior_std": float(arguments.get("sigma", 0.1)),
        "reconstruction": "mse",
    }


def _count(weights: Weights) -> int:
    return weights["enc.keymap.weight"].shape[0]


def _grid_side(weights: Weights) -> int:
    return round((weights["to_normal_stats.0.weight"].shape[1] / _count(weights)) ** 0.5)


def _image_side(weights: Weights, arguments: Arguments) -> int:
    halvings = len(_widths(weights, "enc.main")) - 1
    return int(arguments.get("image_size", _grid_side(weights) * 2**halvings))


def _glimpse_side(weights: Weights, arguments: Arguments, inferred: int) -> int:
    """The side of a glimpse in pixels, from the argument `anchor_s` (a share of the picture) or else as
    inferred."""
    share = arguments.get("anchor_s")
    return inferred if share is None else round(share * (_image_side(weights, arguments) - 1))


def _object_glimpse_side(weights: Weights) -> int:
    columns = weights["object_enc_sep.fc.0.weight"].shape[1]
    return 4 * round((columns / 32) ** 0.5)


def _masked_glimpse_side(weights: Weights, arguments: Arguments) -> int:
    """The side of a masked model's glimpse in pixels, inferred from the width of the network that reads
    glimpses.

    That network reads a window of each heat map, and the two numbers of the position.
    """
    columns = weights["object_enc_sep.fc.0.weight"].shape[1]
    cells = ((columns - 2) / _count(weights)) ** 0.5
    return round(cells / (_grid_side(weights) - 1) * (_image_side(weights, arguments) - 1))


def _widths(weights: Weights, stack: str) -> tuple[int, ...]:
    """The widths of a contracting stack, from the stage with the largest pictures to the smallest."""
    first = next(
        value.shape[0] for key, value in weights.items() if key.startswith(f"{stack}.{FIRST_CONVOLUTION}")
    )
    stage = re.compile(rf"{re.escape(stack)}\.conv_in_(\d+)_0\.main\.conv_")
    stages = {int(match[1]): value.shape[0] for key, value in weights.items() if (match := stage.match(key))}
    return (first, *(stages[side] for side in sorted(stages, reverse=True)))
