"""Whether a film's sound may lie on the disk: by claims, without a look at the whole library."""

import types
from pathlib import Path

import pytest

from reelmake.jobs import temporary_audio
from reelmake.library import job_records

CLAIMS = Path(".snakemake/reelmake.audio")


@pytest.fixture
def job(tmp_path, monkeypatch):
    """job("one"): the extracting job of a video; with sound on disk where it may have it."""
    monkeypatch.chdir(tmp_path)

    def make(video: str) -> types.SimpleNamespace:
        this = types.SimpleNamespace(video=video, results=Path("results", video))
        this.results.mkdir(parents=True, exist_ok=True)
        return this

    return make


def ask(this, limit: int) -> bool:
    may = temporary_audio.may_be_on_disk(this, limit)
    (this.results / "audio.wav").write_bytes(b"RIFF" if may else b"")
    return may


def test_at_most_so_many_others(job):
    assert [ask(job(f"v{n}"), 2) for n in range(5)] == [True, True, False, False, False]
    # Its own does not count: a job that starts again.
    assert ask(job("v0"), 2)
    (Path("results/v0/audio.wav")).unlink()  # the transcript is done
    assert ask(job("v4"), 2)
    assert sorted(path.name for path in CLAIMS.iterdir()) == ["v1", "v4"]


def test_jobs_that_decide_at_the_same_time_see_each_other(job):
    for name in ("a", "b"):
        this = job(name)
        job_records.write(this.results, "audio", {"state": "running"})
        temporary_audio.may_be_on_disk(this, 9)
    assert not ask(job("c"), 2)


def test_sound_that_transcribe_extracts_itself_counts(job):
    this = job("a")
    (this.results / "audio.wav").write_bytes(b"")
    job_records.write(this.results, "transcript", {"state": "running"})
    CLAIMS.mkdir(parents=True)
    (CLAIMS / "a").touch()
    assert not ask(job("b"), 1)


def test_nobody_looks_at_films_without_a_claim(job, monkeypatch):
    """Of 100 films with sound from before, say, not one is asked about."""
    for number in range(100):
        ask(job(f"v{number}"), 1000)
    for path in CLAIMS.iterdir():
        path.unlink()
    asked = []
    monkeypatch.setattr(temporary_audio, "_has_sound", lambda results: asked.append(results))
    assert ask(job("new"), 1)
    assert asked == []
