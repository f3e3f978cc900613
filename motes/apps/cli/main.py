"""The command `motes`: reads arguments without importing torch, then calls what was asked for."""

import argparse
import os
import sys
import warnings
from collections.abc import Sequence
from pathlib import Path
from typing import NoReturn

from motes.apps.cli import data_prepare as prepare
from motes.apps.cli import data_show as show
from motes.apps.cli import direction, restore, sample, studio
from motes.apps.cli.picture_arguments import add_fit
from motes.errors import UserError
from motes.plain.options import nearest
from motes.version import VERSION

COMMANDS = {
    "train": "learn from pictures: motes train [PRESET] [--data NAME|PLACE]",
    "encode": "pictures to particles: tables and overlays",
    "reconstruct": "pictures through the model and back",
    "evaluate": "scores on held-out pictures",
    "sample": sample.ABOUT,
    "restore": restore.ABOUT,
    "direction": direction.ABOUT,
    "studio": studio.ABOUT,
    "data": "data sets: motes data show NAME|PLACE, motes data prepare SOURCE --out FOLDER",
    "info": "what is in a run or checkpoint; alone: what this machine computes with",
    "list": "presets, models and data sets",
    "import-2022": "weights of the 2022 research code to a checkpoint",
    "push": "a run to the Hugging Face hub",
}

# commands that are a module each: ABOUT, add_arguments, run
OWN = {"studio": studio, "sample": sample, "restore": restore, "direction": direction}
DATA_COMMANDS = {"show": show, "prepare": prepare}  # and so are those below `motes data`


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
        os.dup2(
            os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno()
        )  # or the interpreter complains when it flushes
        sys.exit(1)
    except OSError as problem:  # a full disk, a folder that went away: not a fault to trace
        print(
            f"motes: {problem.filename or 'the disk'}: {problem.strerror or problem}; nothing more was written",
            file=sys.stderr,
        )
        sys.exit(2)
    sys.exit(0)


def run_command(arguments: list[str]) -> None:
    parser, made = build_parser()
    if not arguments:
        parser.print_help()
        return
    if not arguments[0].startswith("-") and arguments[0] not in COMMANDS:
        raise UserError(nearest(arguments[0], COMMANDS, "command"))
    if arguments[0] == "data" and len(arguments) > 1 and arguments[1] not in (*DATA_COMMANDS, "-h", "--help"):
        raise UserError(nearest(f"data {arguments[1]}", [f"data {one}" for one in DATA_COMMANDS], "command"))
    words = " ".join(arguments[:2]) if arguments[0] == "data" else arguments[0]
    if words in made:
        refuse_unknown(made[words], arguments)
    arguments, dotted = split_dotted(arguments)
    if words in ("train", *(f"data {one}" for one in DATA_COMMANDS)) and {"-h", "--help"} & set(arguments):
        help_with_options(made[words], arguments)
        return
    told = parser.parse_args(arguments)
    if told.command == "train":
        start_training(told, dotted)
    elif told.command == "data":
        DATA_COMMANDS[told.action].run(told, dotted)
    elif told.command in OWN:
        OWN[told.command].run(told)
    elif told.command == "list":
        from motes.apps.cli.list import show_choices, show_options

        show_options(told.preset) if told.preset else show_choices()
    else:
        for path in (
            getattr(told, "run", None),
            getattr(told, "weights", None),
            *getattr(told, "pictures", ()),
        ):
            if path is not None and not path.exists():
                raise UserError(f"{path} does not exist")
        if told.command == "evaluate" and told.scores is not None:
            told.scores = score_names(told.scores)
        told.dotted = dotted
        from motes.apps.cli import commands

        commands.RUN[told.command](told)


def refuse_unknown(parser: argparse.ArgumentParser, arguments: list[str]) -> None:
    """Before anything else is said, so that a typo is named as such and not as something missing."""
    known = [option for option in parser._option_string_actions if option.startswith("--")]
    everything = ("train", *(f"data {one}" for one in DATA_COMMANDS))
    dotted = (
        ("--",)
        if parser.prog.endswith(everything)
        else ("--data.",)
        if parser.prog.endswith("evaluate")
        else ()
    )
    for token in arguments:
        name = token.partition("=")[0]
        if (
            name == "--"
            or not name.startswith("--")
            or name in known
            or ("." in name and name.startswith(dotted))
        ):
            continue
        raise UserError(
            nearest(name, known, "option")
            + (f" ({parser.prog} ... --help shows those with a dot)" if "--" in dotted else "")
        )


def help_with_options(parser: argparse.ArgumentParser, arguments: list[str]) -> None:
    """And with those that have a dot, of the preset or the data that is named."""
    from motes.apps.cli.list import show_options
    from motes.data import DATASETS
    from motes.training.presets import PRESETS

    parser.print_help()
    for name in [
        word for word in arguments[1:] if word in (PRESETS if arguments[0] == "train" else DATASETS)
    ][:1]:
        print()
        show_options(name)


def build_parser() -> tuple[argparse.ArgumentParser, dict[str, argparse.ArgumentParser]]:
    """The parser, and those of its commands."""
    parser = Parser(
        prog="motes",
        description="Latent particles: where are the things, what do they look like, without labels.",
        allow_abbrev=False,
    )
    parser.add_argument("--version", action="version", version=f"motes {VERSION}")
    commands = parser.add_subparsers(dest="command", metavar="COMMAND", parser_class=Parser)
    made = {
        name: commands.add_parser(name, help=about, description=about, allow_abbrev=False)
        for name, about in COMMANDS.items()
    }
    _train_arguments(made["train"])
    made |= _data_arguments(made["data"])
    for name in ("encode", "reconstruct"):
        made[name].add_argument("run", type=Path, help="a run or checkpoint folder")
        made[name].add_argument("pictures", type=Path, nargs="+", help="picture files, or folders of them")
        made[name].add_argument("--out", type=Path, required=True, help="folder to write to")
        add_fit(made[name])
    for name, command in OWN.items():
        command.add_arguments(made[name])
    made["evaluate"].add_argument("run", type=Path, help="a run or checkpoint folder")
    made["evaluate"].add_argument(
        "--data",
        help="a data set's name, or a folder or file of pictures; by default what the run was trained on",
    )
    made["evaluate"].add_argument("--limit", type=positive, default=1000, help="pictures at most")
    made["evaluate"].add_argument(
        "--scores",
        help="names with commas between; by default all that the model and the data's truth support",
    )
    made["evaluate"].add_argument(
        "--learn-limit", type=positive, default=10000, help="training pictures at most, for scores that learn"
    )
    made["evaluate"].add_argument("--json", type=Path, help="write the scores to this file as well")
    made[
        "evaluate"
    ].epilog = (
        "Any option of the data, such as --data.image-size 64 64 (motes list NAME shows those of a data set)."
    )
    made["list"].add_argument("preset", nargs="?", help="show the options of this preset or data set")
    made["info"].add_argument(
        "run", type=Path, nargs="?", help="a run or checkpoint folder; without it, this machine"
    )
    made["import-2022"].add_argument("weights", type=Path, help="a .pth file")
    made["import-2022"].add_argument(
        "--config",
        type=Path,
        help="JSON with that code's constructor arguments; what shapes tell need not be given",
    )
    made["import-2022"].add_argument("--out", type=Path, required=True, help="checkpoint folder to write")
    made["push"].add_argument("run", type=Path, help="a run or checkpoint folder")
    made["push"].add_argument("repository", help="owner/name on the hub")
    return parser, dict(made)


def split_dotted(arguments: list[str]) -> tuple[list[str], list[str]]:
    """Options with a dot, each with the values after it, apart from the rest, which argparse would take
    those values for."""
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
    train.add_argument(
        "--data",
        help="a data set's name, a folder of pictures or videos, a video, .npy, .h5 or .parquet file",
    )
    train.add_argument("--out", type=Path, help="run folder; by default runs/PRESET")
    train.add_argument(
        "--steps", type=positive, help="of the optimiser; alone, minutes no longer end the run"
    )
    train.add_argument("--max-minutes", type=duration, help="the schedule ends when steps or minutes do")
    train.add_argument("--seed", type=int, help="of weights, noise, order and generated pictures")
    train.add_argument("--resume", type=Path, metavar="RUN", help="go on with a stopped run")
    train.add_argument(
        "--vgg-weights",
        type=Path,
        metavar="FILE",
        help="VGG-16 as torch saves it, for --model.reconstruction vgg",
    )
    train.epilog = "Any option of model, data or training: --model.num-particles 20, --data.image-size 96 128, --training.batch-size 16 (motes train PRESET --help shows them)."


def _data_arguments(data: argparse.ArgumentParser) -> dict[str, argparse.ArgumentParser]:
    """Those of the commands below `motes data`, by both words."""
    commands = data.add_subparsers(dest="action", metavar="COMMAND", required=True, parser_class=Parser)
    made: dict[str, argparse.ArgumentParser] = {}
    for name, command in DATA_COMMANDS.items():
        made[f"data {name}"] = commands.add_parser(
            name, help=command.ABOUT, description=command.ABOUT, allow_abbrev=False
        )
        command.add_arguments(made[f"data {name}"])
    return made


def positive(text: str) -> int:
    if not text.isdecimal() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"a whole number from 1 up, not {text!r}")
    return int(text)


def score_names(text: str) -> tuple[str, ...]:
    from motes.evaluation import SCORES

    names = tuple(dict.fromkeys(name.strip() for name in text.split(",") if name.strip()))
    for name in names:
        if name not in SCORES:
            raise UserError(nearest(name, SCORES, "score"))
    if not names:
        raise UserError(
            f"--scores wants names with commas between, such as --scores {','.join(list(SCORES)[:2])}"
        )
    return names


def duration(text: str) -> float:
    try:
        minutes = float(text)
    except ValueError:
        minutes = -1.0
    if not 0 < minutes < float("inf"):
        raise argparse.ArgumentTypeError(f"minutes, more than 0, not {text!r}")
    return minutes


def start_training(told: argparse.Namespace, dotted: list[str]) -> None:
    """Everything that can be wrong with the words is found before torch is imported."""
    from motes.apps.cli.recipe import make_recipe

    if told.vgg_weights is not None:
        if not told.vgg_weights.is_file():
            raise UserError(f"{told.vgg_weights} does not exist; it should be vgg16-397923af.pth")
        os.environ["MOTES_VGG_WEIGHTS"] = str(told.vgg_weights)
    if told.resume is not None:
        extra = [
            f"--{name.replace('_', '-')}"
            for name in ("data", "out", "steps", "max_minutes", "seed")
            if getattr(told, name) is not None
        ]
        extra = ([told.preset] if told.preset else []) + extra + dotted
        if extra:
            raise UserError(f"--resume goes on with a run as it is; leave out {extra[0]}")
        if not (told.resume / "run.json").is_file():
            raise UserError(f"{told.resume} is no run: it has no run.json")
        from motes.apps.cli.commands import go_on

        go_on(told.resume)
        return
    recipe, folder = make_recipe(told, dotted)
    if (folder / "run.json").exists() or (folder / "checkpoints").exists():
        raise UserError(
            f"{folder} already holds a run; go on with it by motes train --resume {folder}, or choose another --out"
        )
    from motes.apps.cli.commands import train

    train(recipe, folder)


if __name__ == "__main__":
    main()
