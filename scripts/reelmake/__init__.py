"""The library behind reelmake's rules: one concept a module.

Data flows one way: config -> fingerprint -> rule -> script -> library -> artifact.
Engines (PyAV, ffmpeg, PySceneDetect, OpenCV, faster-whisper, llama.cpp) are each
imported in one module only, and only when a job needs them: finding out that
there is nothing to do imports none of them.
"""

import os
from pathlib import Path


def import_from_here() -> None:
    """Make the jobs that this process starts import this library, whichever is installed.

    Snakemake puts a script's folder last on its path: with an environment that another checkout
    was installed into, jobs would run that one's code.
    """
    others = [path for path in os.environ.get("PYTHONPATH", "").split(os.pathsep) if path]
    os.environ["PYTHONPATH"] = os.pathsep.join([str(Path(__file__).parents[1]), *others])
