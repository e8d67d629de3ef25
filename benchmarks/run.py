"""Every benchmark, one after the other.

make bench
"""

import subprocess
import sys

from measure import ROOT

for name in ("bench_scenes", "bench_workflow", "bench_noop", "bench_cache"):
    subprocess.run([sys.executable, str(ROOT / "benchmarks" / f"{name}.py")], check=True)
