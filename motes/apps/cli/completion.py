"""`motes completion`: lines for a shell, which then completes commands, options, presets, models and data sets.

Imports no torch. The shell asks by `motes completion words LINE`, which prints the words that may come next.
"""

import argparse
import shlex
from collections.abc import Iterator

from motes.apps.cli.arguments import Parser

ABOUT = "completion for bash, zsh or fish: put the lines that it prints into the shell's own start-up file"
SHELLS = {
    "bash": """_motes() {
  local line="${COMP_WORDS[*]:1:COMP_CWORD-1}"
  COMPREPLY=($(compgen -W "$(motes completion words "$line" 2>/dev/null)" -- "${COMP_WORDS[COMP_CWORD]}"))
}
complete -o default -F _motes motes""",
    "zsh": """_motes() {
  local -a next
  next=(${(f)"$(motes completion words "${(j: :)words[2,CURRENT-1]}" 2>/dev/null)"})
  compadd -a next
  _files
}
compdef _motes motes""",
    "fish": """complete -c motes -a '(motes completion words (commandline -opc | tail -n +2 | string join " ") 2>/dev/null)'""",
}


def add_arguments(parser: Parser) -> None:
    parser.add_argument(
        "shell", choices=(*SHELLS, "words"), help="words: what may follow LINE, for the shell"
    )
    parser.add_argument("line", nargs="?", default="", help="the words so far, after motes")


def run(arguments: argparse.Namespace) -> None:
    if arguments.shell in SHELLS:
        print(SHELLS[arguments.shell])
        return
    try:
        words = shlex.split(arguments.line)
    except ValueError:
        # within quotes
        return
    for word in following(words):
        print(word)


def following(words: list[str]) -> Iterator[str]:
    """The words that may follow these, but for the names of files."""
    from motes.apps.cli.main import COMMANDS, build_parser

    _, parsers = build_parser()
    names = [name for name in (" ".join(words[:2]), *words[:1]) if name in COMMANDS]
    if not names:
        started = f"{words[0]} " if words else ""
        yield from dict.fromkeys(
            name.removeprefix(started).partition(" ")[0] for name in COMMANDS if name.startswith(started)
        )
        return
    yield from _of_command(parsers[names[0]], words)


def _of_command(parser: Parser, words: list[str]) -> Iterator[str]:
    from motes.apps.cli.recipe import describe
    from motes.data import DATASETS

    last = words[-1]
    action = parser._option_string_actions.get(last)
    if action is not None and action.nargs != 0:
        # --data takes places too, which the shell completes
        yield from map(str, action.choices or (DATASETS if last == "--data" else ()))
        return
    yield from (option for option in parser._option_string_actions if option.startswith("--"))
    yield from map(str, parser.described)
    described = next((word for word in words if word in parser.described), None)
    if described is not None:
        yield from (option for option, *_ in describe(described))
