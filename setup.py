"""The description for package indexes: README.md, whose links below the repository become absolute."""

import re
import tomllib
from pathlib import Path

from setuptools import setup

ROOT = Path(__file__).parent
REPOSITORY = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["urls"]["Repository"]


def absolute(link: re.Match[str]) -> str:
    """The link of an image leads to the file itself, any other to the page that shows it."""
    bang, text, target = link.groups()
    return f"{bang}[{text}]({REPOSITORY}/{'raw' if bang else 'blob'}/main/{target})"


readme = re.sub(r"(!?)\[([^\]]*)\]\((?!https?://|#)([^)\s]+)\)", absolute, (ROOT / "README.md").read_text())
setup(long_description=readme, long_description_content_type="text/markdown")
