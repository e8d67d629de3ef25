"""Speech to text with faster-whisper, the only module that imports it."""

import contextlib
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from reelmake.foundation.errors import StageError
from reelmake.models.audio_chunks import RATE, Samples


@dataclass(frozen=True)
class Heard:
    """segments: faster-whisper's, each made when it is asked for. voiced: seconds with a voice."""

    segments: Iterable[Any]
    language: str
    probability: float
    voiced: float


class Speech:
    """A Whisper model, loaded.

    folder: where it lies. settings: the config section `transcription`. It raises what
    CTranslate2 raises: use it within `errors`.
    """

    def __init__(self, folder: str, settings: dict[str, Any], device: str, threads: int):
        from faster_whisper import WhisperModel

        self._settings = settings
        self._model = WhisperModel(
            folder, device=device, compute_type=settings["compute_type"], cpu_threads=threads
        )

    def transcribe(self, samples: Samples, language: str | None) -> Heard:
        """What is said in the samples, without regard to what was said before.

        language: None to detect it.
        """
        from faster_whisper import BatchedInferencePipeline

        options = {
            name: self._settings[name]
            for name in (
                "beam_size",
                "temperature",
                "condition_on_previous_text",
                "initial_prompt",
                "vad_filter",
                "word_timestamps",
            )
        } | {"language": language}
        if self._settings["batch_size"]:
            # The batched mode leaves timestamp tokens out by default, and with them the segments
            # inside a window.
            segments, info = BatchedInferencePipeline(self._model).transcribe(
                samples,
                batch_size=self._settings["batch_size"],
                without_timestamps=False,
                **options,
            )
        else:
            segments, info = self._model.transcribe(samples, **options)
        if self._settings["vad_filter"]:
            voice = info.duration_after_vad
        else:
            voice = sum(end - start for start, end in voiced(samples)) / RATE
        return Heard(segments, info.language, info.language_probability, voice)


def voiced(samples: Samples, **options: int) -> list[tuple[int, int]]:
    """The spans in which Silero finds a voice, in samples. options: of its VadOptions."""
    from faster_whisper.vad import get_speech_timestamps

    return [(span["start"], span["end"]) for span in get_speech_timestamps(samples, **options)]


def voiced_words(samples: Samples) -> list[tuple[int, int]]:
    """The same, exactly: by default pauses up to 2 s, and 0.4 s on each side, count as voiced."""
    return voiced(samples, min_silence_duration_ms=100, speech_pad_ms=0)


def folder(model: str) -> str:
    """The folder of a local model, or of one on the hub, which is downloaded once."""
    here = _here(model)
    if here is not None:
        return here
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


def known(model: str) -> str | None:
    """The same, but nothing is downloaded: None for what is not on this machine."""
    here = _here(model)
    if here is not None:
        return here
    from faster_whisper.utils import download_model

    try:
        found = str(download_model(model, local_files_only=True))
    except OSError:
        return None
    except ValueError as error:
        raise StageError(f"{error}; check transcription.model", kind="engine") from None
    return found if Path(found, "model.bin").exists() else None


def repository(model: str) -> str | None:
    """The repository on the hub that a model's name stands for; None where nobody knows."""
    from faster_whisper import utils

    names: dict[str, str] = getattr(utils, "_MODELS", {})
    return model if "/" in model else names.get(model)


def gpus() -> int:
    """How many GPUs CTranslate2 sees."""
    import ctranslate2

    return int(ctranslate2.get_cuda_device_count())


def _here(model: str) -> str | None:
    """The folder of a local model; None for the name of one on the hub. Raises StageError."""
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
    return None


def revision(folder: str) -> str | None:
    """The commit of a model that came from the hub, which its cache keeps in the path."""
    found = re.search(r"/snapshots/([0-9a-f]{40})", folder)
    return found[1] if found else None


@contextlib.contextmanager
def errors(model: str) -> Iterator[None]:
    """What CTranslate2 raises in the block, as a StageError."""
    try:
        yield
    except (RuntimeError, ValueError) as error:
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
