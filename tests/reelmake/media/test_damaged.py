"""Damaged films: each is made into what can be made of it, or refused with one true sentence. No
traceback, no hang, nothing half done under its name."""

import faulthandler
import re
import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

import damage
import kinds_of_film
import make_media
from faults import long
from reelmake.foundation import artifact_files
from reelmake.foundation.errors import StageError
from reelmake.library import config
from reelmake.media import clips, decoding, ffmpeg, keyframes, probing, scenes

SECONDS = 60
"""The longest that one of these small films may take."""

K = kinds_of_film
FILMS = {
    "a.mp4": K.plain(*K.X264, *K.AAC, length=1.2),
    "fast.mp4": K.plain(*K.X264, *K.AAC, "-movflags", "+faststart", length=1.2),
    "fragments.mp4": K.plain(*K.X264, *K.AAC, "-movflags", "+frag_keyframe+empty_moov", length=1.2),
    "a.mov": K.plain("-c:v", "mjpeg", *K.PCM, length=0.6),
    "a.mkv": K.plain(*K.X264, "-c:a", "libvorbis", length=1.2),
    "a.webm": K.plain("-c:v", "libvpx", "-deadline", "realtime", "-c:a", "libopus", length=1.2),
    "a.avi": K.plain(*K.MPEG4, "-c:a", "mp3", length=1.2),
    "a.ts": K.plain(*K.X264, "-c:a", "mp2", length=1.2),
    "a.mpg": K.plain(*K.MPEG2, "-c:a", "mp2", length=1.2),
    "a.flv": K.plain("-c:v", "flv", "-c:a", "mp3", "-ar", "44100", length=1.2),
    "a.ogv": K.plain("-c:v", "libtheora", "-c:a", "libvorbis", length=1.2),
    "a.wmv": K.plain("-c:v", "wmv2", "-c:a", "wmav2", length=1.2),
    "a.3gp": K.plain("-c:v", "h263", *K.AAC, length=1.2),
    "a.hevc.mp4": K.plain(*K.X265, *K.AAC, length=1.2),
    "a.wav": K.plain("-vn", *K.PCM, length=1.2),
    "a.mp3": K.plain("-vn", "-c:a", "mp3", length=1.2),
}
SEEDS = 16

PYTHON = re.compile(r"Traceback|Error\(|\bErrno\b|Exception|object has no|NoneType|\bException\b")


@pytest.fixture(scope="module")
def whole(shared) -> Callable[[str], bytes]:
    return lambda name: (
        shared(f"damaged {name}", lambda folder: FILMS[name](folder / name)) / name
    ).read_bytes()


@contextmanager
def limited(seconds: int) -> Iterator[None]:
    """TimeoutError for what takes longer; the end of the process where even that is not heard."""

    def late(*_: object) -> None:
        raise TimeoutError(f"it takes longer than {seconds} s")

    before = signal.signal(signal.SIGALRM, late)
    signal.alarm(seconds)
    faulthandler.dump_traceback_later(3 * seconds, exit=True)
    try:
        yield
    finally:
        faulthandler.cancel_dump_traceback_later()
        signal.alarm(0)
        signal.signal(signal.SIGALRM, before)


def make(path: Path, folder: Path, given: dict) -> None:
    """Media, sound, scenes, keyframes and clips of a film, as the jobs make them."""
    binary = ffmpeg.binary()
    media = {"content": "0" * 64} | probing.probe(path)
    artifact_files.write_json(folder / "media.json", media, "media")
    with artifact_files.writing(folder / "audio.wav") as target:
        decoding.extract_audio(path, media, "default", target, binary)
    found = scenes.detect(path, media, given["scenes"], binary, threads=1)
    artifact_files.write_json(folder / "scenes.json", found, "scenes")
    with artifact_files.writing(folder / "keyframes") as target:
        target.mkdir()
        keys = keyframes.extract(path, media, found, given["keyframes"], target, threads=1)
    artifact_files.write_json(folder / "keyframes.json", keys, "keyframes")
    end = media["duration"] or 1.0
    chosen = [  # as long as highlights are: a damaged film may say that it has hours
        {"id": n, "start": start, "end": stop, "score": 8.0, "reason": None, "text": ""}
        for n, (start, stop) in enumerate(
            ((0.0, min(5.0, 0.6 * end)), (max(0.0, 0.5 * end, end - 5.0), end)), 1
        )
    ]
    settings = make_media.clip_settings(preset="ultrafast")
    with artifact_files.writing(folder / "clips") as target:
        target.mkdir()
        made = clips.cut_all(path, media, chosen, {"segments": []}, [], settings, target, binary, 1)
    artifact_files.write_json(folder / "clips.json", made, "clips")


@pytest.mark.parametrize("seeds", [range(SEEDS), long(range(SEEDS, 4 * SEEDS))], ids=["", "more"])
@pytest.mark.parametrize("name", FILMS)
def test_a_damaged_film_is_made_or_refused(whole, tmp_path, name, seeds) -> None:
    given = config.load({})
    content = whole(name)
    path = tmp_path / name
    for number in seeds:
        seed = f"{name} {number}"
        path.write_bytes(damage.damaged(content, seed))
        folder = tmp_path / str(number)
        folder.mkdir()
        try:
            with limited(SECONDS):
                make(path, folder, given)
        except StageError as error:
            said = str(error)
            assert str(path) in said and len(said) > len(str(path)) + 20, (seed, said)
            assert "\n" not in said and not PYTHON.search(said), (seed, said)
        except Exception as error:
            raise AssertionError(f"{seed}: {error!r}") from error
        # Nothing half done is left: what is there is valid, or has its final name not.
        assert not [each.name for each in folder.iterdir() if each.name.startswith(".")], seed
        if (folder / "clips").exists():
            assert (folder / "clips.json").exists(), seed
