"""Folder <-> model: `config.json` (with a format version) and `model.safetensors`; nothing that is loaded can execute."""

import difflib
import json
import os
import shutil
from dataclasses import asdict
from pathlib import Path
from typing import Any

from safetensors import SafetensorError
from safetensors.torch import load_file, save_file

from motes.errors import UserError
from motes.models import MODELS
from motes.models.base import Model
from motes.models.card import card
from motes.ops.plain import from_plain
from motes.version import VERSION

FORMAT = 1
OURS = {"config.json", "model.safetensors", "training.json", "training.safetensors", "README.md"}  # what a checkpoint folder may hold


def save(model: Model, folder: Path) -> None:
    """Write the folder beside its place, then move it there: a reader sees the old one or the new one, whole."""
    if folder.exists() and not (folder.is_dir() and {file.name for file in folder.iterdir()} <= OURS):
        raise UserError(f"{folder} holds something else than a checkpoint, which would be lost; choose another place")
    folder = folder.resolve()
    fresh = begin_folder(folder)
    try:
        write_model(model, fresh)
        finish_folder(fresh, folder)
    except (OSError, SafetensorError) as problem:
        raise UserError(f"{folder} cannot be written: {getattr(problem, 'strerror', None) or problem}") from None
    finally:
        shutil.rmtree(fresh, ignore_errors=True)


def write_model(model: Model, folder: Path) -> None:
    facts = {"format": FORMAT, "motes": VERSION, "model": name_of(model), "config": asdict(model.config)}
    (folder / "config.json").write_text(json.dumps(facts, indent=2) + "\n")
    save_file({key: value.contiguous() for key, value in model.state_dict().items()}, folder / "model.safetensors")


def name_of(model: Model) -> str:
    for name in MODELS:
        if MODELS[name] is type(model):
            return name
    raise UserError(f"{type(model).__name__} is not in MODELS, so that nothing could load it; add its line to motes/models/__init__.py")


def begin_folder(folder: Path) -> Path:
    """An empty folder beside `folder`, on the same disk."""
    fresh = folder.with_name(f".{folder.name}.{os.getpid()}.part")
    shutil.rmtree(fresh, ignore_errors=True)
    try:
        if not folder.exists() and _stepped_aside(folder).exists():
            _stepped_aside(folder).rename(folder)
        fresh.mkdir(parents=True)
    except OSError as problem:
        raise UserError(f"{folder} cannot be written: {problem.strerror or problem}") from None
    return fresh


def finish_folder(fresh: Path, folder: Path) -> None:
    """Flush to disk and rename; an older folder steps aside first and goes only when the new one is in place."""
    for path in (*fresh.iterdir(), fresh):
        flush(path)
    older = _stepped_aside(folder)
    if folder.exists():
        shutil.rmtree(older, ignore_errors=True)
        folder.rename(older)
    try:
        fresh.rename(folder)
    except OSError:
        if older.exists():
            older.rename(folder)
        raise
    flush(folder.parent)
    shutil.rmtree(older, ignore_errors=True)


def flush(path: Path) -> None:
    """To the disk, so that a power cut finds it there; a folder's own entries as well as files."""
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _stepped_aside(folder: Path) -> Path:
    """Where the older folder waits while the new one moves in; after a crash at that moment it is the one to read."""
    return folder.with_name(f".{folder.name}.old")


def load(where: str | Path, device: str = "cpu") -> Model:
    """The model of a checkpoint folder, or of a run folder (its best checkpoint, or else its last), ready to use."""
    folder = checkpoint_folder(Path(where))
    model = build(*read_config(folder))
    path = folder / "model.safetensors"
    try:
        weights = load_file(path)
    except FileNotFoundError:
        raise UserError(f"{folder} has a config.json but no model.safetensors; the checkpoint is incomplete") from None
    except (SafetensorError, OSError, ValueError):
        raise UserError(f"{path} is cut short or damaged; use another checkpoint of the run") from None
    check_weights(model, weights, path)
    model.load_state_dict(weights)
    return model.to(device).eval()


def checkpoint_folder(where: Path) -> Path:
    places = [where, where / "checkpoints" / "best", where / "checkpoints" / "last"]
    if where.name and not where.exists():
        places.append(_stepped_aside(where))
    for folder in places:
        if (folder / "config.json").is_file():
            return folder
    if not where.exists():
        raise UserError(f"{where} does not exist; name a run folder or a checkpoint folder")
    raise UserError(f"{where} is neither a run nor a checkpoint: it has no config.json, nor checkpoints/best")


def read_config(folder: Path) -> tuple[str, dict[str, Any]]:
    path = folder / "config.json"
    try:
        facts = json.loads(path.read_text())
        version, name, config = facts["format"], str(facts["model"]), dict(facts["config"])
    except (OSError, ValueError, KeyError, TypeError):
        raise UserError(f"{path} is damaged, or not of motes; use another checkpoint of the run") from None
    if version != FORMAT:
        raise UserError(
            f"{path} is of format {version}, this motes ({VERSION}) reads format {FORMAT}; install the motes that wrote it ({facts.get('motes')})"
        )
    return name, config


def build(name: str, config: dict[str, Any]) -> Model:
    """A model by name; fields it does not have are refused by name."""
    if name not in MODELS:
        near = difflib.get_close_matches(name, list(MODELS), 1)
        raise UserError(f"there is no model {name!r}" + (f"; did you mean {near[0]}?" if near else f"; there are {', '.join(MODELS)}"))
    cls = MODELS[name]
    return cls(from_plain(cls.Config, config, f"model {name}"))


def check_weights(model: Model, weights: dict[str, Any], path: Path) -> None:
    expected = model.state_dict()
    if missing := sorted(set(expected) - set(weights)):
        raise UserError(f"{path} lacks {missing[0]} and {len(missing) - 1} more; it belongs to another model than its config.json")
    if extra := sorted(set(weights) - set(expected)):
        raise UserError(f"{path} has {extra[0]}, which the model of its config.json does not; it belongs to another model")
    for key, value in expected.items():
        if value.shape != weights[key].shape:
            raise UserError(
                f"{path}: {key} has shape {tuple(weights[key].shape)}, its config.json asks for {tuple(value.shape)}; they do not belong together"
            )


def load_pretrained(where: str | Path) -> Model:
    """A folder, or a repository of the Hugging Face hub."""
    if Path(where).exists():
        return load(where)
    hub = _hub()
    try:
        folder = hub.snapshot_download(str(where), allow_patterns=["config.json", "model.safetensors"])
    except Exception as problem:
        raise UserError(
            f"{where} is no folder here, and config.json and model.safetensors of a repository of that name could not be fetched from "
            f"{hub.constants.ENDPOINT} ({type(problem).__name__}); check the name and the network, or name a folder"
        ) from None
    return load(folder)


def push(model: Model, repository: str, scores: dict[str, float] | None = None, command: str = "") -> str:
    """Upload weights, config and a model card; returns the address."""
    import tempfile

    hub = _hub()
    with tempfile.TemporaryDirectory() as place:
        write_model(model, Path(place))
        (Path(place) / "README.md").write_text(card(model, name_of(model), repository, scores or {}, command))
        try:
            api = hub.HfApi()
            api.create_repo(repository, exist_ok=True)
            return str(api.upload_folder(repo_id=repository, folder_path=place))
        except Exception as problem:
            raise UserError(
                f"{repository} could not be pushed to the hub ({type(problem).__name__}); is there a network, and did you log in with `hf auth login`?"
            ) from None


def _hub() -> Any:
    try:
        import huggingface_hub
    except ImportError:
        raise UserError("the hub needs one more package: pip install 'motes[hf]'") from None
    return huggingface_hub
