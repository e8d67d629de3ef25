"""Servers of models on this machine: a real one, and one that fails as real ones do.

Both speak as OpenAI's does.
"""

import contextlib
import dataclasses
import email
import http.server
import io
import json
import signal
import socket
import subprocess
import sys
import threading
import time
import urllib.request
from collections.abc import Callable
from pathlib import Path
from typing import Any

MODELS = Path(__file__).resolve().parents[1] / "demo" / "models"


class LlamaServer:
    """`python -m llama_cpp.server` with one of the demo's models.

    options: further ones of its command line. port: where it listens; None: anywhere.
    """

    def __init__(self, model: Path, *options: str, port: int | None = None):
        self.port = port or _free_port()
        self.url = f"http://127.0.0.1:{self.port}/v1"
        self._process = subprocess.Popen(
            [
                *(sys.executable, "-m", "llama_cpp.server", "--model", str(model)),
                *("--host", "127.0.0.1", "--port", str(self.port)),
                *("--n_ctx", "2048", "--n_threads", "1", "--verbose", "false", *options),
            ],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        end = time.monotonic() + 60
        while True:
            with contextlib.suppress(OSError):
                urllib.request.urlopen(f"{self.url}/models", timeout=5).close()
                return
            assert self._process.poll() is None and time.monotonic() < end, "it does not start"
            time.sleep(0.1)

    @classmethod
    def seeing(cls, port: int | None = None) -> "LlamaServer":
        """With the model that describes pictures."""
        encoder = str(MODELS / "vision" / "mmproj.gguf")
        more = ("--clip_model_path", encoder, "--chat_format", "llava-1-5")
        return cls(MODELS / "vision" / "text.gguf", *more, port=port)

    def kill(self) -> None:
        """As the kernel does where memory is short."""
        self._process.send_signal(signal.SIGKILL)
        self._process.wait()

    def close(self) -> None:
        if self._process.poll() is None:
            self._process.terminate()
            self._process.wait(timeout=30)


Answer = tuple[int, Any]
"""Status and body: what becomes JSON, or bytes."""


class Double:
    """A server that answers with what a function gives.

    answers: called with a request's body (JSON, or bytes) for each POST, in threads. models: what
    it lists, where it `lists` any. asked: the bodies so far. headers: of their requests, in lower
    case. more: headers of its answers. most: how many requests were in work at once.
    """

    def __init__(self, answers: Callable[[Any], Answer], models: list[str] | None = None):
        self.answers, self.models = answers, ["tiny"] if models is None else models
        self.asked: list[Any] = []
        self.headers: list[dict[str, str]] = []
        self.more: dict[str, str] = {}
        self.lists, self.most, self._now = True, 0, 0
        self._lock = threading.Lock()
        outer = self

        class Handler(_Handler):
            double = outer

        self._server = _Server(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}/v1"
        threading.Thread(target=self._server.serve_forever, args=(0.01,), daemon=True).start()

    def __enter__(self) -> "Double":
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()

    @contextlib.contextmanager
    def at_work(self, body: Any):
        with self._lock:
            self.asked.append(body)
            self._now += 1
            self.most = max(self.most, self._now)
        try:
            yield
        finally:
            with self._lock:
                self._now -= 1


def chat(content: Any, finish: str = "stop") -> Answer:
    """An answer of a model, text or what becomes JSON."""
    text = content if isinstance(content, str) or content is None else json.dumps(content)
    message = {"role": "assistant", "content": text}
    return 200, {"choices": [{"index": 0, "finish_reason": finish, "message": message}]}


def error(status: int, message: str) -> Answer:
    """How servers say that something is wrong."""
    return status, {"error": {"message": message, "type": "error", "code": status}}


class Hearing:
    """What a server that transcribes answers: the demo's model is behind it.

    beside: words stand beside the segments, as OpenAI's server has them; else in them as well. It
    is called with the body of a request, a form, whose fields it keeps in `fields`.
    """

    def __init__(self, beside: bool = False):
        from faster_whisper import WhisperModel

        folder = str(MODELS / "speech")
        self._model = WhisperModel(folder, device="cpu", compute_type="float32", cpu_threads=1)
        self._beside, self._lock = beside, threading.Lock()
        self.fields: list[dict[str, Any]] = []

    def __call__(self, body: bytes) -> Answer:
        fields = _form(body)
        self.fields.append(fields)
        with self._lock:
            segments, info = self._model.transcribe(
                io.BytesIO(fields["file"]),
                language=fields.get("language", "en"),
                temperature=float(fields["temperature"]),
                condition_on_previous_text=False,
                word_timestamps="word" in fields["timestamp_granularities[]"],
            )
            found = [dataclasses.asdict(segment) for segment in segments]
        words = [word for segment in found for word in segment["words"] or []]
        if self._beside:
            for each in found:
                del each["words"]
            words = [{name: word[name] for name in ("word", "start", "end")} for word in words]
        said = {"task": "transcribe", "language": "english", "duration": info.duration}
        said["text"] = "".join(segment["text"] for segment in found)
        return 200, said | {"segments": found, "words": words}


def _form(body: bytes) -> dict[str, Any]:
    """The fields of a form with a file; of a list, all."""
    boundary = body[2 : body.index(b"\r\n")]
    head = b'Content-Type: multipart/form-data; boundary="' + boundary + b'"\r\n\r\n'
    found: dict[str, Any] = {}
    for part in email.message_from_bytes(head + body).get_payload():
        name = part.get_param("name", header="Content-Disposition")
        content = part.get_payload(decode=True)
        if name == "file":
            found[name] = content
        elif name.endswith("[]"):
            found.setdefault(name, []).append(content.decode())
        else:
            found[name] = content.decode()
    return found


class _Server(http.server.ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, *args: Any) -> None:
        if not isinstance(sys.exc_info()[1], OSError):  # else who asked is gone
            super().handle_error(*args)


class _Handler(http.server.BaseHTTPRequestHandler):
    double: Double
    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        double = self.double
        listed = [{"id": name, "object": "model"} for name in double.models]
        found = (200, {"object": "list", "data": listed}) if double.lists else (405, b"no")
        self._send(*found)

    def do_POST(self) -> None:
        double = self.double
        double.headers.append({name.lower(): value for name, value in self.headers.items()})
        content = self.rfile.read(int(self.headers["Content-Length"]))
        is_json = self.headers.get_content_type() == "application/json"
        body = json.loads(content) if is_json else content
        with double.at_work(body):
            status, answer = double.answers(body)
        self._send(status, answer)

    def _send(self, status: int, answer: Any) -> None:
        content = answer if isinstance(answer, bytes) else json.dumps(answer).encode()
        with contextlib.suppress(OSError):
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(content)))
            for name, value in self.double.more.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(content)

    def log_message(self, *args: object) -> None:
        """Silent."""


def _free_port() -> int:
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return int(found.getsockname()[1])
