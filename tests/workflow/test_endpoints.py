"""The whole workflow with its models on servers of this machine."""

import os
import shutil
import signal

import pytest

from model_servers import MODELS, Double, Hearing, LlamaServer
from reelmake.foundation import artifact_files
from reelmake.library import scene_descriptions
from workspace import Workspace, wait_for

SERVED = {"transcript": "tiny", "scenedesc": "text.gguf", "scores": "model.gguf"}
SERVED |= {"translations": "model.gguf"}


@pytest.fixture(scope="module")
def servers():
    """url of each config section."""
    seeing, text = LlamaServer.seeing(), LlamaServer(MODELS / "text" / "model.gguf")
    with Double(Hearing()) as hearing:
        yield {
            "transcription": hearing.url,
            "description": seeing.url,
            "text_model": text.url,
        }
    seeing.close()
    text.close()


@pytest.fixture
def library(workspace, servers, spoken_film) -> Workspace:
    """A library of one film, whose models are on the servers."""
    shutil.copy(spoken_film, workspace.videos / "one.mp4")
    names = ("tiny", "text.gguf", "model.gguf")
    for (section, url), name in zip(servers.items(), names, strict=True):
        workspace.config[section] |= {"endpoint": url, "model": name}
    workspace.config["stages"] = ["transcripts", "translations", "descriptions", "narrative"]
    workspace.config["translations"]["languages"] = ["de"]
    return workspace


def test_a_film_is_made_without_a_model_here(library, complete, spoken_film):
    """And its artifacts say so; what was made is asked for no more, wherever the servers are."""
    key = {"OPENAI_API_KEY": "sk-secret"}
    library.run(env=key)
    transcript = library.json("one", "transcript.json")
    described = scene_descriptions.read(library.result("one", "one.scenedesc.msgpack"))
    here = complete.json("one", "transcript.json")
    assert transcript["segments"] == here["segments"]
    same = scene_descriptions.read(complete.result("one", "one.scenedesc.msgpack"))
    assert described["results"] == same["results"]
    scores, narrative = (library.json("one", f"{name}.json") for name in ("scores", "narrative"))
    assert scores["failed"] == narrative["failed"] == 0
    translated = library.json("one", "translations.json")
    here = complete.json("one", "translations.json")
    assert [each["lines"] for each in translated["languages"]] == [
        each["lines"] for each in here["languages"]
    ]
    said = (transcript["model"], described["metadata"], scores, narrative, translated)
    assert [(each.get("model", each.get("name")), each["endpoint"]) for each in said] == [
        *(("tiny", True), ("text.gguf", True), *[("model.gguf", True)] * 3),
    ]
    stages = library.json("one", "manifest.json")["stages"]
    for stage, name in SERVED.items():
        engines = stages[stage]["engines"]
        assert engines["endpoint"].endswith(name) and "openai" in engines
        assert not engines.keys() & {"llama-cpp-python", "ctranslate2"}
    written = [path for path in library.folder.rglob("*") if path.is_file()]
    assert not any(b"sk-secret" in path.read_bytes() for path in written)
    for section in ("transcription", "description", "text_model"):
        library.config[section]["endpoint"] = "http://127.0.0.1:9/v1"  # where nobody is
    assert library.plan() == []
    library.run(env=library.without_engines())


def test_a_server_that_is_gone_is_said_and_the_job_goes_on_later(library):
    seeing = LlamaServer.seeing()
    try:
        library.config["description"]["endpoint"] = seeing.url
        library.config["keyframes"] = {"per_scene": 14, "strategy": "first"}
        library.config |= {"retries": 0, "hardware": {"requests_at_once": 2, "threads": 1}}
        target = "results/one/one.scenedesc.msgpack"
        process = library.start(target)
        try:
            wait_for(lambda: _journaled(library) > 800)
            seeing.kill()
            output, _ = process.communicate(timeout=60)
        finally:
            library.kill(process)
        said = f"one: scenedesc: the server at {seeing.url} can't be reached"
        assert said in output and "start it, or check description.endpoint" in output
        record = library.record("one", "scenedesc")
        assert (record["state"], record["class"]) == ("failed", "transient")
        kept = record["items_done"]
        seeing = LlamaServer.seeing(seeing.port)
        library.run(target)
        record = library.record("one", "scenedesc")
        assert record["items_resumed"] == kept > 0
        assert record["items_done"] == record["items_total"] > kept
        artifact = scene_descriptions.read(library.folder / target)
        assert artifact["metadata"]["failed"] == 0
    finally:
        seeing.close()


def _journaled(library) -> int:
    found = library.result("one", "journal").glob("scenedesc.*")
    return sum(path.stat().st_size for path in found)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_loses_nothing_that_was_asked(library, number, tmp_path):
    library.config["keyframes"] = {"per_scene": 14, "strategy": "first"}
    target = "results/one/one.scenedesc.msgpack"
    process = library.start(target)
    try:
        wait_for(lambda: _journaled(library) > 800)
        os.killpg(process.pid, number)
        process.communicate(timeout=60)
    finally:
        library.kill(process)
    record = library.record("one", "scenedesc")
    assert (record["state"], record["class"]) == ("failed", "killed")
    kept = record["items_done"]
    assert 0 < kept < record["items_total"]
    library.run(target)
    assert library.record("one", "scenedesc")["items_resumed"] == kept
    artifact_files.validate(library.json("one", "keyframes.json"), "keyframes")
