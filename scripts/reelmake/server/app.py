"""The server's pages and files: one function an address."""

import asyncio
import functools
import gzip
import hashlib
import os
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any, NamedTuple, TypeVar

import anyio
import anyio.to_thread
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import (
    HTMLResponse,
    PlainTextResponse,
    RedirectResponse,
    Response,
    StreamingResponse,
)
from starlette.routing import Route

from reelmake.catalog import updating
from reelmake.catalog.opening import opened
from reelmake.foundation.errors import UserError
from reelmake.pages import film_page, library_data, rendering
from reelmake.pages.links import Links
from reelmake.server import access, found_moments, known_files, metrics
from reelmake.server.found_moments import Meant, Wanted
from reelmake.server.known_files import File
from reelmake.server.live_status import LiveStatus
from reelmake.server.media_response import media_response

LINKS = Links(True, "/")
THREADS = 4
"""Questions to the catalog that are answered at once; files and the status have other threads."""
QUERY_SECONDS = 30.0
"""Seconds after which a page is given up."""
WRONG_TOKEN_SECONDS = 1.0
"""Seconds that a wrong token costs."""

_ASSET_TYPES = {
    ".css": "text/css; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".svg": "image/svg+xml",
}

T = TypeVar("T")


class _Films(NamedTuple):
    """The script with all films, as of one state of the catalog's files."""

    state: tuple[tuple[int, int, int], ...]
    etag: str
    script: bytes
    compressed: bytes


class Site:
    """What the functions of the addresses share.

    results: the folder of all films. status: of the library. meant: as for `found_moments.find`.
    token: as for `access.Guard`.
    """

    def __init__(self, results: Path, status: LiveStatus, meant: Meant, token: str | None):
        self.results, self.status, self.meant, self.token = results, status, meant, token
        self._threads = anyio.CapacityLimiter(THREADS)
        self._films: _Films | None = None

    @property
    def catalog(self) -> Path:
        """The catalog's file."""
        return self.results / updating.NAME

    async def beside(self, work: Callable[[], T]) -> T:
        """What `work` gives, which asks the catalog, on another thread."""
        async with asyncio.timeout(QUERY_SECONDS):
            return await anyio.to_thread.run_sync(
                work, limiter=self._threads, abandon_on_cancel=True
            )

    async def library(self, request: Request) -> Response:
        """The page of all films."""
        return await self._page(request, lambda: rendering.render("library.html", links=LINKS))

    async def films(self, request: Request) -> Response:
        """The script with a row for each film."""
        found = await self.beside(self._read_films)
        headers = {"ETag": found.etag, "Cache-Control": "private, no-cache"}
        if found.etag in request.headers.get("if-none-match", ""):
            return Response(status_code=304, headers=headers)
        body, headers["Vary"] = found.script, "Accept-Encoding"
        if "gzip" in request.headers.get("accept-encoding", ""):
            body, headers["Content-Encoding"] = found.compressed, "gzip"
        return Response(body, headers=headers, media_type=_ASSET_TYPES[".js"])

    async def film(self, request: Request) -> Response:
        """The page of a film."""
        video = request.path_params["video"]

        def work() -> str:
            with opened(self.catalog) as db:
                row = film_page.find(db, video)
                if row is None:
                    raise HTTPException(404, "There is no such film; perhaps it was removed.")
                film = film_page.read(db, self.results, row)
            return film_page.page(film, LINKS)

        return await self._page(request, work)

    async def search(self, request: Request) -> Response:
        """The page of what a search finds."""
        asked = request.query_params
        names = ("q", "in", "film", "like", "speaker")
        wanted = Wanted(*(asked.get(name, "") for name in names))

        def work() -> str:
            try:
                found = found_moments.find(self.results, wanted, LINKS, self.meant)
            except UserError as error:
                if not self.catalog.is_file():
                    raise
                found = found_moments.nothing(wanted, str(error))
            return rendering.render("search.html", links=LINKS, **found)

        return await self._page(request, work)

    async def status_page(self, request: Request) -> Response:
        """The page that shows how a run goes on."""
        return HTMLResponse(rendering.render("status.html", links=LINKS))

    async def events(self, request: Request) -> Response:
        """The status again and again, as server-sent events."""
        if self.status.is_full():
            return PlainTextResponse("Too many pages listen.\n", 503, {"Retry-After": "30"})
        headers = {"Cache-Control": "no-store", "X-Accel-Buffering": "no"}
        return StreamingResponse(
            self.status.events(), headers=headers, media_type="text/event-stream"
        )

    async def metrics(self, request: Request) -> Response:
        """The status for Prometheus."""
        return Response(metrics.as_text(await self.status.latest()), media_type=metrics.TYPE)

    async def health(self, request: Request) -> Response:
        """Whether pages can be answered: 200 or 503."""

        def work() -> None:
            with opened(self.catalog) as db:
                db.execute("SELECT 1 FROM films LIMIT 1").fetchone()

        try:
            await self.beside(work)
        except (UserError, TimeoutError):
            return PlainTextResponse("no catalog\n", 503)
        return PlainTextResponse("ok\n")

    async def artifact(self, request: Request) -> Response:
        """A file of a film's results."""
        path = request.path_params
        return await self._file(
            request,
            lambda db: known_files.artifact(db, self.results, path["video"], path["path"]),
        )

    async def source(self, request: Request) -> Response:
        """A film itself."""
        video = request.path_params["video"]
        return await self._file(request, lambda db: known_files.source(db, self.results, video))

    async def login(self, request: Request) -> Response:
        """The form that asks for the token, and the answer to it."""
        if request.method != "POST":
            wanted = access.local(request.query_params.get("next", "/"))
            return HTMLResponse(rendering.render("login.html", links=LINKS, next=wanted, wrong=0))
        given = await access.form(request)
        wanted = access.local(given.get("next", "/"))
        if self.token is None:
            return RedirectResponse("/", 303)
        if not access.same(given.get("token", "").strip(), self.token):
            await asyncio.sleep(WRONG_TOKEN_SECONDS)
            page = rendering.render("login.html", links=LINKS, next=wanted, wrong=1)
            return HTMLResponse(page, 403)
        answer = RedirectResponse(wanted, 303)
        answer.set_cookie(
            access.COOKIE,
            access.session(self.token),
            max_age=30 * 86400,
            httponly=True,
            samesite="lax",
            secure=request.url.scheme == "https",
        )
        return answer

    async def _page(self, request: Request, work: Callable[[], str]) -> Response:
        return HTMLResponse(await self.beside(work), headers={"Cache-Control": "no-cache"})

    async def _file(self, request: Request, find: Callable[[Any], File | None]) -> Response:
        def work() -> Response | None:
            with opened(self.catalog) as db:
                file = find(db)
            return file and media_response(request, *file)

        response = await self.beside(work)
        if response is None:
            raise HTTPException(404, "There is no such file.")
        return response

    def _read_films(self) -> _Films:
        state = self._state()
        if self._films is None or self._films.state != state:
            with opened(self.catalog) as db:
                script = library_data.script(library_data.rows(db))
            etag = f'"{hashlib.sha256(script).hexdigest()[:20]}"'
            self._films = _Films(state, etag, script, gzip.compress(script, 5, mtime=0))
        return self._films

    def _state(self) -> tuple[tuple[int, int, int], ...]:
        """What changes when the catalog does; its log has what is not yet in the file itself."""
        found = []
        for suffix in ("", "-wal"):
            try:
                stat = os.stat(f"{self.catalog}{suffix}")
                found.append((stat.st_ino, stat.st_size, stat.st_mtime_ns))
            except OSError:
                found.append((0, 0, 0))
        return tuple(found)


def build(site: Site) -> Starlette:
    """The application, which has no guard yet."""
    routes = [
        Route("/", site.library),
        Route("/films.js", site.films),
        Route("/film/{video}", site.film),
        Route("/search", site.search),
        Route("/status", site.status_page),
        Route("/events", site.events),
        Route("/metrics", site.metrics),
        Route("/health", site.health),
        Route("/login", site.login, methods=["GET", "POST"]),
        Route("/assets/{name}", _asset),
        Route("/media/{video}/source", site.source),
        Route("/media/{video}/{path:path}", site.artifact),
    ]
    failures: dict[Any, Callable[..., Awaitable[Response]]] = {
        HTTPException: _refused,
        UserError: _unavailable,
        TimeoutError: _too_slow,
    }
    app = Starlette(routes=routes, exception_handlers=failures)
    app.router.redirect_slashes = False
    return app


@functools.cache
def _assets() -> dict[str, bytes]:
    """What may be asked for, by name."""
    return {path.name: path.read_bytes() for path in rendering.ASSETS.iterdir()}


async def _asset(request: Request) -> Response:
    name = request.path_params["name"]
    content = _assets().get(name)
    if content is None:
        raise HTTPException(404, "There is no such file.")
    etag = f'"{rendering.version()}"'
    headers = {"ETag": etag, "Cache-Control": "no-cache"}
    if etag in request.headers.get("if-none-match", ""):
        return Response(status_code=304, headers=headers)
    return Response(content, headers=headers, media_type=_ASSET_TYPES[Path(name).suffix])


async def _refused(request: Request, error: HTTPException) -> Response:
    title = "Not found" if error.status_code == 404 else "This can't be answered"
    return _message(title, str(error.detail), error.status_code, error.headers)


async def _unavailable(request: Request, error: UserError) -> Response:
    return _message("Not now", str(error), 503)


async def _too_slow(request: Request, error: TimeoutError) -> Response:
    return _message("This takes too long", "Ask for less, or try again later.", 503)


def _message(title: str, text: str, status: int, headers: Any = None) -> Response:
    page = rendering.render("message.html", links=LINKS, title=title, text=text)
    return HTMLResponse(page, status, headers=headers)
