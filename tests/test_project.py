"""What holds the project together: one name everywhere, one place for pins."""

import re
import tomllib
from pathlib import Path

import pytest
import yaml

import write_lock
from reelmake.library.stages import STAGES

ROOT = Path(__file__).resolve().parents[1]

LOCK = write_lock.pins((ROOT / "requirements.lock").read_text())
RULES = {
    name: body
    for path in (ROOT / "rules").glob("*.smk")
    for name, body in re.findall(r"^rule (\w+):\n(.*?)(?=^rule |\Z)", path.read_text(), re.M | re.S)
}


@pytest.mark.parametrize("path", sorted((ROOT / "envs").glob("*.yaml")), ids=lambda path: path.stem)
def test_conda_environments_have_the_pins_of_the_lock_file(path):
    names = write_lock.ENVIRONMENTS[path.stem]
    assert path.read_text() == write_lock.environment(names, LOCK), "run: make lock"
    (pip,) = (entry["pip"] for entry in yaml.safe_load(path.read_text())["dependencies"][-1:])
    pinned = (pin.split()[0].split("==") for pin in pip)
    assert all(version == LOCK[name] for name, version in pinned)


def test_every_dependency_is_pinned():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    for name in project["dependencies"] + project["optional-dependencies"]["dev"]:
        assert name.partition("[")[0] in LOCK


def test_a_stage_is_a_rule_a_script_and_a_log_folder_of_one_name():
    of_no_video = {"models", "run_share", "update_catalog"}
    assert {stage.rule for stage in STAGES.values()} == set(RULES) - of_no_video
    scripts = {path.stem for path in (ROOT / "scripts").glob("*.py")}
    assert scripts - {"download_models", *of_no_video} == set(RULES) - of_no_video
    for name in set(RULES) - of_no_video:
        body = RULES[name]
        assert f'"logs/{name}/{{video}}.log"' in body
        assert f'"../scripts/{name}.py"' in body


@pytest.mark.parametrize("stage", STAGES.values(), ids=lambda stage: stage.name)
def test_a_rule_makes_what_the_table_says_from_what_it_says(stage):
    body = RULES[stage.rule]
    assert f'fingerprint=fingerprint("{stage.name}")' in body
    for artifact in stage.artifacts:
        assert f"results/{{video}}/{artifact}".rstrip("/") in body
    if stage.name != "manifest":
        inputs = body[: body.index("output:")]
        read = {
            name
            for name, other in STAGES.items()
            for artifact in other.artifacts
            if f'"results/{{video}}/{artifact}'.rstrip("/") + '"' in inputs
        }
        assert read <= set(stage.upstream)
    for needed in ("message:", "conda:", "log:", "script:"):
        assert needed in body
    assert ("gpu=gpus(" in body) == stage.gpu


@pytest.mark.parametrize("stage", STAGES.values(), ids=lambda stage: stage.name)
def test_a_stage_that_reads_the_film_waits_for_its_download(stage):
    text = (ROOT / "scripts" / f"{stage.rule}.py").read_text()
    extracts = ("temporary_audio.extract(this, media,", "temporary_audio.own(this, media)")
    reads = any(call in text for call in ("this.source()", *extracts))
    if stage.name != "manifest":  # which lists the download
        assert reads == ("source" in stage.upstream)
    assert ("source=downloaded," in RULES[stage.rule]) == ("source" in stage.upstream)


def test_engines_are_imported_in_one_module_each():
    engines = [
        "av",
        "cv2",
        "ctranslate2",
        "faster_whisper",
        "ffmpeg",
        "fsspec",
        "huggingface_hub",
        "llama_cpp",
        "openai",
        "opentimelineio",
        "pysubs2",
        "rapidfuzz",
        "rapidocr",
        "requests",
        "scenedetect",
        "yt_dlp",
    ]
    files = [*(ROOT / "scripts").rglob("*.py")]
    for engine in engines:
        pattern = re.compile(rf"^\s*(import|from) {engine}\b", re.M)
        users = {path.name for path in files if pattern.search(path.read_text())}
        assert len(users) <= 1, (engine, users)
    users = {path.name for path in files if re.search(r"^import sqlite3\b", path.read_text(), re.M)}
    assert users == {"index.py", "database.py"}  # of the cache, and of the catalog


def test_nothing_is_run_through_a_shell_or_unpickled():
    for path in (ROOT / "scripts").rglob("*.py"):
        text = path.read_text()
        for forbidden in (r"shell=True", r"os\.system", r"\bpickle\b", r"\beval\(", r"\bexec\("):
            assert not re.search(forbidden, text), (path, forbidden)
    for path in (ROOT / "rules").glob("*.smk"):
        assert not re.search(r"^\s*(shell|run):", path.read_text(), re.M), path
