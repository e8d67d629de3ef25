"""The film of a video on the web: results/V/source.json, and source.<ext> beside it."""

import os
from pathlib import Path
from typing import TYPE_CHECKING

from reelmake.foundation import artifact_files, urls
from reelmake.foundation.errors import StageError
from reelmake.jobs.job import Job
from reelmake.jobs.runner import job
from reelmake.library import sources
from reelmake.media import download, ffmpeg, probing

if TYPE_CHECKING:
    from snakemake.script import snakemake


def fetch_source(this: Job, output: Path) -> None:
    """Download the film, see that it is one, and publish it before the record of it.

    A film that is there is replaced only by a whole one.
    """
    identity = this.fingerprint["source"]
    url = identity["path"]
    this.record["unit"] = "bytes"
    folder = download.partial(this.results, this.fingerprint["key"])
    film = download.download(url, folder, ffmpeg.binary(this.run.ffmpeg), this.progress)
    _refuse_what_is_no_film(film, folder, url)
    name = f"source.{film.suffix[1:].lower()}"
    name = name if name != "source.unknown_video" else "source.video"
    state = {key: value for key, value in identity.items() if key != "path"}
    record = {
        "url": url,
        "key": this.fingerprint["key"],
        "state": state,
        "file": name,
        "size": film.stat().st_size,
        "content": sources.digest(film),
    }
    artifact_files.sync(film)
    os.replace(film, this.results / name)
    artifact_files.write_json(output, record, "source")
    for other in this.results.glob("source.*"):
        if other.name not in (name, output.name):
            other.unlink()
    download.forget(folder)
    this.record["asked"] = this.record["started"]


def _refuse_what_is_no_film(film: Path, folder: Path, url: str) -> None:
    """Raise StageError for it, in words of its address, and download it anew next time."""
    try:
        probing.probe(film)
    except StageError as error:
        with film.open("rb") as file:
            start = file.read(1000).lower()
        download.forget(folder)
        if b"<html" in start or b"<!doctype html" in start:
            raise StageError(
                f"{urls.shown(url)} is a web page, not a video; give the address of the video"
            ) from None
        what = str(error).replace(str(film), f"what {urls.shown(url)} delivers")
        raise StageError(what, kind=error.kind) from None


if __name__ == "__main__":
    with job(snakemake.input.fingerprint, snakemake.log[0], snakemake.params.run) as this:
        fetch_source(
            this,
            output=Path(snakemake.output.record),
        )
