"""Speech to text by a server: pieces of sound go there as WAV files, words and times come back."""

import io
import math
import re
import wave
import zlib
from collections.abc import Iterator, Mapping, Sequence
from types import SimpleNamespace
from typing import Any

import numpy as np

from reelmake.foundation.errors import Kind, StageError
from reelmake.models.audio_chunks import RATE, Samples
from reelmake.models.endpoint import Refused, Served
from reelmake.models.window_languages import Languages, Window

UNKNOWN = "und"
"""The language of a piece for which the server names none, as ISO 639 has it."""

Heard = list[tuple[Any, Window]]
"""Segments with the attributes of faster-whisper's, each with what its piece is taken for."""

_TIMES = {"start": {"type": "number"}, "end": {"type": "number"}}
_WORDS = {
    "type": ["array", "null"],
    "items": {
        "type": "object",
        "required": ["start", "end", "word"],
        "properties": _TIMES
        | {"word": {"type": "string"}, "probability": {"type": ["number", "null"]}},
    },
}
_NUMBERS = ("avg_logprob", "no_speech_prob", "compression_ratio")
_ANSWER = {
    "type": "object",
    "required": ["segments"],
    "properties": {
        "language": {"type": ["string", "null"]},
        "words": _WORDS,
        "segments": {
            "type": "array",
            "items": {
                "type": "object",
                "required": ["start", "end", "text"],
                "properties": _TIMES
                | {"text": {"type": "string"}, "words": _WORDS}
                | {name: {"type": ["number", "null"]} for name in _NUMBERS},
            },
        },
    },
}


class ServedSpeech(Served):
    """A speech model that a server has. settings: the config section `transcription`."""

    knows_languages = False
    """The server finds the language of each piece; it is not asked beforehand."""

    def languages(self, samples: Samples) -> Languages:
        """Nothing is known of them beforehand."""
        return {}

    def hear(
        self, samples: Samples, language: str | None, expected: Languages | None, prompt: str | None
    ) -> Iterator[tuple[Any, Window]]:
        """What is said in the samples, as `Speech.hear`. Raises StageError."""
        yield from self._result(self._server.begin(self._hear(samples, language, prompt)))

    def hear_each(self, pieces: Sequence[Samples], language: str | None) -> Iterator[Heard]:
        """What is said in each of some pieces, in their order; several are in work at a time.

        language: None: found in each. Raises StageError.
        """
        prompt = self._settings["initial_prompt"]
        begun = [self._server.begin(self._hear(piece, language, prompt)) for piece in pieces]
        for task in begun:
            yield self._result(task)

    def _result(self, task: Any) -> Heard:
        try:
            heard: Heard = self._server.finish(task)
        except ValueError as error:
            kind: Kind
            if isinstance(error, Refused) and error.status >= 500:
                why, kind = "look at what it logs, then run again", "transient"
            else:
                why = "it has to know POST /audio/transcriptions with response_format verbose_json"
                kind = "engine"
            raise StageError(f"{self._at} does not transcribe: {error}; {why}", kind) from error
        return heard

    async def _hear(self, samples: Samples, language: str | None, prompt: str | None) -> Heard:
        settings = self._settings
        temperature = settings["temperature"]
        options: dict[str, Any] = {
            "temperature": temperature[0] if isinstance(temperature, list) else temperature,
            "timestamp_granularities": ["segment"],
        }
        if settings["word_timestamps"]:
            options["timestamp_granularities"] = ["word", "segment"]
        options |= {"language": language} if language else {}
        options |= {"prompt": prompt} if prompt else {}
        # Of speaches; others look past it. Voices were found before.
        options["extra_body"] = {"vad_filter": "false"}
        if settings["hotwords"]:
            options["extra_body"]["hotwords"] = settings["hotwords"]
        said = await self._server.hear(lambda: _wav(samples), options, _ANSWER)
        window = Window(language or _code(said.get("language")), None)
        return [(segment, window) for segment in _segments(said, settings["word_timestamps"])]


def _segments(said: Mapping[str, Any], with_words: bool) -> list[Any]:
    """The segments that a server tells, with the attributes of faster-whisper's.

    Words stand in their segments or beside them. What a server does not tell is 0; of a word's
    probability, it is the mean of its segment.
    """
    found = []
    for each in said["segments"]:
        numbers = {name: float(each.get(name) or 0.0) for name in _NUMBERS}
        text = each["text"].encode()
        if text and not numbers["compression_ratio"]:
            numbers["compression_ratio"] = len(text) / len(zlib.compress(text))
        start, end = each["start"], max(each["start"], each["end"])
        found.append(
            SimpleNamespace(
                start=start, end=end, text=each["text"], words=each.get("words") or [], **numbers
            )
        )
    beside = [] if any(segment.words for segment in found) else said.get("words") or []
    for word in beside if found else ():
        middle = (word["start"] + word["end"]) / 2
        nearest = min(found, key=lambda each: max(each.start - middle, middle - each.end))
        nearest.words.append(word)
    for segment in found:
        mean = math.exp(min(segment.avg_logprob, 0.0))
        segment.words = [_word(word, mean) for word in segment.words if with_words]
    return found


def _word(word: Mapping[str, Any], mean: float) -> Any:
    told = word.get("probability")
    return SimpleNamespace(
        word=word["word"],
        start=word["start"],
        end=max(word["start"], word["end"]),
        probability=min(max(mean if told is None else told, 0.0), 1.0),
    )


def _code(language: str | None) -> str:
    """The code of a language that servers name by it, or in English."""
    import langcodes

    named = (language or "").strip().lower()
    if re.fullmatch("[a-z]{2,3}", named):
        return named
    try:
        return str(langcodes.find(named).language or UNKNOWN)
    except LookupError:
        return UNKNOWN


def _wav(samples: Samples) -> bytes:
    """A WAV file, 16 kHz, 16-bit."""
    file = io.BytesIO()
    with wave.open(file, "wb") as written:
        written.setparams((1, 2, RATE, 0, "NONE", ""))
        whole = np.clip(np.round(samples * 32768.0), -32768, 32767)
        written.writeframes(whole.astype("<i2").tobytes())
    return file.getvalue()
