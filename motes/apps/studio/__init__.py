"""The studio: a local page on which pictures are edited by hand, particle by particle."""

from pathlib import Path

PAGE = Path(__file__).with_name("page")
