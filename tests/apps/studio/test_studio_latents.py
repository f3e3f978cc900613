"""The studio asked everything about models whose latents are neither particles nor codes: it answers, or says why not."""

import io

import numpy as np
import pytest
from PIL import Image

pytest.importorskip("starlette", reason="needs pip install 'motes[studio]'")

from starlette.testclient import TestClient
from toy_runs import COUNT, make_toy_run

from motes.apps.studio.desk import Desk
from motes.apps.studio.messages import unpack
from motes.apps.studio.server import Studio
from motes.apps.studio.shelf import Shelf
from motes.apps.studio.site import export

EDITS = [
    {"particles": {"0": {"presence": 0.0}}},
    {"particles": {"0": {"features": {"1": 0.5}}}},
    {"particles": {"0": {"position": [0, 0]}}},
    {"particles": {"0": {"copy_of": ["", 1]}}},
    {"particles": {"0": {"scale": [2, 2]}}},
    {"order": [2, 0, 1]},
    {"background": "held-out/run/1"},
    {"threshold": 0.5},
    {"code": {"0": 1.0}},
    {"towards": ["held-out/run/1", 0.5]},
]
OF_SLOTS = [0, 1, 5]
PICTURE = "held-out/run/0"


@pytest.fixture
def ask(tmp_path, monkeypatch, request):
    """The first run's model is named by the test."""
    desk = Desk(Shelf([make_toy_run(tmp_path / "run", request.param, monkeypatch)]))

    def asking(question, **facts):
        answer, arrays = unpack(desk.answer({"ask": question, "n": 1, "run": 0, "picture": PICTURE, **facts}))
        assert answer["n"] == 1
        if "problem" in answer:
            assert len(answer["problem"].split()) > 3 and "\n" not in answer["problem"]
        return answer, arrays

    return asking


@pytest.mark.parametrize("ask, kind", [("toy-stripes", "other"), ("toy-slots", "slots")], indirect=["ask"])
def test_it_is_entered_opened_and_drawn(ask, kind):
    facts = ask("enter")[0]["facts"]
    assert facts["ready"] and len(facts["pictures"]) == 6
    assert not facts["offers"]["particles"] and not facts["offers"]["layers"]
    opened, arrays = ask("open")
    assert opened["kind"] == kind and arrays["image"].shape == arrays["drawn"].shape == (32, 32, 3)
    assert set(arrays) == {"image", "drawn"}, "no layers that the page could not lay"
    assert ("presence" in opened) == (kind == "slots")
    if kind == "slots":
        assert len(opened["presence"]) == len(opened["features"]) == COUNT
    decoded, again = ask("decode", edits={}, layers=True)
    assert "problem" not in decoded and np.array_equal(again["drawn"], arrays["drawn"])


@pytest.mark.parametrize("number", range(len(EDITS)))
@pytest.mark.parametrize("ask, served", [("toy-stripes", []), ("toy-slots", OF_SLOTS)], indirect=["ask"])
def test_every_edit_is_served_or_refused(ask, served, number):
    before = ask("open")[1]["drawn"]
    for question in ("decode", "python", "animate"):
        answer, arrays = ask(question, edits=EDITS[number], layers=True)
        assert ("problem" in answer) == (number not in served), answer
        if question == "decode" and number in (0, 1) and served:
            assert not np.array_equal(arrays["drawn"], before)


@pytest.mark.parametrize("ask, ranges", [("toy-stripes", False), ("toy-slots", True)], indirect=["ask"])
def test_ranges_health_python_animation_and_renewal(ask, ranges):
    assert (ask("ranges")[0]["ranges"] is not None) == ranges
    health = ask("health")[0]
    assert bool(health["numbers"]) == ranges and health["sentences"] == []
    lines = ask("python")[0]["lines"]
    assert "session.encode(read_recipe" in lines and "latent.edited" not in lines
    file = ask("animate", kind="gif")[1]["file"]
    assert Image.open(io.BytesIO(file.tobytes())).format == "GIF"
    renewed = ask("renew")[0]
    assert not renewed["fresh"] and renewed["facts"]["ready"]


@pytest.mark.parametrize("ask, samples", [("toy-stripes", True), ("toy-slots", False)], indirect=["ask"])
def test_new_pictures_are_drawn_by_models_that_can(ask, samples):
    answer, _ = ask("sample")
    assert ("picture" in answer) == samples
    if samples:
        assert ask("open", picture=answer["picture"])[0]["kind"] == "other"
    else:
        assert "cannot make up" in answer["problem"]


@pytest.mark.parametrize("ask", ["toy-tensor"], indirect=True)
def test_a_latent_that_is_no_record_is_refused_in_a_sentence(ask):
    for question in ("enter", "ranges", "open", "decode", "python", "animate", "health", "renew"):
        assert "should be a record" in ask(question)[0]["problem"], question
    assert (
        "cannot make up" in ask("sample")[0]["problem"] or "should be a record" in ask("sample")[0]["problem"]
    )


def test_pages_are_greeted_and_sites_written_whatever_the_latent(tmp_path, monkeypatch):
    names = ("toy-stripes", "toy-slots")
    shelf = Shelf([make_toy_run(tmp_path / name, name, monkeypatch) for name in names])
    with TestClient(Studio(shelf).app(), "http://127.0.0.1:7860") as client:
        with client.websocket_connect("ws://127.0.0.1:7860/talk") as socket:
            assert [run["model"] for run in unpack(socket.receive_bytes())[0]["runs"]] == list(names)
        assert client.get("/thumb?picture=held-out/toy-slots/0").status_code == 200
    export(shelf, tmp_path / "site")
    assert len(list((tmp_path / "site" / "site").glob("*.js"))) == 12 + 1, (
        "an answer each, and what the page is greeted with"
    )
