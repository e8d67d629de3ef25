"""What was computed once is not computed again, and what changed is never missed."""

import os
import shutil
import threading

import pytest

from make_video import make_video, random_story
from reelmake.foundation.journal import Journal
from reelmake.library.stages import STAGES, chosen
from workspace import Workspace

CACHED = [stage for stage in chosen(["transcripts", "descriptions"]) if STAGES[stage].cached]


def outcomes(library: Workspace, video: str = "one") -> dict[str, str]:
    """What the cache was good for, by stage, in the last job of each cached stage."""
    found = library.records("cache")
    return {stage: found[f"{video}/{stage}"] for stage in CACHED}


def every(outcome: str) -> dict[str, str]:
    return dict.fromkeys(CACHED, outcome)


def with_own_videos(finished: Workspace, folder) -> Workspace:
    """The finished library elsewhere, with a copy of its cache and of its videos."""
    library = finished.copy(folder / "work")
    library.videos = folder / "videos"
    shutil.copytree(finished.videos, library.videos, copy_function=shutil.copy2)
    library.config["videos"] = str(library.videos)
    library.config["cache"] = {"dir": "cache"}
    library.run(env=library.without_engines())  # the videos have moved
    return library


@pytest.fixture(scope="module")
def moved(finished, tmp_path_factory) -> Workspace:
    """Only look at it, or copy it."""
    return with_own_videos(finished, tmp_path_factory.mktemp("moved"))


@pytest.fixture
def library(moved, tmp_path) -> Workspace:
    """A library that was restored from its cache. Its videos are others', too."""
    return moved.copy(tmp_path / "work")


def remove_results(library: Workspace) -> None:
    shutil.rmtree(library.folder / "results")


def test_a_deleted_results_folder_is_restored_without_an_engine(finished, tmp_path):
    library = finished.copy(tmp_path / "work")
    library.config["cache"] = {"dir": "cache"}
    before, manifest = library.artifacts(), library.json("one", "manifest.json")
    assert outcomes(library) == every("miss")
    remove_results(library)
    library.run(env=library.without_engines())
    assert library.artifacts() == before
    assert outcomes(library) == outcomes(library, "two") == every("hit")
    after = library.json("one", "manifest.json")
    for content in (manifest, after):
        del content["written"]
        for stage in content["stages"].values():
            for entry in stage["artifacts"]:
                del entry["mtime_ns"]
    assert after == manifest
    assert library.plan() == []


def test_a_moved_or_touched_video_is_looked_up_not_computed(finished, tmp_path):
    library = with_own_videos(finished, tmp_path)
    assert outcomes(library) == outcomes(library, "two") == every("hit")
    before = library.artifacts()
    os.utime(library.videos / "one.mp4")
    assert library.plan() == library.rules  # of one video
    library.run(env=library.without_engines())
    assert outcomes(library) == every("hit")
    # The descriptions say of which file they are.
    assert library.artifacts().keys() == before.keys()
    changed = {name for name, content in library.artifacts().items() if content != before[name]}
    assert changed == {"one/one.scenedesc.msgpack/one.scenedesc.msgpack"}
    assert library.plan() == []


def test_another_film_under_the_old_name_is_computed(finished, tmp_path):
    library = with_own_videos(finished, tmp_path)
    stat = (library.videos / "one.mp4").stat()
    make_video(library.videos / "one.mp4", *random_story(seed=3, seconds=4), 320, 180)
    os.utime(library.videos / "one.mp4", ns=(stat.st_atime_ns, stat.st_mtime_ns))
    library.run()
    assert outcomes(library) == every("miss")
    fresh = Workspace(library.folder.parent / "fresh", library.videos)
    fresh.config["cache"] = False
    fresh.run()
    assert library.artifacts() == fresh.artifacts()


def test_a_setting_changed_and_changed_back(library):
    before = library.artifacts()
    other = ("--config", "keyframes={quality: 50}")
    library.run(*other)
    assert library.artifacts() != before
    assert outcomes(library) == every("hit") | {"keyframes": "miss", "scenedesc": "miss"}
    assert "describe_scenes x2" in library.plan()
    library.run(env=library.without_engines())
    assert library.artifacts() == before
    library.run(*other, env=library.without_engines())


def test_the_same_outcome_under_another_setting_costs_nothing_downstream(library):
    """Another threshold, and the same cuts: keyframes and descriptions are those that were."""
    before = library.result("one", "scenes.json").read_bytes()
    library.run("--config", "source={digest: sampled}", "scenes={min_content: 2.9}")
    assert library.result("one", "scenes.json").read_bytes() == before
    assert outcomes(library)["scenes"] == "miss"
    assert outcomes(library)["keyframes"] == outcomes(library)["scenedesc"] == "hit"


def test_two_checkouts_one_after_the_other_and_at_once(finished, tmp_path):
    """Each with its own copy of the videos, in another folder and with other times."""
    checkouts = []
    for number in range(3):
        videos = tmp_path / f"videos{number}"
        shutil.copytree(finished.videos, videos, copy_function=shutil.copyfile)
        checkouts.append(Workspace(tmp_path / f"work{number}", videos))
        checkouts[-1].config["cache"] = {"dir": str(tmp_path / "cache")}
    threads = [threading.Thread(target=checkout.run) for checkout in checkouts[:2]]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for video in ("one", "two"):
        seen = [outcomes(checkout, video) for checkout in checkouts[:2]]
        for stage in CACHED:
            assert sorted(each[stage] for each in seen) == ["hit", "miss"], (video, stage)
    checkouts[2].run(env=checkouts[2].without_engines())
    assert outcomes(checkouts[2]) == every("hit")
    names = {name for name in finished.artifacts() if "scenedesc" not in name}
    for checkout in checkouts:
        made = checkout.artifacts()
        assert {name: made[name] for name in names} == {
            name: content for name, content in finished.artifacts().items() if name in names
        }
        assert checkout.plan() == []


def test_forced_is_computed_though_the_cache_has_it(library):
    library.run("-R", "detect_scenes")
    forced = dict.fromkeys(("scenes", "keyframes", "scenedesc"), "miss")
    assert outcomes(library) == every("hit") | forced
    library.run("-f", "results/two/transcript.json")
    assert outcomes(library, "two")["transcript"] == "miss"
    library.run("-F")
    assert outcomes(library) == outcomes(library, "two") == every("miss")
    remove_results(library)
    library.run(env=library.without_engines())  # what was forced was kept


def test_without_the_cache(library):
    remove_results(library)
    shutil.rmtree(library.folder / "cache")
    library.run("--config", "cache=false")
    assert outcomes(library) == every("off")
    assert not (library.folder / "cache").exists()
    remove_results(library)
    library.config["cache"]["except"] = ["scenes", "keyframes"]
    library.run()
    off = dict.fromkeys(("scenes", "keyframes"), "off")
    assert outcomes(library) == every("miss") | off
    assert library.plan() == []


def test_a_cache_that_cannot_be_used_is_said_once(library):
    remove_results(library)
    (library.folder / "file").write_text("no folder")
    library.config["cache"] = {"dir": "file"}
    output = library.run()
    assert output.count("reelmake: the artifact cache in ") == 1
    assert "can't be used and is left out" in output
    assert outcomes(library) == every("miss")
    assert library.plan() == []


def test_machines_share_what_they_computed(library, finished):
    """Each has a cache of its own; the folder that they share may be away."""
    shared = library.folder.parent / "shared"
    library.config["cache"]["shared"] = str(shared)
    library.run("-F")
    before = library.artifacts()
    remove_results(library)
    shutil.rmtree(library.folder / "cache")
    library.run(env=library.without_engines())
    assert outcomes(library) == outcomes(library, "two") == every("hit")
    assert library.artifacts() == before
    remove_results(library)
    shutil.rmtree(shared)
    shared.write_text("no folder")
    output = library.run(env=library.without_engines())
    assert outcomes(library) == every("hit")  # the local one has it by now
    library.run("--config", "keyframes={quality: 40}")
    assert output.count("the shared cache at") <= 1
    assert library.artifacts() != before


def test_an_artifact_deleted_by_hand_is_restored(library):
    before = library.artifacts()
    library.result("one", "transcript.json").unlink()
    library.run(env=library.without_engines())
    library.result("one", "one.scenedesc.msgpack").write_bytes(b"")
    library.result("one", "one.scenedesc.msgpack").unlink()
    shutil.rmtree(library.result("two", "keyframes"))
    library.run(env=library.without_engines())
    assert library.artifacts() == before
    assert library.plan() == []


def test_a_restored_artifact_needs_no_journal(library):
    """That a killed job left, before another library computed the same."""
    key = library.json("one", "fingerprints", "scenedesc.json")["key"]
    Journal(library.result("one", "journal"), "scenedesc", key).close()
    library.result("one", "one.scenedesc.msgpack").unlink()
    library.run(env=library.without_engines())
    assert not library.result("one", "journal").exists()


def test_what_follows_an_edited_artifact_is_made_from_it(library):
    """And is not taken for what the film says, here or elsewhere."""
    before = library.artifacts()
    transcript = library.result("one", "transcript.json")
    content = transcript.read_text()
    word = library.json("one", "transcript.json")["segments"][0]["words"][0]["word"]
    transcript.write_text(content.replace(word, "EDITED"))
    library.run()
    assert "EDITED" in library.result("one", "transcript.txt").read_text()
    remove_results(library)
    library.run(env=library.without_engines())
    assert library.artifacts() == before


def test_a_damaged_entry_is_computed_again(library):
    """Though the sound was left out, because the cache had the transcript."""
    before = library.artifacts()
    library.damage_cache("transcript")
    remove_results(library)
    output = library.run()
    assert output.count("transcript") and "is damaged" in output
    assert outcomes(library) == every("hit") | {"transcript": "miss"}
    assert library.artifacts() == before
    remove_results(library)
    library.run(env=library.without_engines())
    assert library.plan() == []


def test_kept_audio_is_extracted_whatever_the_cache_has(library):
    remove_results(library)
    library.config["keep_audio"] = True
    library.run()
    assert library.result("one", "audio.wav").stat().st_size > 100_000
