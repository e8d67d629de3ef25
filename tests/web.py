"""A web server on this machine with what real ones do, right and wrong."""

import email.utils
import http.server
import threading
import time
from dataclasses import dataclass, field
from urllib.parse import unquote


@dataclass
class Page:
    """What the server has at a path; tests change it while it is served.

    cut: how many downloads end at the half of what is left. linked: each request is a download;
    else every second: the one before it only looks what there is. length: what Content-Length
    says instead of the truth. headers: further ones. delay: seconds before the answer. pause:
    seconds after every 64 KiB.
    """

    content: bytes = b""
    type: str = "video/mp4"
    status: int = 200
    etag: str | None = None
    last_modified: float | None = None
    ranges: bool = True
    cut: int = 0
    linked: bool = False
    requests: int = 0
    length: int | None = None
    delay: float = 0
    pause: float = 0
    headers: dict[str, str] = field(default_factory=dict)


@dataclass
class Asked:
    """A request and the status of its answer. sent: bytes of the body."""

    path: str
    headers: dict[str, str]
    status: int = 0
    sent: int = 0


class Web:
    """Serves `pages` (by path, without query) until it is closed, and notes what was `asked`."""

    def __init__(self) -> None:
        self.pages: dict[str, Page] = {}
        self.asked: list[Asked] = []
        self.address = ("127.0.0.1", 0)
        self.open()

    def open(self) -> None:
        """Listen, on the same port as before."""
        outer = self

        class Handler(_Handler):
            web = outer

        self._server = http.server.ThreadingHTTPServer(self.address, Handler)
        self.address = self._server.server_address[:2]
        threading.Thread(target=self._server.serve_forever, args=(0.01,), daemon=True).start()

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()

    def url(self, path: str) -> str:
        return f"http://127.0.0.1:{self.address[1]}{path}"

    def statuses(self, path: str) -> list[int]:
        """The statuses of the answers for a path, and forget them."""
        found = [asked.status for asked in self.asked if asked.path == path]
        self.asked.clear()
        return found


class _Handler(http.server.BaseHTTPRequestHandler):
    web: Web
    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        path = unquote(self.path.partition("?")[0])
        asked = Asked(path, dict(self.headers))
        self.web.asked.append(asked)
        page = self.web.pages.get(path, Page(b"nothing here", "text/html", 404))
        self.close_connection = True
        page.requests += 1
        time.sleep(page.delay)
        validators = {}
        if page.etag:
            validators["ETag"] = page.etag
        if page.last_modified is not None:
            modified = email.utils.formatdate(page.last_modified, usegmt=True)
            validators["Last-Modified"] = modified
        status, content = page.status, page.content
        more = dict(page.headers)
        if status == 200 and self._is_unchanged(validators):
            status, content = 304, b""
        elif status == 200 and page.ranges and "Range" in self.headers:
            start = int(self.headers["Range"].removeprefix("bytes=").partition("-")[0])
            if start >= len(content):
                status, content = 416, b""
            else:
                total = len(content)
                status, content = 206, content[start:]
                more["Content-Range"] = f"bytes {start}-{total - 1}/{total}"
        asked.status = status
        self.send_response(status)
        right = len(content) if page.length is None or status != 200 else page.length
        self.send_header("Content-Length", str(right))
        self.send_header("Content-Type", page.type)
        self.send_header("Connection", "close")
        for name, value in (validators | more).items():
            self.send_header(name, value)
        self.end_headers()
        if page.cut and (page.linked or page.requests % 2 == 0):
            page.cut -= 1
            content = content[: len(content) // 2]
        for start in range(0, len(content), 65536):
            try:
                self.wfile.write(content[start : start + 65536])
            except OSError:
                return
            asked.sent = start
            time.sleep(page.pause)

    def do_HEAD(self) -> None:
        """The headers alone, as the hub of models is asked for."""
        path = unquote(self.path.partition("?")[0])
        page = self.web.pages.get(path, Page(b"", "text/html", 404))
        self.send_response(page.status)
        self.send_header("Content-Length", str(len(page.content)))
        if page.etag:
            self.send_header("ETag", page.etag)
        for name, value in page.headers.items():
            self.send_header(name, value)
        self.end_headers()

    def _is_unchanged(self, validators: dict[str, str]) -> bool:
        if "If-None-Match" in self.headers:
            return self.headers["If-None-Match"] == validators.get("ETag")
        if "If-Modified-Since" in self.headers:
            return self.headers["If-Modified-Since"] == validators.get("Last-Modified")
        return False

    def log_message(self, *args: object) -> None:
        """Silent."""
