"""The studio as a site without a server: pictures encoded beforehand, dragging in the page, for any web
host."""

import json
import shutil
from pathlib import Path

from motes.apps.studio import PAGE
from motes.apps.studio.desk import Desk
from motes.apps.studio.shelf import SHOWN, Shelf
from motes.errors import UserError
from motes.plain.writing import whole_folder

HELD = 3_000_000  # bytes of a picture's answer, over which a page would load too long


def export(shelf: Shelf, out: Path) -> None:
    """Write the folder, whole or not at all, and say how to look at it."""
    if out.exists() and (
        not out.is_dir() or (any(out.iterdir()) and not (out / "site" / "site.json").is_file())
    ):
        raise UserError(f"{out} holds something else; name a new folder for the site")
    with whole_folder(out, older=()) as fresh:
        count = write_site(shelf, fresh)
    print(f"{count} pictures: {out}\nLook at it: python3 -m http.server --directory {out}")


def write_site(shelf: Shelf, folder: Path) -> int:
    desk = Desk(shelf)
    shutil.copytree(PAGE, folder / "page", ignore=shutil.ignore_patterns("index.html"))
    (folder / "site").mkdir()
    facts = {**shelf.facts(), "runs": [run.details() for run in shelf.runs]}
    written = {}
    thumbs = {}
    for number, run in enumerate(facts["runs"]):
        run["watchable"] = False  # there is nobody to ask how it goes
        for name in [*run["pictures"], *facts["pictures"][:SHOWN]] if run["ready"] else []:
            answer = desk.answer({"ask": "open", "run": number, "picture": name})
            if len(answer) > HELD:
                raise UserError(
                    f"{name} takes {len(answer):,} bytes in {run['name']}; that is too much for a page"
                )
            written[f"{number} {name}"] = f"{len(written)}.bin"
            (folder / "site" / f"{len(written) - 1}.bin").write_bytes(answer)
            if name not in thumbs:
                thumbs[name] = f"{len(thumbs)}.png"
                (folder / "site" / thumbs[name]).write_bytes(shelf.drawn_small(name))
    if not written:
        raise UserError(
            "there is no picture to show: the run's data is not here; name pictures with --pictures FOLDER"
        )
    facts = {**facts, "pictures": facts["pictures"][:SHOWN], "written": written, "thumbs": thumbs}
    (folder / "site" / "site.json").write_text(json.dumps(facts))
    page = (PAGE / "index.html").read_text(encoding="utf-8")
    (folder / "index.html").write_text(
        page.replace("<meta charset", '<meta name="motes-site" content="site/site.json">\n<meta charset', 1),
        encoding="utf-8",
    )
    return len(written)
