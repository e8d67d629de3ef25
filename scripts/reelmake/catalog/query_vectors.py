"""The vector of what a person looks for, by the models that belong to those of the films."""

import threading
from pathlib import Path

from reelmake.models import embedding
from reelmake.models.embedding import TextModel, Vector


class QueryModels:
    """The models that embed queries. Each is loaded when it is first needed, and stays loaded;
    several threads may ask at once. threads: of the CPU, for one query."""

    def __init__(self, threads: int = 2):
        self._threads = threads
        self._lock = threading.Lock()
        self._loaded: dict[tuple[str, Path], TextModel] = {}

    def vector(self, text: str, model: str, setting: str) -> Vector | None:
        """The vector of a query; None where the model knows no word of it.

        model: a folder, or a repository on the hub. setting: that names it. Raises StageError where
        it is not on this machine, or fails.
        """
        folder = embedding.folder(model, setting)
        with self._lock:
            if (setting, folder) not in self._loaded:
                self._loaded[setting, folder] = TextModel(folder, setting, self._threads)
        (found,) = self._loaded[setting, folder].embed([text])
        return found
