"""Download the models that the configuration names: `snakemake --cores 1 models`."""

import sys
from typing import TYPE_CHECKING

from reelmake.foundation.errors import UserError
from reelmake.foundation.text import printable
from reelmake.library import config
from reelmake.models import needed_models

if TYPE_CHECKING:
    from snakemake.script import snakemake


def say(line: str) -> None:
    """Tell the person at the terminal."""
    print(f"reelmake: {printable(line)}", file=sys.stderr, flush=True)


if __name__ == "__main__":
    try:
        needed_models.download_all(needed_models.needed(config.load(snakemake.config)), say)
    except UserError as error:
        say(str(error))
        sys.exit(1)
