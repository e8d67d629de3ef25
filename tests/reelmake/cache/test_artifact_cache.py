"""The artifact cache: what it gives back is what it was given, or nothing, whatever happens."""

import contextlib
import hashlib
import json
import os
import random
import resource
import signal
import sqlite3
import stat
import subprocess
import time
from pathlib import Path

import pytest

from faults import respect_permissions, small_disk
from reelmake.cache import entry, maintenance
from reelmake.cache.index import Index
from reelmake.cache.maintenance import HOUR
from reelmake.foundation.errors import UserError
from shared_cache import finish, key, noise, python

SMALL = 2_000
LARGE = 3 * entry.BLOB_LIMIT
TEXT = b"".join(b'{"word": %d}\n' % number for number in range(30_000))


@pytest.fixture
def cache(tmp_path, new_cache):
    """Make a cache in the test's one folder: `cache(**options)`; `.said` has its lines."""

    def make(folder=tmp_path / "cache", **options):
        return new_cache(folder, **options)

    return make


@pytest.fixture
def put(tmp_path):
    """put(cache, name, {file name: content}): store it under key(name)."""
    (tmp_path / "made").mkdir()

    def store(cache, name, files, stage="transcript", seconds=1.0):
        paths = {}
        for number, (file, content) in enumerate(files.items()):
            paths[file] = tmp_path / "made" / str(number)
            paths[file].write_bytes(content)
        return cache.put(key(name), stage, 1, paths, seconds)

    return store


def files(folder: Path) -> list[Path]:
    return sorted(path for path in folder.rglob("*") if path.is_file())


# What it is for


@pytest.mark.parametrize(
    "content",
    [b"", b"x", noise(1, SMALL), TEXT[:SMALL], noise(2, LARGE), TEXT, noise(3, 100_000)],
    ids=["empty", "one byte", "small", "small text", "large", "large text", "at the limit"],
)
def test_what_was_put_comes_back(cache, put, content):
    assert put(cache(), "a", {"transcript.json": content})
    assert cache().get(key("a")) == {"transcript.json": content}
    assert cache().get(key("b")) is None


def test_text_is_compressed_and_noise_is_not(cache, put, tmp_path):
    put(cache(), "a", {"text": TEXT, "noise": noise(1, LARGE), "line": TEXT[:SMALL]})
    (entry,) = cache().entries()
    sizes = {file["name"]: (file["encoding"], file["stored"]) for file in entry["files"]}
    assert sizes["noise"] == ("", LARGE)
    assert sizes["text"][0] == sizes["line"][0] == "zlib"
    assert sizes["text"][1] < len(TEXT) / 2
    stored = {path.name: path.read_bytes() for path in files(tmp_path / "cache" / "objects")}
    assert len(stored) == 2
    for name, content in stored.items():
        assert hashlib.sha256(content).hexdigest() == name


def test_a_stage_is_restored_under_another_video(cache, tmp_path):
    made = tmp_path / "made"
    (made / "keyframes").mkdir(parents=True)
    (made / "one.scenedesc.msgpack").write_bytes(noise(1, SMALL))
    (made / "keyframes" / "1.jpg").write_bytes(noise(2, LARGE))
    (made / "keyframes" / "2.jpg").write_bytes(b"small")
    (made / "none").mkdir()
    names = {
        "{video}.scenedesc.msgpack": made / "one.scenedesc.msgpack",
        "keyframes/": made / "keyframes",
        "none/": made / "none",
    }
    assert cache().put(key("a"), "scenedesc", 1, names, 1.0)
    results = tmp_path / "results" / "two"
    (results / "keyframes").mkdir(parents=True)
    (results / "keyframes" / "old.jpg").touch()
    assert cache().restore(key("a"), results, "two")
    assert {str(path.relative_to(results)): path.read_bytes() for path in files(results)} == {
        "two.scenedesc.msgpack": noise(1, SMALL),
        "keyframes/1.jpg": noise(2, LARGE),
        "keyframes/2.jpg": b"small",
    }
    assert os.listdir(results / "none") == []
    assert sorted(os.listdir(results)) == ["keyframes", "none", "two.scenedesc.msgpack"]


def test_a_second_put_replaces_the_first(cache, put, tmp_path):
    put(cache(), "a", {"x": noise(1, LARGE)})
    put(cache(), "a", {"x": noise(2, LARGE)})
    assert cache().get(key("a")) == {"x": noise(2, LARGE)}
    assert len(files(tmp_path / "cache" / "objects")) == 1


def test_two_entries_share_an_object_until_both_are_gone(cache, put, tmp_path):
    one = cache()
    for name in ("a", "b"):
        put(one, name, {"x": noise(1, LARGE)})
    assert one.remove(keys=[key("a")]) == 1
    assert one.get(key("b")) == {"x": noise(1, LARGE)}
    assert one.remove(keys=[key("b")]) == 1
    assert files(tmp_path / "cache" / "objects") == []


def test_only_its_owner_can_read_it(cache, put, tmp_path):
    put(cache(folder=tmp_path / "parent" / "cache"), "a", {"x": b"secret"})
    folder = tmp_path / "parent" / "cache"
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    for path in folder.iterdir():
        assert stat.S_IMODE(path.stat().st_mode) & 0o077 == 0, path


def test_it_counts_what_it_saves(cache, put):
    one = cache()
    put(one, "a", {"x": b"1"}, stage="transcript", seconds=600.0)
    put(one, "b", {"x": b"2"}, stage="scenes", seconds=5.0)
    for name in ("a", "a", "b", "c"):
        one.get(key(name))
    one.close()
    info = cache().info()
    assert {name: info[name] for name in ("entries", "hits", "misses", "stores")} == {
        "entries": 2,
        "hits": 3,
        "misses": 1,
        "stores": 2,
    }
    assert info["seconds_saved"] == 1205
    assert info["stages"]["transcript"]["seconds_saved"] == 1200
    assert info["stages"]["scenes"]["hits"] == 1
    assert abs(info["since"] - time.time()) < 60
    assert info["bytes"] == sum(stage["bytes"] for stage in info["stages"].values()) > 0
    assert {entry["key"]: entry["hits"] for entry in cache().entries()} == {
        key("a"): 2,
        key("b"): 1,
    }
    json.dumps([info, *cache().entries()])
    assert key("a") in cache() and key("c") not in cache()


def test_entries_are_removed_by_stage_age_and_key(cache, put, monkeypatch):
    one = cache()
    put(one, "a", {"x": b"1"}, stage="scenes")
    put(one, "b", {"x": b"2"})
    later = time.time() + 10 * 24 * HOUR
    monkeypatch.setattr(time, "time", lambda: later)
    put(one, "c", {"x": b"3"})
    assert [entry["key"] for entry in one.entries(unused_for=HOUR)] == [key("a"), key("b")]
    assert [entry["key"] for entry in one.entries("scenes", HOUR)] == [key("a")]
    assert one.remove(keys=[key("a")]) == 1
    assert {entry["key"] for entry in one.entries()} == {key("b"), key("c")}
    assert one.remove(keys=[key("c"), key("z")]) == 1
    assert one.remove() == 1
    assert list(one.entries()) == []


# Damage


def flip(content: bytes) -> bytes:
    """One bit in the middle."""
    middle = len(content) // 2
    return content[:middle] + bytes([content[middle] ^ 4]) + content[middle + 1 :]


DAMAGES = {
    "flipped bit": flip,
    "truncated": lambda content: content[: len(content) // 2],
    "empty": lambda content: b"",
    "longer": lambda content: content + b"x",
    "garbage": lambda content: noise(1, 5000),
}


@pytest.mark.parametrize("damage", [*DAMAGES, "gone"])
@pytest.mark.parametrize("content", [noise(1, LARGE), TEXT], ids=["noise", "text"])
def test_a_damaged_object_is_a_miss_and_quarantined(cache, put, tmp_path, damage, content):
    one = cache()
    put(one, "a", {"first": b"1", "x": content})
    put(one, "b", {"x": noise(2, LARGE)})
    (entry,) = (entry for entry in one.entries() if entry["key"] == key("a"))
    name = entry["files"][1]["object"]
    path = tmp_path / "cache" / "objects" / name[:2] / name
    if damage == "gone":
        path.unlink()
    else:
        path.write_bytes(DAMAGES[damage](path.read_bytes()))
    results = tmp_path / "results"
    assert not one.restore(key("a"), results, "V")
    assert files(results) == []
    assert len(one.said) == 1 and "x " in one.said[0]
    assert one.get(key("a")) is None
    assert len(one.said) == 1
    assert one.info()["quarantined"] == 1
    quarantined = {path.name for path in files(tmp_path / "cache" / "quarantine")}
    assert quarantined == ({name} if damage != "gone" else set())
    assert one.get(key("b")) == {"x": noise(2, LARGE)}
    assert put(one, "a", {"first": b"1", "x": content})
    assert one.get(key("a")) == {"first": b"1", "x": content}
    assert one.verify() == []


def find_in(path: Path, content: bytes) -> int:
    at = path.read_bytes().find(content)
    assert at > 0
    return at


@pytest.mark.parametrize("part", ["payload", "name", "recorded size"])
def test_a_flipped_bit_in_the_index_is_a_miss_or_nothing(cache, put, tmp_path, part):
    """SQLite has no checksums: it hands out what it finds."""
    one = cache()
    content = noise(1, SMALL)
    put(one, "a", {"transcript.json": content})
    put(one, "b", {"other.json": b"other"})
    one.close()
    index = tmp_path / "cache" / "index.sqlite"
    at = find_in(
        index,
        {
            "payload": content[100:200],
            "name": b"transcript.json",
            "recorded size": b",2000,",
        }[part],
    )
    with index.open("r+b") as file:
        file.seek(at + 3)
        byte = file.read(1)[0]
        file.seek(at + 3)
        file.write(bytes([byte ^ 1]))
    assert one.get(key("a")) is None
    assert "is damaged" in one.said[0]
    assert one.get(key("b")) == {"other.json": b"other"}
    assert one.info()["quarantined"] == 1


@pytest.mark.parametrize("damage", [*DAMAGES, "gone", "header", "tables"])
def test_in_place_of_a_damaged_index_an_empty_one_is_made(cache, put, tmp_path, damage):
    one = cache()
    contents = {name: noise(name, 40 * (name + 1) ** 2) for name in range(60)}
    assert len(contents[59]) > entry.BLOB_LIMIT > len(contents[0])
    for name, content in contents.items():
        put(one, name, {"x": content})
    one.close()
    index = tmp_path / "cache" / "index.sqlite"
    assert not index.with_name("index.sqlite-wal").exists()
    before = index.read_bytes()
    if damage == "gone":
        index.unlink()
    elif damage == "header":
        index.write_bytes(flip(before[:16]) + before[16:])
    elif damage == "tables":
        for page in range(4096, len(before), 4096):
            before = before[:page] + b"\xff" * 12 + before[page + 12 :]
        index.write_bytes(before)
    else:
        index.write_bytes(DAMAGES[damage](before))
    again = cache()
    found = {name: again.get(key(name)) for name in contents}
    for name, content in found.items():
        assert content in (None, {"x": contents[name]})
    again.verify()
    if damage in ("truncated", "empty", "garbage", "gone", "header", "tables"):
        assert set(found.values()) == {None}
        assert len(again.said) == (damage != "gone")
        assert all("begins anew" in line for line in again.said)
        quarantined = files(tmp_path / "cache" / "quarantine")
        assert index.name in [path.name for path in quarantined] or damage == "gone"
    else:  # a bit in somebody's payload, or a tail that SQLite ignores
        assert len(again.said) <= 1
        assert list(found.values()).count(None) <= 1
    assert put(again, "new", {"x": b"new"})
    assert cache().get(key("new")) == {"x": b"new"}


def test_the_objects_of_a_lost_index_are_removed(cache, put, tmp_path):
    one = cache()
    put(one, "a", {"x": noise(1, LARGE)})
    put(one, "b", {"x": noise(2, LARGE)})
    one.close()
    (tmp_path / "cache" / "index.sqlite").unlink()
    for path in files(tmp_path / "cache" / "objects"):
        os.utime(path, (time.time() - 2 * HOUR,) * 2)
    put(one, "a", {"x": noise(1, LARGE)})
    assert len(files(tmp_path / "cache" / "objects")) == 1
    assert one.get(key("a")) == {"x": noise(1, LARGE)}


def test_what_earlier_versions_kept_twice_is_removed(cache, put, tmp_path):
    one = cache()
    put(one, "a", {"x": b"1"})
    record = tmp_path / "cache" / "entries" / key("a")[:2] / key("a")
    record.parent.mkdir(parents=True)
    record.write_bytes(b"once more")
    assert one.prune() == {"expired": 0, "evicted": 0, "strays": 0}
    assert os.listdir(tmp_path / "cache" / "entries") == []
    assert one.get(key("a")) == {"x": b"1"}


@pytest.mark.parametrize("damage", DAMAGES)
@pytest.mark.parametrize("suffix", ["-wal", "-shm"])
def test_a_damaged_log_loses_no_more_than_the_last_entries(cache, put, tmp_path, suffix, damage):
    code = """
        import os, sys
        from pathlib import Path
        from reelmake.cache.artifact_cache import Cache
        cache = Cache(Path(sys.argv[1]))
        for number in range(20):
            assert cache.put(f"{number:064x}", "scenes", 1, {"x": Path(sys.argv[2])}, 1.0)
        os._exit(0)  # leaves the log
    """
    content = tmp_path / "content"
    content.write_bytes(noise(1, SMALL))
    finish(python(code, tmp_path / "cache", content))
    log = tmp_path / "cache" / f"index.sqlite{suffix}"
    log.write_bytes(DAMAGES[damage](log.read_bytes()))
    one = cache()
    for number in range(20):
        assert one.get(f"{number:064x}") in (None, {"x": noise(1, SMALL)})
    assert put(one, "new", {"x": b"new"})
    assert one.get(key("new")) == {"x": b"new"}
    assert one.verify() == []


def test_the_log_of_a_deleted_index_is_not_replayed_into_the_next(cache, put, tmp_path):
    code = """
        import os, sys
        from pathlib import Path
        from reelmake.cache.artifact_cache import Cache
        cache = Cache(Path(sys.argv[1]))
        for number in range(int(sys.argv[3]), int(sys.argv[4])):
            assert cache.put(f"{number:064x}", "scenes", 1, {"x": Path(sys.argv[2])}, 1.0)
        if number < 50:
            cache.close()
        os._exit(0)  # leaves the log
    """
    content = tmp_path / "content"
    content.write_bytes(noise(1, SMALL))
    finish(python(code, tmp_path / "cache", content, 0, 50))
    finish(python(code, tmp_path / "cache", content, 50, 55))
    (tmp_path / "cache" / "index.sqlite").unlink()
    assert (tmp_path / "cache" / "index.sqlite-wal").stat().st_size > 10_000
    one = cache()
    for number in range(55):
        assert one.get(f"{number:064x}") is None
    assert put(one, "new", {"x": b"new"})
    assert one.verify() == []
    assert [entry["key"] for entry in one.entries()] == [key("new")]
    assert one.said == []


def test_an_index_of_another_format_is_put_aside(cache, put, tmp_path):
    one = cache()
    put(one, "a", {"x": b"1"})
    one.close()
    with contextlib.closing(sqlite3.connect(tmp_path / "cache" / "index.sqlite")) as db:
        db.execute("PRAGMA user_version = 2")
    assert one.get(key("a")) is None
    assert "format 2, not 1" in one.said[0]
    assert put(one, "a", {"x": b"1"}) and one.get(key("a"))


def test_what_belongs_to_another_key_is_not_given_out(cache, put, tmp_path):
    one = cache()
    put(one, "a", {"x": b"1"})
    one.close()
    index = tmp_path / "cache" / "index.sqlite"
    with contextlib.closing(sqlite3.connect(index)) as db, db:
        db.execute("UPDATE entries SET key = ?", (key("b"),))
    assert one.get(key("b")) is None
    assert "another key's" in one.said[0]


def test_verify_finds_all_that_is_damaged(cache, put, tmp_path):
    one = cache()
    for name in range(6):
        put(one, name, {"x": noise(name, LARGE)}, stage=f"stage{name}")
    objects = files(tmp_path / "cache" / "objects")
    for path in objects[:2]:
        path.write_bytes(flip(path.read_bytes()))
    bad = one.verify()
    assert len(bad) == 2
    for found in bad:
        assert found["reason"] == "x does not match its SHA-256"
        assert found["key"] not in one
    assert one.verify() == []
    assert one.info()["entries"] == 4


@pytest.mark.parametrize(
    "name",
    ["/etc/passwd", "../x", "..", ".", "a/../x", "a/..", "a/b/c", "a//b", "", "\0", "{video}"],
)
def test_no_name_leaves_the_results(cache, put, tmp_path, name):
    one = cache()
    kept = put(one, "a", {name: b"x"})
    assert kept == (name == "{video}")
    assert not one.restore(key("a"), tmp_path / "results" / "V", "..")
    assert files(tmp_path / "results") == []


# Limits


def test_the_least_recently_used_goes_first(cache, put, tmp_path):
    one = cache(size_limit=10.5 * LARGE)
    for name in range(9):
        put(one, name, {"x": noise(name, LARGE)})
    assert one.get(key(0)) and one.get(key(2))
    for name in range(9, 12):  # the 11th is too much, 9 are below 90 %
        put(one, name, {"x": noise(name, LARGE)})
    left = [name for name in range(12) if key(name) in one]
    assert left == [0, 2, 4, 5, 6, 7, 8, 9, 10, 11]
    info = one.info()
    assert info["bytes"] <= 10.5 * LARGE
    assert info["evictions"] == 2
    assert len(files(tmp_path / "cache" / "objects")) == len(left)


def test_what_is_larger_than_the_cache_throws_nothing_out(cache, put):
    one = cache(size_limit=2 * LARGE)
    put(one, "a", {"x": noise(1, LARGE)})
    assert not put(one, "b", {"x": noise(2, 3 * LARGE)})
    assert "more than the whole cache" in one.said[0]
    assert one.get(key("a"))


def test_what_is_being_read_stays_readable(cache, put):
    one, other = cache(), cache()
    put(one, "a", {"x": noise(1, LARGE), "y": TEXT})

    def take(entry, contents):
        assert other.remove() == 1
        return [b"".join(content) for content in contents]

    assert one._store.read(key("a"), take)[1] == [noise(1, LARGE), TEXT]
    assert one.get(key("a")) is None
    assert one.said == []


def test_an_entry_that_goes_between_the_look_and_the_read_is_a_plain_miss(cache, put, monkeypatch):
    one, other = cache(), cache()
    put(one, "a", {"x": noise(1, LARGE)})
    find = Index.find

    def find_and_lose(index, key):
        found = find(index, key)
        other.remove()
        return found

    monkeypatch.setattr(Index, "find", find_and_lose)
    assert one.get(key("a")) is None
    assert one.said == []
    assert one.info()["quarantined"] == 0


def test_entries_expire(cache, put, monkeypatch):
    one = cache(ttl=100, stage_ttl={"scenes": 10, "keyframes": None})
    for stage in ("transcript", "scenes", "keyframes"):
        put(one, stage, {"x": b"x"}, stage=stage)
    start = time.time()
    for age, left in ((5, 3), (50, 2), (500, 1)):
        now = start + age
        monkeypatch.setattr(time, "time", lambda now=now: now)
        stages = ("transcript", "scenes", "keyframes")
        assert sum(one.get(key(stage)) is not None for stage in stages) == left
    assert one.prune()["expired"] == 2
    assert [entry["stage"] for entry in one.entries()] == ["keyframes"]
    assert one.info()["expired"] == 2


def test_what_killed_jobs_left_is_removed_after_an_hour(cache, put, tmp_path):
    one = cache()
    put(one, "a", {"x": noise(1, LARGE)})
    folder = tmp_path / "cache"
    strays = [
        folder / "tmp" / "1",
        folder / "objects" / "ab" / ("ab" * 32),
        folder / "locks" / "x.lock",
    ]
    for path in strays:
        path.parent.mkdir(exist_ok=True)
        path.touch()
    assert one.prune()["strays"] == 0
    assert all(path.exists() for path in strays)
    for path in files(folder / "objects") + strays:
        os.utime(path, (time.time() - 2 * HOUR,) * 2)
    assert one.prune()["strays"] == 3
    assert not any(path.exists() for path in strays)
    assert one.get(key("a")) == {"x": noise(1, LARGE)}


def test_what_is_stored_again_while_strays_are_removed_stays(cache, tmp_path, monkeypatch):
    one = cache()
    assert one.prune()["strays"] == 0
    stray = tmp_path / "cache" / "objects" / "ab" / ("ab" * 32)
    stray.parent.mkdir()
    stray.touch()
    os.utime(stray, (0, 0))

    def is_older(file, seconds):
        os.utime(file.path)  # as a job does that stores the same just after this
        return True

    monkeypatch.setattr(maintenance, "is_older", is_older)
    assert one.prune()["strays"] == 0
    assert stray.exists()


def test_a_clock_moved_back_changes_nothing(cache, put, monkeypatch, tmp_path):
    one = cache(size_limit=10 * LARGE, ttl=1000)
    for name in range(8):
        put(one, name, {"x": noise(name, LARGE)})
    past = time.time() - 30 * 24 * HOUR
    monkeypatch.setattr(time, "time", lambda: past)
    temporary = tmp_path / "cache" / "tmp" / "being-written"
    temporary.touch()
    for name in (0, 2):
        assert one.get(key(name)) == {"x": noise(name, LARGE)}
    for name in range(8, 12):
        assert put(one, name, {"x": noise(name, LARGE)})
    assert one.get(key(0)) and one.get(key(2))
    assert one.get(key(1)) is None and one.get(key(3)) is None
    assert one.get(key(11)) == {"x": noise(11, LARGE)}
    one.prune()
    assert temporary.exists()
    assert one.said == []


# Several at once

WORKER = """
    import hashlib, random, sys, time
    from pathlib import Path
    from reelmake.cache.artifact_cache import Cache
    folder, seed, operations = Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3])
    rnd = random.Random(seed)
    said = []
    cache = Cache(folder / "cache", size_limit=1_500_000, busy_timeout=30, say=said.append)
    made = folder / f"made{seed}"
    made.mkdir()
    def content(name):
        return random.Random(name).randbytes((50, 2_000, 20_000, 120_000)[name % 4])
    hits = 0
    for number in range(operations):
        name = rnd.randrange(60)
        key = hashlib.sha256(str(name).encode()).hexdigest()
        files = {"{video}.x": content(name), "k/1": content(name + 1), "k/2": content(name + 2)}
        kind = rnd.random()
        if kind < 0.45:
            found = cache.get(key)
            assert found is None or found == files
            hits += found is not None
        elif kind < 0.6:
            results = folder / f"results{seed}"
            if cache.restore(key, results, "V", durable=False):
                hits += 1
                assert (results / "V.x").read_bytes() == files["{video}.x"]
                assert (results / "k/1").read_bytes() == files["k/1"]
        elif kind < 0.62:
            cache.remove(keys=[key])
        elif kind < 0.63:
            cache.prune()
        else:
            for path, text in files.items():
                (made / path.replace("/", "-")).write_bytes(text)
            assert cache.put(
                key, f"stage{name % 3}", 1, {p: made / p.replace("/", "-") for p in files}, 1.0)
    cache.close()
    assert said == [], said
    assert hits, "nothing was ever found"
"""


def test_eight_processes_share_a_cache_with_eviction_on(cache, tmp_path):
    workers = [python(WORKER, tmp_path, seed, 400) for seed in range(8)]
    for worker in workers:
        finish(worker)
    one = cache(size_limit=1_500_000)
    info = one.info()
    assert info["bytes"] <= 1_500_000
    assert info["evictions"] > 100
    assert info["hits"] > 100
    assert info["quarantined"] == 0
    assert one.verify() == []
    objects = {file["object"] for entry in one.entries() for file in entry["files"]} - {""}
    assert {path.name for path in files(tmp_path / "cache" / "objects")} == objects
    assert files(tmp_path / "cache" / "tmp") == files(tmp_path / "cache" / "locks") == []


def test_processes_that_start_a_cache_or_find_it_broken_at_once(cache, put, tmp_path):
    code = """
        import sys
        from pathlib import Path
        from reelmake.cache.artifact_cache import Cache
        sys.stdin.readline()
        said = []
        cache = Cache(Path(sys.argv[1]), say=said.append)
        assert cache.put(sys.argv[2], "scenes", 1, {"x": Path(sys.argv[3])}, 1.0), said
        assert cache.get(sys.argv[2])
        print(len(said))
    """
    content = tmp_path / "content"
    content.write_bytes(noise(1, SMALL))
    for broken in (False, True):
        if broken:
            (tmp_path / "cache" / "index.sqlite").write_bytes(b"broken")
        arguments = [(tmp_path / "cache", key(f"{broken}{n}"), content) for n in range(6)]
        starting = [python(code, *args, stdin=subprocess.PIPE) for args in arguments]
        for process in starting:
            process.stdin.write("\n")
            process.stdin.flush()
        said = sum(int(finish(process)) for process in starting)
        assert said == (1 if broken else 0)
        one = cache()
        assert all(one.get(args[1]) for args in arguments)
        one.close()


def test_a_fork_uses_the_cache_of_its_own(cache, put):
    one = cache()
    put(one, "a", {"x": b"1"})
    one.get(key("a"))
    parents = one._store.index.run(lambda index: index)
    child = os.fork()
    if child == 0:
        found = one.get(key("a"))
        kept = one.put(key("b"), "scenes", 1, {"x": Path(__file__)}, 1.0)
        own = one._store.index.run(lambda index: index) is not parents
        one.close()
        os._exit(0 if found == {"x": b"1"} and kept and own and not one.said else 1)
    assert os.waitpid(child, 0)[1] == 0
    assert one.get(key("b")) == {"x": Path(__file__).read_bytes()}
    assert one.info()["hits"] == 3
    assert one.verify() == []


HOLD = """
    import sys, time
    from pathlib import Path
    from reelmake.cache.artifact_cache import Cache
    with Cache(Path(sys.argv[1])).computing(sys.argv[2]) as alone:
        print(alone, flush=True)
        time.sleep(float(sys.argv[3]))
"""


def test_the_same_is_computed_once(cache, tmp_path):
    code = """
        import sys, time
        from pathlib import Path
        from reelmake.cache.artifact_cache import Cache
        folder, key = Path(sys.argv[1]), sys.argv[2]
        cache = Cache(folder / "cache")
        if cache.get(key) is None:
            with cache.computing(key) as alone:
                assert alone
                if cache.get(key) is None:
                    time.sleep(0.3)
                    (folder / f"made{sys.argv[3]}").write_text("made")
                    assert cache.put(key, "scenes", 1, {"x": folder / f"made{sys.argv[3]}"}, 0.3)
        assert cache.get(key) == {"x": b"made"}
    """
    for worker in [python(code, tmp_path, key("a"), number) for number in range(5)]:
        assert finish(worker) == ""
    assert len(list(tmp_path.glob("made*"))) == 1
    assert files(tmp_path / "cache" / "locks") == []


def test_a_lock_whose_owner_dies_is_free_and_one_that_stays_is_passed(cache, tmp_path):
    one = cache()
    owner = python(HOLD, tmp_path / "cache", key("a"), 60)
    assert owner.stdout.readline() == "True\n"
    start = time.monotonic()
    with one.computing(key("b"), timeout=5) as alone:
        assert alone
    with one.computing(key("a"), timeout=0.3) as alone:
        assert not alone
    assert 0.3 <= time.monotonic() - start < 5
    assert "another job" in one.said[0]
    owner.kill()
    owner.communicate()
    with one.computing(key("a"), timeout=5) as alone:
        assert alone
    assert len(one.said) == 1


def test_an_error_while_computing_is_the_jobs_own(cache):
    one = cache()
    with pytest.raises(OSError, match="disk"), one.computing(key("a")):
        raise OSError("disk")
    assert one.said == []
    with one.computing(key("a"), timeout=0) as alone:
        assert alone


# A cache that can't be used


def assert_left_out(one, put, tmp_path, *, because=""):
    """Every operation does nothing; one line in all."""
    assert one.get(key("a")) is None
    assert not one.restore(key("a"), tmp_path / "results", "V")
    assert not put(one, "b", {"x": b"1", "y": noise(1, LARGE)})
    with one.computing(key("b")) as alone:
        assert not alone
    assert key("a") not in one
    one.close()
    assert len(one.said) == 1, one.said
    assert "can't be used" in one.said[0]
    assert because in one.said[0]


def test_a_file_in_its_place(cache, put, tmp_path):
    (tmp_path / "cache").write_text("mine")
    assert_left_out(cache(), put, tmp_path)
    assert (tmp_path / "cache").read_text() == "mine"
    with pytest.raises(UserError, match="can't be used"):
        cache().info()


USE = """
    import sys
    from pathlib import Path
    from reelmake.cache.artifact_cache import Cache
    cache = Cache(Path(sys.argv[1]))
    for number in range(3):
        cache.get(f"{number:064x}")
        with cache.computing(f"{number:064x}"):
            print(cache.put(f"{number:064x}", "scenes", 1, {"x": Path(sys.argv[2])}, 1.0))
"""


@pytest.mark.parametrize("mode", [0o500, 0o000])
@pytest.mark.parametrize("new", [True, False])
def test_a_folder_without_permission(cache, put, tmp_path, mode, new):
    folder = tmp_path / "cache"
    if new:
        folder.mkdir()
    else:
        one = cache()
        put(one, "a", {"x": noise(1, LARGE)})
        one.close()
    paths = [folder, *(path for path in folder.rglob("*") if path.is_dir())]
    if not new:
        (folder / "index.sqlite").chmod(0o400)
    for path in reversed(paths):
        path.chmod(mode)
    process = python(USE, folder, __file__, preexec_fn=respect_permissions)
    output = finish(process).splitlines()
    for path in paths:
        path.chmod(0o700)
    assert output[:3] == ["False"] * 3
    assert len(output) == 4 and "can't be used and is left out" in output[3]


@pytest.mark.parametrize("size", [SMALL, 40_000, LARGE])
def test_a_full_disk(cache, put, tmp_path, size):
    with small_disk(tmp_path / "disk", "1m"):
        one = cache(folder=tmp_path / "disk" / "cache")
        kept = 0
        while kept < 1000 and put(one, kept, {"x": noise(kept, size)}):
            kept += 1
        assert 0 < kept < 1000
        assert len(one.said) == 1
        assert "can't be used and is left out" in one.said[0]
        assert one.get(key(0)) is None
        again = cache(folder=tmp_path / "disk" / "cache")
        for name in range(kept):
            assert again.get(key(name)) == {"x": noise(name, size)}
        assert again.restore(key(0), tmp_path / "results", "V")
        again.close()
        assert files(tmp_path / "disk" / "cache" / "tmp") == []
        objects = files(tmp_path / "disk" / "cache" / "objects")
        assert len(objects) == (kept if size == LARGE else 0)


def test_a_disk_too_small_for_the_index(cache, put, tmp_path):
    with small_disk(tmp_path / "disk", "8k"):
        assert_left_out(cache(folder=tmp_path / "disk" / "cache"), put, tmp_path)


def test_files_that_may_not_grow(tmp_path):
    def limit():
        resource.setrlimit(resource.RLIMIT_FSIZE, (200_000, 200_000))

    content = tmp_path / "content"
    content.write_bytes(noise(1, LARGE))
    output = finish(python(USE, tmp_path / "cache", content, preexec_fn=limit)).splitlines()
    assert output[:3] == ["False"] * 3
    assert len(output) == 4 and "can't be used and is left out" in output[3]
    assert files(tmp_path / "cache" / "tmp") == files(tmp_path / "cache" / "objects") == []


def test_a_locked_index(cache, put, tmp_path):
    one = cache(busy_timeout=0.2)
    put(one, "a", {"x": b"1"})
    one.close()
    locker = sqlite3.connect(tmp_path / "cache" / "index.sqlite", isolation_level=None)
    locker.execute("PRAGMA locking_mode = EXCLUSIVE")
    locker.execute("BEGIN EXCLUSIVE")
    locker.execute("DELETE FROM counters")
    assert_left_out(one, put, tmp_path, because="locked")
    locker.close()
    assert cache().get(key("a")) == {"x": b"1"}


def test_what_can_not_be_read_or_written_is_not_the_caches_fault(cache, put, tmp_path):
    one = cache()
    assert not one.put(key("a"), "scenes", 1, {"x": tmp_path / "nowhere"}, 1.0)
    assert not one.put(key("a"), "scenes", 1, {"x/": tmp_path / "nowhere"}, 1.0)
    assert not one.put("short", "scenes", 1, {"x": Path(__file__)}, 1.0)
    put(one, "b", {"x": b"1"})
    (tmp_path / "results").write_text("a file")
    assert not one.restore(key("b"), tmp_path / "results", "V")
    assert len(one.said) == 4
    assert one.get(key("b")) == {"x": b"1"}


def test_kills_in_the_middle_of_puts_lose_nothing_that_was_kept(cache, tmp_path):
    code = """
        import os, random, sys
        from pathlib import Path
        from reelmake.cache.artifact_cache import Cache
        folder, start = Path(sys.argv[1]), int(sys.argv[2])
        cache = Cache(folder / "cache")
        made = folder / "made"
        for number in range(start, start + 100_000):
            made.write_bytes(random.Random(number).randbytes((500, 150_000)[number % 2]))
            kept = cache.put(f"{number:064x}", "scenes", 1, {"x": made, "y": Path(__file__)}, 1.0)
            print(number, kept, flush=True)
    """.replace("Path(__file__)", repr(Path(__file__)).replace("PosixPath", "Path"))
    rnd = random.Random(1)
    kept = []
    for start in range(0, 20 * 1_000_000, 1_000_000):
        process = python(code, tmp_path, start)
        process.stdout.readline()
        time.sleep(rnd.uniform(0, 0.05))
        process.send_signal(signal.SIGKILL)
        output, _ = process.communicate()
        lines = [f"{start} True", *output.splitlines()]
        kept += [int(line.split()[0]) for line in lines if line.endswith(" True")]
    assert len(kept) > 20
    one = cache()
    for number in kept:
        found = one.get(f"{number:064x}")
        assert found["x"] == random.Random(number).randbytes((500, 150_000)[number % 2])
    assert one.verify() == []
    assert one.said == []
    for path in files(tmp_path / "cache"):
        os.utime(path, (time.time() - 2 * HOUR,) * 2)
    one.prune()
    assert files(tmp_path / "cache" / "tmp") == []
    objects = {file["object"] for entry in one.entries() for file in entry["files"]} - {""}
    assert {path.name for path in files(tmp_path / "cache" / "objects")} == objects
