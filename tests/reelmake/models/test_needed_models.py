"""Models are downloaded by a command of their own, from a hub on this machine that speaks as the
real one does."""

import hashlib
import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from reelmake.library import config
from reelmake.models import needed_models
from web import Page, Web
from workspace import wait_for

ROOT = Path(__file__).resolve().parents[3]
COMMIT = "0123456789abcdef0123456789abcdef01234567"
GGUF = b"GGUF" + bytes(range(256)) * 4000
SMALL = {
    "config.json": b"{}",
    "tokenizer.json": b"{ }",
    "vocabulary.txt": b"a\nb\n",
    "model.bin": b"weights" * 1000,
}


class Hub:
    """Repositories on a web server, and a machine that knows no other hub.

    cache: where the machine keeps what it has downloaded.
    """

    def __init__(self, web: Web, folder: Path):
        self.web, self.cache = web, folder / "hub"
        self.environment = os.environ | {
            "PYTHONPATH": str(ROOT / "scripts"),
            "HF_ENDPOINT": web.url(""),
            "HF_HUB_CACHE": str(self.cache),
            "HF_HUB_OFFLINE": "0",
            "HF_HUB_DISABLE_XET": "1",
        }
        self.folder = folder
        self.models = {
            "transcription": {"model": "someone/small"},
            "description": {"repo_id": "someone/seeing", "model": "m.gguf", "mmproj": "e.gguf"},
            "text_model": {"repo_id": "someone/text", "model": "t.gguf"},
            "embeddings": {"text_model": None, "image_model": None},
            "stages": [name for name in config.load({})["stages"] if name != "speakers"],
        }

    def refuse(self, status: int, code: str = "") -> None:
        """Have the hub answer so, whatever it is asked. code: the hub's word for it."""
        headers = {"X-Error-Code": code} if code else {}
        for page in self.web.pages.values():
            page.status, page.headers = status, headers

    def publish(self, repository: str, files: dict[str, bytes]) -> dict[str, Page]:
        """Put a repository on the hub; its files' pages, by name."""
        listed = [{"rfilename": name, "size": len(files[name])} for name in files]
        about = json.dumps({"id": repository, "sha": COMMIT, "siblings": listed}).encode()
        for end in ("", "/revision/main", f"/revision/{COMMIT}"):
            self.web.pages[f"/api/models/{repository}{end}"] = Page(about, "application/json")
        tree = [
            {"type": "file", "oid": "0" * 40, "path": name, "size": len(files[name])}
            for name in files
        ]
        self.web.pages[f"/api/models/{repository}/tree/{COMMIT}"] = Page(
            json.dumps(tree).encode(), "application/json"
        )
        pages = {}
        for name, content in files.items():
            digest = hashlib.sha256(content).hexdigest()
            headers = {
                "X-Repo-Commit": COMMIT,
                "X-Linked-Etag": f'"{digest}"',
                "X-Linked-Size": str(len(content)),
            }
            pages[name] = Page(content, etag=f'"{digest}"', headers=headers, linked=True)
            for revision in ("main", COMMIT):
                self.web.pages[f"/{repository}/resolve/{revision}/{name}"] = pages[name]
        return pages

    def reel(self, *args: str, ok: bool = True) -> str:
        """What `reel models` says for a configuration of which all models are on the hub."""
        process = self.start(*args)
        said = "".join(process.communicate(timeout=120))
        assert (process.returncode == 0) == ok, said
        assert "Traceback" not in said
        return said

    def start(self, *args: str) -> subprocess.Popen:
        """The command, at work."""
        file = self.folder / "c.yaml"
        file.write_text(json.dumps(self.models | {"videos": str(self.folder)}))
        return subprocess.Popen(
            [sys.executable, "-m", "reelmake.reel", *args, "--configfile", str(file)],
            env=self.environment,
            cwd=self.folder,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )


@pytest.fixture
def hub(web, tmp_path) -> Hub:
    found = Hub(web, tmp_path)
    found.publish("someone/small", SMALL)
    found.publish("someone/seeing", {"m.gguf": GGUF, "e.gguf": GGUF[:5000], "other.gguf": GGUF})
    found.publish("someone/text", {"t.gguf": GGUF[:9000]})
    return found


def test_what_the_configuration_names_is_downloaded_once(hub):
    said = hub.reel("models")
    assert "speech model: someone/small of someone/small: 7.0 KB to download" in said
    assert "vision model: m.gguf of someone/seeing: 1.0 MB to download" in said
    assert "text model: t.gguf is whole" in said
    there = {path.name: path.read_bytes() for path in hub.cache.glob("*/snapshots/*/*")}
    assert there == SMALL | {"m.gguf": GGUF, "e.gguf": GGUF[:5000], "t.gguf": GGUF[:9000]}
    hub.web.asked.clear()
    hub.environment["HF_HUB_OFFLINE"] = "1"
    said = hub.reel("models")
    assert "text model: t.gguf is here: " in said and "download" not in said
    assert hub.web.asked == []


def test_embedding_models_are_downloaded_with_what_asks_for_pictures(hub):
    text = {"model_optimized.onnx": b"m" * 900, "tokenizer.json": b"{}", "readme.txt": b"no"}
    hub.publish("someone/meaning", text | {"tokenizer_config.json": b"{ }"})
    hub.publish("someone/seen", {"model.onnx": b"n" * 800, "preprocessor_config.json": b"{}"})
    hub.models["embeddings"] = {"text_model": "someone/meaning", "image_text_model": None}
    hub.models["embeddings"]["image_model"] = "someone/seen"
    hub.models["stages"] = ["embeddings"]
    said = hub.reel("models")
    assert "embedding model of texts: someone/meaning is whole" in said
    assert "embedding model of pictures: someone/seen is whole" in said
    (weights,) = hub.cache.glob("models--someone--meaning/snapshots/*/model_optimized.onnx")
    assert not (weights.parent / "readme.txt").exists()
    assert "someone/meaning is here" in hub.reel("models")
    (weights.parent / "tokenizer.json").unlink()
    hub.models["embeddings"]["image_text_model"] = "someone/meaning"
    said = hub.reel("models")
    assert "its model of queries: someone/meaning is whole" in said
    hub.models["embeddings"] |= {"text_model": None, "image_model": None}
    assert "someone/meaning" not in hub.reel("models")


def test_what_a_server_has_is_not_wanted_here(hub):
    hub.models["description"]["endpoint"] = hub.models["text_model"]["endpoint"] = "http://a/v1"
    assert "seeing" not in (said := hub.reel("models")) and "someone/text" not in said
    assert {path.name for path in hub.cache.glob("models--*")} == {"models--someone--small"}
    hub.models["transcription"]["endpoint"] = "http://a/v1"
    assert hub.reel("models") == ""


def test_a_download_that_was_cut_off_goes_on(hub):
    content = GGUF * 30  # the hub's library writes 10 MB at a time
    pages = hub.publish("someone/text", {"t.gguf": content})
    pages["t.gguf"].cut = 1
    hub.reel("models")
    (whole,) = hub.cache.glob("models--someone--text/snapshots/*/t.gguf")
    assert whole.read_bytes() == content
    asked = [each.headers.get("Range") for each in hub.web.asked if each.path.endswith("t.gguf")]
    assert any(asked)


def test_what_was_damaged_on_its_way_is_no_model(hub):
    pages = hub.publish("someone/text", {"t.gguf": GGUF})
    pages["t.gguf"].content = GGUF[:-1] + b"?"
    assert "t.gguf was damaged on its way; run the command again" in hub.reel("models", ok=False)
    pages["t.gguf"].content = GGUF
    assert "text model: t.gguf is whole" in hub.reel("models")


def test_what_is_here_is_compared_with_its_digest(hub):
    """As where a stop came between the last byte and the comparison."""
    hub.reel("models")
    (whole,) = hub.cache.glob("models--someone--text/snapshots/*/t.gguf")
    whole.resolve().write_bytes(GGUF[:8999] + b"?")
    assert "t.gguf was damaged on its way; run the command again" in hub.reel("models", ok=False)
    assert "text model: t.gguf is whole" in hub.reel("models")
    assert whole.read_bytes() == GGUF[:9000]


@pytest.mark.parametrize("name", ["tokenizer.json", "vocabulary.txt"])
def test_a_speech_model_of_which_a_file_is_missing_is_not_here(hub, name):
    hub.reel("models")
    (path,) = hub.cache.glob(f"models--someone--small/snapshots/*/{name}")
    path.unlink()
    assert "speech model: someone/small is whole" in hub.reel("models")
    assert path.exists()


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_ends_a_download_at_once_and_leaves_no_part(hub, number):
    pages = hub.publish("someone/text", {"t.gguf": GGUF * 40})
    pages["t.gguf"].pause = 0.1  # a minute, in all
    hub.models |= {"stages": ["highlights"]}
    process = hub.start("models")
    parts = hub.cache / "models--someone--text" / "blobs"
    wait_for(lambda: list(parts.glob("*.incomplete")))
    began = time.monotonic()
    process.send_signal(number)
    process.communicate(timeout=30)
    assert process.returncode == 128 + number
    assert time.monotonic() - began < 10
    assert not list(parts.iterdir())
    pages["t.gguf"].pause = 0.0
    hub.reel("models")


@pytest.mark.parametrize(
    ("change", "says"),
    [
        (lambda hub: hub.refuse(404, "RepoNotFound"), "has no someone/small, or keeps it private"),
        (lambda hub: hub.refuse(503), "the hub answers with status 503"),
        (
            lambda hub: hub.models.update(transcription={"model": "~nobody-of-this-name/model"}),
            "there is no home for the ~",
        ),
        (lambda hub: hub.publish("someone/text", {"x.gguf": b""}), "someone/text has no such file"),
        (
            lambda hub: hub.environment.update(HF_ENDPOINT="http://127.0.0.1:9"),
            "run `reel models` on a machine that has one and copy ",
        ),
        (lambda hub: hub.environment.update(HF_HUB_OFFLINE="1"), "HF_HUB_OFFLINE is set"),
    ],
)
def test_what_can_not_be_had_is_said_with_what_to_do(hub, change, says):
    change(hub)
    said = hub.reel("models", ok=False)
    assert says in said
    assert len(said.strip().splitlines()) <= 5


def test_doctor_says_what_is_missing_and_then_where_it_is(hub):
    said = hub.reel("doctor", ok=False)
    assert "t.gguf is not on this machine: 9.0 KB to download, once -> reel models" in said
    hub.reel("models")
    said = hub.reel("doctor", ok=False)  # there are no videos
    assert "to download" not in said


def test_without_models_of_speakers_films_are_finished(hub, tmp_path):
    given = config.load({"stages": ["speakers"], "speakers": {"embedding_model": "a/b/c.onnx"}})
    said = needed_models.missing(given)
    assert said == (
        "not on this machine: model of turns csukuangfj/sherpa-onnx-pyannote-segmentation-3-0, "
        "model of voice prints a/b/c.onnx; without a model of speakers, films are finished "
        "without speakers: `reel models` downloads what is missing, once"
    )
    assert not needed_models.are_here(given, "speakers")
    here = ROOT / "demo" / "models" / "speakers"
    models = {f"{name}_model": str(here / f"{name}.onnx") for name in ("segmentation", "embedding")}
    assert needed_models.are_here(config.load({"speakers": models}), "speakers")
    # What is no model is here: its job says what is wrong with it.
    (tmp_path / "x.onnx").mkdir()
    models["embedding_model"] = str(tmp_path / "x.onnx")
    assert needed_models.are_here(config.load({"speakers": models}), "speakers")
