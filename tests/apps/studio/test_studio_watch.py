"""What the studio says of a run under way: only what was written, and only what is wrong."""

import json
import sys
from dataclasses import replace
from itertools import pairwise
from types import SimpleNamespace

import pytest
import torch
from PIL import Image

from motes.apps.studio.health import checked
from motes.apps.studio.history import MetricsHistory
from motes.apps.studio.shelf import OpenedRun, Shelf
from motes.apps.studio.watch import health, run_progress
from motes.errors import UserError
from motes.types.latents import Code, Particles


def lines(totals, validations=()):
    trained = [
        {"step": n, "stage": "main", "total": one, "terms": {"error": one}} for n, one in enumerate(totals)
    ]
    return trained + [{"step": n, "validation": one, "terms": {}} for n, one in enumerate(validations)]


def particles(count=20):
    torch.manual_seed(0)
    presence = (torch.arange(6) < 3).float().expand(count, 6)
    features = torch.randn(count, 6, 4)
    nothing = torch.zeros(count, 6, 2)
    return Particles(
        torch.rand(count, 6, 2) * 2 - 1,
        nothing,
        features,
        features * 0,
        presence,
        torch.zeros(count, 4),
        certainty=presence,
    )


def test_a_run_that_goes_well_is_not_worried_about():
    assert health(lines([100 / (n + 1) for n in range(100)], [3, 2, 1.5, 1.4])) == []
    assert checked(particles())["sentences"] == []


@pytest.mark.parametrize(
    "told, word",
    [
        (lines([1.0, float("nan")]), "not finite"),
        (lines([1.0], [1, 2, 2, 2]), "rising"),
        (lines([5.0] * 80), "hardly moved"),
    ],
)
def test_a_run_that_goes_wrong_is(told, word):
    assert any(word in sentence for sentence in health(told))


@pytest.mark.parametrize(
    "change, word",
    [
        (lambda p: replace(p, presence=torch.zeros_like(p.presence)), "Hardly any particle"),
        (
            lambda p: replace(p, presence=torch.ones_like(p.presence), certainty=torch.ones_like(p.presence)),
            "always there",
        ),
        (lambda p: replace(p, presence=torch.full_like(p.presence, 0.5)), "half there"),
        (lambda p: replace(p, position=p.position[:1].expand_as(p.position)), "same places"),
        (
            lambda p: replace(p, features=p.features * torch.tensor([1.0, 0, 0, 0])),
            "3 numbers of a look hardly vary",
        ),
        (lambda p: replace(p, features=torch.zeros_like(p.features)), "carries nothing"),
        (lambda p: Code(torch.zeros(5, 3), torch.zeros(5, 3)), "carries nothing"),
    ],
)
def test_what_has_collapsed_is_named(change, word):
    assert any(word in sentence for sentence in checked(change(particles()))["sentences"])


def progress(opened, position=""):
    return run_progress(opened.run, opened.history, position)


def test_progress_is_what_was_written_since(tmp_path, make_run):
    opened = OpenedRun(make_run(tmp_path / "run"))
    begun = progress(opened)
    assert not begun["goes_on"] and [line["step"] for line in begun["lines"]] == [0]
    opened.run.record({"step": 7, "validation": float("inf"), "terms": {"a": float("nan")}})
    (opened.run.pictures / "step-0000007.png").write_bytes(b"")
    (opened.run.pictures / "other.png").write_bytes(b"")
    found = progress(opened, begun["until"])
    assert found["goes_on"] and [line["step"] for line in found["lines"]] == [7]
    assert found["pictures"] == ["step-0000007.png"]
    assert "NaN" not in json.dumps(found) and "Infinity" not in json.dumps(found)
    assert progress(opened, found["until"])["lines"] == []
    for unknown in ("99", "1.2.3", "x.0", f"{found['until']}0"):
        again = progress(opened, unknown)
        assert not again["goes_on"] and len(again["lines"]) == 2, "from its beginning"


def test_half_a_line_waits_for_its_end(tmp_path, make_run):
    opened = OpenedRun(make_run(tmp_path / "run"))
    until = progress(opened)["until"]
    with opened.run.metrics.open("a") as file:
        file.write('{"step": 1, "tot')
        file.flush()
        assert progress(opened, until)["lines"] == []
        file.write('al": 3.0}\nno line\n')
    assert [line["step"] for line in progress(opened, until)["lines"]] == [1]


def test_each_line_is_read_once(tmp_path, make_run, monkeypatch):
    opened = OpenedRun(make_run(tmp_path / "run"))
    read = []
    add = MetricsHistory._add
    monkeypatch.setattr(MetricsHistory, "_add", lambda self, line: read.append(line) or add(self, line))
    for step in range(50):
        opened.run.record({"step": step, "total": 1.0, "terms": {}})
        for position in ("", progress(opened)["until"]):
            progress(opened, position)
    assert len(read) == 51


def test_a_run_that_begins_anew_is_told_from_its_beginning(tmp_path, make_run):
    opened = OpenedRun(make_run(tmp_path / "run"))
    for step in range(9):
        opened.run.record({"step": step, "total": 1.0, "terms": {}})
    until = progress(opened)["until"]
    # resumed at step 3, and past where it was
    opened.run._cut_metrics(3)
    for step in range(3, 20):
        opened.run.record({"step": step, "total": 2.0, "terms": {}})
    found = progress(opened, until)
    assert not found["goes_on"]
    assert [line["total"] for line in found["lines"]][-17:] == [2.0] * 17 and len(found["lines"]) < 25
    opened.run.metrics.unlink()
    assert progress(opened, found["until"])["lines"] == []


def test_a_long_history_is_thinned_out_and_whole(tmp_path, make_run):
    opened = OpenedRun(make_run(tmp_path / "run"))
    steps = 30_000
    with opened.run.metrics.open("a") as file:
        for step in range(steps):
            file.write(json.dumps({"step": step, "total": 1.0, "terms": {"error": 1.0}}) + "\n")
            if step % 1000 == 999:
                file.write(json.dumps({"step": step, "validation": 1.0, "terms": {}}) + "\n")
    found = progress(opened)
    shown = [line["step"] for line in found["lines"] if "total" in line]
    assert len(found["lines"]) < 6000 and shown[-1] == steps - 1
    gaps = [after - before for before, after in pairwise(shown)]
    assert max(gaps) <= 32, "no part of it is left out"
    assert sum("validation" in line for line in found["lines"]) == 30


def test_a_run_without_a_checkpoint_can_be_watched_and_says_why_it_cannot_be_edited(tmp_path, make_run):
    shelf = Shelf([make_run(tmp_path / "young", checkpoint=False)])
    facts = shelf.facts()["runs"][0]
    assert not facts["ready"] and facts["watchable"]
    assert facts["problem"].startswith("young has no checkpoint yet"), "and no path of this machine"
    assert shelf.drawn_small("held-out/young/0").startswith(b"\x89PNG"), "pictures need no model"
    with pytest.raises(UserError, match="checkpoint"):
        _ = shelf.runs[0].session
    with pytest.raises(UserError, match="neither"):
        Shelf([tmp_path])


def test_a_newer_checkpoint_is_taken_up(tmp_path, make_run):
    opened = OpenedRun(make_run(tmp_path / "run"))
    before = opened.session
    assert not opened.renew()
    opened.run.save(
        before.model,
        {"nothing": torch.zeros(1)},
        {"step": 9, "stage": 0, "elapsed": 0.0, "best": 0.5},
        best=True,
    )
    assert opened.renew() and opened.session is not before


def test_two_runs_of_one_name_are_told_apart(tmp_path, make_run):
    shelf = Shelf([make_run(tmp_path / "a" / "run"), make_run(tmp_path / "b" / "run")])
    assert [run.name for run in shelf.runs] == ["a/run", "b/run"]
    again = Shelf([tmp_path / "b" / "run", tmp_path / "a" / "run", tmp_path / "b" / "run"])
    assert [run.name for run in again.runs] == ["b/run", "a/run"], "a name says the same in any order"
    assert again.run("a/run").folder == shelf.run("a/run").folder == tmp_path / "a" / "run"
    for unknown in ("run", "", 2, -1, True, None, 0.0):
        with pytest.raises(UserError, match="there is no run"):
            again.run(unknown)


def test_the_studio_opens_from_python(tmp_path, make_run):
    pytest.importorskip("starlette", reason="needs pip install 'motes[studio]'")
    pytest.importorskip("uvicorn", reason="needs pip install 'motes[studio]'")
    from urllib.request import urlopen

    import motes

    model = OpenedRun(make_run(tmp_path / "run")).session.model
    with motes.studio(model, [Image.new("RGB", (9, 9), "teal")], browser=False) as opened:
        assert b"motes" in urlopen(opened.address).read()
        assert urlopen(opened.address + "thumb?picture=folder/0/0000.png").status == 200
    Image.new("RGB", (9, 9), "navy").save(tmp_path / "one.png")
    for picture in (Image.new("RGB", (9, 9), "teal"), tmp_path / "one.png", str(tmp_path / "one.png")):
        with motes.studio(model, picture, browser=False) as opened:
            pictures = opened.shelf.facts()["pictures"]
            assert (
                len(pictures) == 1 and urlopen(f"{opened.address}thumb?picture={pictures[0]}").status == 200
            ), "one picture, as it is"
    with pytest.raises(UserError, match="does not exist"):
        motes.studio(tmp_path / "run", ["nowhere.png"], browser=False)


def test_a_notebook_shows_the_page_itself_and_opens_no_browser(tmp_path, make_run, monkeypatch):
    pytest.importorskip("starlette", reason="needs pip install 'motes[studio]'")
    pytest.importorskip("uvicorn", reason="needs pip install 'motes[studio]'")
    from urllib.request import urlopen

    import motes

    opened = []
    monkeypatch.setattr("webbrowser.open", opened.append)
    notebook = SimpleNamespace(get_ipython=lambda: SimpleNamespace(kernel=True))
    with motes.studio(make_run(tmp_path / "run")) as shown:
        assert opened == [shown.address]
    monkeypatch.setitem(sys.modules, "IPython", notebook)
    with motes.studio(tmp_path / "run") as shown:
        assert opened[1:] == [] and f'<iframe src="{shown.address}"' in shown._repr_html_()
        policy = urlopen(shown.address).headers["content-security-policy"]
        assert (
            "frame-ancestors http://localhost:* http://127.0.0.1:*;" in policy
            and "default-src 'self'" in policy
        )


def test_options_of_a_run_are_named_as_on_the_command_line(tmp_path, make_run):
    from motes.apps.studio.watch import run_options

    options = run_options(make_run(tmp_path / "run"))
    assert options["model"] == "dlp" and options["data"] == "shapes"
    assert options["data.image-size"] == "32 32" and options["training.batch-size"].isdecimal()
