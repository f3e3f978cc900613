"""The documentation is built as a site, without a warning."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]


@pytest.mark.slow
def test_the_site_is_built_without_a_warning(tmp_path):
    pytest.importorskip("mkdocs", reason="needs pip install 'motes[docs]'")
    command = [sys.executable, "-m", "mkdocs", "build", "--strict", "--site-dir", str(tmp_path / "site")]
    # of what the makers of mkdocs announce
    environment = os.environ | {"NO_MKDOCS_2_WARNING": "1"}
    built = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True)
    assert built.returncode == 0, built.stderr
    assert "WARNING" not in built.stderr
    page = (tmp_path / "site" / "video" / "index.html").read_text()
    assert "motes track" in page
    for path in (ROOT / "docs" / "notebooks").glob("*.ipynb"):
        page = (tmp_path / "site" / "notebooks" / path.stem / "index.html").read_text()
        assert "import motes" in re.sub("<[^>]*>", "", page) or "motes train" in page
