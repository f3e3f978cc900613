"""What a hostile client does to a studio: each attack is a function of the studio's port and of a size."""

import http.client
import json
import random
import socket
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import Any

from websockets.exceptions import WebSocketException
from websockets.sync.client import ClientConnection, connect

from benchmarks.hostile.files import hostile_files
from motes.apps.studio.messages import unpack

HOST = "127.0.0.1"
# what a studio that defends itself may do to a hostile client
HANGS_UP = (OSError, WebSocketException, http.client.HTTPException, EOFError)
# seconds for which slow clients hold on, and for which a client waits for an answer
HELD = 20.0
ANSWERED = 120.0
VALUES = [
    None,
    True,
    -1,
    0,
    7,
    1e30,
    4_000_000_000,
    float("nan"),
    float("-inf"),
    10**400,
    "",
    "../x",
    "é" * 50,
    [],
    {},
]
ASKS = ["open", "decode", "enter", "ranges", "python", "sample", "x"]


@contextmanager
def page(port: int) -> Iterator[tuple[ClientConnection, str]]:
    """A connected page and its session."""
    with connect(f"ws://{HOST}:{port}/talk", max_size=None) as opened:
        yield opened, unpack(received(opened))[0]["session"]


def received(opened: ClientConnection) -> bytes:
    """The next answer to a page."""
    answer = opened.recv(timeout=ANSWERED)
    if isinstance(answer, str):
        raise RuntimeError("an answer should be bytes")
    return answer


def odd_value(chance: random.Random, depth: int = 0) -> object:
    if depth < 3 and chance.random() < 0.4:
        names = ["particles", "0", "4000000000", "order", "code", "background", "towards"]
        return {chance.choice(names): odd_value(chance, depth + 1) for _ in range(2)}
    return chance.choice(VALUES)


def odd_message(chance: random.Random) -> str | bytes:
    kind = chance.random()
    if kind < 0.05:
        return bytes(chance.randrange(256) for _ in range(chance.randrange(1, 400)))
    if kind < 0.1:
        return chance.choice(["", "{", "[]", "null", "[" * 50_000, "9" * 5000, '"' + "x" * 250_000 + '"'])
    known = {"ask": chance.choice(ASKS), "n": 1, "run": 0, "picture": "held-out/shapes/0"}
    fields = [*known, "edits"]
    told = {
        name: known[name] if name in known and chance.random() < 0.7 else odd_value(chance) for name in fields
    }
    return json.dumps(told)


def messages(port: int, count: int) -> None:
    """Malformed messages, and absurd numbers in well-formed ones."""
    chance = random.Random(0)
    sent = 0
    while sent < count:
        with suppress(*HANGS_UP), page(port) as (opened, _):
            for _ in range(min(500, count - sent)):
                sent += 1
                opened.send(odd_message(chance))
                opened.recv(timeout=ANSWERED)


def post(port: int, session: str, body: bytes, stated: int | None = None) -> http.client.HTTPConnection:
    """An upload that states its length, true or not, and sends what there is."""
    line = http.client.HTTPConnection(HOST, port, timeout=300)
    line.putrequest("POST", "/pictures")
    line.putheader("content-length", str(len(body) if stated is None else stated))
    line.putheader("x-motes-session", session)
    line.endheaders(body)
    return line


def files(port: int, count: int, scale: float = 1.0) -> None:
    """Uploads of files that were made to hold up whoever decodes them; each must be answered."""
    with page(port) as (_, session):
        for file in hostile_files(count, random.Random(0), scale):
            with suppress(ConnectionError):
                post(port, session, file).getresponse().read()


def slow_clients(port: int, count: int, seconds: float = HELD) -> None:
    """Connections that say nothing, half a request or half a picture, or that read no answers."""
    held: list[Any] = []
    with page(port) as (_, session):
        for number in range(count):
            with suppress(*HANGS_UP):
                held.append(SLOW[number % len(SLOW)](port, session))
        time.sleep(seconds)
        for connection in held:
            connection.close()


def _silent(port: int, session: str) -> socket.socket:
    return socket.create_connection((HOST, port), ANSWERED)


def _half_a_request(port: int, session: str) -> socket.socket:
    line = _silent(port, session)
    line.sendall(f"GET / HTTP/1.1\r\nHost: {HOST}".encode())
    return line


def _half_a_picture(port: int, session: str) -> http.client.HTTPConnection:
    return post(port, session, bytes(10_000_000), 20_000_000)


def _deaf(port: int, session: str) -> socket.socket:
    """A page that asks again and again, and takes no answer."""
    line = _silent(port, session)
    key = "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA=="
    upgrade = f"Connection: Upgrade\r\nUpgrade: websocket\r\n{key}"
    line.sendall(f"GET /talk HTTP/1.1\r\nHost: {HOST}:{port}\r\n{upgrade}\r\n\r\n".encode())
    question = json.dumps({"ask": "open", "n": 1, "run": 0, "picture": "held-out/shapes/1"}).encode()
    # a short text of one frame, masked by zeros
    line.sendall((bytes([0x81, 0x80 | len(question)]) + bytes(4) + question) * 50)
    return line


SLOW: list[Callable[[int, str], Any]] = [_silent, _half_a_request, _half_a_picture, _deaf]


def large_uploads(port: int, count: int, size: int = 200_000_000) -> None:
    """Uploads of so many bytes, half of them of no stated length, until the studio hangs up."""
    part = bytes(1_000_000)
    with page(port) as (_, session):
        for number in range(count):
            with suppress(*HANGS_UP), socket.create_connection((HOST, port), ANSWERED) as line:
                stated = f"Content-Length: {size}" if number % 2 else "Transfer-Encoding: chunked"
                names = f"Host: {HOST}:{port}\r\nx-motes-session: {session}\r\n{stated}"
                line.sendall(f"POST /pictures HTTP/1.1\r\n{names}\r\n\r\n".encode())
                for _ in range(0, size, len(part)):
                    line.sendall(part if number % 2 else b"%x\r\n" % len(part) + part + b"\r\n")


def foreign_pages(port: int, count: int) -> None:
    """Requests from other sites' pages, and to other names for this machine; each must be refused."""
    for number in range(count):
        line = http.client.HTTPConnection(HOST, port, timeout=ANSWERED)
        foreign = {"Host": f"evil-{number}.example"} if number % 2 else {"Origin": "http://evil.example"}
        line.request(
            "GET",
            ("/", "/thumb?picture=held-out/shapes/0", "/progress?run=shapes")[number % 3],
            headers=foreign,
        )
        status = line.getresponse().status
        line.close()
        if status != 403:
            raise RuntimeError(f"a foreign page was answered with {status}")


@dataclass(frozen=True)
class Attack:
    about: str
    run: Callable[[int, int], None]
    # how much of it
    count: int


def nothing(port: int, count: int) -> None:
    """Seconds of peace, for comparison."""
    time.sleep(count)


ATTACKS = {
    "nothing": Attack("seconds of peace", nothing, 10),
    "messages": Attack("malformed messages", messages, 20_000),
    "files": Attack("hostile files", files, 200),
    "slow": Attack("slow or silent clients", slow_clients, 100),
    "uploads": Attack("uploads of 200 MB", large_uploads, 20),
    "foreign": Attack("requests of foreign hosts and origins", foreign_pages, 1000),
}
