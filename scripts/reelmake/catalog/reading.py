"""Films read for the catalog: beside the process that writes, where there are many.

    python -m reelmake.catalog.reading RESULTS    (ids as JSON on standard input)

Reading costs about as much as writing, so the two take a core each.
"""

import contextlib
import fcntl
import gc
import json
import os
import subprocess
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

import msgpack

from reelmake.catalog import film_rows
from reelmake.catalog.film_rows import FilmRows

MANY = 100
"""From so many films on another process is worth its start."""
AHEAD = 1 << 20
"""Bytes that the other process may be ahead."""


def films(results: Path, videos: Sequence[str]) -> Iterator[FilmRows]:
    """What the artifacts of each video say, in their order. results: the folder of all."""
    done = 0
    if len(videos) >= MANY:
        for film in _beside(results, videos):
            done += 1
            yield film
    for video in videos[done:]:  # all, or what a process that was killed has not read
        yield film_rows.read(results / video)


def _beside(results: Path, videos: Sequence[str]) -> Iterator[FilmRows]:
    command = [sys.executable, "-m", __name__, str(results)]
    environment = os.environ | {"PYTHONPATH": os.pathsep.join(path for path in sys.path if path)}
    process = subprocess.Popen(
        command,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        env=environment,
        start_new_session=True,  # Ctrl+C is its parent's, whose end it notices
    )
    assert process.stdin and process.stdout
    with contextlib.suppress(OSError, AttributeError):  # Linux: room for a few films more
        fcntl.fcntl(process.stdout, fcntl.F_SETPIPE_SZ, AHEAD)
    try:
        with contextlib.suppress(BrokenPipeError):
            process.stdin.write(json.dumps(list(videos)).encode())
            process.stdin.close()
        for film in msgpack.Unpacker(process.stdout, raw=False, max_buffer_size=0):
            yield FilmRows(*film)
    finally:
        process.kill()
        process.stdout.close()
        process.wait()


def main() -> None:
    """Read the films that standard input names, and write what they say to standard output."""
    gc.disable()  # nothing here has cycles: a tenth of the time
    results, packer = Path(sys.argv[1]), msgpack.Packer()
    with contextlib.suppress(BrokenPipeError):
        for video in json.load(sys.stdin):
            sys.stdout.buffer.write(packer.pack(tuple(film_rows.read(results / video))))
        sys.stdout.buffer.flush()


if __name__ == "__main__":
    main()
