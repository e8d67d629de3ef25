"""Which file systems other machines write to at the same time."""

import contextlib
import re
from pathlib import Path

NETWORK = (
    *("nfs", "nfs4", "cifs", "smb3", "smbfs", "9p", "afs", "ceph", "lustre", "beegfs", "gpfs"),
    *("glusterfs", "fuse.glusterfs", "fuse.sshfs", "fuse.s3fs", "fuse.rclone"),
)
"""Their types, as Linux names them."""


def network(path: Path) -> str | None:
    """The type of the network file system that a path is on; None for a local one."""
    place = path.resolve()
    found = [
        (len(Path(point).parts), kind) for point, kind in mounts() if place.is_relative_to(point)
    ]
    kind = max(found)[1] if found else ""
    return kind if kind in NETWORK else None


def mounts() -> list[tuple[str, str]]:
    """(folder, type) of each mounted file system, as /proc/self/mounts has them; none elsewhere
    than on Linux. (psutil tells the same; importing it would cost each job 10 ms.)"""
    with contextlib.suppress(OSError):
        lines = Path("/proc/self/mounts").read_text(errors="surrogateescape").splitlines()
        words = [line.split(" ") for line in lines]
        return [(re.sub(r"\\(\d{3})", _character, point), kind) for _, point, kind, *_ in words]
    return []


def _character(escaped: re.Match[str]) -> str:
    return chr(int(escaped[1], 8))
