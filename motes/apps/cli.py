"""The command `motes`: reads arguments without importing torch, then calls what was asked for."""

import argparse
import sys
import warnings
from collections.abc import Sequence
from pathlib import Path
from typing import NoReturn

from motes.apps.options import nearest
from motes.errors import UserError
from motes.version import VERSION

COMMANDS = {
    "train": "learn from pictures: motes train [PRESET] [--data shapes|FOLDER]",
    "encode": "pictures to particles: tables and overlays",
    "reconstruct": "pictures through the model and back",
    "evaluate": "scores on held-out pictures",
    "info": "what is in a run or checkpoint",
    "list": "presets, models and data sets",
    "import-2022": "weights of the 2022 research code to a checkpoint",
    "push": "a run to the Hugging Face hub",
}


class Parser(argparse.ArgumentParser):
    """Errors as one sentence, exit code 2."""

    def error(self, message: str) -> NoReturn:
        raise UserError(f"{message} (see {self.prog} --help)")


def main(arguments: Sequence[str] | None = None) -> NoReturn:
    warnings.showwarning = lambda message, *rest, **more: print(f"motes: {message}", file=sys.stderr)
    try:
        run_command(list(sys.argv[1:] if arguments is None else arguments))
    except UserError as problem:
        print(f"motes: {problem}", file=sys.stderr)
        sys.exit(2)
    except KeyboardInterrupt:
        print("motes: stopped", file=sys.stderr)
        sys.exit(130)
    except BrokenPipeError:
        sys.exit(1)
    sys.exit(0)


def run_command(arguments: list[str]) -> None:
    parser = build_parser()
    if arguments and not arguments[0].startswith("-") and arguments[0] not in COMMANDS:
        raise UserError(nearest(arguments[0], COMMANDS, "command"))
    arguments, dotted = split_dotted(arguments)
    told, rest = parser.parse_known_args(arguments)
    rest += dotted
    if told.command is None:
        parser.print_help()
        return
    if rest and told.command != "train":
        raise UserError(f"{told.command} does not know {rest[0]!r}; see motes {told.command} --help")
    if told.command == "train":
        start_training(told, rest)
        return
    from motes.apps import commands

    commands.RUN[told.command](told)


def build_parser() -> argparse.ArgumentParser:
    parser = Parser(
        prog="motes",
        description="Latent particles: where are the things, what do they look like, without labels.",
        allow_abbrev=False,
    )
    parser.add_argument("--version", action="version", version=f"motes {VERSION}")
    commands = parser.add_subparsers(dest="command", metavar="COMMAND", parser_class=Parser)
    made = {name: commands.add_parser(name, help=about, description=about, allow_abbrev=False) for name, about in COMMANDS.items()}
    _train_arguments(made["train"])
    for name in ("encode", "reconstruct"):
        made[name].add_argument("run", type=Path, help="a run or checkpoint folder")
        made[name].add_argument("pictures", type=Path, nargs="+", help="picture files, or folders of them")
        made[name].add_argument("--out", type=Path, required=True, help="folder to write to")
        made[name].add_argument("--fit", choices=("fit", "stretch", "crop"), default="fit", help="how pictures come to the model's size")
    made["evaluate"].add_argument("run", type=Path, help="a run or checkpoint folder")
    made["evaluate"].add_argument("--data", help="shapes, or a folder of pictures; by default what the run was trained on")
    made["evaluate"].add_argument("--limit", type=int, default=1000, help="pictures at most")
    made["evaluate"].add_argument("--json", type=Path, help="write the scores to this file as well")
    made["list"].add_argument("preset", nargs="?", help="show the options of this preset")
    made["info"].add_argument("run", type=Path, help="a run or checkpoint folder")
    made["import-2022"].add_argument("weights", type=Path, help="a .pth file")
    made["import-2022"].add_argument(
        "--config", type=Path, help="JSON with that code's constructor arguments; what shapes tell need not be given"
    )
    made["import-2022"].add_argument("--out", type=Path, required=True, help="checkpoint folder to write")
    made["push"].add_argument("run", type=Path, help="a run or checkpoint folder")
    made["push"].add_argument("repository", help="owner/name on the hub")
    return parser


def split_dotted(arguments: list[str]) -> tuple[list[str], list[str]]:
    """Options with a dot, each with the values after it, apart from the rest, which argparse would take those values for."""
    plain: list[str] = []
    dotted: list[str] = []
    target = plain
    for token in arguments:
        if token.startswith("--"):
            target = dotted if "." in token.partition("=")[0] else plain
        target.append(token)
    return plain, dotted


def _train_arguments(train: argparse.ArgumentParser) -> None:
    train.add_argument("preset", nargs="?", help="see motes list; alone: dlp-quick")
    train.add_argument("--data", help="shapes, or a folder of pictures")
    train.add_argument("--out", type=Path, help="run folder; by default runs/PRESET")
    train.add_argument("--steps", type=int)
    train.add_argument("--max-minutes", type=float, help="the schedule ends when steps or minutes do")
    train.add_argument("--seed", type=int)
    train.add_argument("--resume", type=Path, metavar="RUN", help="go on with a stopped run")
    train.epilog = "Any option of model, data or training: --model.num-particles 20, --data.image-size 96 128, --training.batch-size 16 (motes list PRESET shows them)."


def start_training(told: argparse.Namespace, rest: list[str]) -> None:
    """Everything that can be wrong with the words is found before torch is imported."""
    from motes.apps.recipes import make_recipe

    if unknown := [token for token in rest if token.startswith("-") and "." not in token]:
        raise UserError(nearest(unknown[0], ("--data", "--out", "--steps", "--max-minutes", "--seed", "--resume"), "option"))
    if told.resume is not None:
        extra = [name for name in ("preset", "data", "out", "steps", "max_minutes", "seed") if getattr(told, name) is not None] + rest
        if extra:
            raise UserError(f"--resume goes on with a run as it is; leave out {extra[0]}")
        if not (told.resume / "run.json").is_file():
            raise UserError(f"{told.resume} is no run: it has no run.json")
        from motes.apps.commands import go_on

        go_on(told.resume)
        return
    recipe, folder = make_recipe(told, rest)
    from motes.apps.commands import train

    train(recipe, folder)


if __name__ == "__main__":
    main()
