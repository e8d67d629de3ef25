"""Speech to text with faster-whisper, the only module that imports it."""

import contextlib
import re
import wave
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from reelmake.errors import StageError

RATE = 16_000
"""Samples a second that Whisper hears."""

VOICED_ENOUGH = 1.0
"""Seconds of voice activity from which on a transcript must have a word: less may be a cough."""


def read_wav(path: Path) -> NDArray[np.float32]:
    """The samples of a 16 kHz mono 16-bit WAV file, float32 in [-1, 1)."""
    with wave.open(str(path), "rb") as file:
        shape = (file.getframerate(), file.getnchannels(), file.getsampwidth())
        if shape != (RATE, 1, 2):
            raise StageError(f"{path}: not 16 kHz mono 16-bit: {shape}", kind="engine")
        samples = np.frombuffer(file.readframes(file.getnframes()), np.int16)
    return samples.astype(np.float32) / np.float32(32768)


def transcribe(
    samples: NDArray[np.float32],
    settings: dict[str, Any],
    model: str,
    device: str = "auto",
    threads: int = 4,
    progress: Callable[[int, int], None] = lambda done, total: None,
) -> dict[str, Any]:
    """The transcript of one film's sound, as `schemas/transcript.schema.json` has it.

    samples: float32, 16 kHz mono; sample 0 is the film's time zero. settings: the config
    section `transcription`. model: a name on the hub, or a folder. progress: told the seconds
    done and in all. Raises StageError.
    """
    duration = len(samples) / RATE
    transcript: dict[str, Any] = {
        "language": settings["language"],
        "language_probability": None,
        "duration": round(duration, 3),
        "mode": "batched" if settings["batch_size"] else "sequential",
        "model": {"name": Path(model).name, "revision": None},
        "voiced_seconds": 0.0,
        "voiced_share": None,
        "segments": [],
    }
    if not len(samples):  # a film without sound
        return transcript
    folder = _folder(model)
    transcript["model"]["revision"] = _revision(folder)
    with _engine_errors(model):
        segments, info = _run(folder, samples, settings, device, threads)
        for segment in segments:
            transcript["segments"].append(_record(len(transcript["segments"]), segment))
            progress(int(segment.end), int(duration))
    voiced = info.duration_after_vad if settings["vad_filter"] else _voiced_seconds(samples)
    spoken = _covered(
        (word["start"], word["end"])
        for segment in transcript["segments"]
        for word in segment["words"] or [segment]
    )
    transcript |= {
        "language": info.language,
        "language_probability": round(info.language_probability, 4),
        "voiced_seconds": round(voiced, 3),
        "voiced_share": round(min(1.0, spoken / voiced), 4) if voiced else None,
    }
    if not transcript["segments"] and voiced >= VOICED_ENOUGH and not settings["allow_empty"]:
        raise StageError(
            f"{voiced:.1f} s of voice activity, but the model {model} heard no word; "
            "choose another model or language, or accept it with transcription.allow_empty",
            kind="engine",
        )
    return transcript


def _run(
    folder: str, samples: NDArray[np.float32], settings: dict[str, Any], device: str, threads: int
) -> Any:
    from faster_whisper import BatchedInferencePipeline, WhisperModel

    model = WhisperModel(
        folder, device=device, compute_type=settings["compute_type"], cpu_threads=threads
    )
    options = {
        name: settings[name]
        for name in (
            "language",
            "beam_size",
            "temperature",
            "condition_on_previous_text",
            "initial_prompt",
            "vad_filter",
            "word_timestamps",
        )
    }
    if settings["batch_size"]:
        # The batched mode leaves timestamp tokens out by default, and with them the segments
        # inside a window.
        return BatchedInferencePipeline(model).transcribe(
            samples, batch_size=settings["batch_size"], without_timestamps=False, **options
        )
    return model.transcribe(samples, **options)


def _record(number: int, segment: Any) -> dict[str, Any]:
    return {
        "id": number,
        "start": round(segment.start, 3),
        "end": round(segment.end, 3),
        "text": segment.text.strip(),
        "avg_logprob": round(segment.avg_logprob, 4),
        "no_speech_prob": round(segment.no_speech_prob, 4),
        "compression_ratio": round(segment.compression_ratio, 4),
        "words": [
            {
                "word": word.word.strip(),
                "start": round(word.start, 3),
                "end": round(word.end, 3),
                "probability": round(word.probability, 4),
            }
            for word in segment.words or []
        ],
    }


def _voiced_seconds(samples: NDArray[np.float32]) -> float:
    from faster_whisper.vad import get_speech_timestamps

    spans = get_speech_timestamps(samples)
    return float(sum(span["end"] - span["start"] for span in spans)) / RATE


def _covered(spans: Iterable[tuple[float, float]]) -> float:
    """Seconds that the spans cover together, overlaps counted once."""
    total, reached = 0.0, 0.0
    for start, end in sorted(spans):
        total += max(0.0, end - max(start, reached))
        reached = max(reached, end)
    return total


def _folder(model: str) -> str:
    """The folder of a local model, or of one on the hub, which is downloaded once."""
    path = Path(model).expanduser()
    if path.is_dir():
        for needed in ("model.bin", "config.json", "tokenizer.json"):
            if not (path / needed).is_file():
                raise StageError(
                    f"{path} is not a converted Whisper model (it has no {needed}); "
                    "make one with ct2-transformers-converter, or name a model such as small",
                    kind="engine",
                )
        return str(path)
    if path.exists() or model.startswith((".", "/", "~")) or model.count("/") > 1:
        raise StageError(
            f"the model folder {path} does not exist; check transcription.model",
            kind="engine",
        )
    from faster_whisper.utils import download_model

    try:
        return str(download_model(model))
    except ValueError as error:
        raise StageError(f"{error}; check transcription.model", kind="engine") from None
    except Exception as error:
        raise StageError(
            f"the model '{model}' is not on this machine and cannot be downloaded "
            f"({type(error).__name__}); connect once to fetch it, or copy a converted model here "
            "and set transcription.model to its folder",
            kind="transient",
        ) from error


def _revision(folder: str) -> str | None:
    """The commit of a model that came from the hub, which its cache keeps in the path."""
    found = re.search(r"/snapshots/([0-9a-f]{40})", folder)
    return found[1] if found else None


@contextlib.contextmanager
def _engine_errors(model: str) -> Iterator[None]:
    try:
        yield
    except (RuntimeError, ValueError) as error:  # what CTranslate2 raises
        if "out of memory" in str(error).lower():
            raise StageError(
                f"out of memory with the model {model}; choose a smaller one, "
                "compute_type int8, or a smaller batch_size",
                kind="resources",
            ) from error
        raise StageError(
            f"the model {model} cannot be used: {error}; "
            "check transcription.model and compute_type",
            kind="engine",
        ) from error
