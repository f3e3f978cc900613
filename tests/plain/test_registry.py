"""The tables speak for themselves: a line about each entry, papers to cite, file endings, and no torch to read them."""

import subprocess
import sys

import pytest

from motes.data import DATASETS
from motes.data.recognise import ENDINGS
from motes.evaluation import SCORES
from motes.models import MODELS
from motes.training.presets import PRESETS

TABLES = {"models": MODELS, "data": DATASETS, "scores": SCORES}


@pytest.mark.parametrize("table", TABLES)
def test_each_entry_says_in_a_line_what_it_is(table):
    abouts = [TABLES[table].row(name).about for name in TABLES[table]]
    assert all(10 < len(about) <= 100 and "\n" not in about for about in abouts)
    assert len(set(abouts)) == len(abouts)
    assert all(preset.about for preset in PRESETS.values())


def test_every_model_with_a_paper_can_be_cited():
    papers = [MODELS.row(name).paper for name in MODELS if name != "paired"]
    for paper in papers:
        assert paper is not None and paper.link.startswith("https://")
        assert paper.bibtex.startswith("@") and paper.bibtex.count("{") == paper.bibtex.count("}")
        assert all(paper.bibtex.count(field) == 1 for field in (" title={", " author={", " year={"))
    assert MODELS.row("paired").paper is None


def test_a_models_paper_is_the_one_that_its_class_names():
    for name in MODELS:
        paper = MODELS.row(name).paper
        text = " ".join((MODELS[name].__doc__ or "").split())
        assert paper is None or paper.link in text, name


def test_an_ending_means_one_data_set():
    endings = [ending for name in DATASETS for ending in DATASETS.row(name).endings]
    assert len(set(endings)) == len(endings) == len(ENDINGS)
    assert all(ending.startswith(".") and ending == ending.lower() for ending in endings)


def test_the_list_of_everything_loads_no_torch():
    code = "import sys; from motes.apps.cli.list import show_choices; show_choices(); assert 'torch' not in sys.modules"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    for table in TABLES.values():
        assert all(name in done.stdout for name in table)
