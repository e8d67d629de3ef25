"""OpenCV without what its import does to the environment: the only module that imports it.

It puts `<its folder>:` before LD_LIBRARY_PATH. Where that was not set, the empty name after the
colon stands for the current folder: every program that the process starts, ffmpeg first, would
load a `libm.so.6` that lies in the folder of a library.
"""

import os

_before = os.environ.get("LD_LIBRARY_PATH")

import cv2  # noqa: E402

if _before is None:
    os.environ.pop("LD_LIBRARY_PATH", None)
else:
    os.environ["LD_LIBRARY_PATH"] = _before

__all__ = ["cv2"]
