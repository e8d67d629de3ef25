"""Broken and odd files: one clear sentence, nothing half done, and the others go on."""

import os
import shutil
import subprocess
import sys
import threading
import time

import pytest

import make_media
from faults import respect_permissions
from make_video import make_video, random_story
from reelmake.library import config, videos
from workspace import ROOT, Workspace

BROKEN = {
    "empty": "is empty",
    "text": "is not a video",
    "no-moov": "no readable index (moov)",
    "cut-off": "cut off: get the whole file",
    "unreadable": "no permission",
    "pipe": "is not a file",
    "playlist": "a list of other files",
}
"""Files that fail, and something that the sentence says."""

ODD = {
    "vfr.mkv": make_media.vfr,
    "rotated": make_media.rotated,
    "ten_bit": make_media.ten_bit,
    "odd_width.mkv": make_media.odd_size,
    "one_frame": make_media.one_frame,
    "starts_late.ts": lambda path: make_media.sync(path, audio="mp2"),
    "surround.mkv": lambda path: with_sound(path, 48000, "5.1"),
    "phone.mkv": lambda path: with_sound(path, 8000, "mono"),
    "silent": make_media.three_scenes,
    "sound_only.mkv": lambda path: make_media.sound(path, codec="aac"),
}
"""Files that are unusual, and fine."""

NAMES = [
    "with space.mp4",
    "quo'te.mp4",
    'dou"ble.mp4',
    "new\nline.mp4",
    "emoji 🎬.mp4",
    "-dash.mp4",
    "--help.mp4",
    "$(touch hacked).mp4",
    "`touch hacked`; touch hacked.mp4",
    "{video}.mp4",
    "%d.mp4",
    "concat:a|b.mp4",
    "a..mp4",
    "Case.mp4",
    "case.mp4",
    "ü" * 123 + ".mp4",
    "x" * 251 + ".mp4",
    "not utf8 \udcff.mp4",
]
"""Names of files that are fine."""


def with_sound(path, rate, layout):
    sound = make_media.sound(path.with_name(f"sound-{path.name}"), rate, layout)
    picture = make_media.three_scenes(path.with_name(f"picture-{path.name}"))
    make_media.ffmpeg("-i", picture, "-i", sound, "-c", "copy", path)
    sound.unlink()
    picture.unlink()


def make_broken(folder):
    os.mkfifo(folder / "pipe.mp4")
    (folder / "playlist.mp4").write_text("ffconcat version 1.0\nfile 'rotated.mp4'\n")
    (folder / "empty.mp4").touch()
    (folder / "text.mp4").write_text("This is a diary, not a film.\n" * 100)
    make_media.cut_short(folder / "no-moov.mp4", 0.6)
    make_media.cut_short(folder / "cut-off.mp4", 0.6, "-movflags", "+faststart")
    make_media.three_scenes(folder / "unreadable.mp4")
    (folder / "unreadable.mp4").chmod(0)


@pytest.fixture(scope="module")
def library(tmp_path_factory):
    """A library of broken and odd files after one run; and the output of the run."""
    folder = tmp_path_factory.mktemp("bad")
    library = Workspace(folder / "work", folder / "videos")
    del library.config["stages"]  # all of them
    library.config["highlights"] = {"threshold": 0}
    make_broken(library.videos)
    for name, make in ODD.items():
        make(library.videos / (name if "." in name else f"{name}.mp4"))
    library.output = library.run(ok=False, preexec_fn=respect_permissions)
    return library


@pytest.mark.parametrize("video", BROKEN)
def test_a_broken_file_fails_with_one_sentence(library, video):
    record = library.record(video, "media")
    assert (record["state"], record["class"]) == ("failed", "input")
    assert record["error"].startswith(f"{video}: media: ")
    assert f"{video}.mp4" in record["error"]
    assert BROKEN[video] in record["error"]
    assert "\n" not in record["error"]
    assert f"reelmake: {record['error']}" in library.output
    log = (library.folder / record["log"]).read_text()
    assert record["error"] in log
    assert "Traceback" not in log
    assert {path.name for path in library.result(video).iterdir()} == {"fingerprints", "jobs"}


def test_no_traceback_reaches_the_user(library):
    assert "Traceback" not in library.output


@pytest.mark.parametrize("video", ODD)
def test_an_odd_file_is_finished(library, video):
    assert library.result(video, "manifest.json").exists()
    scenes = library.json(video, "scenes.json")["scenes"]
    keyframes = library.json(video, "keyframes.json")["keyframes"]
    assert len(scenes) == len(keyframes)
    assert (len(scenes) > 0) == (video != "sound_only.mkv")
    for clip in library.json(video, "clips.json")["clips"]:
        assert library.result(video, "clips", clip["file"]).stat().st_size
    assert library.json(video, "narrative.json")["beats"]
    assert library.result(video, "trailer.mp4").stat().st_size


def test_a_video_without_sound_gets_an_empty_transcript(library):
    transcript = library.json("silent", "transcript.json")
    assert transcript["segments"] == []
    assert library.result("silent", "transcript.srt").read_text() == ""


@pytest.mark.parametrize("video", ODD)
def test_who_speaks_is_known_of_odd_sound_and_of_none(library, video):
    found = library.json(video, "speakers.json")
    assert found["failure"] is None
    if video in ("silent", "one_frame"):
        assert found["turns"] == found["speakers"] == []


def test_a_second_run_takes_up_only_what_failed(library):
    assert library.plan() == [f"{rule} x{len(BROKEN)}" for rule in library.rules]


def test_odd_names(workspace):
    """In one small library; nothing of a name is run, and nothing leaves results/."""
    film = workspace.videos / "plain.mp4"
    make_media.one_frame(film)
    for name in NAMES:
        shutil.copy(film, os.path.join(workspace.videos, name))
    ids = videos.find(config.load({"videos": str(workspace.videos)}))
    assert len(ids) == len(NAMES) + 1
    workspace.run("scenes")
    results = workspace.folder / "results"
    assert {path.name for path in results.iterdir()} == set(ids)
    for id in ids:
        assert workspace.json(id, "keyframes.json")["keyframes"]
    assert {path.name for path in workspace.folder.iterdir()} == {
        ".snakemake",
        "cache",
        "logs",
        "results",
        "test.yaml",
    }
    assert workspace.plan("scenes") == []


def test_names_with_quotes_go_all_the_way(workspace):
    make_video(
        workspace.videos / 'Tom\'s "🎬" film.mp4', *random_story(seed=4, seconds=4), 320, 180
    )
    workspace.run()
    (id,) = (path.name for path in (workspace.folder / "results").iterdir())
    assert workspace.json(id, "transcript.json")["segments"]
    assert workspace.plan() == []


def test_a_missing_source_fails_alone(workspace):
    make_media.one_frame(workspace.videos / "here.mp4")
    sheet = workspace.folder / "sheet.tsv"
    sheet.write_text(f"source\tid\n{workspace.videos / 'here.mp4'}\there\nnowhere.mp4\tgone\n")
    workspace.config["videos"] = str(sheet)
    output = workspace.run("scenes", ok=False)
    assert workspace.result("here", "scenes.json").exists()
    record = workspace.record("gone", "media")
    assert record["class"] == "input"
    assert "gone: media: " in record["error"]
    assert "nowhere.mp4 is gone" in record["error"]
    assert record["error"] in output


def test_a_growing_file_is_left_for_later(workspace):
    make_media.one_frame(workspace.videos / "whole.mp4")
    growing = workspace.videos / "growing.mp4"
    make_media.three_scenes(growing)
    whole = growing.read_bytes()
    workspace.config["settle_seconds"] = 1
    stop = threading.Event()

    def grow():
        with growing.open("wb") as file:
            while not stop.wait(0.1):
                file.write(whole[:100])
                file.flush()

    thread = threading.Thread(target=grow)
    thread.start()
    time.sleep(0.3)
    try:
        output = workspace.run("scenes")
    finally:
        stop.set()
        thread.join()
    assert "growing.mp4: still being written" in output
    assert workspace.result("whole", "scenes.json").exists()
    assert workspace.record("growing", "media")["state"] == "failed"
    assert not workspace.result("growing", "fingerprints").exists()
    growing.write_bytes(whole)
    workspace.run("scenes")
    assert workspace.result("growing", "scenes.json").exists()


def test_a_source_replaced_while_it_is_processed_is_not_published(finished, tmp_path):
    """The job compares the source with its fingerprint again before it publishes."""
    source = tmp_path / "film.mp4"
    make_media.three_scenes(source)
    code = f"""
import os, sys
sys.path[:0] = [{str(ROOT / "scripts")!r}]
from pathlib import Path
import probe_media
from reelmake.foundation import artifact_files
from reelmake.jobs.runner import job
from reelmake.library import config, fingerprints, sources
from reelmake.media import probing
settings = fingerprints.settings(config.load({{}}))
wanted = fingerprints.compute(settings, sources.identify({str(source)!r}))
artifact_files.write_json(Path("results/V/fingerprints/media.json"), wanted["media"])
probe = probing.probe
def replaced(path):
    found = probe(path)
    os.utime(path)
    return found
probing.probe = replaced
with job("results/V/fingerprints/media.json", "log", {{}}) as this:
    probe_media.probe_media(this, Path("results/V/media.json"))
"""
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True, check=False
    )
    assert done.returncode == 1
    assert "changed since this run looked at it" in done.stderr
    assert not (tmp_path / "results" / "V" / "media.json").exists()


MODELS = ROOT / "demo" / "models"


@pytest.mark.parametrize(
    ("stage", "given", "says"),
    [
        ("scenedesc", {"description": {"model": "nowhere.gguf"}}, "No such file"),
        ("scenedesc", {"description": {"mmproj": "nowhere.gguf"}}, "No such file"),
        ("scenedesc", {"description": {"model": str(ROOT / "README.md")}}, "not a GGUF file"),
        ("scenedesc", {"description": {"mmproj": str(ROOT / "README.md")}}, "not a GGUF file"),
        (
            "scenedesc",
            {"description": {"mmproj": str(MODELS / "vision" / "text.gguf")}},
            "not the vision encoder",
        ),
        (
            "scenedesc",
            {"description": {"model": str(MODELS / "vision" / "mmproj.gguf")}},
            "cannot be loaded",
        ),
        ("scenedesc", {"description": {"handler": "gpt"}}, "description.handler is one of"),
        ("scenedesc", {"description": {"repo_id": "owner/name"}}, "`reel models` downloads"),
        ("transcript", {"transcription": {"model": "./nowhere"}}, "does not exist"),
        ("transcript", {"transcription": {"model": str(ROOT)}}, "not a converted Whisper model"),
        ("transcript", {"transcription": {"model": "small"}}, "`reel models` downloads"),
        ("audio", {"audio": {"track": "deu"}}, "deu"),
        ("audio", {"audio": {"track": 7}}, "7"),
        ("audio", {"ffmpeg": "/nowhere/ffmpeg", "audio": {"track": 0}}, "ffmpeg is not at"),
    ],
)
def test_a_wrong_model_or_track_is_named_with_the_next_step(finished, tmp_path, stage, given, says):
    library = finished.copy(tmp_path / "work")
    library.config = config.load(library.config)
    for section, settings in given.items():
        if isinstance(settings, dict):
            library.config[section].update(settings)
        else:
            library.config[section] = settings
    target = {
        "scenedesc": "results/one/one.scenedesc.msgpack",
        "transcript": "results/one/transcript.json",
        "audio": "results/one/transcript.json",
    }[stage]
    output = library.run(target, ok=False, env={"HF_HUB_CACHE": str(tmp_path / "hub")})
    record = library.record("one", stage)
    assert record["state"] == "failed"
    assert says in record["error"]
    assert record["error"] in output
    assert "Traceback" not in output
    # What was there before is there, and nothing half done beside it.
    assert library.folder.joinpath(target).read_bytes() == (finished.folder / target).read_bytes()
    assert not library.result("one", "audio.wav").exists() or stage == "transcript"


NO_PICTURE = b"\xff\xd8begins and ends like one\xff\xd9"
"""One that is cut off would be made again."""


def test_a_frame_that_fails_is_null_and_all_frames_that_fail_are_an_error(finished, tmp_path):
    library = finished.copy(tmp_path / "work")
    folder = library.result("one", "keyframes")
    pictures = sorted(folder.glob("*.jpg"))
    pictures[0].write_bytes(NO_PICTURE)
    library.run("results/one/one.scenedesc.msgpack", "-R", "describe_scenes")
    from reelmake.library import scene_descriptions

    document = scene_descriptions.read(library.result("one", "one.scenedesc.msgpack"))
    assert [result["description"] is None for result in document["results"]] == [
        number == 0 for number in range(len(pictures))
    ]
    assert document["metadata"]["failed"] == 1
    assert library.record("one", "scenedesc")["items_failed"] == 1
    for picture in pictures:
        picture.write_bytes(NO_PICTURE)
    library.run("results/one/one.scenedesc.msgpack", "-R", "describe_scenes", ok=False)
    assert f"failed on all {len(pictures)} frames" in library.record("one", "scenedesc")["error"]
    kept = scene_descriptions.read(library.result("one", "one.scenedesc.msgpack"))
    assert kept == document
    assert "describe_scenes" in library.plan()
