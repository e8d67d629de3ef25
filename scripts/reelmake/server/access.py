"""Who may ask the server: checks before every request, and headers after each."""

import asyncio
import hashlib
import hmac
import ipaddress
import socket
import stat
from collections.abc import Callable, Iterable
from http.cookies import CookieError, SimpleCookie
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, quote

from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import PlainTextResponse, RedirectResponse, Response

from reelmake.foundation.errors import UserError

Scope = Any
COOKIE = "reelmake"
LEAST = 16
"""Characters of a token."""
LONGEST_QUERY = 4000
"""Bytes of an address after its question mark."""
LONGEST_FORM = 4000
"""Bytes of the form that is sent to sign in."""
PATIENCE = 10.0
"""Seconds to wait for that form."""
OPEN = ("/health", "/login", "/assets/style.css", "/assets/page.js", "/assets/icon.svg")
"""What is answered without a token."""

HEADERS = {
    "Content-Security-Policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; "
        "media-src 'self'; connect-src 'self'; form-action 'self'; base-uri 'none'; "
        "frame-ancestors 'none'"
    ),
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "X-Frame-Options": "DENY",
}


def read_token(path: Path, say: Callable[[str], None]) -> str:
    """The token in a file: its first line. Raises UserError where it is too short for one.

    say: told that others can read the file.
    """
    try:
        mode = path.stat().st_mode
        text = path.read_text().strip().splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise UserError(f"--token-file {path}: it can't be read: {error}") from None
    token = text[0].strip() if text else ""
    if len(token) < LEAST:
        raise UserError(
            f"--token-file {path}: a token has {LEAST} characters or more; "
            f"`openssl rand -hex 32 > {path}` makes one"
        )
    if mode & (stat.S_IRGRP | stat.S_IROTH):
        say(f"{path} can be read by others; `chmod 600 {path}` keeps the token yours")
    return token


def is_loopback(host: str) -> bool:
    """Whether only this machine can reach an address."""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


class Guard:
    """Lets requests through to `app` that come by the right name and with the token.

    host: the address that the server is bound to. token: None: nobody is asked for one. names:
    by which it is asked, too, as behind a reverse proxy.
    """

    def __init__(self, app: Any, host: str, token: str | None = None, names: Iterable[str] = ()):
        self._app = app
        self._token = token
        self._loopback = is_loopback(host)
        self._names = {name.lower() for name in (*names, "localhost")}
        if not self._loopback:
            self._names.add(socket.gethostname().lower())

    async def __call__(self, scope: Scope, receive: Any, send: Any) -> None:
        """Answer a request, or have `app` do it."""
        if scope["type"] != "http":
            return
        refused = self._refusal(scope)

        async def with_headers(message: Any) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name, value in HEADERS.items():
                    headers.setdefault(name, value)
            await send(message)

        await (refused or self._app)(scope, receive, with_headers)

    def _refusal(self, scope: Scope) -> Response | None:
        headers = Headers(scope=scope)
        if not self._is_named(headers.get("host", "")):
            # A page of another site that had its name point here (DNS rebinding) ends here.
            return PlainTextResponse("This server has another name.\n", 421)
        if len(scope["query_string"]) > LONGEST_QUERY:
            return PlainTextResponse("This address is too long.\n", 414)
        site, mode = headers.get("sec-fetch-site"), headers.get("sec-fetch-mode")
        if site in ("cross-site", "same-site") and mode != "navigate":
            return PlainTextResponse("Other sites may link here, and nothing else.\n", 403)
        if self._token is None or scope["path"] in OPEN or self._is_known(headers):
            return None
        if "text/html" in headers.get("accept", ""):
            query = scope["query_string"].decode("latin-1")
            wanted = quote(scope["path"]) + (f"?{query}" if query else "")
            return RedirectResponse(f"/login?next={quote(wanted, safe='/')}", 303)
        return PlainTextResponse(
            "Give the token: Authorization: Bearer TOKEN\n",
            401,
            {"WWW-Authenticate": 'Bearer realm="reelmake"'},
        )

    def _is_named(self, host: str) -> bool:
        name, _, port = host.rpartition(":") if not host.endswith("]") else (host, "", "")
        if not name or not (port.isascii() and port.isdigit()):
            name = host
        name = name.lower()
        if name in self._names:
            return True
        try:
            address = ipaddress.ip_address(name.strip("[]"))
        except ValueError:
            return False
        # No site has a number for its name, so other numbers than one's own do no harm.
        return address.is_loopback or not self._loopback

    def _is_known(self, headers: Headers) -> bool:
        assert self._token is not None
        kind, _, given = headers.get("authorization", "").partition(" ")
        if kind.lower() == "bearer" and same(given.strip(), self._token):
            return True
        return same(cookie_of(headers), session(self._token))


def same(given: str, right: str) -> bool:
    """Whether two secrets are one, in a time that tells nothing of where they differ."""
    return hmac.compare_digest(given.encode(errors="replace"), right.encode())


def session(token: str) -> str:
    """What the cookie of someone holds who gave the token: not the token itself."""
    return hmac.new(token.encode(), b"reelmake session", hashlib.sha256).hexdigest()


def cookie_of(headers: Headers) -> str:
    """The session that a browser sends; empty where it sends none."""
    try:
        morsel = SimpleCookie(headers.get("cookie", "")).get(COOKIE)
    except CookieError:
        return ""
    return morsel.value if morsel else ""


async def form(request: Any) -> dict[str, str]:
    """The fields of a form that was sent; empty where it is too long, or does not come."""
    body = b""
    try:
        async with asyncio.timeout(PATIENCE):
            async for part in request.stream():
                body += part
                if len(body) > LONGEST_FORM:
                    return {}
    except TimeoutError:
        return {}
    fields = parse_qs(body.decode(errors="replace"), max_num_fields=10)
    return {name: values[0] for name, values in fields.items()}


def local(address: str) -> str:
    """An address on this server to go to; what leads elsewhere is the library."""
    right = address.startswith("/") and not address.startswith(("//", "/\\"))
    return address if right and address.isprintable() and "\\" not in address else "/"
