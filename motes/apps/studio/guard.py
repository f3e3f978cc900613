"""Decides who may use the studio: pages on this machine, and other machines only with the token.

It is an ASGI layer around the app.
"""

import hashlib
import secrets
from http.cookies import CookieError, SimpleCookie
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs, urlsplit

# the command line imports this file before it knows whether starlette is installed
if TYPE_CHECKING:
    from starlette.types import ASGIApp, Receive, Scope, Send

LOOPBACK = ("127.0.0.1", "localhost", "::1")
HEADERS = {
    "content-security-policy": "default-src 'self'; img-src 'self' blob: data:; media-src 'self' blob:; "
    "frame-ancestors 'none'; base-uri 'none'; form-action 'none'",
    "x-content-type-options": "nosniff",
    "referrer-policy": "no-referrer",
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
    "cache-control": "no-cache",
}
# a notebook on this machine may show the page within its own
FRAMED = "frame-ancestors http://localhost:* http://127.0.0.1:*"


def token_for(host: str) -> str:
    """The token for a studio that listens on this host: empty on loopback, a new random one elsewhere."""
    return "" if host in LOOPBACK else secrets.token_urlsafe(24)


def _framed(headers: dict[str, str]) -> dict[str, str]:
    """The headers, with a content policy that lets a notebook show the page in a frame."""
    policy = headers["content-security-policy"].replace("frame-ancestors 'none'", FRAMED)
    return {**headers, "content-security-policy": policy}


class Guard:
    """Refuses requests with a foreign Host or Origin header, and clients without the token.

    A foreign Host is another site's name that resolves to this machine; a foreign Origin is another site's
    page.
    """

    def __init__(self, app: "ASGIApp", token: str = "", framed: bool = False):
        headers = _framed(HEADERS) if framed else HEADERS
        self.app = app
        self.token = token
        # browsers share cookies among all ports of a host, where another studio may run with another token
        self.cookie = f"motes_{hashlib.sha256(token.encode()).hexdigest()[:12]}"
        self.headers = [(name.encode(), value.encode()) for name, value in headers.items()]

    async def __call__(self, scope: "Scope", receive: "Receive", send: "Send") -> None:
        if scope["type"] not in ("http", "websocket"):
            await self.app(scope, receive, send)
            return
        reason = self.refusal(scope)
        if reason and scope["type"] == "websocket":
            await receive()
            await send({"type": "websocket.close", "code": 1008, "reason": reason})
        elif reason:
            await _send_refusal(send, reason)
        else:
            await self.app(scope, receive, self._with_headers(scope, send))

    def refusal(self, scope: "Scope") -> str:
        """The reason why this request is refused; empty if it is allowed."""
        headers = _headers(scope)
        hosts = headers.get("host", [])
        if len(hosts) != 1:
            return "a request names one host"
        if not self.token and _name(hosts[0]) not in LOOPBACK:
            return f"this studio is for this machine alone, and not known as {hosts[0][:80]}"
        for origin in headers.get("origin", []):
            if urlsplit(origin).netloc.lower() != hosts[0].lower():
                return "another site's page may not talk to this studio"
        if self.token and not self._has_token(scope, headers):
            return "this studio opens with the address that it printed, token and all"
        return ""

    def _has_token(self, scope: "Scope", headers: dict[str, list[str]]) -> bool:
        expected = self.token.encode()
        return any(secrets.compare_digest(token.encode(), expected) for token in self._tokens(scope, headers))

    def _tokens(self, scope: "Scope", headers: dict[str, list[str]]) -> list[str]:
        """The tokens in the address and in the cookies of a request."""
        in_address = parse_qs(scope.get("query_string", b"").decode("latin-1")).get("token", [])
        in_cookies = [_cookie(line, self.cookie) for line in headers.get("cookie", [])]
        return in_address + [token for token in in_cookies if token is not None]

    def _set_cookie(self) -> bytes:
        return f"{self.cookie}={self.token}; Path=/; HttpOnly; SameSite=Strict".encode()

    def _with_headers(self, scope: "Scope", send: "Send") -> "Send":
        more = [*self.headers]
        if self.token and scope["path"] == "/":
            more.append((b"set-cookie", self._set_cookie()))

        async def sending(message: Any) -> None:
            if message["type"] == "http.response.start":
                message = {**message, "headers": [*message.get("headers", []), *more]}
            await send(message)

        return sending


async def _send_refusal(send: "Send", reason: str) -> None:
    body = (reason + "\n").encode()
    headers = [(b"content-type", b"text/plain; charset=utf-8"), (b"content-length", str(len(body)).encode())]
    await send({"type": "http.response.start", "status": 403, "headers": headers})
    await send({"type": "http.response.body", "body": body})


def _headers(scope: "Scope") -> dict[str, list[str]]:
    """All values of each header, by its name in lower case."""
    headers: dict[str, list[str]] = {}
    for name, value in scope["headers"]:
        headers.setdefault(name.decode("latin-1").lower(), []).append(value.decode("latin-1"))
    return headers


def _name(host: str) -> str:
    """The host name without its port."""
    try:
        return (urlsplit(f"//{host}").hostname or "").lower()
    except ValueError:
        return ""


def _cookie(line: str, name: str) -> str | None:
    """The value of the cookie of this name in a header's line."""
    try:
        cookies: SimpleCookie = SimpleCookie(line)
    except CookieError:
        return None
    return cookies[name].value if name in cookies else None
