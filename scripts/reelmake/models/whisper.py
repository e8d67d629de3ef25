"""Speech to text with faster-whisper, the only module that imports it."""

import contextlib
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from reelmake.foundation.errors import StageError
from reelmake.library import config
from reelmake.models import cuda_libraries, kept, model_files
from reelmake.models.audio_chunks import RATE, Samples
from reelmake.models.window_languages import Languages, Window, Windows

BATCHED_SILENCE = 160
"""Milliseconds of silence between windows that are heard at once, as faster-whisper has them."""

OPTIONS = (
    *("beam_size", "temperature", "condition_on_previous_text", "initial_prompt", "vad_filter"),
    *("word_timestamps", "task", "hotwords", "multilingual", "language_detection_segments"),
    *("no_speech_threshold", "log_prob_threshold", "compression_ratio_threshold"),
    *("hallucination_silence_threshold", "repetition_penalty", "no_repeat_ngram_size"),
    "suppress_tokens",
)
"""Settings that are options of faster-whisper by the same name."""


FILES = ("config.json", "preprocessor_config.json", "model.bin", "tokenizer.json", "vocabulary.*")
"""What faster-whisper needs of a repository on the hub."""


@dataclass(frozen=True)
class Heard:
    """segments: faster-whisper's, each made when it is asked for. voiced: seconds with a voice."""

    segments: Iterable[Any]
    language: str
    probability: float
    voiced: float


@contextlib.contextmanager
def loaded(folder: str, settings: dict[str, Any], device: str, threads: int) -> Iterator["Speech"]:
    """A Whisper model for the block, which a process that does several jobs loads once.

    folder: where it lies. settings: the config section `transcription`. device: "auto", "cuda" or
    "cpu". threads: of the CPU. It raises what CTranslate2 raises: use it within `errors`.
    """
    compute_type = settings["compute_type"]

    def load() -> Any:
        if device != "cpu":
            cuda_libraries.load()
        from faster_whisper import WhisperModel

        return WhisperModel(folder, device=device, compute_type=compute_type, cpu_threads=threads)

    key = ("whisper", device, compute_type, threads)
    with kept.model(key, [Path(folder)], load) as model:
        yield Speech(model, settings)


class Speech:
    """What a Whisper model hears.

    model: faster-whisper's. settings: the config section `transcription`. It raises what
    CTranslate2 raises: use it within `errors`.
    """

    def __init__(self, model: Any, settings: dict[str, Any]):
        self._settings = settings
        self._voice = _voice_options(settings)
        self._model = model
        self._windows = Windows(self._model.model)

    @property
    def device(self) -> str:
        """Where it runs: "cuda" or "cpu"."""
        return str(self._model.model.device)

    @property
    def knows_languages(self) -> bool:
        """Whether the model can tell one language from another; else all is English."""
        return bool(self._model.model.is_multilingual)

    def languages(self, samples: Samples) -> Languages:
        """How likely each language is in the first 30 s of the samples."""
        return dict(self._model.detect_language(samples)[2])

    def hear(
        self, samples: Samples, language: str | None, expected: Languages | None, prompt: str | None
    ) -> Iterator[tuple[Any, Window]]:
        """faster-whisper's segments of the samples, one window of 30 s after the other.

        language: None: found in each window. expected: of the film; None: nothing is known.
        prompt: the text before. Yields each segment with what its window is taken for.
        """
        with self._detecting(language, expected) as options:
            segments, _ = self._model.transcribe(samples, **options | {"initial_prompt": prompt})
            for segment in segments:
                yield segment, self._windows.last(language)

    def hear_at_once(
        self,
        samples: Samples,
        spans: Sequence[tuple[int, int]],
        language: str | None,
        expected: Languages | None,
    ) -> Iterator[tuple[Any, Window]]:
        """The same of several spans of the samples, each at most 30 s, `batch_size` at once."""
        from faster_whisper import BatchedInferencePipeline

        with self._detecting(language, expected) as options:
            # The batched mode leaves timestamp tokens out by default, and with them the segments
            # inside a window.
            segments, _ = BatchedInferencePipeline(self._model).transcribe(
                samples,
                batch_size=self._settings["batch_size"],
                without_timestamps=False,
                clip_timestamps=[
                    {"start": start / RATE, "end": end / RATE} for start, end in spans
                ],
                **options,
            )
            frames = self._model.frames_per_second
            numbers = {
                int(start / RATE * frames): number for number, (start, _) in enumerate(spans)
            }
            for segment in segments:
                yield segment, self._windows.of(numbers.get(segment.seek, -1), language)

    def hear_filtered(self, samples: Samples, language: str | None) -> Heard:
        """What is said in the samples, by faster-whisper's own filter: silence is cut out, what is
        left is heard as one piece, and the times are put back.

        language: None to detect it.
        """
        from faster_whisper import BatchedInferencePipeline

        options = self._options() | {
            "language": language,
            "vad_parameters": self._voice or None,
            "multilingual": self._settings["multilingual"] is True,
        }
        if self._settings["batch_size"]:
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
            voice = sum(end - start for start, end in voiced(samples, **self._voice)) / RATE
        return Heard(segments, info.language, info.language_probability, voice)

    def _options(self) -> dict[str, Any]:
        return {name: self._settings[name] for name in OPTIONS}

    @contextlib.contextmanager
    def _detecting(
        self, language: str | None, expected: Languages | None
    ) -> Iterator[dict[str, Any]]:
        """faster-whisper's options while each window's language is found, where it is not given."""
        find = language is None and self.knows_languages
        self._windows.begin(expected)
        self._model.model = self._windows if find else self._windows.model
        try:
            # With a language, none is detected beforehand; each window then finds its own.
            yield self._options() | {
                "language": language or "en",
                "multilingual": find,
                "vad_filter": False,
            }
        finally:
            self._model.model = self._windows.model


def _voice_options(settings: dict[str, Any]) -> dict[str, float]:
    """The options of voice activity detection that differ from the defaults of config.yaml. Those
    are Silero's for one window after the other; for windows at once faster-whisper has its own."""
    given = {
        name: settings[name]
        for name in ("vad_threshold", "vad_min_silence", "vad_pad")
        if settings[name] != config.default(f"transcription.{name}")
    }
    found: dict[str, float] = {}
    if given and settings["batch_size"]:
        found["min_silence_duration_ms"] = BATCHED_SILENCE
    if "vad_threshold" in given:
        found["threshold"] = given["vad_threshold"]
    if "vad_min_silence" in given:
        found["min_silence_duration_ms"] = round(given["vad_min_silence"] * 1000)
    if "vad_pad" in given:
        found["speech_pad_ms"] = round(given["vad_pad"] * 1000)
    return found


def voiced(samples: Samples, **options: float) -> list[tuple[int, int]]:
    """The spans in which Silero finds a voice, in samples. options: of its VadOptions."""
    from faster_whisper.vad import get_speech_timestamps

    return [(span["start"], span["end"]) for span in get_speech_timestamps(samples, **options)]


def voiced_words(samples: Samples, threshold: float = 0.5) -> list[tuple[int, int]]:
    """The same, exactly: by default pauses up to 2 s, and 0.4 s on each side, count as voiced.

    threshold: how sure Silero has to be, 0 to 1.
    """
    return voiced(samples, min_silence_duration_ms=100, speech_pad_ms=0, threshold=threshold)


def folder(model: str) -> str:
    """The folder of a local model, or of one of the hub that is on this machine.

    Nothing is downloaded. Raises StageError that says what to do.
    """
    here = known(model)
    if here is None:
        raise StageError(
            f"the model '{model}' is not on this machine: `reel models` downloads it, once; or "
            "copy a converted model here and set transcription.model to its folder",
            kind="engine",
        )
    return here


def known(model: str) -> str | None:
    """The folder of a model on this machine; None where it is a name on the hub that was not
    downloaded. Raises StageError for what is neither."""
    here = _here(model)
    if here is not None:
        return here
    found = model_files.cached(repository(model), "model.bin")
    if found is None:
        return None
    needed = ("config.json", "tokenizer.json", "vocabulary.*")
    is_whole = all(any(found.parent.glob(pattern)) for pattern in needed)
    return str(found.parent) if is_whole else None


def repository(model: str) -> str:
    """The repository on the hub that a model's name stands for.

    Raises StageError for a name that faster-whisper does not know.
    """
    if "/" in model:
        return model
    from faster_whisper import utils

    names: dict[str, str] = getattr(utils, "_MODELS", {})
    if model not in names:
        raise StageError(
            f"there is no speech model '{model}'; check transcription.model: a folder, a "
            f"repository on the hub (owner/name), or one of {', '.join(names)}",
            kind="engine",
        )
    return names[model]


def gpus() -> int:
    """How many GPUs CTranslate2 sees."""
    import ctranslate2

    return int(ctranslate2.get_cuda_device_count())


def _here(model: str) -> str | None:
    """The folder of a local model; None for the name of one on the hub. Raises StageError."""
    path = config.expand(model)
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
