"""Write config.yaml, and the README's table of settings, as the schema has them.

make config
"""

import re
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "scripts"))

from reelmake.library import config

ROOT = Path(__file__).resolve().parents[1]


def main() -> None:
    """Write both."""
    (ROOT / "config.yaml").write_text(config.as_yaml())
    readme = ROOT / "README.md"
    table = re.compile(r"^\| setting \|.*?(?=^[^|]|\Z)", re.M | re.S)
    readme.write_text(table.sub(lambda _: config.as_markdown(), readme.read_text(), count=1))


if __name__ == "__main__":
    main()
