"""The vectors of a film's moments, made batch by batch."""

import signal
import subprocess
import sys

import numpy as np
import pytest

from embedding_job import NAMED, SAID, EmbeddingJob, moments
from reelmake.foundation.errors import StageError
from reelmake.jobs import moment_vectors
from workspace import ROOT


def test_each_kind_has_its_vectors(tmp_path):
    this = EmbeddingJob(tmp_path)
    said, described, shown = moment_vectors.embed(this, moments(tmp_path))
    assert [each.kind for each in (said, described, shown)] == ["said", "described", "shown"]
    assert said.items == [0, 1, 3, 4, 5]  # the third has no word
    assert (said.starts[2], said.ends[2], said.model) == (3, 4, "a/model")
    assert (described.items, shown.items) == ([4], [0])
    assert said.matrix.dtype == np.float16
    assert this.record["items_failed"] == 2
    assert this.said[0] == (0, 9) and this.said[-1] == (9, 9)


def test_nothing_to_embed_loads_no_model(tmp_path):
    assert moment_vectors.embed(EmbeddingJob(tmp_path, {"embeddings.text_model": "./no"}), []) == []


def test_a_film_of_nothing_but_undecodable_pictures_has_no_vector(tmp_path):
    (shown,) = moment_vectors.embed(EmbeddingJob(tmp_path), moments(tmp_path)[-1:])
    assert shown.items == [] and len(shown.matrix) == 0


KILLED = """
import os, signal, sys
from pathlib import Path
from embedding_job import EmbeddingJob, moments
from reelmake.jobs import moment_vectors
class Killed(EmbeddingJob):
    def progress(self, done, total):
        if done >= 4:
            os.kill(os.getpid(), signal.SIGKILL)
folder = Path(sys.argv[1])
moment_vectors.embed(Killed(folder), moments(folder))
"""


def test_a_killed_job_goes_on_after_its_last_batch(tmp_path, monkeypatch):
    path = ":".join([str(ROOT / name) for name in ("scripts", "tests", "demo/training")])
    done = subprocess.run(
        [sys.executable, "-c", KILLED, str(tmp_path)], env={"PYTHONPATH": path}, check=False
    )
    assert done.returncode == -signal.SIGKILL
    asked = []
    embed = moment_vectors.TextModel.embed
    monkeypatch.setattr(
        moment_vectors.TextModel,
        "embed",
        lambda self, texts, at_once: asked.extend(texts) or embed(self, texts, at_once),
    )
    this = EmbeddingJob(tmp_path)
    found = moment_vectors.embed(this, moments(tmp_path))
    assert this.said[0] == (4, 9)
    assert asked == [*SAID[4:], "a red circle on a white background"]
    (tmp_path / "fresh").mkdir()
    whole = moment_vectors.embed(EmbeddingJob(tmp_path / "fresh"), moments(tmp_path))
    for one, other in zip(found, whole, strict=True):
        assert one[:5] == other[:5]
        np.testing.assert_array_equal(one.matrix, other.matrix)


def test_a_changed_text_is_embedded_again(tmp_path):
    first = moments(tmp_path)[:6]
    moment_vectors.embed(EmbeddingJob(tmp_path), first)
    changed = [*first[:2], first[2]._replace(content="the train"), *first[3:]]
    this = EmbeddingJob(tmp_path)
    (said,) = moment_vectors.embed(this, changed)
    assert this.said[0] == (2, 6) and said.items == [0, 1, 2, 3, 4, 5]


def test_a_model_that_is_not_here_is_an_error_of_the_job(tmp_path):
    for setting, kept in (
        ("embeddings.text_model", slice(1)),
        ("embeddings.image_model", slice(-2, None)),
    ):
        with pytest.raises(StageError, match="does not exist"):
            moment_vectors.embed(
                EmbeddingJob(tmp_path, NAMED | {setting: "./no"}), moments(tmp_path)[kept]
            )
