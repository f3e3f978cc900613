"""The studio: a local page on which pictures are taken hold of by their particles."""

from pathlib import Path

PAGE = Path(__file__).with_name("page")
