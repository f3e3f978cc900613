"""Exports the studio as a web site that needs no server.

Its pictures are encoded beforehand; particles can be dragged in the page.
"""

import base64
import json
import posixpath
import re
import shutil
from pathlib import Path
from typing import Any

from motes.apps.studio import PAGE
from motes.apps.studio.desk import Desk
from motes.apps.studio.messages import unpack
from motes.apps.studio.opened_run import SHOWN
from motes.apps.studio.shelf import Shelf
from motes.errors import UserError
from motes.plain.writing import whole_folder

# bytes of a picture's answer, at most: a page with more would load too long
LARGEST_ANSWER = 3_000_000
# the beginning of an import of a module by its relative place, also of one whose name is put together
RELATIVE = re.compile(r"""(?P<before>(?:from|import)\s*\(?\s*["'`])(?P<place>\.\.?/[^"'`$]*)""")
APP = '<script type="module" src="page/app.js"></script>'


def export(shelf: Shelf, out: Path) -> None:
    """Write the site to the folder `out`, whole or not at all, and print how to look at it."""
    if out.exists() and (
        not out.is_dir() or (any(out.iterdir()) and not (out / "site" / "site.js").is_file())
    ):
        raise UserError(f"{out} holds something else; name a new folder for the site")
    with whole_folder(out, older=()) as fresh:
        site = write_site(shelf, fresh)
    for sentence in site.left_out:
        print(f"left out: {sentence}")
    print(f"{len(site.written)} pictures: {out}\nLook at it: open {out / 'index.html'} in a browser")


def write_site(shelf: Shelf, folder: Path) -> "Site":
    """Write the page and its answers into an empty folder."""
    shutil.copytree(PAGE, folder / "page", ignore=shutil.ignore_patterns("*.html", "*.js", "panels", "video"))
    (folder / "site").mkdir()
    site = Site(shelf, folder / "site")
    facts = {**shelf.facts(), "runs": [run.details() for run in shelf.runs]}
    pictures = facts["pictures"][:SHOWN]
    for number, run in enumerate(facts["runs"]):
        # nobody is there to ask how the run goes
        run["watchable"] = False
        for picture in [*run["pictures"], *pictures] if run["ready"] else []:
            site.write(number, run["name"], picture)
        run["pictures"] = [picture for picture in run["pictures"] if picture in site.thumbs]
    if not site.written:
        reason = site.left_out[0] if site.left_out else "the run's data is not here"
        raise UserError(f"there is no picture to show: {reason}; name pictures with --pictures FOLDER")
    facts["pictures"] = [picture for picture in pictures if picture in site.thumbs]
    facts |= {"written": site.written, "thumbs": site.thumbs}
    _write_index(folder, facts)
    return site


class Site:
    """Writes the studio's answer to the opening of each picture, one file each, and the small pictures."""

    def __init__(self, shelf: Shelf, folder: Path):
        self.shelf = shelf
        self.desk = Desk(shelf)
        self.folder = folder
        # run and picture -> file; picture -> file
        self.written: dict[str, str] = {}
        self.thumbs: dict[str, str] = {}
        # sentences about pictures that could not be written
        self.left_out: list[str] = []

    def write(self, run: int, run_name: str, picture: str) -> None:
        answer = self.desk.answer({"ask": "open", "run": run, "picture": picture})
        facts, _ = unpack(answer)
        if "problem" in facts:
            self._leave_out(facts["problem"])
        elif len(answer) > LARGEST_ANSWER:
            self._leave_out(f"{picture} takes {len(answer):,} bytes in {run_name}, too much for a page")
        else:
            self._write_answer(f"{run} {picture}", answer)
            if picture not in self.thumbs:
                self._write_thumb(picture)

    def _leave_out(self, sentence: str) -> None:
        # a file that cannot be read is the same to all runs
        if sentence not in self.left_out:
            self.left_out.append(sentence)

    def _write_answer(self, key: str, answer: bytes) -> None:
        """Write the answer as a script: the only thing that a page may load from files beside it."""
        file = f"{len(self.written)}.js"
        code = base64.b64encode(answer).decode()
        (self.folder / file).write_text(f'motesSite.answers["{file}"] = "{code}"\n')
        self.written[key] = file

    def _write_thumb(self, picture: str) -> None:
        self.thumbs[picture] = f"{len(self.thumbs)}.png"
        (self.folder / self.thumbs[picture]).write_bytes(self.shelf.drawn_small(picture))


def _write_index(folder: Path, facts: dict[str, Any]) -> None:
    """Write the page with all its modules inside, so that it opens from a disk as from a web host."""
    # a script's text ends at the first </
    text = json.dumps({**facts, "answers": {}}).replace("</", "<\\/")
    (folder / "site" / "site.js").write_text(f"window.motesSite = {text}\n", encoding="utf-8")
    page = (PAGE / "index.html").read_text(encoding="utf-8")
    modules = f'<script src="site/site.js"></script>\n{_import_map(PAGE)}\n'
    start = '<script type="module">import "motes/app.js"</script>'
    (folder / "index.html").write_text(page.replace(APP, modules + start, 1), encoding="utf-8")


def _import_map(page: Path) -> str:
    """The HTML of an import map that holds all modules below `page`, by their places after motes/."""
    imports = {}
    for path in sorted(page.rglob("*.js")):
        name = path.relative_to(page).as_posix()
        text = _with_full_names(path.read_text(encoding="utf-8"), posixpath.dirname(name))
        code = base64.b64encode(text.encode()).decode()
        imports[f"motes/{name}"] = f"data:text/javascript;base64,{code}"
    return f'<script type="importmap">{json.dumps({"imports": imports})}</script>'


def _with_full_names(text: str, folder: str) -> str:
    """The module's code with names of the import map in place of relative ones."""

    def full(found: re.Match[str]) -> str:
        place = found["place"]
        name = posixpath.normpath(posixpath.join("motes", folder, place))
        return found["before"] + name + ("/" if place.endswith("/") else "")

    return RELATIVE.sub(full, text)
