"""Whether what was downloaded from a URL is still what is there. The only module that imports
requests, lazily: within `source.url_ttl` nothing is asked.

What is known is in `results/V/source.json` (the server's words about what was downloaded) and,
as `asked`, in `results/V/jobs/source.json` (when that was last found to hold).
"""

import collections
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Literal, cast

from reelmake.foundation import artifact_files, text, urls
from reelmake.library import job_records, sources
from reelmake.library.sources import Identity

TIMEOUT = 10.0
"""Seconds that a server has for its answer, and for being reached."""

AT_ONCE = 8
"""Questions at a time: enough for thousands, few enough for one server."""

HEADERS = {
    # A compressed answer may have another ETag than the file.
    "Accept-Encoding": "identity",
    "User-Agent": "Mozilla/5.0 (compatible; reelmake)",
}


class NoAnswer(Exception):
    """Why nothing is known of a URL's state now. silent: its whole server need not be asked."""

    def __init__(self, reason: str, silent: bool):
        super().__init__(reason)
        self.silent = silent


def identify(
    sources: dict[Path, str],
    ttl: float,
    step: float,
    write: bool,
    say: Callable[[str], None],
) -> dict[Path, Identity]:
    """The identity of each URL source.

    sources: the URL by the folder of its video's results. ttl: for how many seconds after it was
    asked a download is believed. step: seconds of a time step, where a server says nothing of
    a file's version. write: note in the job records what was asked now (a real run).
    say: told of servers that can't be asked, while their last download is used.
    """
    last = {results: _known(results, url) for results, url in sources.items()}
    now = time.time()
    due = [results for results in sources if not (last[results] and _is_fresh(results, ttl, now))]
    silent: dict[str, NoAnswer] = {}

    def look(results: Path) -> Identity | NoAnswer:
        url = sources[results]
        server = urls.host(url)
        try:
            if server in silent:
                return silent[server]
            return ask(url, last[results], step)
        except NoAnswer as error:
            if error.silent:
                silent[server] = error
            return error

    pool = ThreadPoolExecutor(AT_ONCE)
    try:
        answers = dict(zip(due, pool.map(look, due), strict=True))
    finally:
        pool.shutdown(wait=False, cancel_futures=True)
    found: dict[Path, Identity] = {}
    offline: dict[str, list[str]] = collections.defaultdict(list)
    for results, url in sources.items():
        before, answer = last[results], answers.get(results)
        if isinstance(answer, NoAnswer):
            # Without a download the job tries by itself, and says what is wrong.
            found[results] = before or _wanted(results, url) or _step(url, step)
            if before:
                offline[f"{urls.host(url)} {answer}"].append(results.name)
        else:
            found[results] = answer or before or {"path": url}
            if write and answer == before:
                _note(results, now)
    for reason, ids in offline.items():
        say(f"{reason}; what was downloaded last is used: {text.videos(ids)}")
    return found


def ask(url: str, known: Identity | None, step: float) -> Identity:
    """The identity of what is at `url` now; `known` itself where that did not change.

    Raises NoAnswer.
    """
    import requests

    headers = dict(HEADERS)
    if known and "etag" in known:
        headers["If-None-Match"] = known["etag"]
    if known and "last_modified" in known:
        headers["If-Modified-Since"] = known["last_modified"]
    try:
        # Not HEAD, which addresses that are signed for GET refuse. The body is left unread.
        with requests.get(url, headers=headers, timeout=TIMEOUT, stream=True) as answer:
            status, said = answer.status_code, answer.headers
    except requests.Timeout:
        raise NoAnswer(f"did not answer within {TIMEOUT:.0f} s", silent=True) from None
    except requests.ConnectionError:
        raise NoAnswer("can't be reached", silent=True) from None
    except (requests.RequestException, ValueError) as error:
        raise NoAnswer(f"can't be asked ({type(error).__name__})", silent=False) from None
    if status == 304 and known:
        return known
    if status >= 400:
        raise NoAnswer(f"answers {status}", silent=status in (429, 503))
    found: Identity = {"path": url}
    if said.get("ETag"):
        found["etag"] = said["ETag"]
    if said.get("Last-Modified"):
        found["last_modified"] = said["Last-Modified"]
    if len(found) == 1:
        return _step(url, step)
    # Some servers send all of it again although nothing changed.
    same: Literal["etag", "last_modified"] = "etag" if "etag" in found else "last_modified"
    return known if known and found[same] == known.get(same) else found


def _known(results: Path, url: str) -> Identity | None:
    """The identity of what was downloaded last, if that was from this URL."""
    last = sources.download(results)
    return cast(Identity, {"path": url} | last["state"]) if last.get("url") == url else None


def _wanted(results: Path, url: str) -> Identity | None:
    """The identity that an earlier run wanted."""
    sidecar = artifact_files.read_json(results / "fingerprints" / "source.json")
    identity = sidecar.get("source") if isinstance(sidecar, dict) else None
    there = isinstance(identity, dict) and identity.get("path") == url
    return cast(Identity, identity) if there else None


def _step(url: str, step: float) -> Identity:
    """The identity of what tells nothing of itself: all who ask within one step share it."""
    step = max(step, 1.0)
    return {"path": url, "step": int(time.time() // step * step)}


def _is_fresh(results: Path, ttl: float, now: float) -> bool:
    asked = job_records.read(results, "source").get("asked")
    return isinstance(asked, int | float) and 0 <= now - asked < ttl


def _note(results: Path, now: float) -> None:
    record = job_records.read(results, "source")
    if record:
        record["asked"] = round(now, 3)
        job_records.write(results, "source", record)
