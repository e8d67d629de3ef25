"""Models are downloaded by a command of their own, from a hub on this machine that speaks as the
real one does."""

import hashlib
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from web import Page, Web

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
        config = {
            "transcription": {"model": "someone/small"},
            "description": {"repo_id": "someone/seeing", "model": "m.gguf", "mmproj": "e.gguf"},
            "text_model": {"repo_id": "someone/text", "model": "t.gguf"},
        }
        file = self.folder / "c.yaml"
        file.write_text(json.dumps(config | {"videos": str(self.folder)}))
        done = subprocess.run(
            [sys.executable, "-m", "reelmake.reel", *args, "--configfile", str(file)],
            env=self.environment,
            cwd=self.folder,
            capture_output=True,
            text=True,
            timeout=120,
        )
        said = done.stdout + done.stderr
        assert (done.returncode == 0) == ok, said
        assert "Traceback" not in said
        return said


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


@pytest.mark.parametrize(
    ("change", "says"),
    [
        (lambda hub: hub.web.pages.clear(), "the hub has no someone/small, or keeps it private"),
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
