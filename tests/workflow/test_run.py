"""A run: what it makes is what is in the films, and it is all there."""

import itertools
import json
import math

import pysubs2
import pytest

from drawing import answer
from make_video import make_video, random_story
from reelmake.foundation import artifact_files
from reelmake.library import scene_descriptions
from workspace import ROOT

STORIES = {"one": random_story(seed=1, seconds=8), "two": random_story(seed=2, seconds=5)}


@pytest.fixture(params=STORIES)
def video(request):
    return request.param


def test_the_transcript_says_what_is_spoken_when_it_is_spoken(finished, video):
    _, lines = STORIES[video]
    transcript = finished.json(video, "transcript.json")
    heard = " ".join(segment["text"] for segment in transcript["segments"]).split()
    spoken = " ".join(line.text for line in lines).split()
    wrong = sum(one != other for one, other in zip(heard, spoken, strict=False))
    assert wrong + abs(len(heard) - len(spoken)) <= len(spoken) // 8, (heard, spoken)
    words = [word for segment in transcript["segments"] for word in segment["words"]]
    assert abs(words[0]["start"] - lines[0].start) < 0.4
    for one, other in itertools.pairwise(words):
        assert one["start"] <= other["start"]


def test_subtitles_say_the_same(finished, video):
    transcript = finished.json(video, "transcript.json")
    texts = [segment["text"] for segment in transcript["segments"]]
    for suffix in ("srt", "vtt"):
        read = pysubs2.load(str(finished.result(video, f"transcript.{suffix}")))
        assert " ".join(event.plaintext for event in read).split() == " ".join(texts).split()
        for cue, following in itertools.pairwise([*read, None]):
            lines = cue.plaintext.splitlines()
            assert len(lines) <= 2 and all(len(line) <= 42 for line in lines)
            assert cue.duration <= 7000
            # A second at least, or until the next.
            latest = following.start - 90 if following else math.inf
            assert cue.duration >= 1000 or cue.end >= latest
            assert following is None or following.start - cue.end >= 65  # two frames of 30 a second
    assert finished.result(video, "transcript.txt").read_text().splitlines() == texts


def test_the_scenes_are_the_shots(finished, video):
    shots, _ = STORIES[video]
    scenes = finished.json(video, "scenes.json")["scenes"]
    assert len(scenes) == len(shots)
    start = 0.0
    for scene, shot in zip(scenes, shots, strict=True):
        assert scene["start"] == pytest.approx(start, abs=0.05)
        start += shot.seconds
        assert scene["end"] == pytest.approx(start, abs=0.05)


def test_the_descriptions_name_what_is_shown(finished, video):
    shots, _ = STORIES[video]
    document = scene_descriptions.read(finished.result(video, f"{video}.scenedesc.msgpack"))
    assert document["metadata"]["failed"] == 0
    assert document["metadata"]["source_file"] == f"{video}.mp4"
    assert document["metadata"]["key"] == finished.record(video, "scenedesc")["key"]
    shown = [result["description"] for result in document["results"]]
    right = sum(
        seen["visual_content"] == answer(shot.picture)["visual_content"]
        for seen, shot in zip(shown, shots, strict=True)
    )
    assert right >= len(shots) - len(shots) // 5, shown


def test_every_artifact_is_valid_and_nothing_else_is_left(finished, video):
    for stage in ("media", "transcript", "scenes", "keyframes", "manifest"):
        artifact_files.validate(finished.json(video, f"{stage}.json"), stage)
    left = {path.name for path in finished.result(video).iterdir()}
    assert left == {
        "fingerprints", "jobs", "keyframes", "keyframes.json", "manifest.json", "media.json",
        "scenes.json", "transcript.json", "transcript.md", "transcript.srt", "transcript.txt",
        "transcript.vtt", f"{video}.scenedesc.msgpack",
    }  # fmt: skip
    assert not list(finished.folder.rglob("*.tmp-*"))


def test_every_job_left_its_record(finished, video):
    for stage in finished.stages:
        record = finished.record(video, stage)
        sidecar = finished.json(video, "fingerprints", f"{stage}.json")
        assert (record["state"], record["attempt"]) == ("done", 1)
        assert record["key"] == sidecar["key"]
        assert record["started"] <= record["ended"]
        assert (finished.folder / record["log"]).exists()


def test_a_target_of_its_own_makes_no_more(workspace, spoken_film):
    (workspace.videos / "film.mp4").symlink_to(spoken_film)
    speech = ["extract_audio", "probe_media", "transcribe"]
    assert workspace.plan("results/film/transcript.json") == speech
    assert workspace.plan("transcripts") == sorted([*speech, "write_subtitles"])
    assert workspace.plan("scenes") == ["detect_scenes", "extract_keyframes", "probe_media"]
    workspace.run("scenes")
    assert workspace.result("film", "keyframes.json").exists()
    assert not workspace.result("film", "transcript.json").exists()
    assert workspace.plan("scenes") == []
    assert workspace.plan("descriptions") == ["describe_scenes"]


def test_several_targets_of_a_new_video(workspace, spoken_film):
    """Snakemake looks at a folder once: all sidecars must be there by then."""
    (workspace.videos / "film.mp4").symlink_to(spoken_film)
    workspace.run("results/film/scenes.json", "results/film/transcript.json")
    assert workspace.result("film", "scenes.json").exists()
    assert workspace.result("film", "transcript.json").exists()


def test_an_explicit_file_of_a_changed_setting_is_made_again(finished, tmp_path):
    library = finished.copy(tmp_path / "work")
    args = ("results/one/scenes.json", "--config", "scenes={threshold: 9}")
    assert library.plan(*args) == ["detect_scenes"]
    library.run(*args)
    assert library.json("one", "fingerprints", "scenes.json")["settings"]["scenes.threshold"] == 9
    assert library.plan(*args) == []


def test_keep_audio(workspace, spoken_film):
    (workspace.videos / "film.mp4").symlink_to(spoken_film)
    workspace.run("transcripts", "--config", "keep_audio=true")
    assert workspace.result("film", "audio.wav").exists()


def test_mistakes_are_refused_in_one_line(workspace, spoken_film):
    (workspace.videos / "film.mp4").symlink_to(spoken_film)
    for args, says in (
        (["--config", "videos=nowhere"], "videos: nowhere does not exist"),
        (["--config", "vidoes=x"], "did you mean 'videos'?"),
        (["--config", "transcription={modle: x}"], "did you mean 'transcription.model'?"),
        (["--config", "transcription={beam_size: x}"], "transcription.beam_size"),
        (["results/flim/media.json"], "did you mean 'film'"),
    ):
        for dry in ([], ["-n"]):
            output = workspace.run(*dry, *args, ok=False)
            assert says in output
            assert "Traceback" not in output
    assert not (workspace.folder / "results").exists()


def test_the_demos_artifacts_are_made_from_what_the_manifest_says(finished):
    written = finished.json("one", "manifest.json")
    assert written["stages"]["transcript"]["settings"]["transcription.model"]["name"] == "speech"
    assert "faster-whisper" in written["stages"]["transcript"]["engines"]
    assert json.loads(json.dumps(written["source"])) == written["source"]


def test_models_that_are_not_here_are_said_before_any_job(workspace, tmp_path):
    """And no job tries to download one."""
    make_video(workspace.videos / "one.mp4", *random_story(seed=3, seconds=2), 160, 90)
    workspace.config["transcription"]["model"] = "someone/speech"
    nowhere = {"HF_HUB_CACHE": str(tmp_path / "hub"), "HF_HUB_OFFLINE": "0"}
    nowhere |= {"HF_ENDPOINT": "http://127.0.0.1:9"}  # on which nobody listens
    says = "reelmake: not on this machine: speech model someone/speech; a job that needs one"
    assert workspace.run("-n", env=nowhere).count(says) == 1
    assert "not on this machine" not in workspace.run("-n", "scenes", env=nowhere)
    output = workspace.run(ok=False, env=nowhere)
    assert output.count(says) == 1 and output.index(says) < output.index("Job stats")
    record = workspace.record("one", "transcript")
    assert (record["state"], record["class"], record["attempt"]) == ("failed", "engine", 1)
    assert "`reel models` downloads it, once" in record["error"]
    assert workspace.result("one", "scenes.json").exists()

    output = workspace.run("models", ok=False, env=nowhere)
    assert "speech of someone/speech can't be downloaded (the hub can't be reached" in output
    assert f"copy {tmp_path / 'hub' / 'models--someone--speech'} here" in output
    workspace.config["transcription"]["model"] = str(ROOT / "demo/models/speech")
    output = workspace.run("models", env=nowhere)
    assert output.count(" is here: ") == 3
