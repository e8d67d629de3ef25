"""What a source is: its identity and its digest."""

import os
import threading
import time

import pytest

from reelmake.foundation.errors import StageError
from reelmake.library import sources


def test_a_digest_says_size_and_content(tmp_path):
    path = tmp_path / "film"
    path.write_bytes(b"x" * 1000)
    small = sources.digest(path)
    path.write_bytes(b"x" * 1001)
    assert sources.digest(path) != small
    assert sources.digest(path, full=True) != sources.digest(path)


@pytest.mark.parametrize("offset", [0, 70_000, 4_999_999, 2_500_000])
def test_a_full_digest_sees_every_byte(tmp_path, offset):
    path = tmp_path / "film"
    content = bytearray(os.urandom(5_000_000))
    path.write_bytes(content)
    before = sources.digest(path, full=True)
    content[offset] ^= 1
    path.write_bytes(content)
    assert sources.digest(path, full=True) != before


def test_a_sampled_digest_reads_at_most_4_mib_and_both_ends(tmp_path):
    path = tmp_path / "film"
    with path.open("wb") as file:
        file.truncate(20 * 2**30)  # sparse: 20 GiB that a full read would take minutes for
    before = sources.digest(path)
    for offset in (0, 20 * 2**30 - 1):
        with path.open("r+b") as file:
            file.seek(offset)
            file.write(b"x")
        after = sources.digest(path)
        assert after != before
        before = after


def test_a_file_that_changes_is_noticed(tmp_path):
    path = tmp_path / "film"
    path.write_bytes(b"x")
    identity = sources.identify(str(path))
    assert sources.check(identity) == path
    path.write_bytes(b"xy")
    with pytest.raises(StageError, match="changed since") as error:
        sources.check(identity)
    assert error.value.kind == "transient"


def test_a_touched_file_is_another_identity(tmp_path):
    path = tmp_path / "film"
    path.write_bytes(b"x")
    identity = sources.identify(str(path))
    os.utime(path, ns=(0, identity["mtime_ns"] + 1))
    assert sources.identify(str(path)) != identity


@pytest.mark.parametrize("make", ["missing", "folder", "pipe"])
def test_a_missing_file_or_a_folder_is_named(tmp_path, make):
    path = tmp_path / "film"
    if make == "folder":
        path.mkdir()
    if make == "pipe":
        os.mkfifo(path)  # opening it would wait for ever
    with pytest.raises(StageError, match="film"):
        sources.check(sources.identify(str(path)))


def test_a_growing_file_is_found_and_one_at_rest_costs_no_wait(tmp_path):
    growing, fresh, old = (tmp_path / name for name in ("growing", "fresh", "old"))
    for path in (growing, fresh, old):
        path.write_bytes(b"x")
    os.utime(old, (0, 0))
    stop = threading.Event()

    def grow():
        with growing.open("ab") as file:
            while not stop.wait(0.02):
                file.write(b"x")
                file.flush()

    thread = threading.Thread(target=grow)
    thread.start()
    time.sleep(0.1)
    try:
        assert sources.growing([str(growing), str(fresh), str(old)], 0.3) == {str(growing)}
    finally:
        stop.set()
        thread.join()


def test_files_at_rest_are_not_waited_for(tmp_path, monkeypatch):
    path = tmp_path / "old"
    path.write_bytes(b"x")
    os.utime(path, (0, 0))
    monkeypatch.setattr(time, "sleep", lambda seconds: pytest.fail("waited"))
    assert sources.growing([str(path), str(tmp_path / "missing")], 60) == set()
