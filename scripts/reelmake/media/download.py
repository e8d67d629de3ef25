"""Downloads from the web. The only module that imports yt-dlp, lazily.

A page, and what it links to, is untrusted. So yt-dlp reads no config, plugin or cookie, asks over
http and https only, writes where it is told, and runs no program but the ffmpeg that joins sound
and picture, both downloaded before.
"""

import contextlib
import os
import shutil
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from reelmake.foundation import artifact_files, urls
from reelmake.foundation.errors import StageError
from reelmake.foundation.text import printable
from reelmake.media.download_errors import explain
from reelmake.media.web_download import Web

RETRIES = 4
"""Further tries of a download that gets no further; those that get further are not counted."""

BACKOFF = 1.0
"""Seconds before the first of them; each waits twice as long as the one before."""

PATIENCE = 600.0
"""Seconds that a server may ask to wait before a job gives up."""

NATIVE = {"http", "hlsnative", "dashsegments", "ism", "f4m"}
"""yt-dlp's downloaders that run no program."""

Progress = Callable[[int, int], None]


def partial(results: Path, key: str) -> Path:
    """The folder for what is downloaded for this key so far; what was for others is removed."""
    folder = results / "journal" / f"source.{key}"
    folder.mkdir(parents=True, exist_ok=True)
    for other in folder.parent.glob("source.*"):
        if other != folder:
            artifact_files.remove(other)
    return folder


def forget(folder: Path) -> None:
    """Remove a folder of `partial`."""
    shutil.rmtree(folder, ignore_errors=True)
    with contextlib.suppress(OSError):  # other journals may lie there
        folder.parent.rmdir()


def download(url: str, folder: Path, ffmpeg: str, progress: Progress) -> Path:
    """Download the video at `url` into `folder` and return its path there.

    Goes on after what is in the folder, if it is of the same file. Tries again after errors
    that pass, and when a server that is too busy says so. ffmpeg: the program. progress: told
    bytes done and bytes in all. Raises StageError; what was downloaded stays for the next job.
    """
    try:
        return _try_on(url, folder, ffmpeg, progress)
    finally:
        if not _bytes_in(folder):
            forget(folder)


def _try_on(url: str, folder: Path, ffmpeg: str, progress: Progress) -> Path:
    tries, waited, most = 0, 0.0, _bytes_in(folder)
    while True:
        try:
            with _no_programs():
                return _download(url, folder, ffmpeg, progress)
        except Exception as error:
            failure, wait = explain(url, error)
        if failure.kind != "transient":
            raise failure
        if _bytes_in(folder) > most:
            tries, waited, most = 0, 0.0, _bytes_in(folder)
        tries += 1
        wait = BACKOFF * 2 ** (tries - 1) if wait is None else wait
        if tries > RETRIES or waited + wait > PATIENCE:
            raise failure
        waited += wait
        print(f"{failure}; trying again in {wait:.0f} s", flush=True)
        time.sleep(wait)


def _download(url: str, folder: Path, ffmpeg: str, progress: Progress) -> Path:
    os.environ["YTDLP_NO_PLUGINS"] = "1"
    import yt_dlp
    from yt_dlp.downloader import get_suitable_downloader
    from yt_dlp.downloader.external import FFmpegFD
    from yt_dlp.utils import MEDIA_EXTENSIONS, DownloadError

    def refuse(*_: object) -> None:
        raise StageError(
            f"{urls.shown(url)} is a stream that yt-dlp can't download without another program; "
            "give another address, or download it by hand"
        )

    # It would give addresses of an untrusted page to ffmpeg.
    FFmpegFD._call_downloader = refuse
    FFmpegFD.available = classmethod(lambda _, path=None: False)

    place = str(folder).replace("%", "%%")
    options = {
        "outtmpl": {"default": f"{place}/source.%(ext)s"},
        "format": "bv*+ba/b",
        "noplaylist": True,
        "playlist_items": "1,2",  # enough to see that there is more than one
        "retries": 0,  # `download` does, and knows how long to wait
        "fragment_retries": 3,
        "socket_timeout": 30,
        "external_downloader": "native",
        "ffmpeg_location": ffmpeg,
        "js_runtimes": {},
        "fixup": "never",
        "cachedir": False,
        "progress_hooks": [_summed(progress)],
        "noprogress": True,
        "quiet": True,
        "logger": _Log(url),
    }
    with yt_dlp.YoutubeDL(options) as client:
        web = client.urlopen = Web(client.urlopen, folder)
        client.add_progress_hook(lambda _: web.written())
        try:
            info = _single(client.extract_info(url, download=False), urls.shown(url))
            for stream in info.get("requested_formats") or [info]:
                if get_suitable_downloader(stream, client.params).FD_NAME not in NATIVE:
                    refuse()
            if info["ext"] not in (*MEDIA_EXTENSIONS.video, *MEDIA_EXTENSIONS.audio):
                info["ext"] = "unknown_video"  # download.php, say, is refused otherwise
            client.process_info(info)
        except DownloadError as error:
            error.cause = web.refusal  # what HttpFD retries it says as text only
            raise
        finally:
            if web.refusal:
                web.refusal.close()
    return Path(info["filepath"])


def _single(info: dict[str, Any] | None, where: str) -> dict[str, Any]:
    """What is to be downloaded of what was found at an address."""
    while info and "entries" in info:
        entries = [entry for entry in info["entries"] if entry]
        if len(entries) > 1:
            raise StageError(f"{where} is a list of videos; give the address of each by itself")
        info = entries[0] if entries else None
    if not info:
        raise StageError(f"{where} has no video; check the address, or take it off the list")
    if info.get("is_live") or info.get("live_status") == "is_upcoming":
        raise StageError(f"{where} is a live stream; run again when it has ended")
    return info


def _summed(progress: Progress) -> Callable[[dict[str, Any]], None]:
    """A progress hook of yt-dlp, which downloads picture and sound one after the other."""
    files: dict[str, tuple[int, int]] = {}

    def hook(state: dict[str, Any]) -> None:
        done = int(state.get("downloaded_bytes") or 0)
        total = int(state.get("total_bytes") or state.get("total_bytes_estimate") or 0)
        files[state.get("filename", "")] = (done, max(done, total))
        progress(sum(done for done, _ in files.values()), sum(all for _, all in files.values()))

    return hook


class _Log:
    """yt-dlp's messages, in the log of the job, without what may be secret."""

    def __init__(self, url: str):
        self._url = url

    def debug(self, message: str) -> None:
        """Not written: every request is told here."""

    def warning(self, message: str) -> None:
        print(printable(urls.without_secrets(message, self._url)), flush=True)

    def error(self, message: str) -> None:
        """Not written: it is raised as well."""


@contextlib.contextmanager
def _no_programs() -> Iterator[None]:
    """No program is found by its name: yt-dlp knows some that pages may make it run."""
    before = os.environ.get("PATH")
    os.environ["PATH"] = os.devnull
    try:
        yield
    finally:
        if before is None:
            del os.environ["PATH"]
        else:
            os.environ["PATH"] = before


def _bytes_in(folder: Path) -> int:
    return sum(path.stat().st_size for path in folder.iterdir() if path.suffix != ".json")
