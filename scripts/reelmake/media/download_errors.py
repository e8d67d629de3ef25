"""Why a download failed: yt-dlp's errors as one sentence each, and whether another try helps.

They are told by what they are called and what they hold, so that yt-dlp is imported elsewhere.
"""

import errno
import math
import time
import traceback
from collections.abc import Iterator
from email.utils import parsedate_to_datetime
from typing import Any

from reelmake.foundation import urls
from reelmake.foundation.errors import StageError

Explained = tuple[StageError, float | None]
"""The error for the user, and the seconds that the server asked to wait."""

UNREACHABLE = {"TransportError", "ContentTooShortError", "TimeoutError", "ConnectionError"}


def explain(url: str, error: Exception) -> Explained:
    """Why the download of `url` failed. Its query is in no sentence: it may hold a token."""
    where = urls.shown(url)
    causes = list(_causes(error))
    for cause in causes:
        if isinstance(cause, OSError) and cause.errno in (errno.ENOSPC, errno.EDQUOT):
            return StageError("the disk is full; free some space", kind="resources"), None
        if isinstance(cause, StageError):
            return cause, None
    for cause in causes:
        kinds = {kind.__name__ for kind in type(cause).__mro__}
        if "HTTPError" in kinds:
            return _refused(where, cause)
        if "CertificateVerifyError" in kinds:
            reason = "the server's certificate is not valid; check the address"
            return StageError(f"{where}: {reason}"), None
        if kinds & UNREACHABLE:
            return _cut_off(where), None
        if "RequestError" in kinds:  # what else can't be asked
            return StageError(f"{where} leads to what is not on the web; check the address"), None
        if "UnsupportedError" in kinds:
            reason = "is a web page in which yt-dlp finds no video; give the address of the video"
            return StageError(f"{where} {reason}"), None
    for cause in causes:
        if isinstance(cause, OSError) and cause.errno:
            raise cause  # of the disk: the job explains it
    if "Got error:" in str(error):  # what yt-dlp's HttpFD gave up on, as text only
        return _cut_off(where), None
    # The message itself: in front of it yt-dlp puts a name that it makes of the address.
    said = next((cause.orig_msg for cause in causes if hasattr(cause, "orig_msg")), str(error))
    text = urls.without_secrets(said, url).removeprefix("ERROR: ")
    if any(getattr(cause, "expected", False) for cause in causes):
        return StageError(f"{where}: yt-dlp says: {text}; check the address"), None
    print(urls.without_secrets("".join(traceback.format_exception(error)), url))
    return StageError(f"{where}: yt-dlp fails: {text}; a newer one may help", kind="engine"), None


def _causes(error: BaseException) -> Iterator[BaseException]:
    """The error and, the nearest first, what led to it."""
    found: list[BaseException] = []
    waiting: list[Any] = [error]
    while waiting:
        one = waiting.pop(0)
        if isinstance(one, BaseException) and one not in found:
            found.append(one)
            yield one
            more = getattr(one, "exc_info", None) or (None, None, None)
            waiting += [more[1], getattr(one, "cause", None), one.__cause__, one.__context__]


def _cut_off(where: str) -> StageError:
    reason = "the connection failed or was cut off; run again when it works"
    return StageError(f"{where}: {reason}", kind="transient")


def _refused(where: str, error: Any) -> Explained:
    """What an HTTP status means for the user."""
    status = error.status
    wait = _retry_after(error.response.headers.get("Retry-After"))
    if status == 429 or (status == 503 and wait is not None):
        when = f"in {math.ceil(wait / 60)} minutes" if wait and wait > 60 else "a little later"
        reason = f"its server is too busy (it answers {status}); run again {when}"
        return StageError(f"{where}: {reason}", kind="transient"), wait
    if status in (408, 425) or status >= 500:
        return StageError(
            f"{where}: its server is out of order (it answers {status}); run again later",
            kind="transient",
        ), wait
    if status in (404, 410):
        reason = f"is not there (its server answers {status})"
    elif status in (401, 403, 407, 451):
        reason = f"is not for everybody (its server answers {status})"
    else:
        reason = f"is refused (its server answers {status})"
    return StageError(f"{where} {reason}; check the address, or take it off the list"), None


def _retry_after(header: str | None) -> float | None:
    """Seconds from now of a Retry-After, which has seconds or a date; None without one."""
    try:
        return max(0.0, float(header or ""))
    except ValueError:
        pass
    try:
        return max(0.0, parsedate_to_datetime(header or "").timestamp() - time.time())
    except (ValueError, OverflowError):
        return None
