"""The shared cache: machines give each other what they computed, and believe nothing of it.

Each `machine` is a cache in a folder of its own. What they share lies in a folder, or on a real
S3-compatible server on this machine (moto, in a process of its own).
"""

import contextlib
import ctypes
import hashlib
import json
import os
import re
import socket
import stat
import threading
import time
import tracemalloc
import zlib
from pathlib import Path

import boto3
import fsspec
import pytest

from reelmake.cache import object_store, untrusted_entry
from reelmake.cache.artifact_cache import Cache
from reelmake.cache.entry import BLOB_LIMIT
from shared_cache import FILES, LARGE, TEXT, LikeFtp, finish, key, noise, python, serving

PR_CAPBSET_DROP, CAP_DAC_OVERRIDE, CAP_DAC_READ_SEARCH = 24, 1, 2
SAYS = "the shared cache at "
A = key("a")


def forged(payload: bytes = b"content", key=A, files=None, **facts) -> bytes:
    """An object as anybody can write it: sealed, whatever is in it."""
    digest = hashlib.sha256(payload).hexdigest()
    file = {"name": "transcript.json", "size": len(payload), "sha256": digest, "encoding": ""}
    file |= {"stored": len(payload), "object": digest if len(payload) > BLOB_LIMIT else ""}
    entry = {"key": key, "stage": "transcript", "version": 1, "created": time.time()}
    entry |= {"seconds": 1.0, "content": "abc", "engines": {"av": "1.0"}}
    for name, value in facts.items():
        (file if name in file and name != "key" else entry)[name] = value
    listed = [list(file.values())] if files is None else files
    return sealed(json.dumps([*entry.values(), listed]).encode()) + b"\n" + payload


def sealed(text: bytes) -> bytes:
    return hashlib.sha256(text).hexdigest().encode() + b" " + text


def temporary_files(cache: Cache) -> list[str]:
    return os.listdir(cache.info()["folder"] + "/tmp")


# What it is for


def test_what_one_machine_computed_another_restores(machine, put, shared, tmp_path):
    one, other = machine("one", shared), machine("other", shared)
    assert put(one)
    results = tmp_path / "results" / "V"
    entry = other.restore(key("a"), results, "V")
    assert (entry.stage, entry.seconds) == ("transcript", 60.0)
    assert {
        str(path.relative_to(results)): path.read_bytes()
        for path in results.rglob("*")
        if path.is_file()
    } == {
        "transcript.json": b"small",
        "V.msgpack": noise(1, LARGE),
        "keyframes/1.txt": TEXT,
        "keyframes/2.jpg": b"",
    }
    assert shared.names() == [f"{key('a')[:2]}/{key('a')}"]
    counts = ("hits", "shared_hits", "misses", "stores", "shared_stores", "entries")
    assert [one.info()[name] for name in counts] == [0, 0, 0, 1, 1, 1]
    assert [other.info()[name] for name in counts] == [1, 1, 0, 0, 0, 1]
    assert other.info()["stages"]["transcript"]["shared_hits"] == 1
    assert other.info()["seconds_saved"] == 60
    assert other.info()["shared"] == shared.url
    assert temporary_files(other) == temporary_files(one) == []
    shared.remove(key("a"))
    assert other.get(key("a")) == FILES  # from its own disk now
    assert other.info()["shared_hits"] == 1
    assert other.verify() == []
    assert other.said == one.said == []


def test_a_place_that_does_not_exist_yet_is_a_miss_and_then_made(machine, put, tmp_path):
    one = machine("one", f"file://{tmp_path}/not/there/yet")
    assert one.get(key("a")) is None
    assert put(one)
    assert machine("other", f"{tmp_path}/not/there/yet/").get(key("a")) == FILES
    assert one.said == []


def test_any_other_file_system_of_fsspec(machine, put):
    fsspec.register_implementation("likeftp", LikeFtp)
    one, other = (machine(name, "likeftp://some/where") for name in ("one", "other"))
    for name in ("a", "b"):
        assert key(name) not in other
        assert put(one, name)
        assert key(name) in other
        assert other.get(key(name)) == FILES
    assert one.said == other.said == []


def test_whether_it_is_there_is_told_without_reading_it(machine, put, shared):
    put(machine("one", shared))
    other = machine("other", shared)
    assert key("a") in other
    assert key("b") not in other
    assert list(other.entries()) == []


def test_what_another_machine_has_just_written_is_seen(machine, put, shared):
    one, other = machine("one", shared), machine("other", shared)
    assert key("a") not in other and other.get(key("a")) is None
    put(one)
    assert key("a") in other and other.get(key("a")) == FILES


def test_what_is_there_already_is_not_written_again(machine, put, shared, monkeypatch):
    monkeypatch.setattr(time, "time", lambda: 1e9)  # the moment is part of the object
    put(machine("one", shared))
    marked = shared.read(key("a"))[:-1] + b"?"
    shared.write(key("a"), marked)
    other = machine("other", shared)
    put(other)
    assert shared.read(key("a")) == marked
    assert other.info()["shared_stores"] == 0
    shared.write(key("a"), marked + b"longer")
    put(machine("third", shared))
    assert machine("fourth", shared).get(key("a")) == FILES


def test_what_people_do_to_their_own_cache_is_not_done_to_the_shared_one(machine, put, shared):
    one = machine("one", shared, ttl=3600)
    put(one)
    before = shared.read(key("a"))
    one.prune()
    one.verify()
    assert one.remove() == 1
    assert list(one.entries()) == []
    assert shared.read(key("a")) == before
    assert one.get(key("a")) == FILES


def test_local_damage_is_healed(machine, put, folder, tmp_path):
    one = machine("one", folder)
    put(one)
    for path in (tmp_path / "one" / "objects").rglob("*"):
        if path.is_file():
            path.write_bytes(path.read_bytes()[:-1] + b"?")
    assert one.get(key("a")) == FILES
    assert one.verify() == []
    assert [line for line in one.said if line.startswith(SAYS)] == []


def test_what_is_too_old_is_a_miss_and_replaced(machine, put, folder, monkeypatch):
    monkeypatch.setattr(time, "time", lambda: 1e9)
    put(machine("one", folder))
    old = folder.read(key("a"))
    monkeypatch.setattr(time, "time", lambda: 1e9 + 7200)
    other = machine("other", folder, stage_ttl={"transcript": 3600})
    assert other.get(key("a")) is None
    assert list(other.entries()) == []
    put(other)
    new = folder.read(key("a"))
    assert new != old and len(new) == len(old)
    assert other.said == []


def test_fsspec_is_imported_only_when_the_shared_cache_is_asked(machine, put, folder, tmp_path):
    one = machine("one", folder)
    put(one)
    one.close()
    code = """
        import sys
        from pathlib import Path
        from reelmake.cache.artifact_cache import Cache
        cache = Cache(Path(sys.argv[1]), shared=sys.argv[2])
        assert cache.get(sys.argv[3])
        assert "fsspec" not in sys.modules
        assert not cache.get("0" * 64)
        assert "fsspec" in sys.modules and "s3fs" not in sys.modules
    """
    assert finish(python(code, tmp_path / "one", folder.url, key("a"))) == ""


def test_new_files_are_for_all_who_may_use_the_folder(machine, put, folder):
    folder.path.mkdir()
    folder.path.chmod(0o2770)
    mask = os.umask(0o077)
    try:
        put(machine("one", folder))
    finally:
        os.umask(mask)
    (made,) = folder.path.iterdir()
    assert stat.S_IMODE(made.stat().st_mode) == 0o2770
    assert stat.S_IMODE((made / key("a")).stat().st_mode) == 0o640


# Nothing of it is believed


def flip(content: bytes) -> bytes:
    middle = len(content) // 2
    return content[:middle] + bytes([content[middle] ^ 4]) + content[middle + 1 :]


DAMAGES = {
    "flipped bit": flip,
    "flipped bit of the metadata": lambda content: flip(content[:200]) + content[200:],
    "truncated": lambda content: content[: len(content) // 2],
    "metadata only": lambda content: content[: content.index(b"\n") + 1],
    "in the metadata": lambda content: content[:100],
    "empty": lambda content: b"",
    "longer": lambda content: content + b"x",
    "garbage": lambda content: noise(1, 5000),
    "lines": lambda content: b"\n" * 5000,
    "not JSON": lambda content: sealed(b"words") + b"\n",
    "not UTF-8": lambda content: sealed(b"\xff") + b"\n",
}


@pytest.mark.parametrize("damage", DAMAGES)
def test_a_damaged_object_is_a_miss_until_it_is_replaced(machine, put, shared, damage, tmp_path):
    put(machine("one", shared))
    put(machine("one", shared), "b")
    damaged = DAMAGES[damage](shared.read(key("a")))
    shared.write(key("a"), damaged)
    other = machine("other", shared)
    for _ in range(2):
        assert other.restore(key("a"), tmp_path / "results", "V") is None
    assert not (tmp_path / "results").exists()
    assert len(other.said) == 1
    assert other.said[0].startswith(f"{SAYS}{shared.url} has a damaged")
    assert other.info()["quarantined"] == 1
    assert other.info()["entries"] == 0 and temporary_files(other) == []
    assert key("a") not in other
    assert shared.read(key("a")) == damaged  # it may be another's
    assert other.get(key("b")) == FILES
    put(other)
    assert machine("third", shared).get(key("a")) == FILES
    assert other.remove() == 2
    assert other.get(key("a")) == FILES
    assert len(other.said) == 1


ONE = [1, hashlib.sha256(b"c").hexdigest(), "", 1, ""]
BOMB = zlib.compress(bytes(100_000_000), 9)

FORGERIES = {
    "another key": {"key": key("b")},
    "no key": {"key": None},
    "no stage": {"stage": 1},
    "a stage like a path": {"stage": "../x"},
    "a stage of two lines": {"stage": "a\nb"},
    "a long stage": {"stage": "a" * 10_000},
    "no version": {"version": "1"},
    "not a version": {"version": True},
    "no time": {"created": "now"},
    "never": {"created": float("nan")},
    "a negative time": {"created": -1},
    "an endless time": {"seconds": 10**400},
    "no content": {"content": ["abc"]},
    "no engines": {"engines": [1]},
    "an engine of no version": {"engines": {"av": {}}},
    "no files": {"payload": b"", "files": []},
    "not files": {"files": 7},
    "files of words": {"files": ["abcdef"]},
    "a short file": {"files": [["a", 1]]},
    "no name": {"name": None},
    "a name above": {"name": "../transcript.json"},
    "a name above, inside": {"name": "keyframes/.."},
    "an absolute name": {"name": "/etc/passwd"},
    "a deep name": {"name": "a/b/c"},
    "a name with a NUL": {"name": "a\0b"},
    "a name that is no text": {"name": "a\ud800"},
    "a long name": {"name": "a" * 250},
    "a name of two lines": {"name": "a\nb"},
    "two of one name": {"payload": b"cc", "files": [["a", *ONE], ["a", *ONE]]},
    "a file that is a folder": {"payload": b"cc", "files": [["a", *ONE], ["a/b", *ONE]]},
    "no size": {"size": "7"},
    "a negative size": {"size": -7, "stored": -7},
    "an endless size": {"stored": 10**30},
    "a huge size": {"size": 10**15, "stored": 10**15, "object": "ab" * 32, "sha256": "ab" * 32},
    "a size too small": {"size": 6},
    "a size too large": {"size": 8, "stored": 8},
    "large but not an object": {"payload": noise(1, LARGE), "object": ""},
    "small but an object": {"object": hashlib.sha256(b"content").hexdigest()},
    "an object like a path": {"payload": noise(1, LARGE), "object": "../" * 20 + "etc/x"},
    "another object": {"payload": noise(1, LARGE), "object": "ab" * 32},
    "another object, compressed": {
        "payload": zlib.compress(TEXT),
        "size": len(TEXT),
        "sha256": hashlib.sha256(TEXT).hexdigest(),
        "encoding": "zlib",
        "object": "ab" * 32,
        "stored": len(zlib.compress(TEXT)),
    },
    "no object": {"object": None},
    "no digest": {"sha256": 5},
    "another digest": {"sha256": "ab" * 32},
    "an unknown encoding": {"encoding": "pickle"},
    "no encoding": {"encoding": None},
    "not zlib": {"encoding": "zlib"},
    "a bomb": {
        "payload": BOMB,
        "size": BLOB_LIMIT + 1,
        "encoding": "zlib",
        "object": hashlib.sha256(BOMB).hexdigest(),
        "stored": len(BOMB),
    },
    "an honest bomb in the index": {
        "payload": zlib.compress(bytes(40_000_000), 9),
        "size": 40_000_000,
        "sha256": hashlib.sha256(bytes(40_000_000)).hexdigest(),
        "encoding": "zlib",
    },
    "an honest bomb": {
        "payload": BOMB,
        "size": 100_000_000,
        "sha256": hashlib.sha256(bytes(100_000_000)).hexdigest(),
        "encoding": "zlib",
        "object": hashlib.sha256(BOMB).hexdigest(),
        "stored": len(BOMB),
    },
}


@pytest.mark.parametrize("forgery", FORGERIES)
def test_a_forged_object_is_a_miss(machine, put, folder, forgery, tmp_path):
    folder.write(key("a"), forged(**FORGERIES[forgery]))
    one = machine("one", folder, size_limit=50e6)
    assert one.restore(key("a"), tmp_path / "results", "V") is None
    assert not (tmp_path / "results").exists()
    assert len(one.said) == 1 and one.said[0].startswith(SAYS)
    assert one.said[0].isprintable() and len(one.said[0]) < 500
    assert one.info()["entries"] == 0 and temporary_files(one) == []
    assert put(one) and one.get(key("a")) == FILES
    assert machine("other", folder).get(key("a")) == FILES


def test_the_forger_of_these_tests_can_write_what_is_right(machine, folder):
    folder.write(key("a"), forged())
    folder.write(key("b"), forged(noise(1, LARGE), key=key("b")))
    one = machine("one", folder)
    assert one.get(key("a")) == {"transcript.json": b"content"}
    assert one.get(key("b")) == {"transcript.json": noise(1, LARGE)}


def endless(path: Path) -> None:
    with path.open("wb") as file:
        file.truncate(10**12)


HUGE = {
    "metadata without end": (endless, "has no end"),
    "deep metadata": (
        lambda path: path.write_bytes(sealed(b"[" * 4_000_000) + b"\n"),
        "not an entry's",
    ),
    "wide metadata": (
        lambda path: path.write_bytes(sealed(b"[" + b"[]," * 10**6 + b"[]]") + b"\n"),
        "not an entry's",
    ),
    "a bomb": (lambda path: path.write_bytes(forged(**FORGERIES["a bomb"])), "is larger than"),
    "many small files": (
        lambda path: path.write_bytes(
            forged(files=[[f"k/{n}", 10**5, "ab" * 32, "", 10**5, ""] for n in range(10_000)])
        ),
        "too many files",
    ),
    "many large files": (
        lambda path: path.write_bytes(
            forged(files=[[f"k/{n}", 10**6, "ab" * 32, "", 10**6, "ab" * 32] for n in range(1000)])
        ),
        "too many files",
    ),
}


@pytest.mark.parametrize("huge", HUGE)
def test_nothing_shared_exhausts_the_memory(machine, folder, huge):
    folder.write(key("a"), b"")
    write, reason = HUGE[huge]
    write(folder.path / key("a")[:2] / key("a"))
    one = machine("one", folder)
    assert one.get(key("b")) is None  # what is imported counts as memory, too
    tracemalloc.start()
    try:
        assert one.get(key("a")) is None
        assert tracemalloc.get_traced_memory()[1] < 150e6
    finally:
        tracemalloc.stop()
    assert len(one.said) == 1 and reason in one.said[0]
    assert temporary_files(one) == []


def test_what_is_larger_than_the_local_cache_is_not_even_read(machine, put, folder):
    put(machine("one", folder), files={"x": noise(1, LARGE)})
    whole = folder.read(key("a"))
    folder.write(key("a"), whole[: whole.index(b"\n") + 1])
    other = machine("other", folder, size_limit=LARGE - 1)
    assert other.get(key("a")) is None
    assert other.get(key("a")) is None
    assert len(other.said) == 1 and "more than the whole local cache" in other.said[0]


def test_what_goes_from_the_local_cache_at_once_is_no_error(machine, put, folder):
    one = machine("one", folder, size_limit=LARGE)
    assert put(one, files={"x": noise(1, LARGE)})
    assert put(one, "b", files={"x": b"small"})
    assert machine("other", folder).get(key("b")) == {"x": b"small"}
    assert one.said == []


def test_what_the_caller_refuses_is_a_miss_and_replaced(machine, put, folder, tmp_path):
    name = {"name": "fingerprints/", "size": 0, "stored": 0}
    empty = hashlib.sha256(b"").hexdigest()
    folder.write(key("a"), forged(payload=b"", **name, sha256=empty))
    (tmp_path / "V" / "fingerprints").mkdir(parents=True)
    (tmp_path / "V" / "fingerprints" / "transcript.json").touch()

    def check(name, path):
        if name != "transcript.json":
            raise ValueError("no artifact of this stage")

    other = machine("other", folder)
    assert other.restore(key("a"), tmp_path / "V", "V", check) is None
    assert (tmp_path / "V" / "fingerprints" / "transcript.json").exists()
    assert other.restore(key("a"), tmp_path / "V", "V", check) is None
    assert len(other.said) == 1 and "no artifact of this stage" in other.said[0]
    put(other, files={"transcript.json": b"right"})
    assert machine("third", folder).get(key("a")) == {"transcript.json": b"right"}


@pytest.mark.parametrize("most", ["MOST_SMALL", "MOST_HEADER", "MOST_OBJECTS"])
def test_what_others_would_not_take_is_not_written(machine, put, folder, monkeypatch, most):
    monkeypatch.setattr(untrusted_entry, most, 1)
    one = machine("one", folder)
    assert put(one)
    assert one.get(key("a")) == FILES
    assert folder.names() == []
    assert len(one.said) == 1 and "too many files" in one.said[0]


# What can't be used is left out


def assert_left_out(one, put, tmp_path, because):
    """One line in all; the local tier does its work."""
    assert one.get(key("a")) is None
    assert key("a") not in one
    assert put(one)
    assert put(one, "b")
    assert one.get(key("a")) == FILES
    assert one.restore(key("b"), tmp_path / "results" / "V", "V")
    assert one.get(key("c")) is None
    assert len(one.said) == 1, one.said
    assert one.said[0].startswith(SAYS) and because in one.said[0], one.said
    assert "left out" in one.said[0] and "secret" not in one.said[0]
    assert one.info()["shared_stores"] == 0


@contextlib.contextmanager
def listening():
    """The address of a server that takes connections and says nothing."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield "http://{}:{}".format(*server.getsockname())


def test_a_server_that_does_not_answer_costs_its_time_once(machine, put, s3, monkeypatch, tmp_path):
    monkeypatch.setattr(object_store, "PATIENCE", 2.0)
    with listening() as address:
        monkeypatch.setenv("AWS_ENDPOINT_URL", address)
        start = time.monotonic()
        assert_left_out(machine("one", "s3://bucket"), put, tmp_path, "no answer within 2 s")
        assert 2 <= time.monotonic() - start < 4


def test_a_server_that_does_not_answer_is_not_asked_by_others_either(
    machine, put, s3, monkeypatch, tmp_path
):
    monkeypatch.setattr(object_store, "PATIENCE", 2.0)
    with listening() as address:
        monkeypatch.setenv("AWS_ENDPOINT_URL", address)
        start = time.monotonic()
        one = machine("one", "s3://bucket")
        threads = [threading.Thread(target=one.get, args=(key(name),)) for name in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert len(one.said) == 1
        writer = machine("writer", "s3://bucket")
        assert put(writer)
        assert writer.get(key("b")) is None
        assert len(writer.said) == 1 and "left out" in writer.said[0]
        assert 4 <= time.monotonic() - start < 6


def test_a_server_that_is_not_there(machine, put, s3, monkeypatch, tmp_path):
    with listening() as address:
        monkeypatch.setenv("AWS_ENDPOINT_URL", address)
    assert_left_out(machine("one", "s3://bucket"), put, tmp_path, "Could not connect")


def test_a_bucket_that_is_not_there_is_said_and_not_made(machine, put, s3):
    one = machine("one", "s3://nobodys-bucket/x")
    assert one.get(key("a")) is None
    assert put(one) and put(one, "b")
    assert len(one.said) == 1
    assert one.said[0].startswith(f"{SAYS}s3://nobodys-bucket/x") and "exist" in one.said[0]
    names = [bucket["Name"] for bucket in boto3.client("s3").list_buckets()["Buckets"]]
    assert "nobodys-bucket" not in names


def test_a_protocol_that_is_unknown(machine, put, tmp_path):
    assert_left_out(machine("one", "nonsense://user:secret@host/x"), put, tmp_path, "nonsense")


def test_a_file_in_its_place(machine, put, tmp_path):
    (tmp_path / "file").write_text("mine")
    assert_left_out(machine("one", str(tmp_path / "file")), put, tmp_path, "Not a directory")
    assert (tmp_path / "file").read_text() == "mine"


def test_what_can_not_be_written_leaves_nothing(machine, put, folder):
    (folder.path / key("a")[:2] / key("a")).mkdir(parents=True)
    one = machine("one", folder)
    assert put(one)
    assert len(one.said) == 1 and "only read" in one.said[0]
    assert folder.names() == []


def test_a_missing_s3fs_is_named_with_the_remedy(tmp_path):
    code = """
        import sys
        from pathlib import Path
        from reelmake.cache.artifact_cache import Cache
        sys.modules["s3fs"] = None
        cache = Cache(Path(sys.argv[1]), shared="s3://bucket/x")
        assert cache.get("0" * 64) is None and cache.get("1" * 64) is None
        assert cache.put("0" * 64, "scenes", 1, {"x": Path(sys.argv[2])}, 1.0)
        assert cache.get("0" * 64)
    """
    (said,) = finish(python(code, tmp_path / "cache", __file__)).splitlines()
    assert said.startswith(f"reelmake: {SAYS}s3://bucket/x ") and "pip install s3fs" in said


def test_a_folder_that_may_only_be_read_is_read(machine, put, folder, tmp_path):
    put(machine("one", folder), "b")
    folder.write(key("a"), b"damaged")
    for path in (*folder.path.rglob("*"), folder.path):
        path.chmod(0o555 if path.is_dir() else 0o444)
    code = """
        import sys
        from pathlib import Path
        from reelmake.cache.artifact_cache import Cache
        cache, a, b = Cache(Path(sys.argv[1]), shared=sys.argv[2]), *sys.argv[4:]
        assert cache.get(a) is None
        for key in (a, "0" * 64, "1" * 64):
            assert cache.put(key, "scenes", 1, {"x": Path(sys.argv[3])}, 1.0)
            assert cache.get(key)
        assert cache.get(b)
    """
    arguments = (tmp_path / "cache", folder.url, __file__, key("a"), key("b"))

    def respect_permissions():
        for capability in (CAP_DAC_OVERRIDE, CAP_DAC_READ_SEARCH):
            ctypes.CDLL(None).prctl(PR_CAPBSET_DROP, capability, 0, 0, 0)

    said = finish(python(code, *arguments, preexec_fn=respect_permissions)).splitlines()
    for path in (folder.path, *folder.path.rglob("*")):
        path.chmod(0o755)
    assert len(said) == 2 and "damaged" in said[0]
    assert f"{SAYS}{folder.url} can't be written and is only read" in said[1]
    assert folder.read(key("a")) == b"damaged"


def test_a_web_server_is_read(machine, put, folder):
    put(machine("one", folder))
    with serving(folder.path) as url:
        other = machine("other", url)
        assert other.get(key("b")) is None
        assert other.get(key("a")) == FILES
        assert put(other, "b") and put(other, "c")
        assert len(other.said) == 1 and "is only read" in other.said[0]
        assert key("d") not in other
        other.close()
    assert folder.names() == [f"{key('a')[:2]}/{key('a')}"]


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("/mnt/share", "/mnt/share"),
        ("s3://bucket/x", "s3://bucket/x"),
        ("sftp://user:se@cret@host/x", "sftp://host/x"),
        ("no https://secret@host/x?sig=secret there", "no https://host/x there"),
        ("abfs://container@account.host/x", "abfs://account.host/x"),
    ],
)
def test_credentials_are_not_shown(text, shown):
    assert object_store.without_credentials(text) == shown
    said = str(object_store.Unreachable(OSError(f"{text}\n{1000 * 'x'}"), 1))
    assert said.startswith(shown) and said.isprintable() and len(said) == 300


# Several at once

WORKER = """
    import hashlib, random, sys
    from pathlib import Path
    from reelmake.cache.artifact_cache import Cache
    folder, url, seed = Path(sys.argv[1]), sys.argv[2], int(sys.argv[3])
    rnd = random.Random(seed)
    said = []
    def content(name):
        return random.Random(name).randbytes((50, 2_000, 300_000)[name % 3])
    made = folder / f"made{seed}"
    made.mkdir()
    for number in range(int(sys.argv[4])):
        cache = Cache(folder / f"machine{seed}", shared=url, say=said.append)
        name = rnd.randrange(12)
        key = hashlib.sha256(str(name).encode()).hexdigest()
        files = {"{video}.x": content(name), "k/1": content(name + 1)}
        if rnd.random() < 0.5:
            assert cache.get(key) in (None, files)
        else:
            for path, text in files.items():
                (made / path.replace("/", "-")).write_bytes(text)
            paths = {path: made / path.replace("/", "-") for path in files}
            assert cache.put(key, "scenes", 1, paths, rnd.random())
        if rnd.random() < 0.3:
            cache.remove()
        cache.close()
    assert said == [], said
    print(int(cache.info()["shared_hits"]), int(cache.info()["shared_stores"]))
"""


def test_machines_that_write_the_same_at_once(machine, shared, tmp_path):
    number, rounds = (5, 60) if shared.url.startswith("/") else (3, 8)
    workers = [python(WORKER, tmp_path, shared.url, seed, rounds) for seed in range(number)]
    counts = [[int(count) for count in finish(worker).split()] for worker in workers]
    assert all(map(sum, zip(*counts, strict=True)))
    names = shared.names()
    assert names and all(re.fullmatch("[0-9a-f]{2}/[0-9a-f]{64}", name) for name in names)
    one = machine("one", shared)
    assert all(one.get(name[3:]) for name in names)
    assert one.said == []


def test_threads_share_it(machine, put, shared):
    one, other = machine("one", shared), machine("other", shared)
    for name in range(6):
        put(one, name, {"x": noise(name, LARGE)})
    found = {}

    def read(name):
        found[name] = other.get(key(name))

    threads = [threading.Thread(target=read, args=(name,)) for name in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert found == {name: {"x": noise(name, LARGE)} for name in range(6)}
    assert other.said == []


def test_a_fork_has_a_connection_of_its_own(machine, put, shared):
    put(machine("one", shared))
    put(machine("one", shared), "b")
    other = machine("other", shared)
    assert key("c") not in other  # connected
    child = os.fork()
    if child == 0:
        found = other.get(key("a"))
        os._exit(0 if found == FILES and not other.said else 1)
    assert os.waitpid(child, 0)[1] == 0
    assert other.get(key("b")) == FILES
    assert other.said == []
