"""The exchange of questions and answers with one page over a WebSocket.

Only the newest edit is answered, one answer is computed at a time, and a client that does not read its
answers delays only itself.
"""

import asyncio
import sys
from collections.abc import Awaitable, Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from functools import partial
from typing import Any

import anyio
import numpy as np
from starlette.websockets import WebSocket, WebSocketDisconnect

from motes.apps.studio.desk import Desk
from motes.apps.studio.messages import LONGEST, number_of, pack, read
from motes.apps.studio.shelf import FileLook
from motes.errors import UserError

# questions that a client may have open; beyond them nothing is read from it
WAITING = 16
# seconds that a client has to take an answer
PATIENCE = 30.0


class Threads:
    """The threads that all clients share: one for the models, and one that waits for pictures to be decoded."""

    def __init__(self) -> None:
        self.models = ThreadPoolExecutor(1, "models")
        self.pictures = ThreadPoolExecutor(1, "pictures")
        # one film and one small picture at a time, so that others wait for one frame at most
        self.films = asyncio.Lock()
        self.thumbs = asyncio.Lock()
        # some frames of one clip at a time are followed
        self.tracks = asyncio.Lock()


class Conversation:
    """Answers the questions of one client over its WebSocket.

    The models answer all clients, in the order in which they ask. Each client has at most one question there.
    Files are decoded before that, and a film takes its turn again for each frame.
    """

    def __init__(self, socket: WebSocket, desk: Desk, threads: Threads):
        self.socket = socket
        self.desk = desk
        self.threads = threads
        # questions; answers (bytes) that need no model; None holds the place of `newest`
        self.waiting: asyncio.Queue[dict[str, Any] | bytes | None] = asyncio.Queue(WAITING)
        # the newest edit to be decoded
        self.newest: dict[str, Any] | None = None
        # set while there is a clip to be followed
        self.clip_waits = asyncio.Event()

    async def hold(self, greeting: dict[str, Any]) -> None:
        await self._send(pack(greeting))
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(self._until_gone, self._answer, tasks.cancel_scope)
            tasks.start_soon(self._until_gone, self._listen, tasks.cancel_scope)
            tasks.start_soon(self._until_gone, self._follow, tasks.cancel_scope)

    async def _until_gone(self, task: Callable[[], Awaitable[None]], scope: anyio.CancelScope) -> None:
        """Run the task until it ends or the client disconnects, then cancel the scope, which ends the other
        task too."""
        with suppress(WebSocketDisconnect, RuntimeError):
            await task()
        scope.cancel()

    async def _listen(self) -> None:
        while True:
            message = await self.socket.receive()
            if message["type"] != "websocket.receive":
                return
            try:
                question = read(_text(message))
            except UserError as problem:
                await self.waiting.put(pack({"n": 0, "problem": str(problem)}))
                continue
            await self._take(question)

    async def _take(self, question: dict[str, Any]) -> None:
        """Put a question in the queue.

        A new edit replaces an older edit that is still waiting, and the older one is answered as superseded.
        """
        if question.get("ask") != "decode":
            await self.waiting.put(question)
        elif self.newest is not None:
            older = self.newest
            self.newest = question
            await self.waiting.put(pack({"n": number_of(older), "superseded": True}))
        else:
            self.newest = question
            await self.waiting.put(None)

    async def _answer(self) -> None:
        while True:
            question = await self.waiting.get()
            if question is None:
                question = self.newest or {}
                self.newest = None
            await self._send(question if isinstance(question, bytes) else await self._answer_of(question))

    async def _answer_of(self, question: dict[str, Any]) -> bytes:
        in_thread = asyncio.get_running_loop().run_in_executor
        try:
            for look in self.desk.undecoded(question):
                await in_thread(self.threads.pictures, self._decode, look)
            if question.get("ask") == "animate":
                return await self._film_of(question)
            answer = await in_thread(self.threads.models, self.desk.answer, question)
            if self.desk.video.tracking is not None:
                self.clip_waits.set()
            return answer
        # a fault of ours: it is reported, and the conversation goes on
        except Exception as problem:
            kind = type(problem).__name__
            print(f"motes studio: {question.get('ask')}: {kind}: {problem}", file=sys.stderr)
            return pack({"n": number_of(question), "problem": f"that could not be done ({kind})"})

    async def _follow(self) -> None:
        """Follow the things of clips that the page asked for, some frames at a time; others are answered between."""
        in_thread = asyncio.get_running_loop().run_in_executor
        while True:
            await self.clip_waits.wait()
            self.clip_waits.clear()
            is_more = True
            while is_more:
                async with self.threads.tracks:
                    for look in self.desk.video.needed():
                        await in_thread(self.threads.pictures, self._decode, look)
                    is_more = await in_thread(self.threads.models, self.desk.video.work)

    async def _film_of(self, question: dict[str, Any]) -> bytes:
        """The answer to a question for a film. The models draw a frame, then answer others, then draw the next."""
        in_models = partial(asyncio.get_running_loop().run_in_executor, self.threads.models)
        number = number_of(question)
        try:
            async with self.threads.films:
                film = await in_models(self.desk.film, question)
                images = []
                while (image := await in_models(next, film.frames, None)) is not None:
                    images.append(image)
                file = await asyncio.to_thread(film.write, images)
        except UserError as problem:
            return pack({"n": number, "problem": str(problem)})
        return pack({"n": number, "ask": "animate"}, {"file": np.frombuffer(file, np.uint8)})

    def _decode(self, look: FileLook) -> None:
        # a refusal is remembered, and told in the answer
        with suppress(UserError):
            self.desk.shelf.decoded(look)

    async def _send(self, message: bytes) -> None:
        try:
            await asyncio.wait_for(self.socket.send_bytes(message), PATIENCE)
        except TimeoutError:
            raise WebSocketDisconnect(1008, "this page does not read its answers") from None


def _text(message: Any) -> str | None:
    text = message.get("text")
    if text is None and len(message.get("bytes") or b"") > LONGEST:
        raise UserError("messages should be text, and short")
    return text
