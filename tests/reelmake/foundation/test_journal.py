"""The journal keeps every whole record, whatever becomes of the file's end."""

import errno
import os
import resource
import signal
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reelmake.foundation.journal import Journal, _whole

SCRIPTS = Path(__file__).resolve().parents[3] / "scripts"
KEY = "0" * 64
RECORDS = [{"record": {"scene_id": 1, "t": 0.1}, "description": None}, "é", [1, 2.5], {}, None]


def write(folder, records, key=KEY, stage="S"):
    """A journal with the records; its file and where each frame ends."""
    journal = Journal(folder, stage, key)
    ends = [journal.path.stat().st_size]
    for record in records:
        journal.append(record)
        ends.append(journal.path.stat().st_size)
    journal.close()
    return journal.path, ends


def read(folder, key=KEY, stage="S"):
    journal = Journal(folder, stage, key)
    journal.close()
    return journal.records


def test_what_is_appended_is_read_and_followed(tmp_path):
    write(tmp_path, RECORDS[:2])
    assert read(tmp_path) == RECORDS[:2]
    write(tmp_path, RECORDS[2:])
    assert read(tmp_path) == RECORDS


def test_cut_at_any_byte_the_whole_records_stay_and_more_can_follow(tmp_path):
    path, ends = write(tmp_path, RECORDS)
    content = path.read_bytes()
    for length in range(len(content) + 1):
        path.write_bytes(content[:length])
        whole = RECORDS[: max(0, sum(end <= length for end in ends) - 1)]
        assert read(tmp_path) == whole
        assert path.stat().st_size == max(end for end in ends if end <= max(length, ends[0]))
        write(tmp_path, ["next"])
        assert read(tmp_path) == [*whole, "next"]


def test_any_flipped_bit_ends_the_valid_part_before_it(tmp_path):
    path, ends = write(tmp_path, RECORDS)
    content = path.read_bytes()
    for position in range(len(content)):
        for bit in range(8):
            damaged = bytearray(content)
            damaged[position] ^= 1 << bit
            path.write_bytes(damaged)
            whole = sum(end <= position for end in ends)
            assert read(tmp_path) == RECORDS[: max(0, whole - 1)], (position, bit)


@pytest.mark.parametrize(
    "tail", [bytes(8), bytes(4096), b"\xff" * 16, b"\x01\0\0\0", b"\x04\0\0\0" + b"\xc1" * 8]
)
def test_a_tail_of_anything_is_cut_off(tmp_path, tail):
    path, ends = write(tmp_path, RECORDS)
    with path.open("ab") as file:
        file.write(tail)
    assert read(tmp_path) == RECORDS
    assert path.stat().st_size == ends[-1]


@pytest.mark.parametrize("content", [b"", b"\0", b"anything else " * 99])
def test_another_file_of_that_name_starts_afresh(tmp_path, content):
    path, _ = write(tmp_path, RECORDS)
    path.write_bytes(content)
    assert read(tmp_path) == []
    write(tmp_path, RECORDS)
    assert read(tmp_path) == RECORDS


def test_another_key_starts_afresh_and_other_stages_stay(tmp_path):
    old, _ = write(tmp_path, RECORDS)
    others = [write(tmp_path, RECORDS, stage=stage)[0] for stage in ("SS", "T")]
    new, _ = write(tmp_path, [], key="1" * 64)
    assert sorted(tmp_path.iterdir()) == sorted([new, *others])
    # A file of the right name that holds another key.
    others[0].rename(old)
    old.write_bytes(new.read_bytes())
    assert read(tmp_path) == []
    assert read(tmp_path, stage="T") == RECORDS


def test_another_version_starts_afresh(tmp_path, monkeypatch):
    write(tmp_path, RECORDS)
    monkeypatch.setattr("reelmake.foundation.journal.VERSION", 2)
    assert read(tmp_path) == []


def test_done_it_is_gone_and_its_folder_with_the_last(tmp_path):
    one, two = (Journal(tmp_path / "journal", stage, KEY) for stage in "ST")
    one.close(done=True)
    assert os.listdir(tmp_path / "journal") == [two.path.name]
    two.close(done=True)
    two.close()
    assert os.listdir(tmp_path) == []


def test_a_record_that_finds_no_room_leaves_the_others(tmp_path):
    """A limit on the file's size stands for the disk's: a part is written, then an error."""
    path, ends = write(tmp_path, RECORDS)
    journal = Journal(tmp_path, "S", KEY)
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    ignored = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    try:
        resource.setrlimit(resource.RLIMIT_FSIZE, (ends[-1] + 20, limits[1]))
        with pytest.raises(OSError, match="No space left") as error:
            journal.append("x" * 100)
        assert error.value.errno == errno.ENOSPC
        assert error.value.filename == str(path)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
        signal.signal(signal.SIGXFSZ, ignored)
    journal.append("fits")
    journal.close()
    assert read(tmp_path) == [*RECORDS, "fits"]


def test_a_killed_writer_leaves_what_it_appended(tmp_path):
    code = f"""
        import os, signal
        from pathlib import Path
        from reelmake.foundation.journal import Journal
        journal = Journal(Path({str(tmp_path)!r}), "S", {KEY!r})
        for number in range(5):
            journal.append(number)
        os.kill(os.getpid(), signal.SIGKILL)
    """
    command = [sys.executable, "-c", textwrap.dedent(code)]
    killed = subprocess.run(command, env={**os.environ, "PYTHONPATH": str(SCRIPTS)})
    assert killed.returncode == -signal.SIGKILL
    assert read(tmp_path) == [0, 1, 2, 3, 4]


def test_another_stage_may_take_the_empty_folder_away_meanwhile(tmp_path, monkeypatch):
    folder = tmp_path / "journal"
    other = Journal(folder, "T", KEY)
    mkdir = Path.mkdir

    def and_gone(*args, **options):
        mkdir(*args, **options)
        monkeypatch.undo()
        other.close(done=True)
        assert not folder.exists()

    monkeypatch.setattr(Path, "mkdir", and_gone)
    write(folder, RECORDS)
    assert read(folder) == RECORDS


VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**63), 2**64 - 1)
    | st.floats(allow_nan=False)
    | st.text()
    | st.binary(),
    lambda values: st.lists(values) | st.dictionaries(st.text() | st.integers(0, 9), values),
    max_leaves=9,
)


@given(st.lists(VALUES, max_size=5), st.binary(max_size=40), st.data())
def test_whatever_is_appended_comes_back(tmp_path_factory, records, tail, data):
    folder = tmp_path_factory.mktemp("journal")
    path, ends = write(folder, records)
    content = path.read_bytes()
    cut = data.draw(st.integers(0, len(content)))
    path.write_bytes(content[:cut] + tail)
    # What follows is not whole, unless it happens to be what was cut off.
    values, end = _whole(content[:cut])
    assert end == max([0, *(end for end in ends if end <= cut)])
    if not content.startswith(content[:cut] + tail):
        assert read(folder) == (values[1:] if values else [])
    path.write_bytes(content)
    assert read(folder) == records
    path.unlink()
