"""What makes what stale, proved by Snakemake's own list of jobs."""

import os
import shutil

import pytest

from make_video import make_video, random_story
from reelmake.library import config, fingerprints
from reelmake.library.stages import STAGES, downstream
from workspace import Workspace, snapshot

MEDIA = ["media"]
AUDIO = ["audio"]
TRANSCRIPT = ["transcript"]
SCENES = ["scenes"]
KEYFRAMES = ["keyframes"]
ONSCREEN = ["onscreen"]
SCENEDESC = ["scenedesc"]
EMBEDDINGS = ["embeddings"]
SEGMENTS = ["segments"]
SCORES = ["scores"]
HIGHLIGHTS = ["highlights"]
CLIPS = ["clips"]
SUBTITLES = ["subtitles", "translated_subtitles", "clips"]
SPEAKERS = ["speakers"]
TRANSLATIONS = ["translations"]
NARRATIVE = ["narrative"]
CHAPTERS = ["chapters"]
TRAILER = ["trailer"]
NOTHING: list[str] = []

# Each setting, another value, and the stages that use it: they and what is made from them run.
TABLE = {
    "extensions": (["mp4"], NOTHING),
    "settle_seconds": (0.01, NOTHING),
    "stages": (["transcripts"], ["subtitles"]),  # without the speakers
    "keep_audio": (True, NOTHING),
    "prune": (False, NOTHING),
    "failed": ("skip", NOTHING),
    "retries": (0, NOTHING),
    "retry_wait": ("1s", NOTHING),
    "min_free": ("1 MB", NOTHING),
    "ffmpeg": ("/usr/bin/ffmpeg", NOTHING),
    "cache.enabled": (False, NOTHING),
    "cache.dir": ("elsewhere", NOTHING),
    "cache.size_limit": ("1 MB", NOTHING),
    "cache.ttl": ("1d", NOTHING),
    "cache.stage_ttl": ({"media": "1d"}, NOTHING),
    "cache.except": (["media"], NOTHING),
    "cache.shared": ("elsewhere", NOTHING),
    "cache.lock_timeout": ("1s", NOTHING),
    "share.films": (100, NOTHING),
    "share.minutes": (60, NOTHING),
    "hardware.profile": ("large", NOTHING),  # the demo names its own models
    "hardware.device": ("auto", NOTHING),
    "hardware.threads": (2, NOTHING),
    "hardware.gpu_layers": (0, NOTHING),
    "hardware.answers_at_once": (4, NOTHING),
    "hardware.keep_warm": ("0s", NOTHING),
    "hardware.requests_at_once": (8, NOTHING),
    "hardware.request_timeout": ("1m", NOTHING),
    "source.digest": ("full", MEDIA),
    "source.url_ttl": ("7d", NOTHING),
    "source.url_step": ("1h", NOTHING),
    "audio.track": (0, AUDIO + SPEAKERS),
    "audio.mix": ("left", AUDIO + SPEAKERS),
    "audio.undecodable": ("leave_out", AUDIO + SPEAKERS),
    "transcription.model": ("small", TRANSCRIPT),
    "transcription.endpoint": ("http://localhost:1/v1", TRANSCRIPT),
    "transcription.compute_type": ("int8", TRANSCRIPT),
    "transcription.language": ("de", TRANSCRIPT),
    "transcription.beam_size": (1, TRANSCRIPT),
    "transcription.batch_size": (4, TRANSCRIPT),
    "transcription.chunk_minutes": (10, TRANSCRIPT),
    "transcription.temperature": (0.5, TRANSCRIPT),
    "transcription.condition_on_previous_text": (True, TRANSCRIPT),
    "transcription.initial_prompt": ("Übung", TRANSCRIPT),
    "transcription.vad_filter": (False, TRANSCRIPT),
    "transcription.word_timestamps": (False, TRANSCRIPT),
    "transcription.allow_empty": (True, TRANSCRIPT),
    "scenes.detector": ("content", SCENES),
    "scenes.threshold": (4.0, SCENES),
    "scenes.window": (2, SCENES),
    "scenes.min_content": (10, SCENES),
    "scenes.min_seconds": (1.0, SCENES),
    "keyframes.per_scene": (2, KEYFRAMES),
    "keyframes.strategy": ("middle", KEYFRAMES),
    "keyframes.nth_frame": (1, KEYFRAMES),
    "keyframes.window_seconds": (1.0, KEYFRAMES),
    "keyframes.max_resolution": (320, KEYFRAMES),
    "keyframes.quality": (80, KEYFRAMES),
    "keyframes.face_filter": (True, KEYFRAMES),
    "onscreen.languages": (["de"], NOTHING),  # which the same model reads
    "onscreen.models": ("elsewhere", NOTHING),
    "onscreen.min_confidence": (0.7, ONSCREEN),
    "onscreen.every_seconds": (1, ONSCREEN),
    "onscreen.max_resolution": (640, ONSCREEN),
    "description.endpoint": ("http://localhost:1/v1", SCENEDESC),
    "description.repo_id": ("owner/name", SCENEDESC),
    "description.model": ("other.gguf", SCENEDESC),
    "description.mmproj": ("other.gguf", SCENEDESC),
    "description.handler": ("llava-1-5", SCENEDESC),
    "description.prompt": ("What is this?", SCENEDESC),
    "description.max_tokens": (100, SCENEDESC),
    "description.context": (1024, SCENEDESC),
    "description.seed": (1, SCENEDESC),
    "embeddings.text_model": ("owner/name", EMBEDDINGS),
    "embeddings.image_model": (None, EMBEDDINGS),
    "embeddings.image_text_model": ("owner/name", NOTHING),
    "embeddings.batch": (1, NOTHING),
    "segments.min_seconds": (1, SEGMENTS),
    "segments.max_seconds": (8, SEGMENTS),
    "segments.pause_seconds": (0.3, SEGMENTS),
    "segments.snap_seconds": (0.2, SEGMENTS),
    "segments.per_minute": (2, SEGMENTS),
    "transcription.task": ("translate", TRANSCRIPT),
    "transcription.hotwords": ("Samsa", TRANSCRIPT),
    "transcription.multilingual": (True, TRANSCRIPT),
    "transcription.language_detection_segments": (3, TRANSCRIPT),
    "transcription.no_speech_threshold": (0.5, TRANSCRIPT),
    "transcription.log_prob_threshold": (-0.5, TRANSCRIPT),
    "transcription.compression_ratio_threshold": (2, TRANSCRIPT),
    "transcription.hallucination_silence_threshold": (2, TRANSCRIPT),
    "transcription.repetition_penalty": (1.1, TRANSCRIPT),
    "transcription.no_repeat_ngram_size": (3, TRANSCRIPT),
    "transcription.suppress_tokens": ([], TRANSCRIPT),
    "transcription.vad_method": ("filter", TRANSCRIPT),
    "transcription.vad_level": (False, TRANSCRIPT),
    "transcription.implausible": ("keep", TRANSCRIPT),
    "transcription.vad_threshold": (0.3, TRANSCRIPT),
    "transcription.vad_min_silence": (1, TRANSCRIPT),
    "transcription.vad_pad": (0.2, TRANSCRIPT),
    "speakers.count": (2, SPEAKERS),
    "speakers.threshold": (0.7, SPEAKERS),
    "speakers.min_seconds": (0.5, SPEAKERS),
    "speakers.segmentation_model": ("owner/name", SPEAKERS),
    "speakers.embedding_model": ("owner/name/file.onnx", SPEAKERS),
    "speakers.names": ("other.csv", NOTHING),  # what it says of a film counts
    "speakers.match": (0.8, NOTHING),
    "subtitles.max_chars": (37, SUBTITLES),
    "subtitles.max_lines": (1, SUBTITLES),
    "subtitles.max_cps": (17, SUBTITLES),
    "subtitles.min_seconds": (0.5, SUBTITLES),
    "subtitles.max_seconds": (6, SUBTITLES),
    "translations.languages": (["de", "fr"], TRANSLATIONS),
    "translations.prompt": ("{language}: {lines}", TRANSLATIONS),
    "translations.lines_at_once": (2, TRANSLATIONS),
    "translations.context_lines": (1, TRANSLATIONS),
    "text_model.endpoint": ("http://localhost:1/v1", SCORES + NARRATIVE + TRANSLATIONS),
    "text_model.repo_id": ("owner/name", SCORES + NARRATIVE + TRANSLATIONS),
    "text_model.model": ("other.gguf", SCORES + NARRATIVE + TRANSLATIONS),
    "text_model.max_tokens": (100, SCORES + NARRATIVE + TRANSLATIONS),
    "text_model.context": (1024, SCORES + NARRATIVE + TRANSLATIONS),
    "text_model.language": ("de", SCORES + NARRATIVE),
    "text_model.thinking": (True, SCORES + NARRATIVE + TRANSLATIONS),
    "text_model.seed": (1, SCORES + NARRATIVE + TRANSLATIONS),
    "scores.prompt": ("How good is {text}?", SCORES),
    "highlights.threshold": (3, HIGHLIGHTS),
    "highlights.max_count": (1, HIGHLIGHTS),
    "highlights.min_gap_seconds": (0, HIGHLIGHTS),
    "clips.codec": ("libx265", CLIPS),
    "clips.crf": (30, CLIPS),
    "clips.preset": ("fast", CLIPS),
    "clips.aspect": ("9:16", CLIPS),
    "clips.fit": ("pad", CLIPS),
    "clips.subtitles": ("burned", CLIPS),
    "clips.loudness": (-16, CLIPS),
    "clips.hdr": ("keep", CLIPS),
    "narrative.prompt": ("Why {text}?", NARRATIVE),
    "narrative.rising": (1, NARRATIVE),
    "chapters.by": ("scenes", CHAPTERS),
    "chapters.min_seconds": (1, CHAPTERS),
    "trailer.seconds": (5, TRAILER),
    "trailer.crossfade_seconds": (0, TRAILER),
    "trailer.handles_seconds": (0, TRAILER),
    "trailer.height": (100, TRAILER),
    "trailer.codec": ("libx265", TRAILER),
    "trailer.crf": (30, TRAILER),
    "trailer.preset": ("fast", TRAILER),
}


def rules(stages: list[str], library: Workspace | None = None) -> list[str]:
    """The rules of the stages and of all that is made from them, in that library."""
    stale = {name for stage in stages for name in downstream(stage)}
    if library is not None:
        stale &= set(library.stages)
    if "transcript" in stale:
        stale.add("audio")  # temporary, and so made again
    return sorted(STAGES[name].rule for name in stale)


def test_the_table_has_every_setting():
    assert set(TABLE) | {"videos"} == {name for name, _ in config.settings()}


IDENTITY = {"path": "/films/one.mp4", "size": 1, "mtime_ns": 1}


def changed(given: dict, setting: str) -> dict:
    """The configuration with the table's other value for a setting."""
    complete = config.load(given)
    found = config.with_overrides(complete, {setting: TABLE[setting][0]})
    assert found != complete
    return found


@pytest.mark.parametrize("setting", TABLE)
def test_a_setting_is_in_the_keys_of_its_stages(complete, setting):
    """And in no others: which jobs a changed key runs, is proved below stage by stage."""
    before, after = (
        fingerprints.compute(fingerprints.settings(given), IDENTITY)
        for given in (config.load(complete.config), changed(complete.config, setting))
    )
    differ = {name for name in before.keys() & after.keys() if before[name] != after[name]}
    assert differ == {name for stage in TABLE[setting][1] for name in downstream(stage)}


ONE_OF_EACH = {tuple(stages): setting for setting, (_, stages) in TABLE.items() if stages}
"""A setting for each list of stages in the table."""


@pytest.mark.parametrize("setting", ONE_OF_EACH.values())
def test_a_changed_key_runs_its_stages(complete, setting, monkeypatch):
    before = snapshot(complete.folder / "results")
    monkeypatch.setattr(complete, "config", changed(complete.config, setting))
    assert complete.plan() == [f"{rule} x2" for rule in rules(TABLE[setting][1])]
    assert snapshot(complete.folder / "results") == before


def test_what_is_in_no_key_runs_nothing(complete, monkeypatch):
    """All such settings at once."""
    given = complete.config
    for setting, (_, stages) in TABLE.items():
        if not stages:
            given = changed(given, setting)
    monkeypatch.setattr(complete, "config", given)
    assert complete.plan() == []


def test_a_dry_run_says_why_and_a_plain_one_after_it_has_nothing_to_do(finished):
    before = snapshot(finished.folder / "results")
    output = finished.run("-n", "--config", "transcription={beam_size: 2}")
    assert (
        "transcription.beam_size 5 -> 2: 2 videos (one, two), transcript and everything" in output
    )
    assert snapshot(finished.folder / "results") == before
    assert finished.plan() == []


def test_a_second_run_has_nothing_to_do_and_imports_no_engine(finished, tmp_path):
    library = finished.copy(tmp_path / "work")
    output = library.run(env=library.without_engines())
    assert "Nothing to be done" in output


def test_one_video_of_a_library_is_stale_alone(finished, tmp_path):
    library = finished.copy(tmp_path / "work")
    videos = tmp_path / "videos"
    shutil.copytree(finished.videos, videos, copy_function=shutil.copy2)
    library.config["videos"] = str(videos)
    everything = library.rules

    # Moved: another path. Every stage is looked at again.
    assert library.plan() == [f"{rule} x2" for rule in everything]
    library.run()
    assert library.plan() == []

    # Touched: only the time differs. That video alone.
    os.utime(videos / "one.mp4")
    assert library.plan() == everything
    assert "source changed (its size or time): 1 video (one)" in library.run("-n")
    library.run()

    # Replaced by another film of the same time.
    stat = (videos / "one.mp4").stat()
    make_video(videos / "one.mp4", *random_story(seed=3, seconds=4), 320, 180)
    os.utime(videos / "one.mp4", ns=(stat.st_atime_ns, stat.st_mtime_ns))
    old = library.json("one", "media.json")["content"]
    assert library.plan() == everything
    library.run()
    assert library.json("one", "media.json")["content"] != old
    assert library.plan() == []

    # Renamed: another video. The old results stay, nobody asks for them.
    (videos / "one.mp4").rename(videos / "uno.mp4")
    assert library.plan() == everything
    assert "new: 1 video (uno)" in library.run("-n")

    # Taken away: what is left is finished.
    (videos / "uno.mp4").unlink()
    assert library.plan() == []


def test_an_artifact_deleted_by_hand_is_made_again_with_what_follows(finished, tmp_path):
    library = finished.copy(tmp_path / "work")
    library.result("one", "one.scenedesc.msgpack").unlink()
    assert library.plan() == ["describe_scenes", "write_manifest"]
    shutil.rmtree(library.result("two", "keyframes"))
    assert library.plan() == [
        "describe_scenes x2",
        "extract_keyframes",
        "write_manifest x2",
    ]


def test_a_film_on_tape_forces_nothing(finished, tmp_path):
    library = finished.copy(tmp_path / "work")
    sheet = library.folder / "sheet.csv"
    sources = [finished.videos / "one.mp4", finished.videos / "two.mp4"]
    tape = tmp_path / "tape.mp4"
    shutil.copy2(sources[0], tape)
    sheet.write_text(f"source,id\n{tape},one\n{sources[1]},two\n")
    library.config["videos"] = "sheet.csv"
    library.run()
    tape.unlink()
    assert library.plan() == []
    # Settings that need no source still work: the descriptions come from the keyframes.
    assert library.plan("--config", "description={prompt: Say what}") == [
        "describe_scenes x2",
        "write_manifest x2",
    ]


def test_forcing_and_looking_see_finished_videos_too(finished):
    assert finished.plan("-F") == [f"{rule} x2" for rule in finished.rules]
    assert "describe_scenes x2" in finished.plan("-R", "describe_scenes")
    before = snapshot(finished.folder / "results")
    assert "results/one/transcript.json" in finished.run("--summary")
    assert "write_manifest" in finished.run("--dag")
    assert snapshot(finished.folder / "results") == before


def test_settings_of_one_video(finished, tmp_path):
    """A sample sheet's column is a setting of that row's video alone."""
    library = finished.copy(tmp_path / "work")
    rows = [f"{finished.videos / name}.mp4,{name}" for name in ("one", "two")]
    library.config["videos"] = "sheet.csv"
    sheet = library.folder / "sheet.csv"
    sheet.write_text("source,id\n" + "\n".join(rows) + "\n")
    assert library.plan() == []
    sheet.write_text(f"source,id,language\n{rows[0]},\n{rows[1]},de\n")
    assert library.plan() == rules(TRANSCRIPT, library)


A = "scenes={threshold: 8}"
B = "scenes={detector: hash}"


def test_a_setting_that_was_changed_and_changed_back_before_it_was_used(finished, tmp_path):
    """B's sidecars were written, B was never made: A's artifacts are what is wanted."""
    library = finished.copy(tmp_path / "work")
    broken = {"PATH": "/nowhere", "PYTHONPATH": str(tmp_path)}
    (tmp_path / "scenedetect.py").write_text("raise ImportError('stopped before it began')")
    library.run("--config", B, ok=False, env=broken)
    sidecar = library.json("one", "fingerprints", "scenes.json")
    assert sidecar["settings"]["scenes.detector"] == "hash"
    assert library.plan() == []
    assert "Nothing to be done" in library.run()
    # Nor is there for a target of its own, which looks at the sidecar.
    assert "Nothing to be done" in library.run("results/one/scenes.json")
    assert "detect_scenes x2" in library.plan("--config", B)


def test_a_wrong_model_costs_no_finished_artifact(finished, tmp_path):
    """A typo in a model's name: the jobs fail, and what was there is there."""
    library = finished.copy(tmp_path / "work")
    before = snapshot(library.folder / "results")
    for given in ("description={model: /nowhere/other.gguf}", "transcription={model: smal}"):
        library.run("--config", given, ok=False)
        for video in ("one", "two"):
            for name in ("transcript.json", f"{video}.scenedesc.msgpack"):
                assert library.result(video, name).read_bytes() == before[f"{video}/{name}"][2]
        # What is there does not pass for what was asked for.
        assert "write_manifest x2" in library.plan("--config", given)
    library.run()
    for stage in ("transcript", "scenedesc"):  # nothing was computed again
        assert library.record("one", stage)["state"] == "failed"
    assert library.plan() == []


def test_what_a_killed_job_leaves_does_not_pass_for_its_work(finished, tmp_path):
    """Killed alone, as when memory runs out: Snakemake puts the old artifact back, newly dated."""
    library = finished.copy(tmp_path / "work")
    (tmp_path / "scenedetect.py").write_text("import os\nos.kill(os.getpid(), 9)\n")
    library.run("--config", B, ok=False, env={"PYTHONPATH": str(tmp_path)})
    assert library.record("one", "scenes")["state"] == "running"
    assert library.json("one", "scenes.json")["detector"] == "adaptive"
    assert "detect_scenes x2" in library.plan("--config", B)
    library.run("--config", B)
    assert library.json("one", "scenes.json")["detector"] == "hash"
    assert library.plan("--config", B) == []


def test_a_model_on_a_disk_that_is_not_mounted_forces_nothing(finished, tmp_path):
    library = finished.copy(tmp_path / "work")
    model = tmp_path / "disk" / "text.gguf"
    model.parent.mkdir()
    shutil.copy(library.config["description"]["model"], model)
    library.config["description"]["model"] = str(model)
    assert library.plan() == []
    model.unlink()
    assert library.plan() == []


def test_a_keyframe_deleted_by_hand_is_made_again(finished, tmp_path):
    library = finished.copy(tmp_path / "work")
    picture = next(library.result("one", "keyframes").glob("*.jpg"))
    content = picture.read_bytes()
    picture.unlink()
    before = snapshot(library.folder / "results")
    assert "extract_keyframes" in library.plan()
    assert "keyframes is not what its manifest says: 1 video (one)" in library.run("-n")
    assert snapshot(library.folder / "results") == before
    library.run()
    assert picture.read_bytes() == content
    assert library.plan() == []


def test_what_others_leave_in_our_folders_does_no_harm(finished, tmp_path):
    library = finished.copy(tmp_path / "work")
    folder = library.result("one", "keyframes")
    (folder / "@eaDir").mkdir()
    (folder / "Thumbs.db").touch()
    assert library.plan() == []
    library.run("-R", "write_manifest")
    assert library.plan() == []


def test_an_artifact_with_another_time_is_looked_at_once(finished, tmp_path):
    """Copied without times: the content is the same, and the manifest is written anew."""
    library = finished.copy(tmp_path / "work")
    os.utime(library.result("one", "transcript.txt"), (1, 1))
    before = snapshot(library.folder / "results")
    assert library.plan() == []
    assert snapshot(library.folder / "results") == before
    assert "Nothing to be done" in library.run()
    entries = library.json("one", "manifest.json")["stages"]["subtitles"]["artifacts"]
    assert {entry["path"]: entry["mtime_ns"] for entry in entries}["transcript.txt"] == 10**9


def test_touching_writes_no_fingerprint(finished, tmp_path):
    library = finished.copy(tmp_path / "work")
    library.run("--touch", "--config", A)
    settings = library.json("one", "fingerprints", "scenes.json")["settings"]
    assert settings["scenes.threshold"] is None
    assert "detect_scenes x2" in library.plan("--config", A)


def test_a_lost_sidecar_is_written_again_and_nothing_runs(finished, tmp_path):
    library = finished.copy(tmp_path / "work")
    library.result("one", "fingerprints", "scenes.json").unlink()
    library.result("two", "fingerprints", "scenes.json").write_text("[1]")
    library.run("--config", "prune=false")
    assert library.record("one", "scenedesc") == finished.record("one", "scenedesc")
    assert library.plan("--config", "prune=false") == []
