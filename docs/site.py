"""What mkdocs needs besides the pages: README.md as the first page, notebooks as pages, and links to files on no page."""

import json
import re
from pathlib import Path

from mkdocs.structure.files import File

ROOT = Path(__file__).parents[1]
COLAB = "https://colab.research.google.com/github/motes-project/motes/blob/main/docs/"


def on_files(files, config):
    readme = (ROOT / "README.md").read_text().replace("](docs/", "](")
    files.append(File.generated(config, "index.md", content=readme))
    for file in [file for file in files if file.src_uri.endswith(".ipynb")]:
        files.remove(file)
        page = notebook_page(Path(file.abs_src_path), file.src_uri)
        files.append(File.generated(config, file.src_uri.replace(".ipynb", ".md"), content=page))
    return files


def on_page_markdown(markdown, page, config, files):
    """Links that lead out of the docs go to the repository, those to notebooks to their pages."""
    place = (ROOT / "docs" / page.file.src_uri).parent

    def outside(link):
        path, hash_, anchor = link[1].partition("#")
        target = (place / path).resolve()
        if path.endswith(".ipynb"):
            return f"]({path.removesuffix('.ipynb')}.md)"
        if not path or ROOT / "docs" in target.parents or not target.exists():
            return link[0]
        return f"]({config.repo_url}/blob/main/{target.relative_to(ROOT).as_posix()}{hash_}{anchor})"

    return re.sub(r"\]\((?!https?://|data:)([^)\s]+)\)", outside, markdown)


def notebook_page(path, uri):
    """The cells of a notebook with what they print and draw, as Markdown; its first heading stays the first."""
    heading, *cells = [cell_text(cell) for cell in json.loads(path.read_text())["cells"]]
    return "\n\n".join([heading, f"[Open it in Colab]({COLAB}{uri})", *cells])


def cell_text(cell):
    text = "".join(cell["source"])
    if cell["cell_type"] == "markdown":
        return text
    shown = [output_text(output) for output in cell["outputs"]]
    return "\n\n".join([f"```python\n{text}\n```", *filter(None, shown)])


def output_text(output):
    data = output.get("data", {})
    if "image/png" in data:
        pixels = "".join(data["image/png"]).replace("\n", "")
        return f"![What is drawn](data:image/png;base64,{pixels})"
    text = "".join(output.get("text") or data.get("text/plain") or "").strip()
    return f"```text\n{text}\n```" if text else ""
