"""`reel`: what it says of a library agrees with what Snakemake does."""

import json
import os
import pty
import shutil

import pytest

from reelmake.library.stages import STAGES
from reelmake.reel import main
from workspace import Workspace, snapshot

RULES = {stage.rule: stage.name for stage in STAGES.values()}


@pytest.fixture
def library(finished, tmp_path) -> Workspace:
    """A copy of the finished library with a copy of its cache."""
    library = finished.copy(tmp_path / "work")
    library.config["cache"] = {"dir": "cache"}
    return library


def explained(library: Workspace, *args: str, video: str = "one") -> dict[str, dict]:
    """What `reel explain` says, by stage."""
    said = json.loads(library.reel("explain", video, "--json", *args))
    assert said["video"] == video
    return {stage["stage"]: stage for stage in said["stages"]}


def planned(library: Workspace, *args: str) -> set[str]:
    """The stages that a dry run would run, of a library where one video differs at most."""
    return {RULES[job.split()[0]] for job in library.plan(*args)}


def stale(found: dict[str, dict]) -> set[str]:
    return {name for name, stage in found.items() if stage["state"] == "stale"}


@pytest.mark.parametrize(
    "change",
    [
        "nothing",
        "scenes={threshold: 7}",
        "transcription={beam_size: 2}",
        "audio={track: 0}",
        "description={seed: 3}",
        "source={digest: full}",
    ],
)
def test_explain_says_what_a_dry_run_does(finished, change):
    given = () if change == "nothing" else ("--config", change)
    before = snapshot(finished.folder / "results")
    found = explained(finished, *given)
    assert stale(found) == planned(finished, *given)
    assert snapshot(finished.folder / "results") == before
    if given:
        section, _, rest = change.partition("={")
        setting = f"{section}.{rest.partition(':')[0]}"
        reasons = [reason for stage in found.values() for reason in stage["reasons"]]
        assert any(reason.startswith(f"{setting} ") and " -> " in reason for reason in reasons)


def spoil_nothing(library):
    shutil.rmtree(library.result("one"))


def delete_scenes(library):
    library.result("one", "scenes.json").unlink()


def delete_keyframe(library):
    next(library.result("one", "keyframes").glob("*.jpg")).unlink()


def edit_transcript(library):
    path = library.result("one", "transcript.json")
    path.write_text(path.read_text().replace("0.", "0.0", 1))


def delete_subtitle(library):
    library.result("one", "transcript.vtt").unlink()


@pytest.mark.parametrize(
    "damage", [spoil_nothing, delete_scenes, delete_keyframe, edit_transcript, delete_subtitle]
)
def test_explain_says_what_a_run_makes_again(library, damage):
    damage(library)
    found = explained(library)
    assert stale(found) == planned(library)
    assert stale(explained(library, video="two")) == set()
    # Everything is made again, so the manifest is, too.
    assert found["manifest"]["state"] == "stale"


def test_explain_for_people(library):
    said = library.reel("explain", "one")
    assert said.count("up to date since 20") == len(library.stages)
    said = library.reel("explain", "one", "scenes", "--config", "scenes={threshold: 7}")
    assert "scenes      runs: scenes.threshold null -> 7.0" in said
    assert "transcript" not in said
    assert "did you mean 'one'" in library.reel("explain", "onee", ok=False)
    assert "did you mean 'scenes'" in library.reel("explain", "one", "scene", ok=False)
    said = library.reel("explain", "one", "--config", "scenes={treshold: 7}", ok=False)
    assert "did you mean 'scenes.threshold'?" in said


def test_verify_finds_what_was_changed_and_a_run_restores_it(library):
    assert "0 bad" in library.reel("verify")
    before = library.artifacts()
    transcript, scenes = (library.result("one", name) for name in ("transcript.srt", "scenes.json"))
    transcript.write_text("edited")
    stat = scenes.stat()
    content = bytearray(scenes.read_bytes())
    content[50] ^= 1
    scenes.write_bytes(content)
    os.utime(scenes, ns=(stat.st_atime_ns, stat.st_mtime_ns))
    picture = next(library.result("two", "keyframes").glob("*.jpg"))
    picture.write_bytes(b"")
    said = library.reel("verify", ok=False)
    assert "results/one/transcript.srt: it was changed since it was made" in said
    assert "results/one/scenes.json: it is damaged: other content under the same time" in said
    assert f"{picture.name}: it was changed since it was made, 0 bytes instead of" in said
    assert "3 bad" in said
    assert transcript.read_text() == "edited"
    found = json.loads(library.reel("verify", "one", "--json", ok=False))
    assert {bad["path"] for bad in found["bad"]} == {
        "results/one/transcript.srt",
        "results/one/scenes.json",
    }
    library.reel("verify", "--fix", ok=False)
    assert not transcript.exists()
    library.run(env=library.without_engines())
    assert library.artifacts() == before
    assert "0 bad" in library.reel("verify")


def test_verify_reads_no_file_outside(library):
    """A manifest is a file, too: someone may have written another path into it."""
    path = library.result("one", "manifest.json")
    manifest = json.loads(path.read_bytes())
    secret = library.folder / "secret"
    secret.write_text("secret")
    manifest["stages"]["scenes"]["artifacts"][0]["path"] = "../../secret"
    path.write_text(json.dumps(manifest))
    assert "outside of the video's folder" in library.reel("verify", "--fix", ok=False)
    assert secret.exists()
    library.run()
    assert "0 bad" in library.reel("verify")


def test_cache_info_and_list(library):
    info = json.loads(library.reel("cache", "info", "--json"))
    assert info["entries"] == 12
    assert set(info["stages"]) == {name for name in library.stages if STAGES[name].cached}
    assert info["bytes"] > 1000
    assert str(library.folder / "cache") in library.reel("cache", "info")
    entries = json.loads(library.reel("cache", "list", "--video", "one", "--json"))
    assert {entry["stage"] for entry in entries} == set(info["stages"])
    assert len(library.reel("cache", "list").splitlines()) == 12
    assert len(library.reel("cache", "list", "--stage", "scenes").splitlines()) == 2
    assert library.reel("cache", "list", "--older-than", "1d") == ""


def test_cache_clean(library):
    def left() -> int:
        return json.loads(library.reel("cache", "info", "--json"))["entries"]

    assert "say what to remove" in library.reel("cache", "clean", ok=False)
    assert "add --yes" in library.reel("cache", "clean", "--all", ok=False)
    said = library.reel("cache", "clean", "--stage", "scenes", "--dry-run")
    assert "would remove 2 entries" in said
    assert left() == 12
    assert "removed 2 entries" in library.reel("cache", "clean", "--stage", "scenes", "--yes")
    assert "removed 5 entries" in library.reel("cache", "clean", "--video", "one", "--yes")
    assert "removed 0 entries" in library.reel("cache", "clean", "--older-than", "7d", "--yes")
    assert "did you mean 'scenes'" in library.reel("cache", "clean", "--stage", "scene", ok=False)
    assert "is not a duration" in library.reel("cache", "clean", "--older-than", "7", ok=False)
    assert left() == 5
    removed = json.loads(library.reel("cache", "clean", "--all", "--yes", "--json"))
    assert removed["removed"] == 5
    assert left() == 0


@pytest.mark.parametrize(("answer", "entries"), [("n", 12), ("y", 0)])
def test_cache_clean_asks(library, answer, entries):
    ours, theirs = pty.openpty()
    with os.fdopen(ours, "w") as terminal:
        terminal.write(f"{answer}\n")
        terminal.flush()
        said = library.reel("cache", "clean", "--all", ok=answer == "y", stdin=theirs)
    os.close(theirs)
    assert "Remove 12 entries, " in said
    assert json.loads(library.reel("cache", "info", "--json"))["entries"] == entries


def test_cache_verify(library):
    assert "12 entries read and whole, 0 damaged" in library.reel("cache", "verify")
    library.damage_cache("scenes")
    said = library.reel("cache", "verify", ok=False)
    assert said.count("quarantined") == 2
    assert "10 entries read and whole, 0 damaged" in library.reel("cache", "verify")


def test_warm_restores_what_a_run_then_finds_done(library):
    before = library.artifacts()
    shutil.rmtree(library.folder / "results")
    said = library.reel("cache", "warm")
    assert "12 artifacts restored" in said
    assert "2 of 2 videos are finished; nothing is missing" in said
    assert library.artifacts() == before
    assert library.plan() == []
    assert library.plan("--config", "prune=false") == []
    assert library.json("one", "manifest.json")["stages"]["scenes"]["engines"]
    assert "0 artifacts restored" in library.reel("cache", "warm")
    # Moved: only what depends on the place is new.
    shutil.move(library.folder / "results" / "one", library.folder / "gone")
    library.reel("cache", "warm")
    assert library.artifacts() == before


def test_warm_leaves_to_the_run_what_the_cache_lacks(library):
    before = library.artifacts()
    library.reel("cache", "clean", "--stage", "keyframes", "--yes")
    shutil.rmtree(library.folder / "results")
    said = json.loads(library.reel("cache", "warm", "--json").partition("\n")[2])
    assert (said["restored"], said["missing"], said["finished"]) == (8, 4, 0)
    assert planned(library) == {"keyframes", "scenedesc", "manifest"}
    library.run()
    assert library.artifacts() == before
    # A part of what was there is stale: what follows is restored, too.
    library.result("one", "scenes.json").unlink()
    library.reel("cache", "warm")
    assert library.plan() == []
    assert library.artifacts() == before


def test_warm_and_fix_wait_for_no_run(library):
    shutil.rmtree(library.folder / "results")
    process = library.start("--config", "cache=false")
    try:
        while not library.result("one", "jobs", "media.json").exists():
            library.goes_on(process)
        assert "another run is processing" in library.reel("cache", "warm", ok=False)
        assert "another run is processing" in library.reel("verify", "--fix", ok=False)
        library.reel("explain", "one")
        library.reel("verify")
    finally:
        output, _ = process.communicate(timeout=200)
    assert process.returncode == 0, output


@pytest.mark.parametrize(
    "command",
    [
        ["explain"],
        ["verify"],
        ["status"],
        ["plan"],
        ["doctor"],
        *(["cache", name] for name in ("info", "list", "verify", "clean", "warm")),
    ],
)
def test_help_shows_an_example(command, capsys):
    with pytest.raises(SystemExit) as ended:
        main.main([*command, "--help"])
    assert ended.value.code == 0
    said = capsys.readouterr().out
    assert f"example:\n  reel {' '.join(command)}" in said
    assert "--json" in said
