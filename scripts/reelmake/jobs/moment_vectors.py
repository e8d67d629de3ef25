"""The vectors of what is said, described and shown in a film, made batch by batch within a job.

Batches are journaled: what an earlier job embedded is not embedded again.
"""

import contextlib
import hashlib
from collections.abc import Callable, Hashable, Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from reelmake.foundation import resumable_items
from reelmake.foundation.errors import StageError
from reelmake.foundation.resumable_items import Items
from reelmake.jobs.job import Job
from reelmake.library.film_vectors import LITTLE, Vectors
from reelmake.models import embedding
from reelmake.models.embedding import ImageModel, TextModel

SETTINGS = {
    "said": "embeddings.text_model",
    "described": "embeddings.text_model",
    "shown": "embeddings.image_model",
}
"""The setting that names the model of each kind of vectors."""


class Moment(NamedTuple):
    """What is embedded. item: the number of the segment or the scene. start, end: s. content: a
    text, or the file of a picture."""

    kind: str
    item: int
    start: float
    end: float
    content: str | Path


def embed(this: Job, moments: Sequence[Moment]) -> list[Vectors]:
    """The vectors of moments, by their kind. One with no vector (a text without a word, a picture
    that can't be decoded) is left out. Raises StageError.

    moments: those of one kind lie together.
    """
    batches = _Batches(this, moments)
    with this.journal() as journal:
        found = resumable_items.finish(batches, journal, this.item, this.progress)
    vectors = [vector for batch in found for vector in batch]
    this.record["items_failed"] = vectors.count(None)
    named = this.fingerprint["settings"]
    return [
        _together(kind, named[SETTINGS[kind]], list(zip(moments, vectors, strict=True)))
        for kind in dict.fromkeys(moment.kind for moment in moments)
    ]


def _together(kind: str, model: Any, found: Sequence[tuple[Moment, bytes | None]]) -> Vectors:
    mine = [(moment, vector) for moment, vector in found if moment.kind == kind]
    kept = [(moment, vector) for moment, vector in mine if vector is not None]
    if len({len(vector) for _, vector in kept}) > 1:
        raise StageError("the model gives vectors of different sizes", kind="engine")
    size = len(kept[0][1]) // LITTLE.itemsize if kept else 1
    matrix = np.frombuffer(b"".join(vector for _, vector in kept), LITTLE).reshape(-1, size)
    return Vectors(
        kind,
        model,
        [moment.item for moment, _ in kept],
        [moment.start for moment, _ in kept],
        [moment.end for moment, _ in kept],
        matrix.astype(np.float16, copy=False),
    )


class _Batches(Items[tuple[Moment, ...], list[bytes | None]]):
    """Moments in groups of one kind; the result of one: a float16 vector for each, or None."""

    def __init__(self, this: Job, moments: Sequence[Moment]):
        self._this, self._all = this, moments

    def following(self, results: Sequence[list[bytes | None]]) -> tuple[Moment, ...] | None:
        rest = self._all[sum(map(len, results)) :][: self._this.run.batch]
        return tuple(each for each in rest if each.kind == rest[0].kind) or None

    def count(self, results: Sequence[list[bytes | None]]) -> tuple[int, int]:
        return sum(map(len, results)), len(self._all)

    def identity(self, item: tuple[Moment, ...]) -> Hashable:
        sha = hashlib.sha256(item[0].kind.encode())
        for moment in item:
            content = _bytes(moment)
            sha.update(b"%d %d\n" % (moment.item, len(content)) + content)
        return sha.hexdigest()

    def entry(self, item: tuple[Moment, ...], result: list[bytes | None]) -> Any:
        return {"batch": self.identity(item), "vectors": result}

    def read_entry(self, entry: Any) -> tuple[Hashable, list[bytes | None]]:
        return entry["batch"], entry["vectors"]

    @contextlib.contextmanager
    def worker(self) -> Iterator[Callable[[tuple[Moment, ...]], list[bytes | None]]]:
        with contextlib.ExitStack() as loaded:
            setting = ""
            model: Any = None

            def work(batch: tuple[Moment, ...]) -> list[bytes | None]:
                nonlocal setting, model
                if SETTINGS[batch[0].kind] != setting:  # one at a time, texts first
                    model = None
                    loaded.close()
                    setting = SETTINGS[batch[0].kind]
                    model = loaded.enter_context(self._loaded(setting))
                return self._embedded(model, batch)

            yield work

    def _loaded(self, setting: str) -> contextlib.AbstractContextManager[TextModel | ImageModel]:
        run = self._this.run
        folder = embedding.folder(run.models[setting], setting)
        if setting == SETTINGS["shown"]:
            return embedding.image_model(folder, setting, run.threads)
        return embedding.text_model(folder, setting, run.threads)

    def _embedded(
        self, model: TextModel | ImageModel, batch: tuple[Moment, ...]
    ) -> list[bytes | None]:
        at_once = max(1, self._this.run.batch >> self._this.shortages)
        if isinstance(model, ImageModel):
            vectors = model.embed([_bytes(moment) for moment in batch], at_once)
        else:
            vectors = model.embed([str(moment.content) for moment in batch], at_once)
        for moment, vector in zip(batch, vectors, strict=True):
            if vector is None:
                print(f"{moment.kind} {moment.item} at {moment.start:.2f} s: no vector")
        return [None if vector is None else vector.astype(LITTLE).tobytes() for vector in vectors]


def _bytes(moment: Moment) -> bytes:
    """A moment's content; nothing where its picture is gone."""
    if isinstance(moment.content, str):
        return moment.content.encode(errors="surrogatepass")
    try:
        return moment.content.read_bytes()
    except OSError:
        return b""
