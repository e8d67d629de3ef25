"""What one machine computes, others that share the second tier wait for.

Two processes of one machine stand for two machines: caches of their own, one shared place.
"""

import json
import os
import signal
import threading
import time

import fsspec
import pytest

from reelmake.cache import leases
from shared_cache import FILES, LikeFtp, key, python, serving
from workspace import wait_for

A = key("a")
LEASE = f"{A}.lease"


@pytest.fixture(autouse=True)
def quick(monkeypatch):
    """Tests do not wait as long as machines do."""
    monkeypatch.setattr(leases, "LOOK", 0.1)
    monkeypatch.setattr(leases, "SETTLED", 0.1)


def in_thread(function) -> threading.Thread:
    thread = threading.Thread(target=function)
    thread.start()
    return thread


def is_leased(shared) -> bool:
    return any(name.endswith(".lease") for name in shared.names())


def test_the_second_waits_for_what_the_first_computes_and_takes_it(machine, put, shared):
    one, other = machine("one", shared), machine("other", shared)
    waits = threading.Event()
    got = []

    def second():
        with other.computing(A, waiting=waits.set):
            got.append(other.get(A))

    with one.computing(A):
        assert one.get(A) is None and is_leased(shared)
        thread = in_thread(second)
        assert waits.wait(30) and not got
        put(one)
    thread.join(60)
    assert got == [FILES]
    assert not is_leased(shared)
    assert one.said == other.said == []


def test_of_what_is_there_nobody_has_a_lease(machine, put, shared):
    one, other = machine("one", shared), machine("other", shared)
    put(one)
    for each in (one, other):
        with each.computing(A):
            assert not is_leased(shared)
            assert each.get(A) == FILES


def test_other_keys_do_not_wait(machine, shared):
    one, other = machine("one", shared), machine("other", shared)
    with one.computing(A), other.computing(key("b"), waiting=lambda: pytest.fail("it waits")):
        pass


HOLD = """
    import sys, time
    from pathlib import Path
    from reelmake.cache.artifact_cache import Cache
    cache = Cache(Path(sys.argv[1]), shared=sys.argv[2])
    with cache.computing(sys.argv[3]):
        print("held", flush=True)
        time.sleep(600)
"""


def test_the_lease_of_a_killed_process_of_this_machine_is_free_at_once(machine, shared, tmp_path):
    process = python(HOLD, tmp_path / "killed", shared.url, A)
    assert process.stdout.readline() == "held\n"
    assert is_leased(shared)
    process.send_signal(signal.SIGKILL)
    process.communicate()
    other = machine("other", shared)
    with other.computing(A, timeout=30) as alone:
        assert alone and json.loads(shared.read(LEASE))["owner"]["pid"] == os.getpid()
    assert other.said == [] and not is_leased(shared)


def another(beat: int = 0) -> bytes:
    """The lease of a process of which nobody here can tell."""
    owner = {"pid": 1, "host": "elsewhere", "boot": "x", "process": 1, "since": 0}
    return json.dumps({"token": "theirs", "beat": beat, "owner": owner}).encode()


def test_a_lease_that_nobody_renews_is_taken_and_one_that_is_renewed_is_not(
    machine, shared, monkeypatch
):
    monkeypatch.setattr(leases, "STALE", 1.5)
    other = machine("other", shared)
    shared.write(LEASE, another())
    ended = threading.Event()

    def renew():
        for beat in range(1, 1000):
            if ended.wait(0.3):
                return
            shared.write(LEASE, another(beat))

    thread = in_thread(renew)
    with other.computing(A, timeout=4):
        pass
    ended.set()
    thread.join()
    assert other.said[0].endswith("computed by another for long; doing so as well")
    assert json.loads(shared.read(LEASE))["token"] == "theirs"  # it is not ours to remove
    other.said.clear()
    with other.computing(A, timeout=60):
        assert json.loads(shared.read(LEASE))["token"] != "theirs"
    assert other.said == [] and not is_leased(shared)


def test_it_is_renewed_and_left_when_it_was_taken(machine, shared, monkeypatch):
    monkeypatch.setattr(leases, "BEAT", 0.2)
    one = machine("one", shared)
    with one.computing(A):
        wait_for(lambda: json.loads(shared.read(LEASE))["beat"] > 1, 30)
        shared.write(LEASE, another())
        time.sleep(0.8)
    assert shared.read(LEASE) == another()


@pytest.mark.parametrize("content", [b"", b"{", b"[]", b'{"owner": 3}', b'{"owner": {"pid": "x"}}'])
def test_rubbish_is_stale_after_its_time(machine, folder, content, monkeypatch):
    monkeypatch.setattr(leases, "STALE", 0.5)
    folder.write(LEASE, content)
    other = machine("other", folder)
    with other.computing(A, timeout=30):
        assert is_leased(folder)
    assert other.said == [] and not is_leased(folder)


def test_a_place_that_is_only_read_has_none(machine, put, folder):
    put(machine("one", folder), "b")
    with serving(folder.path) as url:
        other = machine("other", url)
        for _ in range(2):
            with other.computing(A) as alone:
                assert alone and not is_leased(folder)
        assert other.get(key("b")) == FILES
        other.close()
    assert len(other.said) == 1 and "is only read" in other.said[0]


def test_any_other_file_system_of_fsspec(machine, put):
    fsspec.register_implementation("likeftp", LikeFtp, clobber=True)
    one, other = (machine(name, "likeftp://leases/here") for name in ("one", "other"))
    with one.computing(A):
        thread = in_thread(lambda: put(one) if not time.sleep(0.5) else None)
        thread.join()
    with other.computing(A):
        assert other.get(A) == FILES
    assert one.said == other.said == []
