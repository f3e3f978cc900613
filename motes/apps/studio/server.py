"""The studio's server: its page, pictures in, the conversation about them, and what a run under way
writes."""

import asyncio
import re
import secrets
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import FileResponse, JSONResponse, PlainTextResponse, Response
from starlette.routing import Mount, Route, WebSocketRoute
from starlette.staticfiles import StaticFiles
from starlette.websockets import WebSocket, WebSocketDisconnect

from motes.apps.studio import PAGE
from motes.apps.studio.conversation import Conversation
from motes.apps.studio.desk import Desk
from motes.apps.studio.guard import Guard
from motes.apps.studio.messages import LONGEST
from motes.apps.studio.shelf import LARGEST_FILE, Shelf
from motes.apps.studio.watch import progress
from motes.errors import UserError

CLIENTS = 64  # pages at once
THUMBS = 1000  # small pictures that are kept


class Studio:
    """What all clients share: the shelf and the one worker; and each client's desk, for as long as its page
    is open."""

    def __init__(self, shelf: Shelf):
        self.shelf = shelf
        self.desks: dict[str, Desk] = {}
        self.worker = ThreadPoolExecutor(1, "model")
        self.thumbs: dict[str, bytes] = {}

    async def page(self, request: Request) -> Response:
        return FileResponse(PAGE / "index.html")

    async def talk(self, socket: WebSocket) -> None:
        await socket.accept()
        if len(self.desks) >= CLIENTS:
            await socket.close(1013, f"{CLIENTS} pages are open already; close one")
            return
        key = secrets.token_urlsafe(16)
        desk = Desk(self.shelf)
        self.desks[key] = desk
        try:
            await Conversation(socket, desk, self.worker).hold(
                {"session": key, **(await self._off(self.shelf.facts))}
            )
        except (WebSocketDisconnect, RuntimeError):
            pass  # it is gone; so is all that it had
        finally:
            del self.desks[key]

    async def take(self, request: Request) -> Response:
        """A picture from a client, counted as it comes in."""
        desk = self.desks.get(request.headers.get("x-motes-session", ""))
        if desk is None:
            return PlainTextResponse("this page is no longer connected; load it again", 403)
        too_large = PlainTextResponse(
            f"this file is larger than {LARGEST_FILE:,} bytes; scale the picture down first",
            413,
            {"connection": "close"},
        )
        if _length(request) > LARGEST_FILE:
            return too_large
        raw = bytearray()
        async for part in request.stream():
            raw += part
            if len(raw) > LARGEST_FILE:
                return too_large
        try:
            return JSONResponse({"picture": await self._off(desk.take, bytes(raw))})
        except UserError as problem:
            return PlainTextResponse(str(problem), 415)

    async def thumb(self, request: Request) -> Response:
        """A small picture of the shelf."""
        name = request.query_params.get("picture", "")
        try:
            if name not in self.thumbs:
                if len(self.thumbs) >= THUMBS:
                    self.thumbs.clear()
                self.thumbs[name] = await self._off(self.shelf.drawn_small, name)
        except UserError as problem:
            return PlainTextResponse(str(problem), 404)
        return Response(self.thumbs[name], media_type="image/png")

    async def progress(self, request: Request) -> Response:
        """What a run wrote since the line that the client has."""
        try:
            run = self.shelf.run(request.path_params["run"])
            after = request.query_params.get("after", "0")
            if not (after.isascii() and after.isdecimal() and len(after) < 10):
                raise UserError("after should be a whole number from 0 up")
            return JSONResponse(await asyncio.to_thread(progress, run.run, int(after)))
        except UserError as problem:
            return PlainTextResponse(str(problem), 404)

    async def run_picture(self, request: Request) -> Response:
        """One of the pictures that a run draws of itself as it learns."""
        name = request.path_params["name"]
        try:
            path = self.shelf.run(request.path_params["run"]).run.pictures / name
        except UserError as problem:
            return PlainTextResponse(str(problem), 404)
        if not re.fullmatch(r"step-\d{7}\.png", name) or not path.is_file():
            return PlainTextResponse("there is no such picture of this run", 404)
        return FileResponse(path)

    def app(self, token: str = "", framed: bool = False) -> Starlette:
        routes = [
            Route("/", self.page),
            WebSocketRoute("/talk", self.talk),
            Route("/pictures", self.take, methods=["POST"]),
            Route("/thumb", self.thumb),
            Route("/progress/{run:int}", self.progress),
            Route("/progress/{run:int}/{name}", self.run_picture),
            Mount("/page", StaticFiles(directory=PAGE)),
        ]
        return Starlette(routes=routes, middleware=[Middleware(Guard, token=token, framed=framed)])

    async def _off(self, job: Any, *arguments: Any) -> Any:
        """In the worker, so that nobody waits for somebody else's model."""
        return await asyncio.get_running_loop().run_in_executor(self.worker, job, *arguments)


def settings() -> dict[str, Any]:
    """How uvicorn is to be: messages of bounded length, few waiting, and an end that does not wait for open
    pages."""
    return {"log_level": "error", "ws_max_size": LONGEST, "ws_max_queue": 4, "timeout_graceful_shutdown": 1}


def serve(studio: Studio, host: str, port: int, token: str) -> None:
    """Until it is interrupted."""
    import uvicorn

    uvicorn.run(studio.app(token), host=host, port=port, **settings())


def _length(request: Request) -> int:
    told = request.headers.get("content-length", "0")
    return int(told) if told.isascii() and told.isdecimal() and len(told) < 16 else 0
