"""What yt-dlp asks the web, and whether an answer may continue what was downloaded before."""

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

from reelmake.foundation import artifact_files, urls
from reelmake.foundation.errors import StageError

Version = list[str | None]
"""ETag, Last-Modified and length of what a server has."""


class Web:
    """What yt-dlp asks: over HTTP only, and a file is only continued by more of the same.

    refusal: the last answer, if it was an error.
    """

    def __init__(self, send: Callable[[Any], Any], folder: Path):
        self._send = send
        self._path = folder / "version.json"
        self._kept: Version | None = artifact_files.read_json(self._path)
        self._begun = self._kept
        self.refusal: Any = None

    def __call__(self, request: Any) -> Any:
        address = request if isinstance(request, str) else request.url
        if not urls.is_url(address):
            raise StageError(f"{urls.shown(address)[:80]} is not fetched: it is not http or https")
        headers = {} if isinstance(request, str) else request.headers
        later = re.match(r"bytes=0*[1-9]", headers.get("Range", ""))
        try:
            answer = self._send(request)
        except Exception as error:
            answer = getattr(error, "response", None)  # of an HTTPError
            if not (later and answer and answer.status == 416):
                self.refusal = error if answer else None
                raise
        if later and answer.status != 200 and _version(answer) != self._kept:
            # It changed meanwhile: yt-dlp takes an answer that is not partial from the start.
            answer.close()
            del headers["Range"]
            answer = self._send(request)
        self.refusal = None
        self._begun = _version(answer)
        return answer

    def written(self) -> None:
        """Something of the last answer was written: that is what may be continued from now on.

        Not before: until then there may be a part of another version in the file.
        """
        if self._begun != self._kept:
            self._kept = self._begun
            artifact_files.write_json(self._path, self._kept, durable=False)


def _version(answer: Any) -> Version:
    headers = answer.headers
    _, _, total = headers.get("Content-Range", "").rpartition("/")
    return [
        headers.get("ETag"),
        headers.get("Last-Modified"),
        total or headers.get("Content-Length"),
    ]
