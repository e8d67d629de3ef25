"""Which file systems other machines write to at the same time."""

from pathlib import Path

import psutil

from reelmake.foundation import file_systems


def test_they_are_those_that_psutil_finds():
    found = {(part.mountpoint, part.fstype) for part in psutil.disk_partitions(all=True)}
    assert found <= set(file_systems.mounts())


def test_the_nearest_mount_counts(monkeypatch):
    mounts = [("/", "ext4"), ("/films", "nfs4"), ("/films/fast disk", "xfs")]
    monkeypatch.setattr(file_systems, "mounts", lambda: mounts)
    assert file_systems.network(Path("/films/a/b.mp4")) == "nfs4"
    assert file_systems.network(Path("/films/fast disk/b.mp4")) is None
    assert file_systems.network(Path("/filmsets/b.mp4")) is None
