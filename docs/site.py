"""What mkdocs needs besides the pages: README.md as the first page, and links to files that are on no page."""

import re
from pathlib import Path

from mkdocs.structure.files import File

ROOT = Path(__file__).parents[1]


def on_files(files, config):
    readme = (ROOT / "README.md").read_text().replace("](docs/", "](")
    files.append(File.generated(config, "index.md", content=readme))
    return files


def on_page_markdown(markdown, page, config, files):
    """Links that lead out of the docs go to the repository."""
    place = (ROOT / "docs" / page.file.src_uri).parent

    def outside(link):
        path, hash_, anchor = link[1].partition("#")
        target = (place / path).resolve()
        if not path or ROOT / "docs" in target.parents or not target.exists():
            return link[0]
        return f"]({config.repo_url}/blob/main/{target.relative_to(ROOT).as_posix()}{hash_}{anchor})"

    return re.sub(r"\]\((?!https?://)([^)\s]+)\)", outside, markdown)
