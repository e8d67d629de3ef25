"""Perceptual hashes of keyframes: what looks alike has hashes that differ in few bits.

They are kept beside the catalog in a file of their own, derived data like it, which is written
whole and renamed: 20 bytes a keyframe, 12 MB for 10,000 films, read in a third of a second. The
only module that imports imagehash and Pillow.
"""

import concurrent.futures
import errno
import os
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path, PurePath
from typing import Any, NamedTuple

import msgpack
import numpy as np
import numpy.typing as npt

from reelmake.foundation import artifact_files
from reelmake.tables import rows

NAME = "catalog.pictures.msgpack"
"""Beside the catalog."""
VERSION = 1
"""To be raised when pictures are hashed otherwise."""

SIDE = 32
"""Pixels of the square that a picture is made for hashing, as imagehash has it: 4 x 8."""
FLAT = 6.0
"""Standard deviation of its brightness (0 to 255) below which a picture says nothing: it is black,
white or of one colour, and what its hash would tell is noise."""
DECODED = 128
"""Pixels of each side that are decoded at least: JPEG gives an eighth of them for less."""
SAVED = 30.0
"""Seconds of work after which what is done is kept."""

State = tuple[int, int]
"""Of keyframes.json: size (bytes) and time (ns since 1970)."""
Told = Callable[[int, int], None]


class Hashes(NamedTuple):
    """Of one film's keyframes that say something, in their order: three arrays of one length.

    scenes: the numbers of their scenes. times: s. hashes: 64 bits each.
    """

    scenes: npt.NDArray[np.int32]
    times: npt.NDArray[np.float64]
    hashes: npt.NDArray[np.uint64]


def of_films(results: Path, videos: Sequence[str], tell: Told | None = None) -> dict[str, Hashes]:
    """The hashes of each film's keyframes, by its id. results: the folder of all films.

    Only keyframes that have changed are read; tell is called with how many films of those are
    done. What is damaged or missing of a film is absent. In a folder that is read-only they are
    made each time; raises OSError where the disk is full.
    """
    kept = _read(results / NAME)
    states = {video: _state(results / video) for video in videos}
    wanted = {video: state for video, state in states.items() if state is not None}
    found = {v: kept[v] for v, state in wanted.items() if v in kept and kept[v][0] == state}
    changed = [video for video in wanted if video not in found]
    if not changed and len(found) == len(kept):
        return {video: hashes for video, (_, hashes) in found.items()}
    saved = time.monotonic()
    try:
        for done, (video, hashes) in enumerate(_hashed(results, changed), 1):
            found[video] = (wanted[video], hashes)
            if tell:
                tell(done, len(changed))
            if time.monotonic() - saved > SAVED:
                _write(results / NAME, found)
                saved = time.monotonic()
    finally:  # Ctrl+C, too: the next one goes on from here
        _write(results / NAME, found)
    return {video: hashes for video, (_, hashes) in found.items()}


def picture_hash(path: Path) -> int | None:
    """The perceptual hash (pHash, 64 bits) of a JPEG; None where the picture says nothing, or
    can't be read."""
    import imagehash
    from PIL import Image

    try:
        with Image.open(path, formats=("JPEG",)) as image:
            image.draft("L", (DECODED, DECODED))
            small = image.convert("L").resize((SIDE, SIDE), Image.Resampling.LANCZOS)
    except (OSError, ValueError, SyntaxError, Image.DecompressionBombError):
        return None
    if np.asarray(small).std() < FLAT:
        return None
    bits = np.asarray(imagehash.phash(small).hash, dtype=np.uint8)
    return int.from_bytes(np.packbits(bits).tobytes(), "big")


def differing(
    hashes: npt.NDArray[np.uint64], others: npt.NDArray[np.uint64] | np.uint64
) -> npt.NDArray[np.uint8]:
    """In how many bits each hash differs from its other, by numpy's rules of broadcasting."""
    bits: npt.NDArray[np.uint8] = np.bitwise_count(hashes ^ others)
    return bits


def _hashed(results: Path, videos: Sequence[str]) -> Iterator[tuple[str, Hashes]]:
    if not videos:
        return
    # Decoding and scaling happen outside of Python's lock.
    with concurrent.futures.ThreadPoolExecutor(len(os.sched_getaffinity(0))) as pool:
        try:
            for video in videos:
                frames = list(_keyframes(results / video))
                values = list(pool.map(picture_hash, [path for path, _, _ in frames]))
                pairs = zip(frames, values, strict=True)
                some = [(s, t, value) for (_, s, t), value in pairs if value is not None]
                yield video, _arrays(some)
        finally:
            pool.shutdown(cancel_futures=True)


def _arrays(some: Sequence[tuple[int, float, int]]) -> Hashes:
    return Hashes(
        np.array([scene for scene, _, _ in some], np.int32),
        np.array([at for _, at, _ in some], np.float64),
        np.array([value for _, _, value in some], np.uint64),
    )


def _keyframes(folder: Path) -> Iterator[tuple[Path, int, float]]:
    """Each keyframe of a film: its file, the number of its scene, its time (s)."""
    for row in rows.of("keyframes", rows.Artifacts(folder)):
        file, scene, at = row.get("file"), row.get("scene"), row.get("time")
        # A name with a folder in it would lead out of the film's own.
        right = isinstance(file, str) and PurePath(file).name == file and file != ".."
        if right and type(scene) is int and 0 <= scene < 2**31 and isinstance(at, int | float):
            yield folder / "keyframes" / str(file), scene, float(at)


def _state(folder: Path) -> State | None:
    try:
        seen = os.stat(folder / "keyframes.json")
    except (OSError, ValueError):
        return None
    return seen.st_size, seen.st_mtime_ns


_Kept = dict[str, tuple[State, Hashes]]


def _read(path: Path) -> _Kept:
    """What is kept; nothing where it is missing, damaged or of another version."""
    found: _Kept = {}
    try:
        content = msgpack.unpackb(path.read_bytes(), raw=False)
        if content["version"] != VERSION:
            return {}
        for video, (size, mtime, *arrays) in content["films"].items():
            scenes, times, hashes = arrays
            film = Hashes(
                np.frombuffer(scenes, "<i4"),
                np.frombuffer(times, "<f8"),
                np.frombuffer(hashes, "<u8"),
            )
            if len({len(each) for each in film}) == 1:
                found[video] = ((size, mtime), film)
    except (OSError, ValueError, KeyError, TypeError, AttributeError, msgpack.UnpackException):
        return {}
    return found


def _write(path: Path, films: Mapping[str, tuple[State, Hashes]]) -> None:
    content: dict[str, Any] = {"version": VERSION, "films": {}}
    for video, (state, film) in films.items():
        arrays = (
            film.scenes.astype("<i4").tobytes(),
            film.times.astype("<f8").tobytes(),
            film.hashes.astype("<u8").tobytes(),
        )
        content["films"][video] = [*state, *arrays]
    try:
        artifact_files.write_bytes(path, msgpack.packb(content), durable=False)
    except FileNotFoundError:
        pass  # another process was writing the same at this moment
    except OSError as error:
        if error.errno not in (errno.EACCES, errno.EPERM, errno.EROFS):
            raise
        # Nobody may write here: they are made anew each time.
