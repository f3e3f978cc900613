"""Exports the studio as a web site that needs no server.

Its pictures are encoded beforehand; particles can be dragged in the page.
"""

import json
import shutil
from pathlib import Path
from typing import Any

from motes.apps.studio import PAGE
from motes.apps.studio.desk import Desk
from motes.apps.studio.opened_run import SHOWN
from motes.apps.studio.shelf import Shelf
from motes.errors import UserError
from motes.plain.writing import whole_folder

# bytes of a picture's answer, at most: a page with more would load too long
LARGEST_ANSWER = 3_000_000
# tells the page where its site is
MARK = '<meta name="motes-site" content="site/site.json">'


def export(shelf: Shelf, out: Path) -> None:
    """Write the site to the folder `out`, whole or not at all, and print how to look at it."""
    if out.exists() and (
        not out.is_dir() or (any(out.iterdir()) and not (out / "site" / "site.json").is_file())
    ):
        raise UserError(f"{out} holds something else; name a new folder for the site")
    with whole_folder(out, older=()) as fresh:
        count = write_site(shelf, fresh)
    print(f"{count} pictures: {out}\nLook at it: python3 -m http.server --directory {out}")


def write_site(shelf: Shelf, folder: Path) -> int:
    """Write the page and its answers into an empty folder, and return the number of answers."""
    shutil.copytree(PAGE, folder / "page", ignore=shutil.ignore_patterns("index.html"))
    (folder / "site").mkdir()
    answers = _Answers(shelf, folder / "site")
    facts = {**shelf.facts(), "runs": [run.details() for run in shelf.runs]}
    pictures = facts["pictures"][:SHOWN]
    for number, run in enumerate(facts["runs"]):
        # nobody is there to ask how the run goes
        run["watchable"] = False
        for picture in [*run["pictures"], *pictures] if run["ready"] else []:
            answers.write(number, run["name"], picture)
    if not answers.written:
        raise UserError(
            "there is no picture to show: the run's data is not here; name pictures with --pictures FOLDER"
        )
    facts |= {"pictures": pictures, "written": answers.written, "thumbs": answers.thumbs}
    _write_index(folder, facts)
    return len(answers.written)


class _Answers:
    """Writes the studio's answer to the opening of each picture, one file each, and the small pictures."""

    def __init__(self, shelf: Shelf, folder: Path):
        self.shelf = shelf
        self.desk = Desk(shelf)
        self.folder = folder
        # run and picture -> file; picture -> file
        self.written: dict[str, str] = {}
        self.thumbs: dict[str, str] = {}

    def write(self, run: int, run_name: str, picture: str) -> None:
        answer = self.desk.answer({"ask": "open", "run": run, "picture": picture})
        if len(answer) > LARGEST_ANSWER:
            raise UserError(
                f"{picture} takes {len(answer):,} bytes in {run_name}; that is too much for a page"
            )
        file = f"{len(self.written)}.bin"
        (self.folder / file).write_bytes(answer)
        self.written[f"{run} {picture}"] = file
        if picture not in self.thumbs:
            self._write_thumb(picture)

    def _write_thumb(self, picture: str) -> None:
        self.thumbs[picture] = f"{len(self.thumbs)}.png"
        (self.folder / self.thumbs[picture]).write_bytes(self.shelf.drawn_small(picture))


def _write_index(folder: Path, facts: dict[str, Any]) -> None:
    (folder / "site" / "site.json").write_text(json.dumps(facts))
    page = (PAGE / "index.html").read_text(encoding="utf-8")
    marked = page.replace("<meta charset", f"{MARK}\n<meta charset", 1)
    (folder / "index.html").write_text(marked, encoding="utf-8")
