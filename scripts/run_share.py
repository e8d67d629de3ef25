"""Run the workflow over a share of a run's videos."""

import sys
from pathlib import Path
from typing import TYPE_CHECKING

from reelmake.jobs import shares

if TYPE_CHECKING:
    from snakemake.script import snakemake

if __name__ == "__main__":
    status = shares.run(Path(snakemake.input[0]), snakemake.threads, Path(snakemake.log[0]))
    if status is None:
        sys.exit(1)
    # Why videos failed has been told; the share is done, and not to be tried again.
    Path(snakemake.output[0]).write_text("videos failed\n" if status else "")
