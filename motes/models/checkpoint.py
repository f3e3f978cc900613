"""Models saved to folders and loaded from them: `config.json`, with a format version, and
`model.safetensors`.

Loading a folder never executes code from it.
"""

import difflib
import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any, Protocol, runtime_checkable

from safetensors import SafetensorError
from safetensors.torch import load_file, save_file
from torch import Tensor

from motes.errors import UserError
from motes.models import MODELS
from motes.models.base import Model
from motes.plain.records import from_plain
from motes.plain.writing import stepped_aside, whole_folder
from motes.version import VERSION
from motes.weights.runs import run_folder

FORMAT = 1
# what a checkpoint folder may hold
OURS = {"config.json", "model.safetensors", "training.json", "training.safetensors", "README.md"}


def save(model: Model, folder: Path) -> None:
    """Write the model to a new folder, then move that folder into place.

    Anyone who reads meanwhile finds the old folder or the new one, never a part.
    """
    if folder.exists() and not (folder.is_dir() and {file.name for file in folder.iterdir()} <= OURS):
        raise UserError(
            f"{folder} holds something else than a checkpoint, which would be lost; choose another place"
        )
    with whole_folder(folder) as fresh:
        write_model(model, fresh)


def write_model(model: Model, folder: Path) -> None:
    facts = {"format": FORMAT, "motes": VERSION, "model": name_of(model), "config": asdict(model.config)}
    (folder / "config.json").write_text(json.dumps(facts, indent=2) + "\n")
    save_tensors(model.state_dict(), folder / "model.safetensors")


def save_tensors(tensors: Mapping[str, Tensor], path: Path) -> None:
    """Write tensors to a safetensors file; if the disk refuses, raise an OSError, as for any other file."""
    try:
        save_file({key: value.contiguous() for key, value in tensors.items()}, path)
    except SafetensorError as problem:
        raise OSError(str(problem)) from None


def name_of(model: Model) -> str:
    for name in MODELS:
        if MODELS[name] is type(model):
            return name
    raise UserError(
        f"{type(model).__name__} is not in MODELS, so that nothing could load it; "
        "add its line to motes/models/__init__.py"
    )


@runtime_checkable
class Upgrades(Protocol):
    """A part of a model that knows how an earlier motes stored it."""

    def upgrade(self, weights: dict[str, Tensor], prefix: str) -> None:
        """Replace what is stored under names with this prefix by what the part has today; the same pictures come out."""
        ...


def load(where: str | Path, device: str = "cpu", options: Mapping[str, Any] | None = None) -> Model:
    """The model of a run, on a device and in eval mode.

    A run is named by its folder, by the name of a model that comes with motes, such as "shapes", or as
    `owner/name[@revision]` of the Hugging Face hub. `options` change some options of its config, such as the number of updates of slots; those on which the sizes of
    weights depend are refused.

    The folder may be a checkpoint or a run. A run opens its best checkpoint, or the last one if there is no best.
    A folder without a complete checkpoint, or in another format, is refused with a `UserError` that says what
    to do.

    >>> import tempfile
    >>> model = MODELS["autoencoder"](MODELS["autoencoder"].Config(image_size=(16, 16), code_dim=4, width=8))
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     model.save(Path(folder) / "model")
    ...     load(Path(folder) / "model").config == model.config
    True
    """
    folder = checkpoint_folder(where)
    name, config = read_config(folder)
    changed = build(name, {**config, **(options or {})})
    path = folder / "model.safetensors"
    weights = _read_weights(path)
    model = build(name, config) if options else changed
    for name, part in model.named_modules():
        if isinstance(part, Upgrades):
            part.upgrade(weights, f"{name}.")
    check_weights(model, weights, path)
    if options:
        _refuse_options_of_weights(changed, weights, options)
    changed.load_state_dict(weights)
    return changed.to(device).eval()


def _refuse_options_of_weights(
    model: Model, weights: Mapping[str, Tensor], options: Mapping[str, Any]
) -> None:
    expected = {name: value.shape for name, value in model.state_dict().items()}
    if expected != {name: value.shape for name, value in weights.items()}:
        raise UserError(
            f"the weights of this model depend on {' or '.join(options)}, which cannot be changed after training; "
            "train another model for that"
        )


def _read_weights(path: Path) -> dict[str, Any]:
    try:
        return load_file(path)
    except FileNotFoundError:
        raise UserError(
            f"{path.parent} has a config.json but no model.safetensors; the checkpoint is incomplete"
        ) from None
    except (SafetensorError, OSError, ValueError):
        raise UserError(f"{path} is cut short or damaged; use another checkpoint of the run") from None


def weights_hash(folder: Path) -> str:
    """The SHA-256 of the weights in a checkpoint's folder."""
    with (folder / "model.safetensors").open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def checkpoint_folder(run: str | Path) -> Path:
    """The checkpoint of a run, found by its name: the best one, or else the last."""
    where = run_folder(run)
    places = [where, where / "checkpoints" / "best", where / "checkpoints" / "last"]
    if where.name and not where.exists():
        places.append(stepped_aside(where))
    for folder in places:
        if (folder / "config.json").is_file():
            return folder
    raise UserError(f"{where} is neither a run nor a checkpoint: it has no config.json, nor checkpoints/best")


def read_config(folder: Path) -> tuple[str, dict[str, Any]]:
    path = folder / "config.json"
    try:
        facts = json.loads(path.read_text())
        version = facts["format"]
        name = str(facts["model"])
        config = dict(facts["config"])
    except (OSError, ValueError, KeyError, TypeError):
        raise UserError(f"{path} is damaged, or not of motes; use another checkpoint of the run") from None
    if version != FORMAT:
        raise UserError(
            f"{path} is of format {version}, this motes ({VERSION}) reads format {FORMAT}; "
            f"install the motes that wrote it ({facts.get('motes')})"
        )
    return name, config


def build(name: str, config: dict[str, Any]) -> Model:
    """A new model, given its name and its config; fields that the config does not have are refused by
    name."""
    if name not in MODELS:
        near = difflib.get_close_matches(name, list(MODELS), 1)
        raise UserError(
            f"there is no model {name!r}, here or in an installed package"
            + (f"; did you mean {near[0]}?" if near else f"; there are {', '.join(MODELS)}")
        )
    cls = MODELS[name]
    return cls(from_plain(cls.Config, config, f"model {name}"))


def check_weights(model: Model, weights: dict[str, Any], path: Path) -> None:
    expected = model.state_dict()
    _check_names(expected, weights, path)
    _check_shapes(expected, weights, path)


def _check_names(expected: dict[str, Any], weights: dict[str, Any], path: Path) -> None:
    if missing := sorted(set(expected) - set(weights)):
        raise UserError(
            f"{path} lacks {missing[0]} and {len(missing) - 1} more; "
            "it belongs to another model than its config.json"
        )
    if extra := sorted(set(weights) - set(expected)):
        raise UserError(
            f"{path} has {extra[0]}, which the model of its config.json does not; it belongs to another model"
        )


def _check_shapes(expected: dict[str, Any], weights: dict[str, Any], path: Path) -> None:
    for key, value in expected.items():
        if value.shape != weights[key].shape:
            raise UserError(
                f"{path}: {key} has shape {tuple(weights[key].shape)}, its config.json asks for "
                f"{tuple(value.shape)}; they do not belong together"
            )
