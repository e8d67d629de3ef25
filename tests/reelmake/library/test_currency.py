"""One answer to "is it current?", and shortcuts that never say more than it does."""

import contextlib
import copy
import json
import os
import shutil
import tempfile
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from make_library import MEDIA
from reelmake.foundation import artifact_files
from reelmake.foundation.errors import StageError
from reelmake.library import (
    config,
    currency,
    fingerprints,
    finished_index,
    job_records,
    manifest,
    resolved_settings,
    sidecar_updates,
    sidecars,
)
from reelmake.library.library_scan import Scan
from reelmake.library.stages import STAGES, artifact_paths

IDENTITY = {"path": "/films/V.mp4", "size": 1, "mtime_ns": 1}
TICK = 10**9
SPEAKERS = {"failure": None, "engine": {"name": "sherpa-onnx", "version": "2"}, "speakers": []}
SPEAKERS |= {"models": {"segmentation": "a", "embedding": "b"}, "turns": []}
START = 1_700_000_000 * TICK


def wanted(**given):
    complete = config.load({"stages": ["transcripts", "speakers", "scenes"]} | given)
    return fingerprints.compute(fingerprints.settings(complete), IDENTITY)


WANTED = wanted()
STAGE_NAMES = list(WANTED)
OTHER = wanted(source={"digest": "full"})
"""What other settings want: every key is another."""


def finish(results: Path) -> None:
    """A finished video, each stage a second after the one before it."""
    for number, (name, content) in enumerate(WANTED.items()):
        stage, time = STAGES[name], START + 2 * number * TICK
        write(sidecars.path(results, name), content, time)
        record = {"state": "done", "key": content["key"], "engines": {}}
        write(results / "jobs" / f"{name}.json", record, time + TICK)
        for path in artifact_paths(stage, "V"):
            if stage.temporary or name == "manifest":
                continue
            if path.endswith("/"):
                write(results / path / "scene0000_0.jpg", "\xff\xd8 \xff\xd9", time + TICK)
            # Of their schemas is only that of media asked for here; the others are texts.
            write(results / path, MEDIA | SPEAKERS | {"content": "0" * 64}, time + TICK)
    write(results / "manifest.json", manifest.build(results), time + TICK)


def finish_without_speakers(results: Path, time: int) -> None:
    """The speakers have failed, and the video was finished without; times are those before."""
    key, path = WANTED["speakers"]["key"], results / "speakers.json"
    failure = {"class": "engine", "error": "broken"}
    write(
        path, SPEAKERS | {"failure": failure}, os.stat(path).st_mtime_ns if path.exists() else time
    )
    record = {"state": "failed", "key": key, "engines": {}, **failure}
    write(results / "jobs" / "speakers.json", record, time)
    with contextlib.suppress(OSError, StageError, TypeError, KeyError):
        write(results / "manifest.json", manifest.build(results), time)


def write(path: Path, content: object, time: int) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    if str(path).endswith(".jpg"):
        path.write_bytes(str(content).encode("latin-1"))
    elif not path.is_dir():
        path.write_text(json.dumps(content))
    os.utime(path, ns=(time, time))


@pytest.fixture(scope="module")
def finished(tmp_path_factory):
    results = tmp_path_factory.mktemp("finished") / "results" / "V"
    finish(results)
    return results


@pytest.fixture
def results(finished, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    shutil.copytree(finished, "results/V", copy_function=shutil.copy2)
    return Path("results/V")


def test_a_finished_video_is_current(results):
    assert currency.is_finished(results, WANTED)
    assert set(currency.of_video(results, WANTED).values()) == {currency.CURRENT}


@pytest.mark.parametrize(
    "change",
    [
        lambda folder: (folder / "transcript.json").write_text("other content"),
        lambda folder: (folder / "transcript.srt").unlink(),
        lambda folder: (folder / "keyframes" / "scene0000_0.jpg").unlink(),
        lambda folder: shutil.rmtree(folder / "keyframes"),
        lambda folder: (folder / "manifest.json").unlink(),
        lambda folder: (folder / "manifest.json").write_text("{}"),
        lambda folder: (folder / "manifest.json").write_text("[]"),
        lambda folder: os.truncate(folder / "manifest.json", 100),
    ],
)
def test_a_change_by_hand_is_noticed(results, change):
    change(results)
    assert not currency.is_finished(results, WANTED)
    assert any(found.why for found in currency.of_video(results, WANTED).values())


def test_a_copy_without_times_is_known_by_its_content_and_written_down(results):
    os.utime(results / "scenes.json", (5, 5))
    before = (results / "manifest.json").read_bytes()
    assert currency.is_finished(results, WANTED)
    assert (results / "manifest.json").read_bytes() == before
    assert currency.is_finished(results, WANTED, renew=True)
    listed = manifest.stages(results)["scenes"]["artifacts"]
    assert [entry["mtime_ns"] for entry in listed] == [5 * 10**9]


def test_a_change_of_what_is_wanted_is_noticed(results):
    other = wanted(scenes={"threshold": 8})
    assert not currency.is_finished(results, other)
    stale = {name for name, found in currency.of_video(results, other).items() if found.why}
    assert stale == {"scenes", "keyframes", "manifest"}


@pytest.mark.parametrize("state", ["running", "failed", "killed"])
def test_what_became_of_the_last_job_is_said(results, state):
    (results / "scenes.json").unlink()
    record = job_records.begun(WANTED["scenes"]["key"], {}, "log", {})
    if state != "running":
        record |= {"state": "failed", "class": "killed" if state == "killed" else "input"}
    job_records.write(results, "scenes", record)
    found = currency.of_video(results, WANTED)
    assert found["scenes"].state == state
    assert found["keyframes"].state == "stale"
    assert found["transcript"] == currency.CURRENT


def test_a_video_without_its_speakers_is_finished_and_tried_again(results):
    finish_without_speakers(results, START + 99 * TICK)
    assert not currency.is_finished(results, WANTED)
    assert currency.finished_without(results, WANTED) == {"speakers"}
    answer = currency.of_video(results, WANTED)
    assert {name for name, found in answer.items() if found.why} == {
        "speakers",
        "subtitles",
        "manifest",
    }
    assert answer["speakers"].state == "failed"
    _, said = sidecar_updates.refresh(results, WANTED, elsewhere=None)
    assert said == [("speakers failed before, once more", "speakers")]
    # Of a sidecar that says the same Snakemake does not mind the time.
    assert not (results / "speakers.json").exists() and (results / "manifest.json").exists()
    finish_without_speakers(results, START + 99 * TICK)
    # Of other settings it is another matter, and so it is where something else is stale.
    assert not currency.finished_without(results, wanted(speakers={"count": 2}))
    (results / "scenes.json").unlink()
    assert not currency.finished_without(results, WANTED)


def test_what_failed_is_known_without_the_record_of_its_job(results):
    finish_without_speakers(results, START + 99 * TICK)
    (results / "jobs" / "speakers.json").unlink()
    assert currency.of_video(results, WANTED)["speakers"].why
    assert currency.finished_without(results, WANTED) == {"speakers"}


# Random states: what kills, other settings, hands and disks may leave.

KEYS = st.sampled_from(["wanted", "other", "none"])
RECORDS = st.tuples(
    st.just("record"),
    st.sampled_from(STAGE_NAMES),
    KEYS,
    st.sampled_from(["done", "failed", "running"]),
)
CHANGES = st.one_of(
    RECORDS,
    st.tuples(st.just("sidecar"), st.sampled_from(STAGE_NAMES), KEYS),
    st.tuples(
        st.just("artifact"),
        st.sampled_from(STAGE_NAMES),
        st.sampled_from(["gone", "edited", "damaged", "touched", "older"]),
    ),
    st.tuples(st.just("without")),
    st.tuples(st.just("manifest"), st.sampled_from(["gone", "damaged", "without a stage"])),
)


def change(results: Path, made: tuple, time: int) -> None:
    """Change what is on disk; time: of what is written (ns)."""
    if made[0] == "without":
        finish_without_speakers(results, time)
        return
    if made[0] == "manifest":
        path = results / "manifest.json"
        if made[1] == "gone":
            path.unlink(missing_ok=True)
        elif made[1] == "damaged":
            path.write_text("{")
        elif path.exists() and "scenes" in manifest.stages(results):
            content = json.loads(path.read_bytes())
            del content["stages"]["scenes"]
            write(path, content, time)
        return
    kind, stage, how = made[:3]
    if kind == "artifact":
        for name in artifact_paths(STAGES[stage], "V"):
            path = results / name
            if how == "gone":
                artifact_files.remove(path)
            elif not path.exists() or path.is_dir():
                continue
            elif how in ("touched", "older"):
                time = time if how == "touched" else START - TICK
            else:
                whole = path.read_text()
                path.write_text(whole + " " if how == "edited" else whole[: len(whole) // 2])
            if path.exists():
                os.utime(path, ns=(time, time))
        return
    path = sidecars.path(results, stage) if kind == "sidecar" else results / f"jobs/{stage}.json"
    if how == "none":
        path.unlink(missing_ok=True)
        return
    content = (WANTED if how == "wanted" else OTHER)[stage]
    if kind == "record":
        content = {"state": made[3], "key": content["key"], "engines": {}}
    write(path, content, time)


def state_of(folder: Path, finished: Path, changes: list[tuple]) -> Path:
    results = folder / "results" / "V"
    shutil.copytree(finished, results, copy_function=shutil.copy2)
    for number, made in enumerate(changes):
        change(results, made, START + (100 + number) * TICK)
    return results


RANDOM = settings(
    max_examples=100,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)


def snakemake_runs(results: Path, paths: dict[str, Path]) -> set[str]:
    """The stages whose jobs Snakemake runs by its mtime logic, `all` asking for every lasting
    artifact: where an output is missing or older than an input, and what is made from those."""
    outputs = {
        name: [results / path for path in artifact_paths(STAGES[name], "V")] for name in WANTED
    }
    readers = {name: [user for user in WANTED if name in STAGES[user].upstream] for name in WANTED}
    runs: set[str] = set()
    for name in WANTED:
        stage = STAGES[name]
        before = [other for other in stage.upstream if other in WANTED]
        made = outputs[name]
        if stage.temporary:  # a missing one has the time of what was made from it
            made = [path for reader in readers[name] for path in outputs[reader] if path.exists()]
        inputs = [paths[name], *(path for other in before for path in outputs[other])]
        times = [os.stat(path).st_mtime_ns for path in inputs if path.exists()]
        missing = not all(path.exists() for path in made)
        newer = made and not missing and max(times) > min(os.stat(p).st_mtime_ns for p in made)
        if missing or newer or set(before) & runs:
            runs.add(name)
    for name in WANTED:
        if STAGES[name].temporary and set(readers[name]) & runs:
            runs.add(name)
    return runs


@given(changes=st.lists(CHANGES, max_size=4))
@RANDOM
def test_it_foretells_what_snakemake_runs(finished, changes):
    with tempfile.TemporaryDirectory() as folder:
        results = state_of(Path(folder), finished, changes)
        answer = currency.of_video(results, WANTED)
        found = {name for name, each in answer.items() if each.why}
        if currency.is_finished(results, WANTED):
            assert found == set()
        else:
            paths, _ = sidecar_updates.refresh(results, WANTED, elsewhere=None)
            assert found == snakemake_runs(results, paths)


@given(changes=st.lists(CHANGES, max_size=4), later=st.lists(CHANGES, max_size=2))
@RANDOM
def test_the_shortcut_of_finished_videos_says_no_more_than_it(finished, changes, later):
    with tempfile.TemporaryDirectory() as folder:
        results = state_of(Path(folder), finished, changes)
        digest = resolved_settings.StageSettings(
            fingerprints.settings(config.load({"stages": ["transcripts", "speakers", "scenes"]}))
        ).digest
        index = finished_index.Finished(results.parent)
        index._known = {}
        index.knows("V", digest, IDENTITY)
        if not currency.is_finished(results, WANTED):
            return
        index.remember("V")
        again = finished_index.Finished(results.parent)
        again._known = copy.deepcopy(index._finished)
        assert again.knows("V", digest, IDENTITY)
        for number, made in enumerate(later):
            change(results, made, START + (200 + number) * TICK)
        if again.knows("V", digest, IDENTITY):
            assert currency.is_finished(results, WANTED)


@given(changes=st.lists(CHANGES, max_size=4))
@RANDOM
def test_finished_is_every_stage_current(finished, changes):
    with tempfile.TemporaryDirectory() as folder:
        results = state_of(Path(folder), finished, changes)
        current = all(not found.why for found in currency.of_video(results, WANTED).values())
        if currency.is_finished(results, WANTED):
            assert current


@given(changes=st.lists(CHANGES, max_size=4))
@RANDOM
def test_what_the_job_before_made_is_no_more_than_what_is_current(finished, changes):
    with tempfile.TemporaryDirectory() as folder:
        results = state_of(Path(folder), finished, changes)
        for name, fingerprint in WANTED.items():
            record = job_records.read(results, name)
            if name == "manifest" or sidecars.read(results, name) != fingerprint:
                continue  # a job has the sidecar that is wanted
            if not currency.is_made_since(results, fingerprint, record):
                continue
            found = currency.of_video(results, WANTED)[name]
            # Only what is damaged, or comes after something stale, is not.
            damaged = currency.is_spoiled(results, name, WANTED)
            assert not found.why or damaged or found.why[0].startswith("after ")


@given(changes=st.lists(RECORDS, max_size=4))
@RANDOM
def test_status_says_of_records_what_it_says(finished, changes):
    """`reel status` looks at records alone: where nobody has touched the files, a stage that it
    calls done is current, and one that failed or was killed is not."""
    with tempfile.TemporaryDirectory() as folder:
        results = state_of(Path(folder), finished, changes)
        for path in ("manifest.json", "jobs/manifest.json"):  # it is not finished
            (results / path).unlink(missing_ok=True)
        for name in WANTED:
            record = job_records.read(results, name)
            if (record.get("state"), record.get("key")) != ("done", WANTED[name]["key"]):
                for path in artifact_paths(STAGES[name], "V"):
                    artifact_files.remove(results / path)
        facts = Scan(results.parent).video("V")
        answer = currency.of_video(results, WANTED)
        for name, state in facts.states.items():
            if STAGES[name].temporary or name == "manifest":
                continue
            own = [why for why in answer[name].why if not why.startswith("after ")]
            if state == "done":
                assert not own
            elif state in ("failed", "killed"):
                assert answer[name].state == state
            else:
                assert answer[name].why
