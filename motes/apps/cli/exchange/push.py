"""`motes push`: uploads a run to the Hugging Face hub, with a model card that holds its scores."""

import argparse
import json
from pathlib import Path

from motes.apps.cli.arguments import Parser, add_run

ABOUT = "a run to the Hugging Face hub"


def add_arguments(parser: Parser) -> None:
    add_run(parser)
    parser.add_argument("repository", help="owner/name on the hub")


def run(arguments: argparse.Namespace) -> None:
    from motes.models.checkpoint import load

    model = load(arguments.run)
    print(model.push_to_hub(arguments.repository, _scores_of(arguments.run / "scores.json")))


def _scores_of(path: Path) -> dict[str, float]:
    """The scores in the file that training wrote into the run folder, without scores that could not be
    measured."""
    if not path.is_file():
        return {}
    scores = json.loads(path.read_text())
    return {name: score["value"] for name, score in scores.items() if score["value"] is not None}
