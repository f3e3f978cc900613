"""The paths on this machine where weights are looked for, and where learnt ones are kept."""

import os
from collections.abc import Sequence
from importlib.util import find_spec
from pathlib import Path

import torch

VGG_FILE = "vgg16-397923af.pth"  # the last eight letters begin its SHA-256
LPIPS_CARRIERS = {"lpips": "weights/v0.1/vgg.pth", "torchmetrics": "functional/image/lpips_models/vgg.pth"}


def cache_folder() -> Path:
    """The folder for motes in the user's cache folder."""
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "motes"


def vgg_paths() -> list[Path]:
    """The paths where the weights of VGG-16 are looked for, in order; a download goes to the last."""
    download = Path(torch.hub.get_dir()) / "checkpoints" / VGG_FILE
    return [*path_of("MOTES_VGG_WEIGHTS"), *hub_paths(VGG_FILE), download]


def lpips_paths() -> list[Path]:
    """The paths where the channel weights of LPIPS are looked for, without importing the packages that
    contain them."""
    paths = path_of("MOTES_LPIPS_WEIGHTS")
    for package, file in LPIPS_CARRIERS.items():
        spec = find_spec(package)
        folders = spec.submodule_search_locations or () if spec else ()
        paths += [Path(folder) / file for folder in folders]
    return paths


def path_of(variable: str) -> list[Path]:
    """The path that the environment variable holds, as a list; an empty list if it is not set."""
    value = os.environ.get(variable)
    return [Path(value)] if value else []


def hub_paths(file: str) -> list[Path]:
    """The paths of a file in the cache of the Hugging Face hub; if none exists, the search pattern, for error
    messages."""
    home = Path(os.environ.get("HF_HOME", Path.home() / ".cache" / "huggingface"))
    hub = Path(os.environ.get("HF_HUB_CACHE", home / "hub"))
    pattern = f"models--*/snapshots/*/{file}"
    return sorted(hub.glob(pattern)) or [hub / pattern]


def first_file(paths: Sequence[Path]) -> Path | None:
    """The first of the paths that is a file, or None."""
    return next((path for path in paths if path.is_file()), None)
