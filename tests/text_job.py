"""A job that asks the text model, for tests of single stages."""

import contextlib
import copy
from pathlib import Path

from reelmake.foundation.journal import Journal
from reelmake.jobs.run_context import RunContext

MODELS = Path(__file__).resolve().parents[1] / "demo" / "models"
ANY = MODELS / "vision" / "text.gguf"
"""A real language model whose answers about texts mean nothing."""

METADATA = {"source_file": "a", "mtime": 0, "size": 1, "key": "0" * 64, "model": "a"}
METADATA |= {"mmproj": "b", "prompt": "c", "frames": 0, "failed": 0}
"""Of a file of descriptions."""


class TextJob:
    """A job of a stage, as a script knows it.

    model: the text model's file. run: more of what the run tells it. said: what it said of its
    progress. stop_after: a signal comes in so many items. is_stopping: one has come.
    """

    def __init__(self, folder: Path, stage: str, settings: dict, model: Path | str = ANY, **run):
        self.run = RunContext(models={"text_model.model": str(model)}, **run)
        self.stage, self.settings = stage, settings
        self.folder, self.said, self.stop_after = folder, [], None
        self.record = {"log": "logs/a.log", "engines": {}}
        self.is_stopping = False

    @contextlib.contextmanager
    def journal(self):
        journal = Journal(self.folder / "journal", self.stage, "0" * 64)
        try:
            yield journal
        finally:
            journal.close()

    @contextlib.contextmanager
    def item(self):
        yield
        if self.is_stopping:
            raise KeyboardInterrupt
        if self.stop_after is not None:
            self.stop_after -= 1
            if not self.stop_after:
                raise KeyboardInterrupt

    def progress(self, done, total):
        self.said.append((done, total))

    def save(self):
        pass


def film(*texts, scenes=None):
    """Segments that say the texts; the n-th shows the scenes `scenes[n]`."""
    return [
        {"id": n, "start": n, "end": n + 1, "text": text, "speakers": []}
        | {"scenes": (scenes or {}).get(n, [])}
        for n, text in enumerate(texts)
    ]


class Answering:
    """In place of the model: the answers that no real one of ours gives."""

    def __init__(self, *answers):
        self.answers_left, self.asked = list(answers), []

    at_once = 1

    def __call__(self, path, settings, gpu_layers, threads, at_once):
        return contextlib.nullcontext(self)

    def answers(self, questions, schema, whole=False):
        self.asked += questions
        found = [self.answers_left.pop(0) for _ in questions]
        for answer in found:
            if isinstance(answer, Exception) and not isinstance(answer, ValueError):
                raise answer
        return copy.deepcopy(found)


def ask_one(model, question, schema):
    """The text model's answer to a single question. Raises the ValueError where it fails."""
    (answer,) = model.answers([question], schema)
    if isinstance(answer, ValueError):
        raise answer
    return answer
