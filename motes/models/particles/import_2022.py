"""Converts weights of the 2022 research code into models of this package."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from motes.errors import UserError
from motes.models.base import Model
from motes.models.particles.dlp import DeepLatentParticles
from motes.models.particles.dlp_masked import MaskedParticles
from motes.models.particles.names_2022 import Names, masked_names, object_names
from motes.models.particles.sizes_2022 import is_masked, masked_config, object_config, refuse_contradictions

# constructor's arguments that change the model -> the only value that is supported
SUPPORTED = {
    "use_logsoftmax": False,
    "learn_order": False,
    "n_kp": 1,
    "kp_activation": "tanh",
    "kp_range": [-1, 1],
    "pad_mode": "replicate",
    "dropout": 0.0,
}
# entries of a training checkpoint that hold the state dict
WRAPPERS = ("model", "state_dict", "model_state_dict")
NOT_CALIBRATED = -1e4  # a threshold of the evidence that every particle exceeds


def import_weights(weights: Path, kwargs: Path | None, out: Path) -> Model:
    """Read a `.pth` file, without executing code from it, and write the model as a checkpoint folder."""
    model = convert(read_state_dict(weights), _read_kwargs(kwargs))
    model.save(out)
    return model


def read_state_dict(path: Path) -> dict[str, Tensor]:
    if not path.is_file():
        raise UserError(f"{path} does not exist; name a .pth file of the 2022 code")
    try:
        loaded = torch.load(path, map_location="cpu", weights_only=True)
    except Exception as problem:
        raise UserError(
            f"{path} cannot be read: {_reason(problem)}; save it again as torch.save(model.state_dict(), ...)"
        ) from None
    state = _unwrapped(loaded)
    if not isinstance(state, dict) or not state or not all(isinstance(v, Tensor) for v in state.values()):
        raise UserError(f"{path} holds no state dict of the 2022 code")
    return {key.removeprefix("module."): value for key, value in state.items()}


def _reason(problem: Exception) -> str:
    if "nsupported" in str(problem):
        return "it holds more than weights, and code in it is never run"
    return "it is cut short or no .pth file"


def convert(weights: Mapping[str, Tensor], kwargs: Mapping[str, Any] | None = None) -> Model:
    """The model that has these weights.

    Sizes follow from the shapes of the weights, everything else from the arguments of the 2022 code.
    """
    arguments = dict(kwargs or {})
    _refuse_unsupported(weights, arguments)
    make_model = _masked_model if is_masked(weights) else _object_model
    model, names = make_model(weights, arguments)
    _load(model, weights, names)
    return model.eval()


def _object_model(weights: Mapping[str, Tensor], arguments: Mapping[str, Any]) -> tuple[Model, Names]:
    config = object_config(weights, arguments)
    refuse_contradictions(config, arguments)
    model = DeepLatentParticles(config)
    # every particle counts until `calibrate`
    model.evidence_threshold.fill_(NOT_CALIBRATED)
    return model, object_names(config)


def _masked_model(weights: Mapping[str, Tensor], arguments: Mapping[str, Any]) -> tuple[Model, Names]:
    config = masked_config(weights, arguments)
    refuse_contradictions(config, arguments)
    return MaskedParticles(config), masked_names(config)


def _load(model: Model, weights: Mapping[str, Tensor], names: Names) -> None:
    state = model.state_dict()
    _check_weights(state, weights, names)
    unnamed = set(state) - set(names) - {"evidence_threshold"}
    assert not unnamed, f"no 2022 name for {sorted(unnamed)[:3]}"
    model.load_state_dict({**state, **{ours: weights[theirs] for ours, theirs in names.items()}})


def _check_weights(state: Mapping[str, Tensor], weights: Mapping[str, Tensor], names: Names) -> None:
    missing = [theirs for theirs in names.values() if theirs not in weights]
    if missing:
        raise UserError(
            f"{len(missing)} weights of the 2022 model are missing, first {missing[0]}; "
            "is the file whole, and of this configuration?"
        )
    for ours, theirs in names.items():
        if state[ours].shape != weights[theirs].shape:
            raise UserError(
                f"{theirs} has shape {tuple(weights[theirs].shape)}, but this configuration needs "
                f"{tuple(state[ours].shape)}; check the kwargs"
            )


def _refuse_unsupported(weights: Mapping[str, Tensor], arguments: Mapping[str, Any]) -> None:
    _refuse_other_arguments(arguments)
    if "enc.keymap.weight" not in weights or "to_normal_stats.0.weight" not in weights:
        raise UserError(
            "these are no weights of the 2022 particle model: "
            "enc.keymap.weight or to_normal_stats.0.weight is missing"
        )
    if not any(key.startswith("object_enc_sep.fc.") for key in weights):
        raise UserError(
            "weights of a 2022 model without its separate glimpse encoder (use_object_enc=False) "
            "are not supported"
        )


def _refuse_other_arguments(arguments: Mapping[str, Any]) -> None:
    for name, supported in SUPPORTED.items():
        value = arguments.get(name, supported)
        if (list(value) if isinstance(value, tuple) else value) != supported:
            raise UserError(f"{name}={value} of the 2022 code is not supported here; only {supported} is")


def _unwrapped(loaded: Any) -> Any:
    """The state dict, taken out of the checkpoint dictionaries that may enclose it."""
    while isinstance(loaded, dict):
        inner = next((loaded[name] for name in WRAPPERS if isinstance(loaded.get(name), dict)), None)
        if not inner:
            break
        loaded = inner
    return loaded


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
