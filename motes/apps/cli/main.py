"""The command `motes`: reads the arguments, then runs the subcommand that they name.

Only the subcommand imports torch.
"""

import argparse
import os
import sys
import warnings
from collections.abc import Sequence
from typing import NoReturn, Protocol

from motes.apps.cli import (
    completion,
    direction,
    encode,
    evaluate,
    info,
    reconstruct,
    restore,
    sample,
    studio,
    train,
)
from motes.apps.cli import list as choices
from motes.apps.cli.arguments import Parser, find_runs
from motes.apps.cli.data import prepare, show
from motes.apps.cli.exchange import export, import_2022, push
from motes.apps.cli.landmarks import fit, read
from motes.apps.cli.video import predict, track
from motes.errors import UserError
from motes.plain.options import nearest
from motes.version import VERSION


class Command(Protocol):
    """The interface of a module that implements a subcommand."""

    @property
    def ABOUT(self) -> str:
        """One line of help about the subcommand."""
        ...

    def add_arguments(self, parser: Parser) -> None: ...

    def run(self, arguments: argparse.Namespace) -> None:
        """Run the subcommand.

        Arguments are checked first. Torch is imported only after that check, so that wrong arguments are
        refused at once.
        """
        ...


COMMANDS: dict[str, Command] = {
    "train": train,
    "encode": encode,
    "track": track,
    "predict": predict,
    "reconstruct": reconstruct,
    "evaluate": evaluate,
    "sample": sample,
    "restore": restore,
    "direction": direction,
    "landmarks fit": fit,
    "landmarks read": read,
    "studio": studio,
    "data show": show,
    "data prepare": prepare,
    "info": info,
    "list": choices,
    "completion": completion,
    "export": export,
    "import-2022": import_2022,
    "push": push,
}
# the first words of commands that have two
GROUPS = {
    "data": "data sets: motes data show NAME|PLACE, motes data prepare SOURCE --out FOLDER",
    "landmarks": "annotated points: motes landmarks fit RUN ANNOTATIONS --out READER, motes landmarks read READER PICTURES",
}
HELP = {"-h", "--help"}


def main(words: Sequence[str] | None = None) -> NoReturn:
    warnings.showwarning = lambda message, *context, **more: _complain(message)
    try:
        run_command(list(sys.argv[1:] if words is None else words))
    except UserError as problem:
        _complain(problem)
        sys.exit(2)
    except KeyboardInterrupt:
        _complain("stopped")
        sys.exit(130)
    except BrokenPipeError:
        # or the interpreter complains when it flushes
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(1)
    except OSError as problem:
        # a full disk, a folder that went away: not a fault to trace
        path = problem.filename or "the disk"
        _complain(f"{path}: {problem.strerror or problem}; nothing more was written")
        sys.exit(2)
    sys.exit(0)


def _complain(message: object) -> None:
    print(f"motes: {message}", file=sys.stderr)


def run_command(words: list[str]) -> None:
    parser, parsers = build_parser()
    if not words or words == ["--"]:
        parser.print_help()
        return
    command = parsers.get(command_name(words))
    if command is not None:
        refuse_unknown(command, words)
    words, dotted = split_dotted(words)
    if command is not None and command.described and HELP & set(words):
        help_with_options(command, words)
        return
    arguments = parser.parse_args(words)
    arguments.dotted = dotted
    find_runs(arguments)
    COMMANDS[_parsed_name(arguments)].run(arguments)


def _parsed_name(arguments: argparse.Namespace) -> str:
    if arguments.command in GROUPS:
        return f"{arguments.command} {arguments.action}"
    return arguments.command


def build_parser() -> tuple[Parser, dict[str, Parser]]:
    """The parser of the whole command line, and the parsers of its subcommands and groups by name."""
    parser = _empty_parser()
    parsers: dict[str, Parser] = {}
    shelves = {"": _add_shelf(parser, "command", required=False)}
    for name, command in COMMANDS.items():
        group, _, word = name.rpartition(" ")
        if group not in shelves:
            parsers[group] = _add_command(shelves[""], group, GROUPS[group])
            shelves[group] = _add_shelf(parsers[group], "action", required=True)
        parsers[name] = _add_command(shelves[group], word, command.ABOUT)
        command.add_arguments(parsers[name])
    return parser, parsers


def _empty_parser() -> Parser:
    parser = Parser(
        prog="motes",
        description="Latent particles: where are the things, what do they look like, without labels.",
        allow_abbrev=False,
    )
    parser.add_argument("--version", action="version", version=f"motes {VERSION}")
    return parser


def _add_shelf(parser: Parser, dest: str, required: bool) -> "argparse._SubParsersAction[Parser]":
    return parser.add_subparsers(dest=dest, metavar="COMMAND", required=required, parser_class=Parser)


def _add_command(shelf: "argparse._SubParsersAction[Parser]", word: str, about: str) -> Parser:
    return shelf.add_parser(word, help=about, description=about, allow_abbrev=False)


def command_name(words: Sequence[str]) -> str:
    """The subcommand or group that the words of the command line name.

    An unknown name is refused with a suggestion of the nearest name.
    """
    first = words[0]
    if first in GROUPS and len(words) > 1 and words[1] not in HELP:
        return _name_in_group(first, words[1])
    firsts = dict.fromkeys(name.partition(" ")[0] for name in COMMANDS)
    if not first.startswith("-") and first not in firsts:
        raise UserError(nearest(first, firsts, "command"))
    return first


def _name_in_group(group: str, word: str) -> str:
    name = f"{group} {word}"
    if name not in COMMANDS:
        raise UserError(nearest(name, [name for name in COMMANDS if name.startswith(group)], "command"))
    return name


def refuse_unknown(parser: Parser, words: Sequence[str]) -> None:
    """Refuse options that do not exist.

    It runs before any other check, so that a typo is reported as a typo and not as a missing argument.
    """
    options = [option for option in parser._option_string_actions if option.startswith("--")]
    for word in words:
        name = word.partition("=")[0]
        if not name.startswith("--") or name in ("--", *options) or _is_dotted(parser, name):
            continue
        hint = f" ({parser.prog} ... --help shows those with a dot)" if "--" in parser.dotted else ""
        raise UserError(nearest(name, options, "option") + hint)


def _is_dotted(parser: Parser, name: str) -> bool:
    """Whether `name` is an option with a dot that the command reads itself instead of argparse."""
    return "." in name and name.startswith(parser.dotted)


def split_dotted(words: Sequence[str]) -> tuple[list[str], list[str]]:
    """Split the words into the options with a dot, each with its values, and all other words.

    argparse would take the values of such an option for positional arguments.
    """
    plain: list[str] = []
    dotted: list[str] = []
    target = plain
    for word in words:
        if word.startswith("--"):
            target = dotted if "." in word.partition("=")[0] else plain
        target.append(word)
    return plain, dotted


def help_with_options(parser: Parser, words: Sequence[str]) -> None:
    """Print the help of a command.

    If the words name a preset or a data set, its dotted options are printed too.
    """
    parser.print_help()
    name = next((word for word in words[1:] if word in parser.described), None)
    if name is not None:
        print()
        choices.show_options(name)


if __name__ == "__main__":
    main()
