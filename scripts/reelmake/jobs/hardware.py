"""Which hardware the models may use."""

from pathlib import Path


def uses_gpu(device: str) -> bool:
    """Whether jobs with the setting `hardware.device` take a GPU on this machine.

    `auto` looks for NVIDIA's device files: asking an engine would mean importing it.
    """
    return device == "cuda" or (device == "auto" and any(Path("/dev").glob("nvidia[0-9]*")))
