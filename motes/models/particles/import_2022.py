"""Weights of the 2022 research code, as a model of ours."""

import itertools
import json
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from motes.errors import UserError
from motes.models.base import Model
from motes.models.particles import dlp, dlp_masked

# our name <- their name, for whole stacks; the blocks inside are numbered by `_stack_names`
OBJECT_STACKS = {
    "encoder.image": "enc",
    "encoder.prior.network": "prior.enc",
    "encoder.glimpse": "object_enc_sep.cnn",
}
MASKED_STACKS = {"networks.image": "enc", "prior.network": "prior.enc"}
OBJECT_MLPS = {
    "encoder.position": "to_normal_stats",
    "encoder.presence": "aux_enc",
    "encoder.around": "object_enc",
    "encoder.look": "object_enc_sep.fc",
    "decoder.unfold": "object_dec.fc",
}
MASKED_MLPS = {
    "networks.position": "to_normal_stats",
    "networks.around": "object_enc",
    "networks.look": "object_enc_sep.fc",
}
IGNORED_KWARGS = {
    "use_logsoftmax": False,
    "learn_order": False,
    "n_kp": 1,
    "kp_activation": "tanh",
    "kp_range": [-1, 1],
    "pad_mode": "replicate",
    "dropout": 0.0,
}


def import_weights(weights: Path, kwargs: Path | None, out: Path) -> Model:
    """Read a `.pth` (never executing it) and write a checkpoint folder."""
    model = convert(read_state_dict(weights), _read_kwargs(kwargs))
    model.save(out)
    return model


def read_state_dict(path: Path) -> dict[str, Tensor]:
    if not path.is_file():
        raise UserError(f"{path} does not exist; name a .pth file of the 2022 code")
    try:
        loaded = torch.load(path, map_location="cpu", weights_only=True)
    except Exception as problem:
        reason = (
            "it holds more than weights, and code in it is never run"
            if "nsupported" in str(problem)
            else "it is cut short or no .pth file"
        )
        raise UserError(
            f"{path} cannot be read: {reason}; save it again as torch.save(model.state_dict(), ...)"
        ) from None
    while isinstance(loaded, dict) and (
        inner := next(
            (
                loaded[k]
                for k in ("model", "state_dict", "model_state_dict")
                if isinstance(loaded.get(k), dict)
            ),
            None,
        )
    ):
        loaded = inner
    if (
        not isinstance(loaded, dict)
        or not all(isinstance(value, Tensor) for value in loaded.values())
        or not loaded
    ):
        raise UserError(f"{path} holds no state dict of the 2022 code")
    return {key.removeprefix("module."): value for key, value in loaded.items()}


def convert(weights: Mapping[str, Tensor], kwargs: Mapping[str, Any] | None = None) -> Model:
    """The model that these weights make: its sizes from their shapes, the rest from the constructor's
    arguments of that code."""
    kwargs = dict(kwargs or {})
    for name, supported in IGNORED_KWARGS.items():
        told = kwargs.get(name, supported)
        if (list(told) if isinstance(told, tuple) else told) != supported:
            raise UserError(
                f"{name}={kwargs[name]} of the 2022 code is not supported here; only {supported} is"
            )
    if "enc.keymap.weight" not in weights or "to_normal_stats.0.weight" not in weights:
        raise UserError(
            "these are no weights of the 2022 particle model: enc.keymap.weight or to_normal_stats.0.weight is missing"
        )
    if not any(key.startswith("object_enc_sep.fc.") for key in weights):
        raise UserError(
            "weights of a 2022 model without its separate glimpse encoder (use_object_enc=False) are not supported"
        )
    masked = "object_dec.fc.0.weight" not in weights
    shape = _infer(weights, kwargs, masked)
    _compare(shape, kwargs)
    model: Model = (
        dlp_masked.MaskedParticles(dlp_masked.DlpMaskedConfig(**shape))
        if masked
        else dlp.DeepLatentParticles(dlp.DlpConfig(**shape))
    )
    names = _names(shape, masked)
    ours = model.state_dict()
    missing = [theirs for mine, theirs in names.items() if theirs not in weights]
    if missing:
        raise UserError(
            f"{len(missing)} weights of the 2022 model are missing, first {missing[0]}; is the file whole, and of this configuration?"
        )
    for mine, theirs in names.items():
        if ours[mine].shape != weights[theirs].shape:
            raise UserError(
                f"{theirs} has shape {tuple(weights[theirs].shape)}, but this configuration needs {tuple(ours[mine].shape)}; check the kwargs"
            )
    left = set(ours) - set(names) - {"evidence_threshold"}
    assert not left, f"no 2022 name for {sorted(left)[:3]}"
    model.load_state_dict({**ours, **{mine: weights[theirs] for mine, theirs in names.items()}})
    if not masked:
        model.get_buffer("evidence_threshold").fill_(
            -1e4
        )  # nothing was calibrated: every particle counts until `calibrate`
    return model.eval()


def _infer(weights: Mapping[str, Tensor], kwargs: Mapping[str, Any], masked: bool) -> dict[str, Any]:
    count = weights["enc.keymap.weight"].shape[0]
    widths = _widths(weights, "enc.main")
    grid = round((weights["to_normal_stats.0.weight"].shape[1] / count) ** 0.5)
    side = int(kwargs.get("image_size", grid * 2 ** (len(widths) - 1)))
    patch = max(
        int(match[1]) for key in weights if (match := re.match(r"prior\.enc\.main\.conv_in_(\d+)_0\.", key))
    )
    scale = kwargs.get("anchor_s")
    glimpse = (
        _glimpse_side(weights, count, side, grid, masked) if scale is None else round(scale * (side - 1))
    )
    shape: dict[str, Any] = {
        "image_size": (side, side),
        "channels": next(
            value.shape[1]
            for key, value in weights.items()
            if key.startswith("enc.main.in_block_1.main.conv_")
        ),
        "num_particles": count,
        "num_proposals": int(kwargs.get("n_kp_prior", 50 if masked else 20)),
        "feature_dim": weights["object_enc.4.weight"].shape[0] // 2,
        "patch_size": patch,
        "glimpse_size": glimpse,
        "encoder_channels": widths,
        "prior_channels": _widths(weights, "prior.enc.main"),
        "prior_std": float(kwargs.get("sigma", 0.1)),
        "reconstruction": "mse",
    }
    if masked:
        return {**shape, "mask_threshold": float(kwargs.get("mask_threshold", 0.2))}
    return {
        **shape,
        "architecture": "published-exclusive" if kwargs.get("exclusive_patches") else "published",
    }


def _glimpse_side(weights: Mapping[str, Tensor], count: int, side: int, grid: int, masked: bool) -> int:
    columns = weights["object_enc_sep.fc.0.weight"].shape[1]
    if masked:
        return round(((columns - 2) / count) ** 0.5 / (grid - 1) * (side - 1))
    return 4 * round((columns / 32) ** 0.5)


def _widths(weights: Mapping[str, Tensor], stack: str) -> tuple[int, ...]:
    """Widths of a contracting stack, in order of the sides at which its stages begin."""
    first = next(
        value.shape[0] for key, value in weights.items() if key.startswith(f"{stack}.in_block_1.main.conv_")
    )
    stages = {
        int(match[1]): value.shape[0]
        for key, value in weights.items()
        if (match := re.match(rf"{re.escape(stack)}\.conv_in_(\d+)_0\.main\.conv_", key))
    }
    return (first, *(stages[side] for side in sorted(stages, reverse=True)))


def _compare(shape: Mapping[str, Any], kwargs: Mapping[str, Any]) -> None:
    """Arguments that contradict the weights are refused: one of the two is the wrong file."""
    told = {
        "n_kp_enc": "num_particles",
        "learned_feature_dim": "feature_dim",
        "patch_size": "patch_size",
        "cdim": "channels",
    }
    for theirs, ours in told.items():
        if theirs in kwargs and int(kwargs[theirs]) != shape[ours]:
            raise UserError(
                f"the kwargs say {theirs}={kwargs[theirs]}, the weights {shape[ours]}; they do not belong together"
            )
    for theirs, ours in {"enc_channels": "encoder_channels", "prior_channels": "prior_channels"}.items():
        if theirs in kwargs and tuple(kwargs[theirs]) != shape[ours]:
            raise UserError(
                f"the kwargs say {theirs}={tuple(kwargs[theirs])}, the weights {shape[ours]}; they do not belong together"
            )


def _names(shape: Mapping[str, Any], masked: bool) -> dict[str, str]:
    """Every parameter and buffer of ours -> its name in the 2022 code."""
    home = "networks." if masked else "decoder."
    names: dict[str, str] = {}
    sides = {
        "enc": shape["image_size"][0],
        "prior.enc": shape["patch_size"],
        "object_enc_sep.cnn": shape["glimpse_size"],
    }
    widths = {
        "enc": shape["encoder_channels"],
        "prior.enc": shape["prior_channels"],
        "object_enc_sep.cnn": (16, 16, 32),
    }
    for ours, theirs in (MASKED_STACKS if masked else OBJECT_STACKS).items():
        names |= _stack_names(ours, theirs, widths[theirs], shape["channels"], sides[theirs])
    for ours, theirs in (MASKED_MLPS if masked else OBJECT_MLPS).items():
        layers = (0, 2) if theirs == "object_dec.fc" else (0, 2, 4)
        names |= {
            f"{ours}.{layer}.{kind}": f"{theirs}.{layer}.{kind}"
            for layer in layers
            for kind in ("weight", "bias")
        }
    names |= _pointnet_names(f"{home}pointnet", shape)
    maps = (3 if masked else 2) * shape["num_particles"]
    nodes = shape["num_particles"] + 1
    last = nodes * (shape["encoder_channels"][0] // nodes + 1)
    scene = (maps, *reversed(shape["encoder_channels"][1:]), last)
    names |= _expanding_names(f"{home}scene", "dec.main", scene, first_label=8)
    names |= {
        f"{home}scene.top.{kind}": f"dec.final_conv.main.conv_{last}_to_{shape['channels']}.{kind}"
        for kind in ("weight", "bias")
    }
    if not masked:
        doublings = max((-(-shape["glimpse_size"] // 8) - 1).bit_length(), 0)
        names |= _expanding_names(
            "decoder.draw", "object_dec.main", (32, *[64] * doublings, 32), first_label=16
        )
        names |= {
            f"decoder.draw.top.{kind}": f"object_dec.main.final_conv.main.conv_32_to_{shape['channels'] + 1}.{kind}"
            for kind in ("weight", "bias")
        }
    return names


def _stack_names(ours: str, theirs: str, widths: tuple[int, ...], inputs: int, side: int) -> dict[str, str]:
    blocks = [("in_block_1", inputs, widths[0]), ("in_block_2", widths[0], widths[0])]
    for narrow, wide in itertools.pairwise(widths):
        blocks += [(f"conv_in_{side}_0", narrow, wide), (f"conv_in_{wide}_1", wide, wide)]
        side //= 2
    names = {f"{ours}.top.{kind}": f"{theirs}.keymap.{kind}" for kind in ("weight", "bias")}
    for number, (label, a, b) in enumerate(blocks):
        names |= _block_names(f"{ours}.blocks.{number}", f"{theirs}.main.{label}", a, b)
    return names


def _expanding_names(ours: str, theirs: str, widths: tuple[int, ...], first_label: int) -> dict[str, str]:
    names: dict[str, str] = {}
    for number, (a, b) in enumerate(itertools.pairwise(widths)):
        label = f"conv_to_{first_label * 2 ** (number - 1)}" if number else "depth_up"
        names |= _block_names(f"{ours}.blocks.{number}", f"{theirs}.{label}", a, b)
    return names


def _pointnet_names(ours: str, shape: Mapping[str, Any]) -> dict[str, str]:
    names = {f"{ours}.unfold.{kind}": f"pointnet.fc.0.{kind}" for kind in ("weight", "bias")}
    for number in range(4):
        mine = f"{ours}.layers.{number}"
        theirs = f"pointnet.conv{number + 1}.mlp"
        for part, place in (("first", 0), ("second", 3)):
            names |= {f"{mine}.{part}.{kind}": f"{theirs}.{place}.{kind}" for kind in ("weight", "bias")}
            names |= _norm_names(f"{mine}.{part}_norm", f"{theirs}.{place + 1}")
    grid = shape["image_size"][0] // 2 ** (len(shape["encoder_channels"]) - 1)
    count = shape["num_particles"]
    for number in range(max((grid // 8).bit_length() - 1, 0)):
        names |= _block_names(f"{ours}.grow.{number}", f"pointnet.cnn.depth_up_{number}", count, count)
    return names


def _block_names(ours: str, theirs: str, inputs: int, outputs: int) -> dict[str, str]:
    convolution = {f"{ours}.conv.weight": f"{theirs}.main.conv_{inputs}_to_{outputs}.weight"}
    return convolution | _norm_names(f"{ours}.norm", f"{theirs}.main.bathcnorm_{outputs}")


def _norm_names(ours: str, theirs: str) -> dict[str, str]:
    return {
        f"{ours}.{kind}": f"{theirs}.{kind}"
        for kind in ("weight", "bias", "running_mean", "running_var", "num_batches_tracked")
    }


def _read_kwargs(path: Path | None) -> dict[str, Any]:
    if path is None:
        return {}
    try:
        kwargs = json.loads(path.read_text())
    except FileNotFoundError:
        raise UserError(
            f"{path} does not exist; name a JSON file with the constructor's arguments of the 2022 code"
        ) from None
    except ValueError:
        raise UserError(
            f"{path} is not JSON; it should hold the constructor's arguments of the 2022 code"
        ) from None
    if not isinstance(kwargs, dict):
        raise UserError(f"{path} should hold one JSON object, the constructor's arguments of the 2022 code")
    return kwargs
