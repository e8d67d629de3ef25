"""What a failed job of a cluster leaves: the artifact that was there before it.

Snakemake sets an output aside that a job is to `update()`, and puts it back where the job fails. A
job on a cluster does so by its own Snakemake, and then the one that submitted it finds nothing set
aside, and removes the artifact that was just put back (Snakemake 9.27). An artifact is never
written in place (`artifact_files`), so that one that is there is whole.
"""

from pathlib import Path
from typing import Any


def keep(persistence: Any) -> None:
    """Have Snakemake keep such an artifact. persistence: that of the workflow which submits."""
    restore = persistence.restore_output

    def restore_or_keep(path: Path) -> bool:
        """Whether there is an artifact to keep."""
        if persistence._get_backup_path(path).exists():  # the job was killed
            return bool(restore(path))
        return path.exists()

    persistence.restore_output = restore_or_keep
