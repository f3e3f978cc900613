"""A WebSocket's conversation: the newest edit wins, one answer at a time, and who does not read waits
alone."""

import asyncio
import sys
from collections.abc import Awaitable, Callable
from concurrent.futures import Executor
from contextlib import suppress
from typing import Any

import anyio
from starlette.websockets import WebSocket, WebSocketDisconnect

from motes.apps.studio.desk import Desk, number_of
from motes.apps.studio.messages import LONGEST, pack, read
from motes.errors import UserError

WAITING = 16  # questions that a client may have open; then nothing more is read from it
PATIENCE = 30.0  # seconds that a client has to take an answer


class Conversation:
    """With one client. All models answer in the one worker, in the order in which clients ask: each has one
    question there at most."""

    def __init__(self, socket: WebSocket, desk: Desk, worker: Executor):
        self.socket = socket
        self.desk = desk
        self.worker = worker
        self.questions: asyncio.Queue[dict[str, Any] | bytes | None] = asyncio.Queue(
            WAITING
        )  # or answers that need no model
        self.newest: dict[str, Any] | None = (
            None  # the newest edit to be decoded; None in the queue holds its place
        )

    async def hold(self, greeting: dict[str, Any]) -> None:
        await self._send(pack(greeting))
        async with anyio.create_task_group() as both:
            both.start_soon(self._until_gone, self._answer, both.cancel_scope)
            both.start_soon(self._until_gone, self._listen, both.cancel_scope)

    async def _until_gone(self, part: Callable[[], Awaitable[None]], both: anyio.CancelScope) -> None:
        """When one part ends, so does the other."""
        with suppress(WebSocketDisconnect, RuntimeError):
            await part()
        both.cancel()

    async def _listen(self) -> None:
        while True:
            message = await self.socket.receive()
            if message["type"] != "websocket.receive":
                return
            try:
                told = read(_text(message))
            except UserError as problem:
                await self.questions.put(pack({"n": 0, "problem": str(problem)}))
                continue
            if told.get("ask") != "decode":
                await self.questions.put(told)
            elif self.newest is not None:  # what was not begun is never begun
                older = self.newest
                self.newest = told
                await self.questions.put(pack({"n": number_of(older), "superseded": True}))
            else:
                self.newest = told
                await self.questions.put(None)

    async def _answer(self) -> None:
        while True:
            told = await self.questions.get()
            if told is None:
                told = self.newest or {}
                self.newest = None
            if isinstance(told, bytes):
                await self._send(told)
                continue
            try:
                answer = await asyncio.get_running_loop().run_in_executor(self.worker, self.desk.answer, told)
            except Exception as problem:  # a fault of ours: said, and the conversation goes on
                print(
                    f"motes studio: {told.get('ask')}: {type(problem).__name__}: {problem}", file=sys.stderr
                )
                answer = pack(
                    {"n": number_of(told), "problem": f"that could not be done ({type(problem).__name__})"}
                )
            await self._send(answer)

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
