"""The studio's server: its answers are the session's, it refuses whom and what it should, and one client harms no other."""

import io
import json
import random
import re
import signal
import struct
import subprocess
import sys
import threading
import zlib
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import numpy as np
import pytest
import torch
from PIL import Image

pytest.importorskip("starlette", reason="needs pip install 'motes[studio]'")
pytest.importorskip("httpx", reason="starlette's test client needs httpx")

from starlette.testclient import TestClient
from starlette.websockets import WebSocketDisconnect

from motes.apps.cli import studio as command
from motes.apps.session.edits import Edits
from motes.apps.studio import desk, shelf, uploads
from motes.apps.studio.guard import token_for
from motes.apps.studio.messages import fine, pack, pixels, unpack
from motes.apps.studio.ports import addresses
from motes.apps.studio.server import Studio
from motes.data.source import Source
from motes.errors import UserError
from motes.models import MODELS
from motes.ops.rendering.composite import render
from motes.ops.rendering.composite_scaled import render_scaled
from motes.types.slots import Slots

HOME = "http://127.0.0.1:7860"
TALK = "ws://127.0.0.1:7860/talk"


@pytest.fixture(scope="module")
def studio(tmp_path_factory, make_run):
    folder = tmp_path_factory.mktemp("opened")
    one_size = {"dlp": {"architecture": "anchored"}}
    runs = [make_run(folder / name, name, **one_size.get(name, {})) for name in MODELS]
    pictures = folder / "pictures"
    pictures.mkdir()
    Image.new("RGB", (50, 40), "teal").save(pictures / "one.png")
    (folder / "secret.png").write_bytes((pictures / "one.png").read_bytes())
    return Studio(shelf.Shelf(runs, [pictures]))


@pytest.fixture
def client(studio):
    with TestClient(studio.app(), HOME) as client:
        yield client


class Talk:
    """One page's conversation, over the test client."""

    def __init__(self, socket):
        self.socket = socket
        self.greeting = unpack(socket.receive_bytes())[0]

    def ask(self, ask, **told):
        self.socket.send_text(json.dumps({"ask": ask, "n": 7, **told}))
        return unpack(self.socket.receive_bytes())

    def says(self, text):
        self.socket.send_text(text)
        return unpack(self.socket.receive_bytes())[0].get("problem")


@pytest.fixture
def talk(client):
    with client.websocket_connect(TALK) as socket:
        yield Talk(socket)


def png(width, height):
    """The head of a picture that would be so large."""
    head, data = (
        b"IHDR" + struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0),
        b"IDAT" + zlib.compress(b"\0" * 1000),
    )
    parts = [
        struct.pack(">I", len(one) - 4) + one + struct.pack(">I", zlib.crc32(one)) for one in (head, data)
    ]
    return b"\x89PNG\r\n\x1a\n" + b"".join(parts)


def picture():
    file = io.BytesIO()
    Image.effect_noise((60, 50), 80).convert("RGB").save(file, "PNG")
    return file.getvalue()


def names(talk, model):
    run = [one["name"] for one in talk.greeting["runs"]].index(model)
    return run, talk.ask("enter", run=run)[0]["facts"]["pictures"][0]


def test_what_is_packed_is_unpacked():
    arrays = {"a": np.arange(7, dtype=np.uint8).reshape(7, 1), "b": np.array([1, 65535, 3], np.uint16)}
    facts, back = unpack(pack({"n": 3, "é": "ü"}, arrays))
    assert facts == {"n": 3, "é": "ü"}
    assert all(
        np.array_equal(back[name], arrays[name]) and back[name].dtype == arrays[name].dtype for name in arrays
    )


@pytest.mark.slow
@pytest.mark.parametrize("model", list(MODELS))
def test_every_model_opens_and_decodes_as_the_session_does(model, talk, studio):
    run, name = names(talk, model)
    facts, arrays = talk.ask("open", run=run, picture=name)
    session = studio.shelf.runs[run].session
    image = studio.shelf.picture(name, session)
    latent = session.encode(image)
    kind = "particles" if session.offers.particles else "slots" if isinstance(latent, Slots) else "code"
    assert facts["kind"] == kind
    assert ("glimpses" in arrays) == session.offers.layers
    assert np.array_equal(arrays["image"], pixels(image[0])) and np.array_equal(
        arrays["drawn"], pixels(session.decode(latent)[0])
    )
    told = {
        "particles": {"particles": {"1": {"position": [0.25, -0.5]}}},
        "slots": {"particles": {"1": {"presence": 0.0}}},
        "code": {"code": {"2": 1.5}},
    }[kind]
    _, after = talk.ask("decode", run=run, picture=name, edits=told)
    wanted = session.decode(session.edit(latent, Edits.read(told)))
    assert np.array_equal(after["drawn"], pixels(wanted[0]))


def test_one_model_is_loaded_until_another_run_is_looked_at(tmp_path, make_run, monkeypatch):
    loaded, opened = [], []
    load, data = shelf.Session.open, Source.open
    monkeypatch.setattr(shelf.Session, "open", lambda where: loaded.append(where) or load(where))
    monkeypatch.setattr(Source, "open", lambda source, split: opened.append(source) or data(source, split))
    young = make_run(tmp_path / "young", checkpoint=False)
    several = Studio(shelf.Shelf([young, *(make_run(tmp_path / name) for name in ("one", "two", "three"))]))
    with TestClient(several.app(), HOME) as client, client.websocket_connect(TALK) as socket:
        talk = Talk(socket)
        assert [run["ready"] for run in talk.greeting["runs"]] == [False, True, True, True]
        assert not loaded and not opened, "a page is greeted before anything is loaded"
        several.shelf.warm()
        assert len(loaded) == len(opened) == 1
        assert talk.ask("enter", run=1)[0]["facts"]["offers"]["particles"]
        assert talk.ask("open", run=1, picture="held-out/one/0")[0]["kind"] == "particles"
        assert len(loaded) == len(opened) == 1, "made ready while the browser started, and not again"
        assert talk.ask("open", run=3, picture="held-out/one/0")[0]["kind"] == "particles"
        assert len(loaded) == 2, "another when it is looked at"
        assert "checkpoint" in talk.ask("enter", run=0)[0]["facts"]["problem"]
        assert talk.ask("enter", run=9)[0]["problem"] and talk.ask("ranges", run=9)[0]["problem"]
        assert len(talk.ask("ranges", run=1)[0]["ranges"]["low"]) == 3, "one for every number of a look"


def test_half_of_the_cores_are_left_to_the_browser(tmp_path, make_run, monkeypatch):
    used, before = [], torch.get_num_threads()
    monkeypatch.setattr(
        "motes.apps.studio.server.serve",
        lambda studio, *_: used.append(studio.threads.models.submit(torch.get_num_threads).result()),
    )
    try:
        for threads in (4, 1):
            torch.set_num_threads(threads)
            command.start(
                shelf.Shelf([make_run(tmp_path / f"run-{threads}")]), "127.0.0.1", 7999, browser=False
            )
    finally:
        torch.set_num_threads(before)
    assert used == [2, 1]


def test_layers_laid_in_the_pages_order_are_the_decoded_picture(talk, studio):
    run, name = names(talk, "dlp")
    order = [3, 1, 4, 0, 2]
    told = {
        "particles": {"4": {"copy_of": ["", 1], "position": [0.3, 0.3]}, "0": {"features": {"0": 2.0}}},
        "order": order,
    }
    _, arrays = talk.ask("decode", run=run, picture=name, edits=told, layers=True)
    session = studio.shelf.runs[run].session
    latent = session.edit(session.encode(studio.shelf.picture(name, session)), Edits.read(told))
    glimpses, background = (
        torch.from_numpy(arrays[one].astype(np.float32) / 65535) for one in ("glimpses", "background")
    )
    drawn = render(glimpses[order][None], latent.position, latent.presence, background[None])
    assert np.abs(pixels(drawn[0]).astype(int) - arrays["drawn"].astype(int)).max() <= 1
    assert fine(torch.ones(2)).tolist() == [65535, 65535]


@pytest.fixture(scope="module")
def sized(tmp_path_factory, make_run):
    run = make_run(tmp_path_factory.mktemp("sized") / "sized", architecture="sized")
    return desk.Desk(shelf.Shelf([run]))


def asked(some_desk, ask, **told):
    told = {"ask": ask, "n": 1, "run": 0, "picture": "held-out/sized/0", **told}
    return unpack(some_desk.answer(told))


def test_sizes_are_offered_edited_and_laid_as_the_model_draws_them(sized):
    assert asked(sized, "enter")[0]["facts"]["offers"]["sizes"]
    facts, before = asked(sized, "open")
    session = sized.shelf.runs[0].session
    latent = session.encode(sized.shelf.picture("held-out/sized/0", session))
    assert facts["scale"] == pytest.approx(latent.extent.scale[0].numpy(), abs=1e-5)
    told = {
        "particles": {
            "0": {"scale": [2.5, 0.6], "presence": 1.0},
            "4": {"copy_of": ["", 1], "scale": [0.5, 0.5]},
            "2": {"features": {"0": 3.0}},
        },
        "order": [3, 0, 4, 1, 2],
    }
    laid, arrays = asked(sized, "decode", edits=told, layers=True)
    edited = session.edit(latent, Edits.read(told))
    assert np.array_equal(arrays["drawn"], pixels(session.decode(edited)[0]))
    assert not np.array_equal(arrays["drawn"], before["drawn"])
    glimpses, background = (
        torch.from_numpy(arrays[one].astype(np.float32) / 65535) for one in ("glimpses", "background")
    )
    low, high = laid["range"]
    assert low < 0 and high > 1, "the background of an untrained model, in the picture's light"
    background = low + (high - low) * background
    order = told["order"]
    middle = torch.tensor(laid["middle"])[order]
    at = edited.position[0] - middle * edited.extent.scale[0] / 16
    layers = (glimpses[order], at, edited.extent.scale[0], edited.presence[0], background)
    drawn = render_scaled(*(layer[None] for layer in layers))
    assert np.abs(pixels(drawn[0]).astype(int) - arrays["drawn"].astype(int)).max() <= 1
    lines = asked(sized, "python", edits=told)[0]["lines"]
    assert "latent = latent.with_scale(0, (2.5, 0.6))" in lines


def test_sizes_are_refused_where_particles_have_none(talk):
    run, name = names(talk, "dlp")
    assert not talk.ask("enter", run=run)[0]["facts"]["offers"]["sizes"]
    told = {"particles": {"0": {"scale": [2.0, 2.0]}}}
    for ask in ("decode", "python", "animate"):
        problem = talk.ask(ask, run=run, picture=name, edits=told)[0]["problem"]
        assert "all particles of this model are of one size" in problem


def test_models_without_layers_say_how_large_their_windows_are(talk):
    run, name = names(talk, "dlp-masked")
    assert talk.ask("open", run=run, picture=name)[0]["window"] == 8
    run, name = names(talk, "vae")
    assert "window" not in talk.ask("open", run=run, picture=name)[0]


def test_made_up_pictures_can_be_opened(talk):
    run, _ = names(talk, "vae")
    made, _ = talk.ask("sample", run=run)
    facts, _ = talk.ask("open", run=run, picture=made["picture"])
    assert facts["kind"] == "code"
    assert "cannot make up" in talk.ask("sample", run=0)[0]["problem"]


def test_a_dropped_picture_keeps_its_name_and_belongs_to_one_page(client, studio):
    with client.websocket_connect(TALK) as one, client.websocket_connect(TALK) as other:
        mine, theirs = Talk(one), Talk(other)
        sent = [
            client.post("/pictures", content=picture(), headers={"x-motes-session": mine.greeting["session"]})
            for _ in range(2)
        ]
        raw = picture()
        again = [
            client.post(
                "/pictures", content=raw, headers={"x-motes-session": mine.greeting["session"]}
            ).json()["picture"]
            for _ in range(2)
        ]
        assert all(one.status_code == 200 for one in sent) and again[0] == again[1]
        assert mine.ask("open", run=0, picture=again[0])[0]["kind"] == "particles"
        assert "drop it in again" in theirs.ask("open", run=0, picture=again[0])[0]["problem"]
        assert len(studio.desks) == 2
    assert not studio.desks, "a closed page leaves nothing behind"
    assert client.post("/pictures", content=raw, headers={"x-motes-session": "x"}).status_code == 403


def test_a_page_keeps_a_bounded_number_of_pictures(studio, monkeypatch):
    monkeypatch.setattr(desk, "DROPPED", 5 * 60 * 50 * 3)
    monkeypatch.setattr(studio.shelf.encoded, "budget", 2_000_000)
    one = desk.Desk(studio.shelf)
    for _ in range(20):
        one.open({"run": 0, "picture": one.take(picture())})
    assert len(one.dropped) == 5
    for _ in range(50):
        one.sample({"run": list(MODELS).index("pca")})
    assert studio.shelf.encoded.left >= 0


def test_encoded_pictures_are_shared_and_own_ones_are_not(studio):
    one, other = desk.Desk(studio.shelf, "one"), desk.Desk(studio.shelf, "other")
    own = one.take(picture())
    for name in ("held-out/dlp/0", own):
        one.open({"run": 0, "picture": name})
    run = studio.shelf.runs[0]
    assert other._find(run, "held-out/dlp/0") is one._find(run, "held-out/dlp/0")
    with pytest.raises(UserError, match="drop it in again"):
        other._find(run, own)


def test_while_a_picture_is_decoded_others_are_answered(client, studio, monkeypatch):
    begun, done = threading.Event(), threading.Event()
    take = desk.Desk.take

    def slow_take(self, raw):
        begun.set()
        assert done.wait(20), "nobody else was answered"
        return take(self, raw)

    monkeypatch.setattr(desk.Desk, "take", slow_take)
    with client.websocket_connect(TALK) as socket, ThreadPoolExecutor(1) as pool:
        other = Talk(socket)
        session = {"x-motes-session": other.greeting["session"]}
        sent = pool.submit(client.post, "/pictures", content=picture(), headers=session)
        assert begun.wait(20)
        assert other.ask("open", run=0, picture="held-out/dlp/0")[0]["kind"] == "particles"
        assert client.get("/thumb?picture=held-out/dlp/0").status_code == 200
        done.set()
        assert sent.result().status_code == 200


def test_a_film_lets_others_in_between_its_frames(client, studio, monkeypatch):
    begun, answered = threading.Event(), threading.Event()
    film = desk.Desk.film

    def endless(self, question):
        """A film that ends only when somebody else was answered."""
        drawn = film(self, question)
        first = next(drawn.frames)
        frames = iter(lambda: begun.set() or (None if answered.is_set() else first), None)
        return replace(drawn, frames=frames)

    monkeypatch.setattr(desk.Desk, "film", endless)
    told = {"run": 0, "picture": "held-out/dlp/0"}
    with (
        client.websocket_connect(TALK) as one,
        client.websocket_connect(TALK) as other,
        ThreadPoolExecutor(2) as pool,
    ):
        mine, theirs = Talk(one), Talk(other)
        filmed = pool.submit(mine.ask, "animate", **told)
        assert begun.wait(20)
        decoded = pool.submit(theirs.ask, "decode", **told)
        try:
            assert "problem" not in decoded.result(20)[0]
        finally:
            answered.set()
        assert "file" in filmed.result(20)[1]
        assert "kind should be" in theirs.ask("animate", **told, kind="avi")[0]["problem"]


def test_a_file_among_the_pictures_that_decodes_slowly_holds_up_its_own_page_only(
    tmp_path, make_run, monkeypatch
):
    (tmp_path / "pictures").mkdir()
    Image.new("RGB", (50, 40), "teal").save(tmp_path / "pictures" / "one.png")
    (tmp_path / "pictures" / "cut.png").write_bytes(picture()[:300])
    several = Studio(shelf.Shelf([make_run(tmp_path / "run")], [tmp_path / "pictures"]))
    begun, done = threading.Event(), threading.Event()
    fitted = several.shelf.decoder.fitted
    asked = []

    def slow_fitted(path, size, channels):
        asked.append(path.name)
        begun.set()
        assert done.wait(20), "nobody else was answered"
        return fitted(path, size, channels)

    monkeypatch.setattr(several.shelf.decoder, "fitted", slow_fitted)
    with (
        TestClient(several.app(), HOME) as client,
        client.websocket_connect(TALK) as one,
        client.websocket_connect(TALK) as other,
        ThreadPoolExecutor(1) as pool,
    ):
        mine, theirs = Talk(one), Talk(other)
        opened = pool.submit(mine.ask, "open", run=0, picture="folder/0/one.png")
        assert begun.wait(20)
        assert theirs.ask("open", run=0, picture="held-out/run/0")[0]["kind"] == "particles"
        done.set()
        assert opened.result()[0]["kind"] == "particles"
        for _ in range(2):
            assert "cut short" in theirs.ask("open", run=0, picture="folder/0/cut.png")[0]["problem"]
        assert asked == ["one.png", "cut.png"], "a refusal may have taken seconds: it is remembered"
        assert "cut short" in client.get("/thumb?picture=folder/0/cut.png").text
        assert theirs.ask("open", run=0, picture="folder/0/one.png")[0]["kind"] == "particles"


@pytest.mark.parametrize(
    "body, status, word",
    [
        (png(50_000, 50_000), 415, "pixels"),
        (png(9_000, 9_000), 415, "pixels"),
        (b"", 415, "no picture"),
        (b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n", 415, "no picture"),
        (picture()[:200], 415, "cut short"),
        (b"\0" * (uploads.LARGEST_FILE + 1), 413, "larger"),
    ],
    ids=["bomb", "too many pixels", "empty", "postscript", "half", "too many bytes"],
)
def test_uploads_that_are_refused(body, status, word, client):
    with client.websocket_connect(TALK) as socket:
        key = Talk(socket).greeting["session"]
        said = client.post("/pictures", content=body, headers={"x-motes-session": key})
        assert said.status_code == status and word in said.text
        streamed = client.post(
            "/pictures", content=iter([b"\0" * 1_000_000] * 25), headers={"x-motes-session": key}
        )
        assert streamed.status_code == 413, "counted as it comes, whatever its head says"


@pytest.mark.parametrize(
    "host", ["evil.example", "127.0.0.1.evil.example:7860", "127.0.0.1@evil.example", "", "192.168.0.9:7860"]
)
def test_another_name_for_this_machine_is_refused(host, client):
    assert client.get("/", headers={"host": host}).status_code == 403


@pytest.mark.parametrize(
    "origin", ["http://evil.example", "null", "http://127.0.0.1:9999", "http://localhost:7860", "file://"]
)
def test_another_sites_page_is_refused(origin, client):
    assert client.get("/", headers={"origin": origin}).status_code == 403
    with (
        pytest.raises(WebSocketDisconnect) as end,
        client.websocket_connect(TALK, headers={"origin": origin}) as socket,
    ):
        socket.receive_bytes()
    assert end.value.code == 1008


def test_bound_elsewhere_the_token_is_needed(studio):
    assert token_for("127.0.0.1") == "" and len(token_for("0.0.0.0")) > 20
    with TestClient(studio.app("secret"), "http://192.168.0.9:7860") as client:
        assert client.get("/").status_code == client.get("/?token=wrong").status_code == 403
        assert client.get("/thumb?picture=x").status_code == 403
        with (
            pytest.raises(WebSocketDisconnect),
            client.websocket_connect("ws://192.168.0.9:7860/talk") as socket,
        ):
            socket.receive_bytes()
        assert client.get("/?token=secret").status_code == 200
        assert client.get("/page/app.js").status_code == 200, "the cookie carries it on"
        with client.websocket_connect(
            "ws://192.168.0.9:7860/talk", headers={"origin": "http://192.168.0.9:7860"}
        ) as socket:
            assert Talk(socket).greeting["runs"]


def test_two_studios_of_one_host_do_not_take_each_others_cookies(studio):
    """Browsers send the cookies of one port to all ports."""
    with (
        TestClient(studio.app("one"), "http://192.168.0.9:7860") as one,
        TestClient(studio.app("other"), "http://192.168.0.9:7861") as other,
    ):
        assert one.get("/?token=one").status_code == 200
        other.cookies = one.cookies
        assert other.get("/").status_code == 403
        assert other.get("/?token=other").status_code == 200
        one.cookies = other.cookies
        assert one.get("/page/app.js").status_code == 200, "still open, with both cookies"


def test_printed_addresses_can_be_opened():
    assert addresses("127.0.0.1", 7860, "") == ["http://127.0.0.1:7860/"]
    assert addresses("192.168.0.9", 7860, "t") == ["http://192.168.0.9:7860/?token=t"]
    assert addresses("::1", 7860, "t") == ["http://[::1]:7860/?token=t"]
    for host, itself in (("0.0.0.0", "127.0.0.1"), ("::", "[::1]")):
        here, elsewhere = addresses(host, 7860, "t")
        assert here == f"http://{itself}:7860/?token=t"
        assert elsewhere.endswith(":7860/?token=t") and "0.0.0.0" not in elsewhere and "[::]" not in elsewhere


@pytest.mark.parametrize(
    "name",
    ["../secret.png", "folder/0/../secret.png", "/etc/passwd", "folder/1/one.png", "held-out/dlp/../../x", "held-out/dlp/6", "held-out/dlp/-1",
     "held-out/dlp/١", "held-out//0", "C:\\x", "\0", "x" * 999],
)  # fmt: skip
def test_names_are_looked_up_and_never_taken_for_paths(name, talk, client):
    assert talk.ask("open", run=0, picture=name)[0]["problem"]
    assert client.get("/thumb", params={"picture": name}).status_code == 404


@pytest.mark.parametrize(
    "path",
    ["/page/../server.py", "/page/%2e%2e/server.py", "/page/..%2fserver.py", "/page//etc/passwd", "/progress/picture?run=dlp&name=run.json", "/progress/picture?run=dlp&name=..%2frun.json", "/progress/picture?run=dlp&name=%00", "/progress?run=99", "/progress"],
)  # fmt: skip
def test_only_the_page_and_the_runs_own_pictures_are_served(path, client):
    assert client.get(path).status_code == 404


def test_a_link_among_the_pictures_of_a_run_does_not_lead_out_of_it(client, studio, tmp_path):
    Image.new("RGB", (9, 9)).save(tmp_path / "secret.png")
    pictures = studio.shelf.runs[0].run.pictures
    (pictures / "step-0000001.png").symlink_to(tmp_path / "secret.png")
    Image.new("RGB", (9, 9)).save(pictures / "step-0000002.png")
    asked = "/progress/picture?run=dlp&name=step-000000"
    assert client.get(f"{asked}1.png").status_code == 404
    assert client.get(f"{asked}2.png").status_code == 200


def test_files_are_told_apart_by_their_folders_and_their_names_may_be_long(tmp_path, make_run):
    long = "x" * 211 + ".png"
    for place, colour in (("one.png", "teal"), ("below/one.png", "navy"), (long, "red")):
        path = tmp_path / "pictures" / place
        path.parent.mkdir(exist_ok=True)
        Image.new("RGB", (9, 9), colour).save(path)
    several = shelf.Shelf([make_run(tmp_path / "run")], [tmp_path / "pictures"])
    assert several.facts()["pictures"] == ["folder/0/below/one.png", "folder/0/one.png", f"folder/0/{long}"]
    for name, colour in (("below/one.png", (0, 0, 128)), ("one.png", (0, 128, 128)), (long, (255, 0, 0))):
        answer = desk.Desk(several).answer({"ask": "open", "run": 0, "picture": f"folder/0/{name}"})
        assert tuple(unpack(answer)[1]["image"][0, 0]) == colour


def test_pictures_of_what_was_opened_are_there(talk, client):
    assert talk.ask("open", run=0, picture="folder/0/one.png")[0]["kind"] == "particles"
    assert client.get("/thumb?picture=folder/0/one.png").headers["content-type"] == "image/png"
    assert Image.open(io.BytesIO(client.get("/thumb?picture=held-out/dlp/0").content)).size == (96, 96)
    page = client.get("/")
    assert (
        "default-src 'self'" in page.headers["content-security-policy"]
        and "frame-ancestors 'none'" in page.headers["content-security-policy"]
        and "motes" in page.text
    )


def test_what_the_page_loads_is_light_and_lies_here(client):
    files = [path for path in (shelf.Path(desk.__file__).parent / "page").rglob("*") if path.is_file()]
    assert sum(path.stat().st_size for path in files) < 300_000
    for path in files:
        text = path.read_text()
        foreign = re.findall(r"(?:https?:)?//[\w-]+\.[\w.-]+", text.replace("http://www.w3.org/2000/svg", ""))
        assert not foreign, (path, foreign)
        assert len(text.splitlines()) <= 300, path


def odd(depth=0):
    """Anything a client might send in place of a value."""
    kinds = [
        None,
        True,
        -1,
        0,
        7,
        1e30,
        float("nan"),
        float("-inf"),
        10**400,
        "",
        "held-out/dlp/0",
        "../x",
        "é" * 50,
        [],
        {},
    ]
    value = random.choice(kinds)
    if depth < 3 and random.random() < 0.4:
        value = {
            random.choice(["particles", "0", "1", "99999", "order", "code", "x"]): odd(depth + 1)
            for _ in range(2)
        }
    return [odd(depth + 1)] if depth < 3 and random.random() < 0.2 else value


@pytest.mark.slow
def test_ten_thousand_odd_messages_are_answered_with_sentences(studio, monkeypatch):
    random.seed(0)
    one = desk.Desk(studio.shelf)
    fields = ("ask", "n", "run", "picture", "edits", "layers", "x")
    known = {"ask": [*one.asks], "run": [0], "picture": ["held-out/dlp/0"]}
    monkeypatch.setattr(one, "_find", _kept(one._find))
    refused = 0
    for _ in range(10_000):
        told = {
            name: random.choice(known[name]) if name in known and random.random() < 0.8 else odd()
            for name in fields
            if random.random() < 0.9
        }
        if told.get("ask") not in ("sample", "renew", "open", "animate"):
            refused += "problem" in unpack(one.answer(told))[0]
    assert refused > 3_000


def _kept(find):
    """Finding is quick the second time; refusals are as they were."""
    known = {}

    def finding(run, name):
        key = (run.name, name) if isinstance(name, str) else None
        if key not in known:
            found = find(run, name)
            known[key] = found
        return known[key]

    return finding


SLOT = "a number goes here"
NUMBERS = [
    {"particles": {"0": {"position": [SLOT, 0]}}}, {"particles": {"0": {"position": [0, SLOT]}}}, {"particles": {"0": {"scale": [1, SLOT]}}}, {"particles": {"0": {"presence": SLOT}}},
    {"particles": {"0": {"features": {"0": SLOT}}}}, {"particles": {"0": {"copy_of": ["", SLOT]}}}, {"particles": {"0": {"look": ["", SLOT]}}},
    {"order": [SLOT, 1, 2, 3]}, {"threshold": SLOT}, {"towards": ["held-out/dlp/1", SLOT]}, {"code": {"0": SLOT}},
]  # fmt: skip


@pytest.mark.slow
@pytest.mark.parametrize("edits", NUMBERS, ids=lambda edits: json.dumps(edits)[:50])
def test_what_is_no_number_is_refused_wherever_a_number_goes(edits, talk):
    run, picture = names(talk, "vae" if "code" in edits else "dlp")
    for number in ("NaN", "Infinity", "-Infinity", "1e30", "-1e30", "1e999", "9" * 400):
        told = json.dumps({"ask": "decode", "n": 7, "run": run, "picture": picture, "edits": edits}).replace(
            f'"{SLOT}"', number
        )
        assert talk.says(told), number
        for field in ("run", "n", "layers"):
            facts = {"ask": "open", "run": run, "picture": picture, field: SLOT}
            assert (talk.says(json.dumps(facts).replace(f'"{SLOT}"', number)) is not None) == (
                field == "run"
            ), "n and layers are no numbers to compute with"
    assert "problem" not in talk.ask("decode", run=run, picture=picture, edits={})[0], (
        "and it goes on as if nothing had been"
    )


def test_malformed_messages_over_the_wire(talk):
    for text in (
        "",
        "{",
        "[]",
        "3",
        "null",
        '{"ask": NaN}',
        "[" * 100_000,
        "9" * 5000,
        '"' + "x" * 300_000 + '"',
    ):
        assert talk.says(text), text[:20]
    talk.socket.send_bytes(b"\0\1")
    assert unpack(talk.socket.receive_bytes())[0]["problem"]
    assert talk.ask("open", run=0, picture="held-out/dlp/0")[0]["kind"] == "particles", "and it still answers"


@pytest.mark.slow
def test_many_clients_drag_at_once_and_each_gets_its_own_newest(client):
    def drags(seed):
        with client.websocket_connect(TALK) as socket:
            talk = Talk(socket)
            talk.ask("open", run=0, picture="held-out/dlp/0")
            for n in range(10):
                told = {"ask": "decode", "n": seed * 100 + n, "run": 0, "picture": "held-out/dlp/0"}
                socket.send_text(
                    json.dumps({**told, "edits": {"particles": {"0": {"position": [n / 10, 0]}}}})
                )
            answers = [unpack(socket.receive_bytes())[0] for _ in range(10)]
            assert sorted(one["n"] for one in answers) == [seed * 100 + n for n in range(10)], (
                "each question has one answer"
            )
            assert [one["n"] for one in answers if "superseded" not in one][-1] == seed * 100 + 9, (
                "and the newest is drawn"
            )
            return True

    with ThreadPoolExecutor(20) as pool:
        assert all(pool.map(drags, range(20)))


def test_ctrl_c_ends_the_command_without_a_traceback(tmp_path):
    words = [sys.executable, "-u", "-m", "motes.apps.cli.main", "studio", "--no-browser"]
    with subprocess.Popen(
        words, cwd=tmp_path, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as studio:
        assert studio.stdout is not None and studio.stderr is not None
        assert studio.stdout.readline().startswith("The studio: http://127.0.0.1:")
        studio.send_signal(signal.SIGINT)
        assert studio.wait(30) == 0
        assert studio.stderr.read() == ""
