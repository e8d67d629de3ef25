"""A lease on a key of the shared cache: what one machine computes, others wait for.

It is a small object beside the entry's (`abcd….lease`), which only one can have made: where the
place allows it (files, also on NFS, and S3 with its conditional writes), the second to write it is
refused. It is renewed while its job lives, by other content. Who waits sees that with a clock of
its own, so that no two clocks need agree. A lease that nobody renews any more is another's to
take. Two that take it at once, or a place that knows no such refusal, have the same computed
twice: a waste, no error.
"""

import contextlib
import json
import secrets
import threading
import time
from collections.abc import Callable
from typing import cast

from reelmake.cache.object_store import Missing, Objects, Unreachable
from reelmake.foundation import process_identity

BEAT = 30.0
"""Seconds from one renewal to the next."""
STALE = 200.0
"""Seconds without one until a lease counts as given up: a network file system may show what is
new a minute late."""
LOOK = 3.0
"""Seconds between two looks at another's lease."""
SETTLED = 2.0
"""Seconds until who has overwritten a stale lease believes that nobody else has."""


class Lease:
    """One that this process holds. objects, name: where. Renews it until `release`."""

    def __init__(self, objects: Objects, name: str, token: str):
        self._objects, self._name, self._token = objects, name, token
        self._ended = threading.Event()
        threading.Thread(target=self._renew, daemon=True).start()

    def release(self) -> None:
        """Give it up. That it can't be removed costs others the time until it is stale."""
        self._ended.set()
        with contextlib.suppress(Missing, Unreachable):
            if _token(self._objects.read(self._name)) == self._token:
                self._objects.delete(self._name)

    def _renew(self) -> None:
        beat = 0
        while not self._ended.wait(BEAT):
            beat += 1
            with contextlib.suppress(Missing, Unreachable):  # the next time, perhaps
                if _token(self._objects.read(self._name)) != self._token:
                    return  # it is another's by now, which computes the same
                if not self._ended.is_set():
                    self._objects.overwrite(self._name, _content(self._token, beat))


def acquire(
    objects: Objects, key: str, timeout: float, waiting: Callable[[], None]
) -> Lease | None:
    """The lease on a key; None where another still has it after `timeout` seconds.

    waiting: called once where it is not free at once. Raises Missing and Unreachable.
    """
    name, token = f"{key}.lease", secrets.token_hex(16)
    began, told = time.monotonic(), False
    seen, since = b"", began
    while True:
        if objects.create(name, _content(token, 0)):
            return Lease(objects, name, token)
        found = _read(objects, name)
        if found is None:  # it was given up just now
            continue
        if found != seen:
            seen, since = found, time.monotonic()
        if _is_given_up(found) or time.monotonic() - since > STALE:
            objects.overwrite(name, _content(token, 0))
            time.sleep(SETTLED)
            if _token(_read(objects, name)) == token:
                return Lease(objects, name, token)
            continue
        if time.monotonic() - began >= timeout:
            return None
        if not told:
            waiting()
            told = True
        time.sleep(min(LOOK, timeout))


def _content(token: str, beat: int) -> bytes:
    facts = {"token": token, "beat": beat, "owner": process_identity.this_process()}
    return json.dumps(facts).encode()


def _read(objects: Objects, name: str) -> bytes | None:
    try:
        return objects.read(name)
    except Missing:
        return None


def _facts(content: bytes | None) -> dict[str, object]:
    """What a lease says; it may have been written by anyone, and be half there."""
    try:
        found = json.loads(content or b"")
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}


def _token(content: bytes | None) -> object:
    return _facts(content).get("token")


def _is_given_up(content: bytes) -> bool:
    """Whether its process is known to be dead, as one on this machine is."""
    owner = _facts(content).get("owner")
    if not isinstance(owner, dict):
        return False
    try:
        return process_identity.is_alive(cast(process_identity.Owner, owner)) is False
    except (TypeError, ValueError, OverflowError):
        return False
