"""Files of films, whole or in parts: players ask for ranges of bytes to jump."""

import os
import re
import stat
from pathlib import Path
from typing import Any

from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import FileResponse, Response

_RANGES = re.compile(r"bytes=\s*\d*-\d*(?:\s*,\s*\d*-\d*)*\s*", re.ASCII | re.IGNORECASE)
# Nothing of a file is run, even if somebody opens it as a page.
_HEADERS = {
    "Content-Security-Policy": "default-src 'none'; sandbox; frame-ancestors 'none'",
    "Cache-Control": "private, no-cache",
}


def media_response(request: Any, path: Path, type: str, inline: bool = True) -> Response | None:
    """An answer with a file; None where there is no regular file.

    type: its media type. inline: false: it is only to be saved.
    """
    try:
        found = os.stat(path)
    except (OSError, ValueError):
        return None
    if not stat.S_ISREG(found.st_mode) or not os.access(path, os.R_OK):
        return None
    response = _Media(
        path,
        headers=_HEADERS,
        media_type=type,
        stat_result=found,
        filename=None if inline else path.name.encode(errors="replace").decode(),
    )
    known = request.headers.get("if-none-match")
    if known and response.headers["etag"] in known:
        kept = {name: response.headers[name] for name in ("etag", "last-modified")}
        return Response(status_code=304, headers={**_HEADERS, **kept})
    return response


class _Media(FileResponse):
    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        assert self.stat_result is not None
        await super().__call__(_with_right_range(scope, self.stat_result.st_size), receive, send)


def _with_right_range(scope: Any, size: int) -> Any:
    """The request with a range that Starlette takes as RFC 9110 has it: what is no range of bytes
    is no range at all, and of several those that the file has count."""
    given = Headers(scope=scope).get("range")
    if given is None:
        return scope
    wanted = None
    if _RANGES.fullmatch(given):
        parts = [part.strip() for part in given.partition("=")[2].split(",")]
        if all(map(_is_range, parts)):
            there = [part for part in parts if _is_there(part, size)]
            wanted = "bytes=" + ",".join(there or parts[:1])
    changed = dict(scope, headers=list(scope["headers"]))
    headers = MutableHeaders(raw=changed["headers"])
    if wanted is None:
        del headers["range"]
    else:
        headers["range"] = wanted
    return changed


def _is_range(part: str) -> bool:
    start, _, end = part.partition("-")
    if len(start) > 18 or len(end) > 18:
        return False
    return bool(start or end) and not (start and end and int(start) > int(end))


def _is_there(part: str, size: int) -> bool:
    start, _, end = part.partition("-")
    return int(start) < size if start else int(end) > 0 and size > 0
