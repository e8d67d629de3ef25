"""ONNX models in ONNX Runtime, the only module that imports it."""

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from reelmake.foundation.errors import StageError


class OnnxModel:
    """A model, loaded.

    path: its file. setting: that names it, for errors. threads: of the CPU. inputs: names and
    shapes; outputs: the same; a size that is not fixed is None, or a name. metadata: what its
    file says of it. Raises StageError where it can't be loaded, and MemoryError.
    """

    def __init__(self, path: Path, setting: str, threads: int):
        import onnxruntime

        self.path, self.setting = path, setting
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads, options.inter_op_num_threads = threads, 1
        options.log_severity_level = 4  # what it raises says it
        try:
            self._session = onnxruntime.InferenceSession(
                str(path), options, providers=["CPUExecutionProvider"]
            )
        except MemoryError:
            raise
        except Exception as error:
            raise StageError(
                f"{path} can't be loaded: {first_line(error)}; check {setting}", kind="engine"
            ) from error
        self.inputs = {each.name: each.shape for each in self._session.get_inputs()}
        self.outputs = {each.name: each.shape for each in self._session.get_outputs()}
        self.metadata: dict[str, str] = self._session.get_modelmeta().custom_metadata_map

    def run(self, given: dict[str, Any], output: int = 0) -> NDArray[np.float32]:
        """One of its outputs. given: by the names of the inputs. Raises StageError where it fails,
        and MemoryError."""
        try:
            found = self._session.run(None, given)[output]
        except MemoryError:
            raise
        except Exception as error:
            raise StageError(
                f"{self.path} fails: {first_line(error)}; check {self.setting}", kind="engine"
            ) from error
        return np.asarray(found, np.float32)


def first_line(error: Exception) -> str:
    """What an engine says first, for a sentence to people."""
    return (str(error).strip().splitlines() or [type(error).__name__])[0][:200]
