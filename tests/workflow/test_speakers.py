"""Who speaks, by the real engine: in subtitles, with names, and where it fails."""

import os
import shutil

import pytest

from workspace import ROOT, Workspace

FILES = [f"transcript.{suffix}" for suffix in ("srt", "vtt", "txt", "md")]
PRINTING = ["write_manifest", "write_subtitles"]
AGAIN = sorted(["find_speakers", *PRINTING])


def files(library: Workspace) -> dict[str, tuple[bytes, int]]:
    """Content and time of all that is made of the film."""
    found = {}
    for path in [*FILES, "transcript.json", "media.json", "speakers.json"]:
        file = library.result("conversation", path)
        found[path] = (file.read_bytes(), file.stat().st_mtime_ns)
    return found


@pytest.fixture
def library(workspace) -> Workspace:
    """A library of a conversation of two, as yet without its speakers."""
    shutil.copy(ROOT / "demo" / "videos" / "conversation.mp4", workspace.videos)
    workspace.config["stages"] = ["transcripts"]
    workspace.run()
    return workspace


def test_speakers_are_found_named_and_done_without(library):
    plain = {path: library.result("conversation", path).read_bytes() for path in FILES}
    heard = library.result("conversation", "transcript.json").stat().st_mtime_ns
    # Of a library that was finished without, only what prints them is made again.
    library.config["stages"] += ["speakers"]
    assert library.plan() == AGAIN
    library.run()
    assert library.result("conversation", "transcript.json").stat().st_mtime_ns == heard
    document = library.json("conversation", "speakers.json")
    assert document["failure"] is None
    assert [each["label"] for each in document["speakers"]] == ["S1", "S2"]
    vtt = library.result("conversation", "transcript.vtt").read_text()
    assert "<v S1>" in vtt and "<v S2>" in vtt
    record = library.record("conversation", "speakers")
    assert (record["state"], record["items_done"]) == ("done", record["items_total"])
    assert "sherpa-onnx" in record["engines"]

    # A name makes what prints it, and nothing else.
    (library.folder / "speakers.csv").write_text("film,label,name\nconversation,s1,Anna\nx,S1,Y\n")
    output = library.run()
    assert "speakers.csv, line 3: there is no film 'x'" in output
    assert 'speakers.names null -> {"S1": "Anna"}' in output
    named = files(library)
    assert b"<v Anna>" in named["transcript.vtt"][0]
    assert named["speakers.json"][0] == library.result("conversation", "speakers.json").read_bytes()
    assert library.plan() == []
    (library.folder / "speakers.csv").unlink()

    # A broken model: the film is finished as it was without speakers.
    models = dict(library.config["speakers"])
    broken = library.folder / "broken.onnx"
    broken.write_bytes(os.urandom(5000))
    library.config["speakers"]["segmentation_model"] = str(broken)
    output = library.run()
    assert "without speakers: 1 video (conversation) (engine): " in output
    assert "the next run tries that again" in output
    without = files(library)
    assert {path: without[path][0] for path in FILES} == plain
    assert library.json("conversation", "speakers.json")["failure"]["class"] == "engine"
    record = library.record("conversation", "speakers")
    assert record["state"] == "failed" and "broken.onnx" in record["error"] and record["log"]
    assert "1 film without speakers" in " ".join(library.reel("status").split())
    assert library.json("conversation", "manifest.json")["stages"]["speakers"]["failed"] == "engine"

    # The next run tries it again; what fails in the same way leaves all as it was.
    library.run("--config", "failed=only")
    assert files(library) == without
    assert library.record("conversation", "speakers")["attempt"] == 2

    # Mended, it is as if nothing had been.
    library.config["speakers"] = models
    library.run()
    assert library.json("conversation", "speakers.json") == document
    assert library.result("conversation", "transcript.vtt").read_text() == vtt
    assert library.record("conversation", "speakers")["cache"] == "hit"
    assert library.result("conversation", "transcript.json").stat().st_mtime_ns == heard
    assert library.plan() == []


def test_what_kills_the_engine_does_not_end_the_film(library):
    """As the kernel does where memory is short; a library that is finished but for that."""
    library.config["stages"] += ["speakers"]
    library.config["retries"] = 0
    folder = library.folder / "killing"
    folder.mkdir()
    (folder / "sherpa_onnx.py").write_text(
        "import os, signal\nos.kill(os.getpid(), signal.SIGKILL)"
    )
    output = library.run(env={"PYTHONPATH": str(folder)})
    assert "without speakers: 1 video (conversation) (resources): " in output
    assert "most likely by the kernel for want of memory" in output
    assert library.result("conversation", "manifest.json").exists()
    library.run("--config", "failed=only")
    assert library.json("conversation", "speakers.json")["failure"] is None
    assert b"<v S1>" in library.result("conversation", "transcript.vtt").read_bytes()
    assert library.record("conversation", "transcript")["attempt"] == 1
