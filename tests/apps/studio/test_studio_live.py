"""The studio behind a real socket: who does not read waits alone, and large uploads end early."""

import http.client
import io
import json
import socket
import threading
import time
from contextlib import suppress

import pytest
from PIL import Image
from studio_page import running

pytest.importorskip("starlette", reason="needs pip install 'motes[studio]'")
pytest.importorskip("uvicorn", reason="needs pip install 'motes[studio]'")
client = pytest.importorskip("websockets.sync.client", reason="needs pip install 'motes[studio]'")

from motes.apps.studio import conversation, uploads  # noqa: E402
from motes.apps.studio.messages import unpack  # noqa: E402
from motes.apps.studio.server import Studio  # noqa: E402
from motes.apps.studio.shelf import Shelf  # noqa: E402
from motes.apps.studio.uploads import LARGEST_FILE  # noqa: E402

UPGRADE = "Upgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA=="


@pytest.fixture
def served(tmp_path, make_run):
    studio = Studio(Shelf([make_run(tmp_path / "run")]))
    with running(studio) as port:
        yield studio, port


def ask(page, ask, **told):
    page.send(json.dumps({"ask": ask, "n": 1, "run": 0, "picture": "held-out/run/0", **told}))
    return unpack(page.recv(timeout=20))[0]


def until(condition):
    for _ in range(2400):
        if condition():
            return
        time.sleep(0.025)
    raise AssertionError("never")


@pytest.mark.slow
def test_a_page_that_stops_reading_stalls_nobody_and_is_let_go(served, monkeypatch):
    monkeypatch.setattr(conversation, "PATIENCE", 0.5)
    studio, port = served
    deaf = socket.socket()
    deaf.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    deaf.connect(("127.0.0.1", port))
    deaf.sendall(f"GET /talk HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\n{UPGRADE}\r\n\r\n".encode())
    question = json.dumps({"ask": "open", "n": 1, "run": 0, "picture": "held-out/run/1"}).encode()
    frame = bytes([0x81, 0x80 | len(question)]) + b"\0\0\0\0" + question  # masked by zeros
    with client.connect(f"ws://127.0.0.1:{port}/talk") as page:
        unpack(page.recv())

        def shout():
            with suppress(OSError):  # let go, as it should be
                while True:
                    deaf.sendall(frame)

        threading.Thread(target=shout, daemon=True).start()
        until(lambda: len(studio.desks) == 2)
        for n in range(20):
            assert (
                ask(page, "decode", edits={"particles": {"0": {"position": [n / 20, 0]}}})["ask"] == "decode"
            )
        until(lambda: len(studio.desks) == 1)
        assert ask(page, "open")["kind"] == "particles"
    deaf.close()


def test_two_hundred_megabytes_are_refused_before_they_are_read(served):
    _, port = served
    with client.connect(f"ws://127.0.0.1:{port}/talk") as page:
        session = unpack(page.recv())[0]["session"]
        line = http.client.HTTPConnection("127.0.0.1", port)
        line.putrequest("POST", "/pictures")
        line.putheader("content-length", "200000000")
        line.putheader("x-motes-session", session)
        line.endheaders(b"\0" * 1000)
        said = line.getresponse()
        assert said.status == 413 and f"{LARGEST_FILE:,}" in said.read().decode()
        assert ask(page, "open")["kind"] == "particles"


def test_two_hundred_megabytes_of_unknown_length_are_cut_off(served):
    _, port = served
    with client.connect(f"ws://127.0.0.1:{port}/talk") as page:
        session = unpack(page.recv())[0]["session"]
        line, part, sent = socket.create_connection(("127.0.0.1", port), 20), b"\0" * 1_000_000, 0
        head = f"POST /pictures HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nx-motes-session: {session}\r\nTransfer-Encoding: chunked\r\n\r\n"
        line.sendall(head.encode())
        with suppress(OSError):  # the studio hangs up
            while sent < 200:
                line.sendall(f"{len(part):x}\r\n".encode() + part + b"\r\n")
                sent += 1
        assert sent < 60, "megabytes that it let in, those on their way counted"
        with suppress(OSError):
            assert b" 413 " in line.recv(200)
        line.close()
        assert ask(page, "open")["kind"] == "particles"


def test_a_message_that_is_too_long_ends_its_own_conversation_only(served):
    _, port = served
    with (
        client.connect(f"ws://127.0.0.1:{port}/talk") as page,
        client.connect(f"ws://127.0.0.1:{port}/talk") as other,
    ):
        unpack(page.recv())
        unpack(other.recv())
        other.send("x" * 3_000_000)
        with pytest.raises(Exception, match="1009"):
            other.recv(timeout=20)
        assert ask(page, "open")["kind"] == "particles"


def post(port, session, length, sent):
    """An upload that states its length and has sent so many bytes of it."""
    line = http.client.HTTPConnection("127.0.0.1", port, timeout=20)
    line.putrequest("POST", "/pictures")
    line.putheader("content-length", str(length))
    line.putheader("x-motes-session", session)
    line.endheaders(b"\0" * sent)
    return line


def png():
    file = io.BytesIO()
    Image.new("RGB", (60, 50), "teal").save(file, "PNG")
    return file.getvalue()


def test_uploads_that_are_held_take_bounded_memory_and_end(served, monkeypatch):
    monkeypatch.setattr(uploads, "OF_A_PAGE", 2_500_000)
    monkeypatch.setattr(uploads, "OF_ALL", 4_000_000)
    studio, port = served
    with (
        client.connect(f"ws://127.0.0.1:{port}/talk") as page,
        client.connect(f"ws://127.0.0.1:{port}/talk") as other,
    ):
        mine, theirs = (unpack(socket.recv())[0]["session"] for socket in (page, other))
        held = [post(port, mine, 1_100_000, 1_000_000) for _ in range(2)]
        until(lambda: studio.uploads.in_flight[mine] == 2_000_000)
        assert post(port, mine, 1_100_000, 1_000_000).getresponse().status == 429
        held += [post(port, theirs, 1_800_000, 1_700_000)]
        until(lambda: studio.uploads.in_flight.total() == 3_700_000)
        assert post(port, theirs, 1_100_000, 700_000).getresponse().status == 503
        assert ask(page, "open")["kind"] == "particles"
        for line in held:
            line.close()
        until(lambda: not studio.uploads.in_flight)
        monkeypatch.setattr(uploads, "PART", 0.2)
        assert post(port, mine, 1_100_000, 1_000_000).getresponse().status == 408
        until(lambda: not studio.uploads.in_flight)
        monkeypatch.undo()
        line = post(port, mine, len(png()), 0)
        line.send(png())
        assert line.getresponse().status == 200


def test_many_slow_pictures_of_one_page_keep_another_page_waiting_for_one_at_most(served, monkeypatch):
    studio, port = served
    begun, go_on = threading.Event(), threading.Event()
    decoded = []

    def slow(raw):
        decoded.append(bytes(raw[-1:]))
        begun.set()
        assert go_on.wait(20)
        return Image.new("RGB", (9, 9))

    monkeypatch.setattr(studio.shelf.decoder, "shrunk", slow)
    with (
        client.connect(f"ws://127.0.0.1:{port}/talk") as page,
        client.connect(f"ws://127.0.0.1:{port}/talk") as other,
    ):
        mine, theirs = (unpack(socket.recv())[0]["session"] for socket in (page, other))

        def send(session, ending):
            line = post(port, session, 10, 0)
            line.send(b"123456789" + ending)
            return line

        sent = [send(mine, b"m") for _ in range(uploads.AT_ONCE)]
        assert begun.wait(20)
        until(lambda: studio.uploads.in_flight[mine] == 10 * uploads.AT_ONCE)
        assert send(mine, b"x").getresponse().status == 429
        sent.append(send(theirs, b"t"))
        until(lambda: studio.uploads.in_flight[theirs] == 10)
        # it has its place in the queue, before the second of the other page
        time.sleep(0.2)
        go_on.set()
        assert {line.getresponse().status for line in sent} == {200}
    assert decoded.index(b"t") <= 2
