"""Puts the page's modules into one HTML file: browsers load no modules from files that are opened without a server."""

import base64
import json
import posixpath
import re
from pathlib import Path

# the beginning of an import of a module by its relative place, also of one whose name is put together
RELATIVE = re.compile(r"""(?P<before>(?:from|import)\s*\(?\s*["'`])(?P<place>\.\.?/[^"'`$]*)""")


def import_map(page: Path) -> str:
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
