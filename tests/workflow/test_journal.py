"""A stage that is stopped goes on after its last finished item."""

import copy
import os
import random
import shutil
import signal
import time
from pathlib import Path

import pytest

from faults import DAMAGES, EngineCalls, long, resize_disk, small_disk
from reelmake.foundation import artifact_files
from reelmake.foundation.journal import Journal
from reelmake.library import scene_descriptions
from workspace import ROOT, Workspace, wait_for

ARTIFACT = "one.scenedesc.msgpack"


class Describing(Workspace):
    """A copy of a library whose video `one` has keyframes, and no descriptions any more.

    whole, results: what the descriptions must become. frames: how many there are.
    """

    target = f"results/one/{ARTIFACT}"

    def __init__(self, like: Workspace, folder: Path):
        shutil.copytree(like.folder, folder / "work", symlinks=True)
        super().__init__(folder / "work", like.videos)
        self.config = copy.deepcopy(like.config) | {"cache": False}  # which has them
        self.artifact = self.result("one", ARTIFACT)
        self.whole = self.artifact.read_bytes()
        self.results = scene_descriptions.read(self.artifact)["results"]
        self.frames = len(self.results)
        self.artifact.unlink()
        self.key = self.json("one", "fingerprints", "scenedesc.json")["key"]
        self._engines = EngineCalls(folder / "calls")
        self.environment = self._engines.environment

    @property
    def calls(self) -> int:
        """How often the model was asked."""
        return self._engines.look()["one/scenedesc"]

    def journal(self, *results) -> int:
        """Append results to the journal; how many it holds. Only while no job writes."""
        journal = Journal(self.result("one", "journal"), "scenedesc", self.key)
        for result in results:
            journal.append(result)
        journal.close()
        return len(journal.records) + len(results)

    def describe(self) -> str:
        return self.run(self.target, env=self.environment)

    def stop_after(self, calls: int, delay: float, number: int) -> None:
        """Start describing, and signal all its processes a while after so many more calls."""
        wanted = self.calls + calls
        process = self.start(self.target, env=self.environment)
        try:
            wait_for(lambda: self.calls >= wanted)
            time.sleep(delay)
            asked = time.monotonic()
            os.killpg(process.pid, number)
            output, _ = process.communicate(timeout=60)
        finally:
            if process.poll() is None:
                os.killpg(process.pid, signal.SIGKILL)
        assert process.returncode != 0, output
        assert time.monotonic() - asked < 15
        assert not self.artifact.exists()


@pytest.fixture(scope="module")
def keyframed(finished, tmp_path_factory):
    """The library with its descriptions as an undisturbed run makes them."""
    library = finished.copy(tmp_path_factory.mktemp("keyframed") / "work")
    library.config["keyframes"] = {"per_scene": 14, "strategy": "first"}
    library.run(Describing.target)
    return library


@pytest.fixture
def library(keyframed, tmp_path):
    found = Describing(keyframed, tmp_path)
    assert found.frames >= 16
    return found


@pytest.mark.parametrize("seed", [0, long(1), long(2)])
def test_killed_at_random_moments_no_journaled_item_is_computed_again(library, seed):
    rng = random.Random(seed)
    kills = 3
    for _ in range(kills):
        library.stop_after(rng.randint(1, 4), rng.uniform(0, 0.1), signal.SIGKILL)
    # What was asked and is not kept is the item in work, once a kill.
    kept = library.journal()
    assert library.calls - kills <= kept <= library.calls
    before = library.calls
    library.describe()
    record = library.record("one", "scenedesc")
    assert library.calls - before == library.frames - kept
    assert (record["items_resumed"], record["items_done"]) == (kept, library.frames)
    assert library.artifact.read_bytes() == library.whole
    assert not library.result("one", "journal").exists()


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_loses_nothing(library, number):
    library.stop_after(5, 0.05, number)
    kept = library.journal()
    assert 5 <= kept == library.calls < library.frames
    record = library.record("one", "scenedesc")
    assert (record["state"], record["class"]) == ("failed", "killed")
    assert (record["items_resumed"], record["items_done"]) == (0, kept)
    library.describe()
    assert library.calls == library.frames
    assert library.record("one", "scenedesc")["items_resumed"] == kept
    assert library.artifact.read_bytes() == library.whole


@pytest.mark.parametrize("seed", [0, long(1), long(2)])
def test_killed_between_and_inside_groups_the_end_is_the_same(keyframed, tmp_path, seed):
    """Also where the next job would take groups of another size."""
    rng = random.Random(seed)
    for name in ("whole", "killed"):
        (tmp_path / name).mkdir()
    whole = Describing(keyframed, tmp_path / "whole")
    whole.config["hardware"] = {"answers_at_once": 3}
    whole.run(whole.target)
    assert whole.record("one", "scenedesc")["answers_at_once"] == 3
    killed = Describing(keyframed, tmp_path / "killed")
    killed.config["hardware"] = {"answers_at_once": 3}
    journal = killed.result("one", "journal", f"scenedesc.{killed.key}.msgpack")

    def size() -> int:
        return journal.stat().st_size if journal.exists() else 0

    for _ in range(3):
        before = size()
        process = killed.start(killed.target)
        try:
            wait_for(lambda run=process, begun=before: size() > begun or run.poll() is not None)
            time.sleep(rng.uniform(0, 0.15))
        finally:
            killed.kill(process)
        if killed.artifact.exists():
            break
        killed.config["hardware"] = {"answers_at_once": rng.randint(1, 8)}
    killed.run(killed.target)
    assert killed.artifact.read_bytes() == whole.artifact.read_bytes()
    assert killed.record("one", "scenedesc")["items_resumed"] % 3 == 0


def test_a_whole_journal_needs_no_model(library):
    """Null ones too: what failed once is not asked again."""
    results = library.results
    results[3]["description"] = None
    library.journal(*results)
    library.describe()
    assert library.calls == 0
    assert library.record("one", "scenedesc")["items_resumed"] == library.frames
    assert library.record("one", "scenedesc")["items_failed"] == 1
    assert scene_descriptions.read(library.artifact)["results"] == results


@pytest.mark.parametrize(
    "damage", ["cut off", *(long(damage) for damage in DAMAGES if damage != "cut off")]
)
def test_what_is_whole_of_a_damaged_journal_is_used(library, damage):
    library.journal(*library.results)
    (path,) = library.result("one", "journal").iterdir()
    path.write_bytes(DAMAGES[damage](path.read_bytes()))
    library.describe()
    kept = library.record("one", "scenedesc")["items_resumed"]
    assert kept == library.frames - library.calls < library.frames
    assert (kept == 0) == (damage == "empty")
    assert library.artifact.read_bytes() == library.whole


def test_a_record_of_another_picture_is_not_used(library):
    results = library.results
    results[2]["record"]["timestamp"] += 0.04
    library.journal(*results)
    library.describe()
    assert library.record("one", "scenedesc")["items_resumed"] == 2
    assert library.artifact.read_bytes() == library.whole


def test_where_every_frame_failed_the_next_run_asks_again(library):
    """The cause may have been a driver, which is mended without another key."""
    library.journal(*(result | {"description": None} for result in library.results))
    output = library.run(library.target, env=library.environment, ok=False)
    assert f"failed on all {library.frames} frames" in output
    library.describe()
    assert library.calls == library.frames
    assert library.artifact.read_bytes() == library.whole


@pytest.mark.parametrize("number", [signal.SIGTERM, long(signal.SIGKILL)])
def test_a_stopped_transcript_goes_on_after_its_last_chunk(workspace, tmp_path, number):
    (workspace.videos / "film.mp4").symlink_to(ROOT / "demo" / "videos" / "demo.mp4")
    workspace.config["transcription"]["chunk_minutes"] = 0.05
    workspace.config["cache"] = False
    target = "results/film/transcript.json"
    process = workspace.start(target)
    try:
        journals = workspace.result("film", "journal")
        wait_for(lambda: any(path.stat().st_size > 500 for path in journals.glob("*")))
    finally:
        os.killpg(process.pid, number)
        process.communicate(timeout=15)
    assert not workspace.result("film", "transcript.json").exists()
    undisturbed = workspace.copy(tmp_path / "undisturbed")
    shutil.rmtree(undisturbed.result("film", "journal"))
    for library in (workspace, undisturbed):
        library.run(target)
        artifact_files.validate(library.json("film", "transcript.json"), "transcript")
        assert not library.result("film", "journal").exists()
    assert workspace.record("film", "transcript")["items_resumed"] > 0
    assert undisturbed.record("film", "transcript")["items_resumed"] == 0
    whole = undisturbed.result("film", "transcript.json").read_bytes()
    assert workspace.result("film", "transcript.json").read_bytes() == whole


def test_a_full_disk_is_said_and_nothing_is_lost(library):
    folder = library.result("one", "journal")
    with small_disk(folder, "4k"):
        output = library.run(library.target, env=library.environment, ok=False)
        record = library.record("one", "scenedesc")
        said = ".msgpack: the disk is full; free some space, then run again"
        assert f"one: scenedesc: results/one/journal/scenedesc.{library.key}{said}" in output
        assert record["class"] == "resources"
        kept = library.journal()
        assert kept == library.calls - 1 > 0
        resize_disk(folder, "1m")
        library.describe()
    assert library.record("one", "scenedesc")["items_resumed"] == kept
    assert library.artifact.read_bytes() == library.whole
