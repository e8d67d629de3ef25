"""Damaged files: a flipped bit, a truncation, nothing left, in each kind of file that we write.

What users rely on: no traceback; the artifacts are the right ones after a run, or `reel verify`
finds those that are not.
"""

import contextlib
import os
import shutil
from pathlib import Path

import pytest

from faults import DAMAGES, long
from workspace import Workspace, jobs

READABLE = {
    "media.json": "results/one/scenes.json",
    "transcript.json": "results/one/transcript.srt",
    "scenes.json": "results/one/keyframes.json",
    "keyframes.json": "results/one/one.scenedesc.msgpack",
    "keyframes/scene0001_1.jpg": "results/one/one.scenedesc.msgpack",
    "one.scenedesc.msgpack": None,
}
"""Artifacts that tell when they are damaged; and something that is made from each."""

TEXTS = ("transcript.srt", "transcript.vtt", "transcript.txt")

every_damage = pytest.mark.parametrize(
    "damage", ["cut off", *(long(damage) for damage in DAMAGES if damage != "cut off")]
)


@pytest.fixture
def library(finished, tmp_path) -> Workspace:
    """The finished library, elsewhere, with a copy of its cache."""
    library = finished.copy(tmp_path / "work")
    library.config["cache"] = {"dir": "cache"}
    return library


def spoil(path: Path, damage: str, keep_time: bool = False) -> None:
    stat = path.stat()
    path.write_bytes(DAMAGES[damage](path.read_bytes()))
    if keep_time:
        os.utime(path, ns=(stat.st_atime_ns, stat.st_mtime_ns))


def files_of(library: Workspace, pattern: str) -> list[Path]:
    found = sorted(library.result("one").glob(pattern))
    assert found
    return found


def run(library: Workspace, *args: str, **options) -> str:
    output = library.run(*args, **options)
    assert "Traceback" not in output
    return output


@pytest.mark.parametrize(
    ("damage", "keep_time"),
    [
        ("a flipped bit", False),
        ("cut off", True),
        long("a flipped bit", True),
        long("empty", True),
    ],
)
def test_verify_finds_and_the_cache_restores(library, damage, keep_time):
    before = library.artifacts()
    for name in (*READABLE, *TEXTS):
        spoil(library.result("one", name), damage, keep_time)
    for args in ([], ["--fix"]):
        output = library.reel("verify", *args, ok=False)
        for name in (*READABLE, *TEXTS):
            assert f"results/one/{name}: it " in output
            reason = "is damaged: other content" if keep_time else "was changed since"
            assert reason in output
        assert f", {len(READABLE) + len(TEXTS)} bad; " in output
    run(library, env=library.without_engines())
    assert library.artifacts() == before
    library.reel("verify")
    assert library.plan() == []


@pytest.mark.parametrize(
    "names", [list(READABLE), ["media.json"], *(long([name]) for name in list(READABLE)[1:])]
)
def test_what_can_not_be_read_counts_as_absent(library, names):
    """Though its time is new, it is not taken for an edit."""
    before = library.artifacts()
    for name in names:
        spoil(library.result("one", name), "cut off" if len(names) == 1 else "empty")
    output = run(library, "-n")
    assert "is not what its manifest says: 1 video (one)" in output
    run(library, env=library.without_engines())
    assert library.artifacts() == before
    library.reel("verify")


JSON = [name for name in READABLE if name.endswith(".json")]


@pytest.mark.parametrize("name", [*JSON[1:2], *(long(name) for name in JSON if name != JSON[1])])
def test_a_stage_that_reads_a_damaged_artifact_says_so(library, name):
    """Where no manifest tells how it was."""
    library.config["cache"] = False
    before = library.artifacts()
    library.result("one", "manifest.json").unlink()
    target = READABLE[name]
    (library.folder / target).unlink()
    spoil(library.result("one", name), "cut off")
    output = run(library, target, ok=False)
    said = f"results/one/{name} is damaged; delete it and run again"
    assert said in output
    logs = [path.read_text() for path in (library.folder / "logs").glob("*/one.log")]
    assert any(said in log for log in logs)
    assert not any("Traceback" in log for log in logs)
    library.result("one", name).unlink()
    run(library)
    assert library.artifacts() == before


@every_damage
def test_sidecars(library, damage):
    """They are written again; what they say is known, and what was made is still that."""
    for path in files_of(library, "fingerprints/*.json"):
        spoil(path, damage)
    assert library.plan() == []
    assert "Nothing to be done" in run(library, "--config", "prune=false")
    for path in files_of(library, "fingerprints/*.json"):
        spoil(path, damage)
    assert jobs(run(library, "--config", "scenes={threshold: 9}")) == [
        "describe_scenes x2",
        "detect_scenes x2",
        "extract_keyframes x2",
        "write_manifest x2",
    ]


@every_damage
def test_job_records(library, damage):
    """Nothing is computed for want of them: they only say what happened."""
    for path in files_of(library, "jobs/*.json"):
        spoil(path, damage)
    assert library.plan("--config", "prune=false") == []
    run(library, "-R", "write_manifest", env=library.without_engines())
    assert library.plan("--config", "prune=false") == []
    library.reel("explain", "one")
    library.reel("verify")


@pytest.mark.parametrize(
    ("damage", "keep_time"),
    [("cut off", False), long("a flipped bit", False), long("empty", True)],
)
def test_a_manifest(library, damage, keep_time):
    before = library.artifacts()
    spoil(library.result("one", "manifest.json"), damage, keep_time)
    if damage == "a flipped bit":
        # It may lie in what is only for people, or in a digest, which only `verify` reads.
        with contextlib.suppress(AssertionError):
            library.reel("verify", "--fix", ok=False)
    else:
        assert "manifest.json: it is damaged" in library.reel("verify", ok=False)
    run(library, env=library.without_engines())
    assert library.artifacts() == before
    library.reel("verify")
    assert library.plan() == []


@every_damage
def test_the_whole_cache(library, damage):
    """Whatever it holds, the artifacts are those that were computed."""
    before = library.artifacts()
    files = [path for path in (library.folder / "cache").rglob("*") if path.is_file()]
    assert files
    for path in files:
        spoil(path, damage)
    for _ in range(2):
        shutil.rmtree(library.folder / "results")
        run(library)
        assert library.artifacts() == before
