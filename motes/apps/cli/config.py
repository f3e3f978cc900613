"""`--config FILE` of `motes train`: a run's run.json, or YAML with the same keys, below the words of the command.

What the command line says wins. Imports no torch.
"""

import argparse
import json
import re
from pathlib import Path
from typing import Any

from motes.data.recognise import KEPT
from motes.errors import UserError
from motes.models import MODELS
from motes.training.presets import PRESETS

EXPONENTIAL = re.compile(r"[-+]?\d+(\.\d*)?[eE][-+]?\d+$")
HOMES = {"model": "model_config", "data": "data_config", "training": "training"}
# `motes` and `changes` are of the run that wrote the file
KEYS = {"model", "preset", "data", "motes", "changes", *HOMES.values()}


def apply_config(arguments: argparse.Namespace) -> None:
    """Fill in what the words of the command leave open: the preset or model, the data, and all options."""
    if arguments.config is None:
        arguments.from_config = {}
        return
    named = arguments.preset
    if named in PRESETS or named in MODELS:
        raise UserError(f"{named} and --config both say what to train; leave out one of them")
    facts = _read(arguments.config)
    arguments.from_config = {home: dict(facts.get(key, {})) for home, key in HOMES.items()}
    # a place, which is data
    arguments.data = arguments.data or named
    if arguments.data is None:
        arguments.data = facts.get("data")
    elif arguments.data != facts.get("data"):
        of_data = arguments.from_config["data"]
        arguments.from_config["data"] = {name: value for name, value in of_data.items() if name in KEPT}
    preset = facts.get("preset")
    arguments.preset = preset if preset in PRESETS else facts.get("model", preset)
    if arguments.out is None:
        # the file of a run would name the run itself
        stem = arguments.config.stem
        arguments.out = Path("runs") / (
            f"{arguments.config.resolve().parent.name}-again" if stem == "run" else stem
        )


def _read(path: Path) -> dict[str, Any]:
    try:
        text = path.read_text()
    except (OSError, UnicodeDecodeError) as problem:
        raise UserError(
            f"{path} cannot be read: {getattr(problem, 'strerror', None) or 'it is no text'}"
        ) from None
    facts = _parsed(text, path)
    if not isinstance(facts, dict) or not all(isinstance(facts.get(key, {}), dict) for key in HOMES.values()):
        raise UserError(f"{path} should hold names and values, with mappings for {', '.join(HOMES.values())}")
    if unknown := sorted(set(map(str, facts)) - KEYS):
        raise UserError(f"{path} has no use for {', '.join(unknown)}; there are {', '.join(sorted(KEYS))}")
    return facts


def _parsed(text: str, path: Path) -> Any:
    if path.suffix == ".json":
        try:
            return json.loads(text)
        except ValueError as problem:
            raise UserError(f"{path} is no JSON: {problem}") from None
    # of accelerate's needs
    import yaml

    class Loader(yaml.SafeLoader):
        """As YAML's, but 1e-3 is a number."""

    Loader.add_implicit_resolver("tag:yaml.org,2002:float", EXPONENTIAL, list("-+0123456789"))
    try:
        return yaml.load(text, Loader)
    except yaml.YAMLError as problem:
        raise UserError(f"{path} is no YAML: {' '.join(str(problem).split())}") from None
