"""`Uploads`: takes the bytes that pages send, not too many at once, and not for ever."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from starlette.requests import Request

# bytes of a picture from a page, at most
LARGEST_FILE = 20_000_000
# bytes that are being sent or wait to be decoded: of one page, and of all pages
OF_A_PAGE = 2 * LARGEST_FILE
OF_ALL = 8 * LARGEST_FILE
# uploads of a page at once, at most
AT_ONCE = 8
# seconds that a page has for the next part of a picture, and for all of it
PART = 10.0
WHOLE = 120.0


class Refused(Exception):
    """An upload that is refused, with the status of HTTP and a sentence that say why."""

    def __init__(self, status: int, sentence: str):
        super().__init__(sentence)
        self.status = status


class Uploads:
    """Counts the bytes in flight, so that no page can fill the memory."""

    def __init__(self) -> None:
        # page -> bytes
        self.in_flight: Counter[str] = Counter()
        # page -> its uploads; and whose turn it is among them
        self._uploads: Counter[str] = Counter()
        self._turns: dict[str, asyncio.Lock] = {}

    @asynccontextmanager
    async def body(self, page: str, request: Request) -> AsyncIterator[bytearray]:
        """The bytes that a request brings. They count as in flight until the context ends.

        The contexts of a page come one after the other: a page that sends many pictures, each of which takes long,
        waits for itself.
        """
        if _stated_length(request) > LARGEST_FILE:
            raise _too_large()
        if self._uploads[page] >= AT_ONCE:
            raise _too_many()
        raw = bytearray()
        self._uploads[page] += 1
        turn = self._turns.setdefault(page, asyncio.Lock())
        try:
            await self._receive(page, request, raw)
            async with turn:
                yield raw
        except TimeoutError:
            raise Refused(408, "this picture came too slowly; send it again, scaled down") from None
        finally:
            self.in_flight[page] -= len(raw)
            self._uploads[page] -= 1
            if not self._uploads[page]:
                del self.in_flight[page], self._uploads[page], self._turns[page]

    async def _receive(self, page: str, request: Request, raw: bytearray) -> None:
        """Append the bytes of the request to `raw`. They are counted as they arrive, because the stated length may
        be wrong."""
        loop = asyncio.get_running_loop()
        latest = loop.time() + WHOLE
        async with asyncio.timeout(PART) as clock:
            async for part in request.stream():
                raw += part
                self.in_flight[page] += len(part)
                self._refuse_too_much(page, len(raw))
                clock.reschedule(min(loop.time() + PART, latest))

    def _refuse_too_much(self, page: str, length: int) -> None:
        if length > LARGEST_FILE:
            raise _too_large()
        if self.in_flight[page] > OF_A_PAGE:
            raise _too_many()
        if self.in_flight.total() > OF_ALL:
            raise Refused(503, "the studio is taking many other pictures; try again in a moment")


def _too_many() -> Refused:
    return Refused(429, "this page is sending other pictures; wait until they are there")


def _too_large() -> Refused:
    return Refused(413, f"this file is larger than {LARGEST_FILE:,} bytes; scale the picture down first")


def _stated_length(request: Request) -> int:
    """The length that the request's header states; 0 if it states none."""
    length = request.headers.get("content-length", "0")
    return int(length) if length.isascii() and length.isdecimal() and len(length) < 16 else 0
