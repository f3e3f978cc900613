"""What a package index and a reader of the repository see: links that hold, one version, and a whole sdist."""

import re
import runpy
import tomllib
from pathlib import Path

import pytest

from motes.version import VERSION

ROOT = Path(__file__).parents[1]
FILE = tomllib.loads((ROOT / "pyproject.toml").read_text())
PROJECT = FILE["project"]


def test_links_of_the_description_are_absolute_and_lead_to_files(monkeypatch):
    setuptools = pytest.importorskip("setuptools", reason="setuptools is not installed")
    told = {}
    monkeypatch.setattr(setuptools, "setup", told.update)
    runpy.run_path(str(ROOT / "setup.py"))
    links = re.findall(r"(!?)\[[^\]]*\]\(([^)\s]+)\)", told["long_description"])
    assert links and all(link.startswith("https://") for _, link in links)
    base = re.escape(PROJECT["urls"]["Repository"])
    for bang, link in links:
        inside = re.fullmatch(rf"{base}/(raw|blob)/main/([^#]+)(#.*)?", link)
        if inside:
            assert (ROOT / inside[2]).is_file() and (inside[1] == "raw") == bool(bang), link


def test_the_version_is_the_same_everywhere():
    assert f"\nversion: {VERSION}\n" in (ROOT / "CITATION.cff").read_text()
    assert f"\n## {VERSION}\n" in (ROOT / "CHANGELOG.md").read_text()


def test_the_sdist_holds_all_that_the_suite_reads():
    lines = (ROOT / "MANIFEST.in").read_text().split()
    for name in (
        "tests",
        "docs",
        "examples",
        "benchmarks",
        ".ci",
        "Makefile",
        "constraints-cpu.txt",
        "mkdocs.yml",
    ):
        assert name in lines and (ROOT / name).exists()


def test_extras_are_used():
    """Each package of an extra is imported somewhere, or named by the Makefile, the site or the options of pytest."""
    sources = [
        file for folder in ("motes", "tests", "docs", "benchmarks") for file in (ROOT / folder).rglob("*.py")
    ]
    text = "\n".join(file.read_text() for file in sources) + (ROOT / "Makefile").read_text()
    text += (ROOT / "mkdocs.yml").read_text() + FILE["tool"]["pytest"]["ini_options"]["addopts"]
    modules = {"scikit-learn": "sklearn", "scikit-image": "skimage", "mkdocs-material": "mkdocs"}
    # pytest-xdist is --numprocesses; websockets is what uvicorn speaks with
    silent = {"pytest-xdist", "websockets", "pyright", "ruff"}
    for extra, packages in PROJECT["optional-dependencies"].items():
        for package in packages:
            name = re.split(r"[>=;\[ ]", package)[0]
            module = modules.get(name, name.replace("-", "_"))
            assert name in silent or re.search(rf"\b{module}\b", text), f"{name} of {extra}"
