"""The sound of a film as a file, for the stages that listen to it."""

import contextlib
import os
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from reelmake.foundation import artifact_files
from reelmake.jobs.job import Job
from reelmake.library import config, integrity, job_records, run_lock, sidecars
from reelmake.media import decoding, ffmpeg, wav_files

_CLAIMS = run_lock.FOLDER / "reelmake.audio"
"""An empty file for each video that has, or soon has, sound on disk."""

SETTINGS = ("audio.track", "audio.mix", "audio.undecodable")
"""What of the section `audio` the sound depends on."""


def extract(this: Job, media: Path, output: Path, settings: Mapping[str, Any]) -> None:
    """Write the chosen track as 16 kHz mono PCM whose first sample is the film's time zero.

    A film without sound gets a file without samples. media: its `media.json`. settings: those of
    the section `audio` by their dotted names, as fingerprints have them.
    """
    path = this.source()
    binary = ffmpeg.binary(this.run.ffmpeg)
    this.record["engines"]["ffmpeg"] = ffmpeg.version(binary)
    track, undecodable = settings["audio.track"], settings.get("audio.undecodable", "fail")
    mix = settings.get("audio.mix", "mono")
    film = integrity.read_json(media)
    with artifact_files.writing(output) as temporary:
        try:
            stream = decoding.extract_audio(path, film, track, temporary, binary, mix)
            if mix == "mono" and stream is not None and "channel" in stream:
                this.say(
                    f"{path}: its two channels cancel each other out, one is inverted: the "
                    f"{stream['channel']} one is transcribed"
                )
        except decoding.SoundError as error:
            if undecodable == "fail":
                raise
            this.say(f"{error} It is left out, as audio.undecodable asks for.")
            wav_files.write(temporary, [])
        this.source()


def wanted(this: Job) -> Mapping[str, Any]:
    """The settings that the sound of the job's video should be extracted with."""
    found: dict[str, Any] = sidecars.read(this.results, "audio")["settings"]
    return found


@contextlib.contextmanager
def own(this: Job, media: Path) -> Iterator[Path]:
    """The sound in a file of the job's own for the block: another link to `audio.wav` where that
    lies there, which may go at any moment, or else extracted. media: the video's `media.json`."""
    settings = {name: this.fingerprint["settings"][name] for name in SETTINGS}
    path = remove_own(this)
    try:
        if not _link(this, settings, path):
            extract(this, media, path, settings)
        yield path
    finally:
        path.unlink(missing_ok=True)


def remove_own(this: Job) -> Path:
    """Remove the sound of the job's own that one before it has left, which was killed; its path."""
    path = this.results / f".{this.stage}.wav"
    path.unlink(missing_ok=True)
    return path


def _link(this: Job, settings: Mapping[str, Any], path: Path) -> bool:
    """Make the path another link to the video's sound, if that is what would be extracted."""
    record = job_records.read(this.results, "audio")
    fingerprint = sidecars.read(this.results, "audio")
    if (record.get("state"), record.get("key")) != ("done", fingerprint.get("key")):
        return False
    there = fingerprint.get("settings", {})
    if any(there.get(name, config.default(name)) != settings[name] for name in SETTINGS):
        return False
    try:
        os.link(this.results / "audio.wav", path)
    except OSError:
        return False
    if not is_left_out(path):
        return True
    path.unlink()
    return False


def may_be_on_disk(this: Job, limit: int) -> bool:
    """Whether the job's video may have its sound on disk: at most `limit` others have theirs.

    A film's sound is extracted in seconds and listened to in minutes: 115 MB an hour of film
    would pile up for hundreds of them. Each video that has sound leaves a claim, so that nobody
    looks at the whole library; jobs that decide at the same time see each other's.
    """
    _CLAIMS.mkdir(parents=True, exist_ok=True)
    claim = _CLAIMS / this.video
    claim.touch()
    count = 0
    for name in os.listdir(_CLAIMS):
        if name == this.video:
            continue
        if _has_sound(this.results.parent / name):
            count += 1
        else:
            (_CLAIMS / name).unlink(missing_ok=True)
    if count < limit:
        return True
    claim.unlink(missing_ok=True)
    return False


def _has_sound(results: Path) -> bool:
    """Whether a video has sound on disk, or gets it at the moment."""
    # The record first: sound that is published in between is seen below.
    extracting = _is_running(results, "audio")
    try:
        left_out = is_left_out(results / "audio.wav")
    except OSError:
        return extracting
    return not left_out or extracting or _is_running(results, "transcript")


def _is_running(results: Path, stage: str) -> bool:
    return job_records.read(results, stage).get("state") == "running"


def leave_out(output: Path) -> None:
    """Write an empty file, no WAV at all: a stage that has to listen extracts the sound itself."""
    artifact_files.write_bytes(output, b"")


@contextlib.contextmanager
def at_hand(this: Job, audio: Path) -> Iterator[None]:
    """Extract the sound for the block where it was left out: there was plenty, or the cache has
    lost the transcript since. If the block fails it is left out again: the sound of hundreds of
    films that a model fails on must not pile up either."""
    left_out = is_left_out(audio)
    if left_out:
        _CLAIMS.mkdir(parents=True, exist_ok=True)
        (_CLAIMS / this.video).touch()
        extract(this, this.results / "media.json", audio, wanted(this))
    try:
        yield
    except Exception:
        if left_out:
            leave_out(audio)
        raise


def is_left_out(audio: Path) -> bool:
    """Whether the sound has yet to be extracted."""
    return audio.stat().st_size == 0
