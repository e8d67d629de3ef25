"""The addresses by which editors find a film again."""

import os
from pathlib import Path


def url(path: Path) -> str:
    """`file://` and the absolute path, its bytes percent-encoded: they need not be UTF-8."""
    return Path(os.path.abspath(path)).as_uri()
