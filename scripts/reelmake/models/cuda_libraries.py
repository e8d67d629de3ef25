"""NVIDIA's libraries that pip installed, found without LD_LIBRARY_PATH.

CTranslate2 opens cuBLAS and cuDNN by their names when it first needs them, and looks where the
system's loader looks. What a process has loaded already the loader finds by its name anywhere.
"""

import contextlib
import ctypes
import importlib.util
from pathlib import Path

LIBRARIES = ("cublas/lib/libcublas*.so.12", "cudnn/lib/libcudnn*.so.9")
"""In the package `nvidia`, of the wheels nvidia-cublas-cu12 and nvidia-cudnn-cu12."""


def load() -> list[Path]:
    """Load them into this process, before an engine looks for them; those that could be.

    Where they are not installed the engine finds the system's own, or says what it lacks.
    """
    package = importlib.util.find_spec("nvidia")
    folders = package.submodule_search_locations if package else None
    loaded = []
    for folder in folders or ():
        for pattern in LIBRARIES:
            for path in sorted(Path(folder).glob(pattern)):
                with contextlib.suppress(OSError):  # made for another machine
                    ctypes.CDLL(str(path), mode=ctypes.RTLD_GLOBAL)
                    loaded.append(path)
    return loaded
