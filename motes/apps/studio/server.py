"""The studio's web server.

It serves the page, takes pictures that clients send, answers their questions, and shows the progress of
unfinished runs.
"""

import asyncio
import re
import secrets
import threading
import time
from collections.abc import Awaitable, Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path
from typing import Any

from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import FileResponse, JSONResponse, PlainTextResponse, Response
from starlette.routing import Mount, Route, WebSocketRoute
from starlette.staticfiles import StaticFiles
from starlette.websockets import WebSocket, WebSocketDisconnect

from motes.apps.studio import PAGE
from motes.apps.studio.conversation import Conversation, Threads
from motes.apps.studio.desk import Desk
from motes.apps.studio.guard import Guard
from motes.apps.studio.messages import LONGEST
from motes.apps.studio.shelf import Shelf
from motes.apps.studio.uploads import LARGEST_FILE, Refused, Uploads
from motes.apps.studio.video.answers import Clips
from motes.apps.studio.watch import run_progress
from motes.errors import UserError
from motes.plain.cache import Cache

# pages at once, at most
CLIENTS = 64
# bytes of small pictures that are remembered
THUMBS = 2**24


class Studio:
    """The state of the server: the shelf and the two threads that all clients share, and a desk for each
    open page.

    One thread is for the models, one waits for pictures that are decoded in the decoder's process.
    """

    def __init__(self, shelf: Shelf):
        self.shelf = shelf
        self.desks: dict[str, Desk] = {}
        self.threads = Threads()
        self.uploads = Uploads()
        self.clips = Clips(shelf)
        # small pictures, or sentences why there are none
        self.thumbs: Cache[str, bytes | str] = Cache(THUMBS, len)

    async def page(self, request: Request) -> Response:
        return FileResponse(PAGE / "index.html")

    async def talk(self, socket: WebSocket) -> None:
        await socket.accept()
        if len(self.desks) >= CLIENTS:
            await socket.close(1013, f"{CLIENTS} pages are open already; close one")
            return
        key = secrets.token_urlsafe(16)
        desk = Desk(self.shelf, key, self.clips)
        self.desks[key] = desk
        try:
            greeting = {
                "session": key,
                "largest": LARGEST_FILE,
                **(await self._in(self.threads.models, self.shelf.facts)),
                **self.clips.facts(),
            }
            await Conversation(socket, desk, self.threads).hold(greeting)
        # the client is gone, and its desk with it
        except (WebSocketDisconnect, RuntimeError):
            pass
        finally:
            del self.desks[key]

    async def take(self, request: Request) -> Response:
        """Keep a picture that a client uploads, and answer with its name."""

        async def kept(desk: Desk, raw: bytearray) -> dict[str, str]:
            return {"picture": await self._in(self.threads.pictures, desk.take, raw)}

        return await self._taken(request, kept)

    async def take_frames(self, request: Request) -> Response:
        """Keep frames of a film that a client reads."""

        async def kept(desk: Desk, raw: bytearray) -> dict[str, str]:
            self.clips.films.take(desk.key, request.query_params, raw)
            return {}

        return await self._taken(request, kept)

    async def _taken(
        self, request: Request, keep: Callable[[Desk, bytearray], Awaitable[dict[str, str]]]
    ) -> Response:
        """The answer to an upload, once `keep` has done with its bytes what is to be done with them."""
        desk = self.desks.get(request.headers.get("x-motes-session", ""))
        if desk is None:
            return PlainTextResponse("this page is no longer connected; load it again", 403)
        try:
            async with self.uploads.body(desk.key, request) as raw:
                return JSONResponse(await keep(desk, raw))
        except Refused as problem:
            return PlainTextResponse(str(problem), problem.status, {"connection": "close"})
        except UserError as problem:
            return PlainTextResponse(str(problem), 415)

    async def thumb(self, request: Request) -> Response:
        """Answer with a small version of a picture on the shelf, as a PNG.

        One is made at a time, so that whoever asks for many holds up nobody. A refusal is remembered too.
        """
        name = request.query_params.get("picture", "")
        async with self.threads.thumbs:
            png = self.thumbs.get(name)
            if png is None:
                thread = self.threads.pictures if name in self.shelf.files else self.threads.models
                png = await self._in(thread, self._drawn_small, name)
        return (
            Response(png, media_type="image/png") if isinstance(png, bytes) else PlainTextResponse(png, 404)
        )

    def _drawn_small(self, name: str) -> bytes | str:
        """The small picture, or a sentence why there is none."""
        try:
            return self.thumbs.put(name, self.shelf.drawn_small(name))
        except UserError as problem:
            # names that are on no shelf are not worth remembering
            return self.thumbs.put(name, str(problem)) if name in self.shelf.files else str(problem)

    async def progress(self, request: Request) -> Response:
        """Answer with what a run wrote since the position that the client was given before."""
        try:
            run = self.shelf.run(request.query_params.get("run"))
            after = request.query_params.get("after", "")
            return JSONResponse(await asyncio.to_thread(run_progress, run.run, run.history, after))
        except UserError as problem:
            return PlainTextResponse(str(problem), 404)

    async def run_picture(self, request: Request) -> Response:
        """Answer with one of the pictures that a run saves during training."""
        name = request.query_params.get("name", "")
        try:
            run = self.shelf.run(request.query_params.get("run")).run
        except UserError as problem:
            return PlainTextResponse(str(problem), 404)
        path = run.pictures / name
        # a link may point out of the run
        if not re.fullmatch(r"step-\d{7}\.png", name) or not _lies_in(path, run.folder) or not path.is_file():
            return PlainTextResponse("there is no such picture of this run", 404)
        return FileResponse(path)

    def app(self, token: str = "", framed: bool = False) -> Starlette:
        routes = [
            Route("/", self.page),
            WebSocketRoute("/talk", self.talk),
            Route("/pictures", self.take, methods=["POST"]),
            Route("/frames", self.take_frames, methods=["POST"]),
            Route("/thumb", self.thumb),
            Route("/progress", self.progress),
            Route("/progress/picture", self.run_picture),
            Mount("/page", StaticFiles(directory=PAGE)),
        ]
        return Starlette(routes=routes, middleware=[Middleware(Guard, token=token, framed=framed)])

    async def _in(self, thread: ThreadPoolExecutor, job: Any, *arguments: Any) -> Any:
        """Run the job in one of the threads; the server answers others meanwhile."""
        return await asyncio.get_running_loop().run_in_executor(thread, job, *arguments)


def settings() -> dict[str, Any]:
    """Settings of uvicorn: limits on message size and waiting connections, and a stop that does not wait for
    open pages, nor for a lifespan, whose end by Ctrl-C would be a traceback."""
    return {
        "log_level": "error",
        "ws_max_size": LONGEST,
        "ws_max_queue": 4,
        "timeout_graceful_shutdown": 1,
        "lifespan": "off",
    }


def serve(studio: Studio, host: str, port: int, token: str, announce: Callable[[], None]) -> None:
    """Serve until interrupted; `announce` is called once pages can be opened."""
    import uvicorn

    server = uvicorn.Server(uvicorn.Config(studio.app(token), host=host, port=port, **settings()))

    def wait_and_announce() -> None:
        while not server.started:
            time.sleep(0.01)
        announce()

    threading.Thread(target=wait_and_announce, daemon=True).start()
    with suppress(KeyboardInterrupt):
        server.run()


def _lies_in(path: Path, folder: Path) -> bool:
    return path.resolve().is_relative_to(folder.resolve())
