"""The public doors carry examples, and all examples in docstrings run as they stand."""

import doctest
from importlib import import_module
from pathlib import Path

import pytest

import motes

ROOT = Path(motes.__file__).parent
# what a reader comes to first; each has an example in its docstring, or in that of one of its methods
DOORS = (
    "motes.apps.session.session.Session",
    "motes.data.base.Dataset",
    "motes.data.source.Source",
    "motes.evaluation.scoring.evaluate",
    "motes.models.base.Model",
    "motes.models.base.Stage",
    "motes.models.checkpoint.load",
    "motes.training.loop.train",
    "motes.types.batch.Batch",
    "motes.types.latents.Code",
    "motes.types.latents.Particles",
    "motes.types.rows.Rows",
    "motes.types.slots.Slots",
)
WITH_EXAMPLES = sorted(
    ".".join(("motes", *path.relative_to(ROOT).with_suffix("").parts)).removesuffix(".__init__")
    for path in ROOT.rglob("*.py")
    if ">>> " in path.read_text()
)


def examples_of(module):
    """The examples of a module, by the full name of what they show."""
    return {test.name: test for test in doctest.DocTestFinder(exclude_empty=True).find(import_module(module))}


@pytest.mark.parametrize("door", DOORS)
def test_a_door_has_an_example(door):
    examples = examples_of(door.rpartition(".")[0])
    assert any(name == door or name.startswith(f"{door}.") for name in examples if examples[name].examples)


@pytest.mark.parametrize("module", WITH_EXAMPLES)
def test_examples_run_as_they_stand(module, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    examples = [test for test in examples_of(module).values() if test.examples]
    assert examples, "docstrings that doctest does not find"
    report = []
    for test in examples:
        doctest.DocTestRunner().run(test, out=report.append)
    assert not report, "".join(report)


def test_what_the_package_exports_is_there():
    for name in motes.__all__:
        assert getattr(motes, name) is not None
    assert set(motes.__all__) <= set(dir(motes))
