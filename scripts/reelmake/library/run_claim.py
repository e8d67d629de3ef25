"""A claim on the library that machines see whose file locks are each their own.

Some network file systems keep `flock` on the machine that asks (NFS with `local_lock`, Lustre with
`localflock`): two runs on two machines would both hold the library. So a run has a file as well,
`.snakemake/reelmake.run`, which only one can have made (a link fails where there is one, on every
file system), and whose time it renews. One that nobody renewed for `STALE` seconds is another's
to take. Times are compared as the file server gives them, so clocks need not agree.
"""

import atexit
import contextlib
import json
import os
import secrets
import threading
from collections.abc import Callable
from pathlib import Path
from typing import cast

from reelmake.foundation import artifact_files, process_identity
from reelmake.foundation.errors import UserError

NAME = "reelmake.run"
BEAT = 20.0
"""Seconds from one renewal to the next."""
STALE = 180.0
"""Seconds without one until a claim counts as given up: a network file system may show times a
minute late."""


class Claim:
    """A run's claim. folder: `.snakemake`. lost: called where another run has taken it, as after
    hours in which this machine slept: this run must stop then.

    Raises UserError where another machine has one, or may have.
    """

    def __init__(self, folder: Path, lost: Callable[[], None]):
        self._path, self._lost = folder / NAME, lost
        self._owner = process_identity.this_process()
        self._token = secrets.token_hex(8)
        self._ended = threading.Event()
        self.took_over = False
        """Whether it was taken from a run of another machine that no longer renewed it."""
        own = folder / f"{NAME}.{self._token}"
        own.write_text(json.dumps(self._owner | {"token": self._token}))
        try:
            while not self._link(own):
                self._clear_stale(own)
        finally:
            own.unlink(missing_ok=True)
        threading.Thread(target=self._renew, daemon=True).start()
        atexit.register(self.release)

    def release(self) -> None:
        """Give it up."""
        self._ended.set()
        with contextlib.suppress(OSError, ValueError):
            if self._is_ours():
                self._path.unlink()

    def _link(self, own: Path) -> bool:
        try:
            os.link(own, self._path)
        except FileExistsError:
            return False
        except OSError:  # a file system without links
            try:
                with self._path.open("xb") as file:
                    file.write(own.read_bytes())
            except FileExistsError:
                return False
        return True

    def _clear_stale(self, own: Path) -> None:
        """Take away a claim that nobody renews. Raises UserError for one that somebody may."""
        found = artifact_files.read_json(self._path)
        owner = cast(process_identity.Owner, found if isinstance(found, dict) else {})
        try:
            age = os.stat(own).st_mtime - os.stat(self._path).st_mtime
        except FileNotFoundError:
            return  # it was given up just now
        # This machine's own lock (flock) is held by now: a run here that has one is gone.
        if process_identity.is_alive(owner) is None and age < STALE:
            raise UserError(
                f"another run is processing this library ({process_identity.describe(owner)}); "
                "wait for it, or stop it, then run again (one that was killed counts as long as "
                f"{STALE / 60:.0f} minutes)"
            )
        away = own.with_suffix(".stale")
        with contextlib.suppress(FileNotFoundError):
            self._path.rename(away)
            taken = artifact_files.read_json(away)
            self.took_over = process_identity.is_alive(owner) is None
            if taken != found:  # another run was faster, and this is its claim: give it back
                with contextlib.suppress(FileExistsError):
                    os.link(away, self._path)
        away.unlink(missing_ok=True)

    def _renew(self) -> None:
        missed = 0
        while not self._ended.wait(BEAT):
            try:
                if self._is_ours():
                    os.utime(self._path)
                    missed = 0
                    continue
                missed = 2
            except FileNotFoundError:  # another run may look at it at this moment
                missed += 1
            except (OSError, ValueError):
                continue  # the network is away: the next time, perhaps
            if missed > 1:
                if not self._ended.is_set():
                    self._lost()
                return

    def _is_ours(self) -> bool:
        """Raises OSError, and ValueError where it can't be read."""
        return bool(json.loads(self._path.read_bytes()).get("token") == self._token)
