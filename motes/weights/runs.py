"""Finding a run by its name: a folder, a model that comes with motes, or a repository of the Hugging Face hub."""

import json
import re
from functools import cache
from pathlib import Path
from typing import Any

from motes.errors import UserError
from motes.plain.packages import optional
from motes.plain.writing import stepped_aside

SHIPPED = Path(__file__).parent / "shipped"
# what is fetched of a repository; run.json says what data it learnt from
FILES = ("config.json", "model.safetensors", "run.json", "scores.json")
# owner/name of the hub, perhaps with a branch, a tag or a commit
REPOSITORY = re.compile(r"(?P<name>[\w.-]+/[\w.-]+)(?:@(?P<revision>[\w./-]+))?")


def run_folder(name: str | Path) -> Path:
    """The folder of a run or a checkpoint: `name` itself where it is a folder, else the model of this name that
    comes with motes, else the repository `owner/name[@revision]` of the hub, which is downloaded once.

    >>> run_folder("shapes").name
    'shapes'
    """
    folder = Path(name)
    if str(name) in shipped_models() and not _holds_a_run(folder):
        return SHIPPED / str(name)
    if folder.exists() or (folder.name and stepped_aside(folder).exists()):
        return folder
    repository = REPOSITORY.fullmatch(str(name))
    # runs/mine is a folder that is not there, rather than a repository of somebody called runs
    if repository and not folder.parent.is_dir():
        return _download(repository["name"], repository["revision"])
    names = ", ".join(shipped_models())
    raise UserError(
        f"{name} does not exist: it is no folder, none of the models that come with motes ({names}), "
        "and no owner/name of the hub"
    )


def name_of_run(folder: Path) -> str:
    """What `run_folder` finds this folder by, wherever it is asked: the name of a model that comes with motes, or
    else the whole path."""
    resolved = folder.resolve()
    return resolved.name if resolved.parent == SHIPPED.resolve() else str(resolved)


def _holds_a_run(folder: Path) -> bool:
    return any((folder / file).exists() for file in ("config.json", "run.json", "checkpoints"))


@cache
def shipped_models() -> dict[str, dict[str, Any]]:
    """The models that come with motes, by name: what each is, how it was trained, and what was measured."""
    return json.loads((SHIPPED / "manifest.json").read_text())


def hub() -> Any:
    return optional("huggingface_hub", "hf", "the hub needs huggingface_hub")


def _download(repository: str, revision: str | None) -> Path:
    """Download the files of a repository; returns the folder that holds them."""
    client = hub()
    try:
        return Path(client.snapshot_download(repository, revision=revision, allow_patterns=list(FILES)))
    except Exception as problem:
        at = f" at {revision}" if revision else ""
        raise UserError(
            f"{repository} is no folder here, and config.json and model.safetensors of a repository of that "
            f"name{at} could not be fetched from {client.constants.ENDPOINT} ({type(problem).__name__}); "
            "check the name and the network, or name a folder"
        ) from None
