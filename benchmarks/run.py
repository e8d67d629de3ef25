"""Every benchmark, one after the other.

make bench
"""

import subprocess
import sys

from measure import ROOT

for name in (
    "scenes",
    "workflow",
    "scale",
    "cache",
    "clips",
    "speech",
    "engine",
    "short_films",
    "shares",
    "catalog",
    "speakers",
    "real_time",
    "onscreen",  # needs fonts of Debian, and says so
):
    subprocess.run([sys.executable, str(ROOT / "benchmarks" / f"{name}.py")], check=True)
